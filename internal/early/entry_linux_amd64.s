// With cgo the C library is entered before, and has set up what is replaced here: such a
// program, also one for the race detector, has no early entry point and cannot be linked with it.

//go:build !cgo

#include "textflag.h"

// _sole_early is where the kernel enters the program, instead of _rt0_amd64_linux, if
// the linker was told so. Compiled code needs a g with a stack limit, found through the
// thread's local storage at -8(FS), and nothing else.
TEXT _sole_early(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVQ	SP, ·kernelStack(SB)
	LEAQ	·noG(SB), AX
	MOVQ	AX, ·localStorage(SB)
	LEAQ	·localStorage+8(SB), SI
	MOVL	$0x1002, DI	// ARCH_SET_FS
	MOVL	$158, AX	// SYS_arch_prctl
	SYSCALL
	TESTQ	AX, AX
	JNZ	ordinary
	MOVQ	SP, AX
	SUBQ	$32, SP
	ANDQ	$~15, SP
	MOVQ	AX, 0(SP)
	CALL	·plain(SB)
ordinary:
	MOVQ	·kernelStack(SB), SP
	XORL	DX, DX	// no function to call at the exit (the kernel's value)
	JMP	_rt0_amd64_linux(SB)

// noG is a g of zeros: its stack limit is never reached, and it has no m.
GLOBL	·noG(SB), NOPTR, $1024
GLOBL	·localStorage(SB), NOPTR, $16
GLOBL	·kernelStack(SB), NOPTR, $8
