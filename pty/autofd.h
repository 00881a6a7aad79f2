/* A file descriptor that closes itself when it leaves scope. Every fd variable starts at -1. */
#ifndef MITOFS_PTY_AUTOFD_H
#define MITOFS_PTY_AUTOFD_H

#include <unistd.h>

static inline void
autofd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Hand the descriptor on: returns it and leaves -1 behind. */
static inline int
autofd_steal(int *fd)
{
	int stolen = *fd;
	*fd = -1;
	return stolen;
}

/* Close now what may be open, and remember that it is closed. */
static inline void
autofd_clear(int *fd)
{
	autofd_close(fd);
	*fd = -1;
}

#define autofd __attribute__((cleanup(autofd_close))) int

#endif
