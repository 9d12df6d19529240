#include "textflag.h"

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
