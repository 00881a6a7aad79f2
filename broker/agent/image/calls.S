/* System calls, and where the image starts.
 *
 * A call is a row at the end: the name that C knows, and the kernel's number. Its arguments
 * stand where the kernel wants them, or nearly so; what the kernel answers is the result, but
 * that an error goes into errno and is -1. Names that begin with call_ are for libc.c, which
 * makes what C expects of them; the others are declared by the headers of the C library. A new
 * architecture is one more block: ROW, _start, and call. */
#include <sys/syscall.h>

	.bss
	.balign 4
	.globl call_errno
call_errno:
	.zero 4

	.text
	.globl _start

#if defined(__x86_64__)

	.macro ROW name, number
	.globl \name
\name:	push $\number
	jmp call
	.endm

_start:	mov %rsp, %rdi /* argc, argv, environ */
	and $-16, %rsp
	call start

call:	pop %rax
	mov %rcx, %r10
	syscall
	cmp $-4095, %rax
	jb 1f
	neg %eax
	mov %eax, call_errno
	or $-1, %rax
1:	ret

#else
#error "calls.S does not know this architecture"
#endif

	ROW _exit, SYS_exit_group
	ROW bind, SYS_bind
	ROW chdir, SYS_chdir
	ROW clock_gettime, SYS_clock_gettime
	ROW close, SYS_close
	ROW epoll_create1, SYS_epoll_create1
	ROW epoll_ctl, SYS_epoll_ctl
	ROW execve, SYS_execve
	ROW fcntl, SYS_fcntl
	ROW getpid, SYS_getpid
	ROW getppid, SYS_getppid
	ROW getrandom, SYS_getrandom
	ROW getsid, SYS_getsid
	ROW getsockopt, SYS_getsockopt
	ROW getuid, SYS_getuid
	ROW ioctl, SYS_ioctl
	ROW kill, SYS_kill
	ROW lseek, SYS_lseek
	ROW mmap, SYS_mmap
	ROW munmap, SYS_munmap
	ROW pipe2, SYS_pipe2
	ROW prctl, SYS_prctl
	ROW pread, SYS_pread64
	ROW prlimit, SYS_prlimit64
	ROW read, SYS_read
	ROW sched_getaffinity, SYS_sched_getaffinity
	ROW sched_setaffinity, SYS_sched_setaffinity
	ROW sendmsg, SYS_sendmsg
	ROW setpriority, SYS_setpriority
	ROW setsid, SYS_setsid
	ROW socket, SYS_socket
	ROW umask, SYS_umask
	ROW uname, SYS_uname
	ROW wait4, SYS_wait4
	ROW write, SYS_write
	ROW writev, SYS_writev
	ROW call_clone, SYS_clone
	ROW close_range, SYS_close_range
	ROW call_dup3, SYS_dup3
	ROW call_epoll_pwait, SYS_epoll_pwait
	ROW call_faccessat, SYS_faccessat
	ROW call_getdents64, SYS_getdents64
	ROW call_openat, SYS_openat
	ROW call_ppoll, SYS_ppoll
	ROW call_rt_sigaction, SYS_rt_sigaction
	ROW call_rt_sigprocmask, SYS_rt_sigprocmask
	ROW call_rt_sigtimedwait, SYS_rt_sigtimedwait
	ROW call_signalfd4, SYS_signalfd4
	ROW call_unlinkat, SYS_unlinkat

	.section .note.GNU-stack, "", %progbits
