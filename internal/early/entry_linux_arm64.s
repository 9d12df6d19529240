// With cgo the C library is entered before, and has set up what is replaced here: such a
// program, also one for the race detector, has no early entry point and cannot be linked with it.

//go:build !cgo

#include "textflag.h"

// _sole_early is where the kernel enters the program, instead of _rt0_arm64_linux, if
// the linker was told so. Compiled code needs a g with a stack limit, in R28 (which the
// assembler calls g), and nothing else.
TEXT _sole_early(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVD	RSP, R0
	MOVD	$·kernelStack(SB), R1
	MOVD	R0, (R1)
	MOVD	$·noG(SB), g
	SUB	$32, R0, R2
	AND	$~15, R2
	MOVD	R2, RSP
	MOVD	R0, 8(RSP)
	BL	·plain(SB)
	MOVD	$·kernelStack(SB), R1
	MOVD	(R1), R0
	MOVD	R0, RSP
	MOVD	ZR, g
	MOVD	ZR, R0	// no function to call at the exit (the kernel's value)
	B	_rt0_arm64_linux(SB)

// noG is a g of zeros: its stack limit is never reached, and it has no m.
GLOBL	·noG(SB), NOPTR, $1024
GLOBL	·kernelStack(SB), NOPTR, $8
