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

// noG is a g of zeros: its stack limit is never reached, and it has no m.
GLOBL	·noG(SB), NOPTR, $1024
GLOBL	·localStorage(SB), NOPTR, $16
GLOBL	·kernelStack(SB), NOPTR, $8
