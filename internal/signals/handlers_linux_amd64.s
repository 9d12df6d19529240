#include "textflag.h"

// These run as signal handlers, on the signal stack, with no goroutine: they
// must not touch Go's stack, call Go, or use a register that Go reserves.

// relay(sig int32 DI, info *siginfo_t SI, context DX) writes the 128 bytes of
// info to the pipe. The pipe is non-blocking; a full one loses the signal.
TEXT relay<>(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVQ	·pipeWriter(SB), DI
	TESTQ	DI, DI
	JZ	done
	MOVL	$128, DX
	MOVL	$1, AX	// SYS_write
	SYSCALL
done:
	RET

TEXT ignore<>(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	RET

TEXT restorer<>(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVL	$15, AX	// SYS_rt_sigreturn
	SYSCALL
	INT	$3

// func relayPC() uintptr
TEXT ·relayPC(SB),NOSPLIT,$0-8
	MOVQ	$relay<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// func ignorePC() uintptr
TEXT ·ignorePC(SB),NOSPLIT,$0-8
	MOVQ	$ignore<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// func restorerPC() uintptr
TEXT ·restorerPC(SB),NOSPLIT,$0-8
	MOVQ	$restorer<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
