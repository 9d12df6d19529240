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

// func spawn(s *spawning) (pid int)
//
// The child has the parent's memory until its execve(2), and its stack, which it must not
// write to: the parent goes on there at the same time.
TEXT ·spawn(SB),NOSPLIT,$0-16
	MOVD	s+0(FP), R12
	MOVD	$0x1111, R0	// CLONE_VM|CLONE_PIDFD|SIGCHLD
	MOVD	ZR, R1
	ADD	$32, R12, R2
	MOVD	ZR, R3
	MOVD	ZR, R4
	MOVD	$220, R8	// SYS_clone
	SVC
	CBZ	R0, child
	MOVD	R0, pid+8(FP)
	RET
child:
	MOVD	$2, R0	// SIG_SETMASK
	ADD	$24, R12, R1
	MOVD	ZR, R2
	MOVD	$8, R3
	MOVD	$135, R8	// SYS_rt_sigprocmask
	SVC
	MOVD	0(R12), R0
	MOVD	8(R12), R1
	MOVD	16(R12), R2
	MOVD	$221, R8	// SYS_execve
	SVC
	MOVD	R0, 40(R12)
	MOVD	$127, R0
	MOVD	$94, R8	// SYS_exit_group
	SVC
	BRK

// noG is a g of zeros: its stack limit is never reached, and it has no m.
GLOBL	·noG(SB), NOPTR, $1024
GLOBL	·kernelStack(SB), NOPTR, $8
