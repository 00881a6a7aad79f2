/* Pseudo terminals: open one, size it, find its foreground group, and say why none was to be had.
 * Sources: pty(7), ioctl_tty(2), Documentation/filesystems/devpts.rst of the kernel. */
#ifndef MITOFS_PTY_PTY_H
#define MITOFS_PTY_PTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pty {
	int master; /* close-on-exec */
	int slave;  /* close-on-exec, opened without making it a controlling terminal */
};

/* Open a pair of the given size. 0, or -errno of whichever call failed (both fds are then -1). */
int pty_open(struct pty *ret, uint16_t columns, uint16_t rows);

/* Why pty_open() failed with @error (an errno), for a person: which limit it was, its value there,
 * and how to raise it on @sysname (as uname(2) gives it: Linux, Darwin, FreeBSD, NetBSD, OpenBSD,
 * DragonFly): kernel.pty.max and the devpts mount's max (ENOSPC), rights on the devpts (EACCES,
 * EPERM), file descriptors (EMFILE, ENFILE). The words of @error are left as ERRNO_WORDS (errname.h).
 * @proc is "/proc" but for tests. */
void pty_error_text(int error, const char *sysname, const char *proc, char *text, size_t size);

/* Set the window size, which sends SIGWINCH to the foreground group. 0 or -errno. */
int pty_resize(int master, uint16_t columns, uint16_t rows);

/* The foreground process group of the terminal, or -errno (-ESRCH where there is none). */
pid_t pty_foreground(int master);

/* Whether the terminal echoes what is typed at it: a question that it does not echo the answer of is
 * for a secret. */
bool pty_echoes(int master);

/* The terminal's VEOF character, normally 4 (^D), or -errno. */
int pty_eof_character(int master);

#endif
