#include "textflag.h"

// func spawn(s *spawning) (pid int)
//
// The child has the parent's memory until its execve(2), and its stack, which it must not
// write to: the parent goes on there at the same time.
TEXT ·spawn(SB),NOSPLIT,$0-16
	MOVQ	s+0(FP), R12
	MOVL	$0x1111, DI	// CLONE_VM|CLONE_PIDFD|SIGCHLD
	XORL	SI, SI
	LEAQ	32(R12), DX
	XORL	R10, R10
	XORL	R8, R8
	MOVL	$56, AX	// SYS_clone
	SYSCALL
	TESTQ	AX, AX
	JZ	child
	MOVQ	AX, pid+8(FP)
	RET
child:
	MOVL	$2, DI	// SIG_SETMASK
	LEAQ	24(R12), SI
	XORL	DX, DX
	MOVL	$8, R10
	MOVL	$14, AX	// SYS_rt_sigprocmask
	SYSCALL
	MOVQ	0(R12), DI
	MOVQ	8(R12), SI
	MOVQ	16(R12), DX
	MOVL	$59, AX	// SYS_execve
	SYSCALL
	MOVQ	AX, 40(R12)
	MOVL	$127, DI
	MOVL	$231, AX	// SYS_exit_group
	SYSCALL
	INT	$3
