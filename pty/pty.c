/* Pseudo terminals.
 *
 * Opened by the agent for a run with a terminal, and by the broker for its own questions.
 * /dev/ptmx is opened directly: posix_openpt(3) of some C libraries turns ENOSPC into EAGAIN,
 * and the errno is what pty_error_text() judges by. The slave is opened through the master
 * (TIOCGPTPEER, Linux 4.13) since /dev/pts may be another instance than the one the master is
 * of, and by name where that ioctl is missing. Both ends belong to the caller. */
#include "pty/pty.h"

#include "pty/autofd.h"
#include "pty/textbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441 /* _IO('T', 0x41) */
#endif

/* Open the slave of @master; the fd or -errno. */
static int
slave_open(int master)
{
	char path[32];
	struct textbuf buf;
	unsigned number;
	int unlocked = 0, fd;

	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return -errno;
	fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 || (errno != EINVAL && errno != ENOTTY && errno != ENOSYS))
		return fd >= 0 ? fd : -errno;
	if (ioctl(master, TIOCGPTN, &number) < 0)
		return -errno;
	textbuf_init(&buf, path, sizeof(path));
	textbuf_add(&buf, "/dev/pts/");
	textbuf_add_unsigned(&buf, number);
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

int
pty_open(struct pty *ret, uint16_t columns, uint16_t rows)
{
	autofd master = -1;
	int slave, result;

	ret->master = ret->slave = -1;
	master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0)
		return -errno;
	slave = slave_open(master);
	if (slave < 0)
		return slave;
	result = pty_resize(master, columns, rows);
	if (result < 0) {
		close(slave);
		return result;
	}
	ret->master = autofd_steal(&master);
	ret->slave = slave;
	return 0;
}

int
pty_resize(int master, uint16_t columns, uint16_t rows)
{
	struct winsize size = { .ws_col = columns, .ws_row = rows };

	return ioctl(master, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

pid_t
pty_foreground(int master)
{
	int group = 0; /* TIOCGPGRP asked of the master tells of its slave; 0: no session has it */

	if (ioctl(master, TIOCGPGRP, &group) < 0)
		return -errno;
	return group > 0 ? group : -ESRCH;
}

bool
pty_echoes(int master)
{
	struct termios modes;

	return tcgetattr(master, &modes) < 0 || (modes.c_lflag & ECHO);
}

int
pty_eof_character(int master)
{
	struct termios modes;

	return tcgetattr(master, &modes) < 0 ? -errno : modes.c_cc[VEOF];
}
