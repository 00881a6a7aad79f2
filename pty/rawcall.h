/* System calls that leave errno alone.
 *
 * A child that still shares its parent's memory shares its errno too, and the parent may be
 * between a call of its own and a look at it. So what such a child does goes through raw_call(),
 * which returns -errno instead. RAW_CALLS is 1 where that is so; on other machines raw_call()
 * goes through the C library, and nobody may share memory. */
#ifndef MITOFS_PTY_RAWCALL_H
#define MITOFS_PTY_RAWCALL_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define RAW_CALLS 1

static inline long
raw_call(long number, long a, long b, long c, long d)
{
	register long fourth __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
			 : "rcx", "r11", "memory");
	return result;
}

#elif defined(__aarch64__)
#define RAW_CALLS 1

static inline long
raw_call(long number, long a, long b, long c, long d)
{
	register long call __asm__("x8") = number;
	register long first __asm__("x0") = a;
	register long second __asm__("x1") = b;
	register long third __asm__("x2") = c;
	register long fourth __asm__("x3") = d;

	__asm__ volatile("svc 0"
			 : "+r"(first)
			 : "r"(call), "r"(second), "r"(third), "r"(fourth)
			 : "memory");
	return first;
}

#else
#define RAW_CALLS 0

static inline long
raw_call(long number, long a, long b, long c, long d)
{
	long result = syscall(number, a, b, c, d);

	return result < 0 ? -errno : result;
}

#endif
#endif
