/* The child holds the writing end of a pipe: one byte means "ready", its end without one means that
 * there will be no mount. Until then its stderr is the user's. */
#include "fs/daemon.h"

#include "pty/autofd.h"

#include "broker/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static int ready_pipe = -1;

void
daemon_prepare(void)
{
	sigset_t none;
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= 2);
	autofd_close(&fd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
}

/* The parent: report what became of the child. */
static void G_GNUC_NORETURN
wait_until_ready(int reading)
{
	ssize_t size;
	char byte;

	do {
		size = read(reading, &byte, 1);
	} while (size < 0 && errno == EINTR);
	_exit(size == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

gboolean
daemon_fork(GError **error)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(error, errno, "pipe: %s", g_strerror(errno));
	pid_t pid = fork();
	if (pid < 0)
		return fail(error, errno, "fork: %s", g_strerror(errno));
	if (pid > 0) {
		close(ends[1]);
		wait_until_ready(ends[0]);
	}
	close(ends[0]);
	ready_pipe = ends[1];
	setsid();
	return TRUE;
}

void
daemon_ready(void)
{
	autofd null = -1;

	if (ready_pipe < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= 2 && null >= 0; fd++)
		dup2(null, fd);
	if (write(ready_pipe, "", 1) < 0)
		g_debug("nobody waits for the mount: %s", g_strerror(errno));
	autofd_clear(&ready_pipe);
}
