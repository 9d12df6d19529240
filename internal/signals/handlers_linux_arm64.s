#include "textflag.h"

// These run as signal handlers, on the signal stack, with no goroutine: they
// must not touch Go's stack, call Go, or use a register that Go reserves.

// relay(sig int32 R0, info *siginfo_t R1, context R2) writes the 128 bytes of
// info to the pipe. The pipe is non-blocking; a full one loses the signal.
TEXT relay<>(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVD	·pipeWriter(SB), R0
	CBZ	R0, done
	MOVD	$128, R2
	MOVD	$64, R8	// SYS_write
	SVC
done:
	RET

TEXT ignore<>(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	RET

TEXT restorer<>(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVD	$139, R8	// SYS_rt_sigreturn
	SVC
	BRK

// func relayPC() uintptr
TEXT ·relayPC(SB),NOSPLIT,$0-8
	MOVD	$relay<>(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// func ignorePC() uintptr
TEXT ·ignorePC(SB),NOSPLIT,$0-8
	MOVD	$ignore<>(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// func restorerPC() uintptr
TEXT ·restorerPC(SB),NOSPLIT,$0-8
	MOVD	$restorer<>(SB), R0
	MOVD	R0, ret+0(FP)
	RET
