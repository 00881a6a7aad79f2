/* Read before every source of an image: what musl 1.2.3 does not have. */
#ifndef MITOFS_BROKER_AGENT_IMAGE_MUSL_H
#define MITOFS_BROKER_AGENT_IMAGE_MUSL_H

#include <sys/syscall.h>
#include <unistd.h>

#ifndef __GLIBC__

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static inline int
close_range(unsigned first, unsigned last, int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

#endif
#endif
