/* The agent of this machine: its image is part of the broker, and is executed from a memfd, so
 * nothing needs to be installed beside the broker and nothing can be exchanged under it. It is
 * started before the mount, and again when it died: a fork whose child touches no path. */
#include "broker/context-private.h"
#include "broker/error.h"
#include "broker/image.h"
#include "pty/autofd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET_BUFFER (512 * 1024)

gsize
local_agent_size(void)
{
	return image_size(image_own(), FALSE);
}

/* The image as a sealed memfd, or -1. */
static int
image_open(GError **error)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	autofd fd = memfd_create(LOCAL_AGENT_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	gsize size;
	const guint8 *bytes = image_bytes(image_own(), FALSE, &size);

	if (fd < 0) {
		fail(error, errno, "the agent: memfd_create: %s", g_strerror(errno));
		return -1;
	}
	for (gsize at = 0; at < size;) {
		gssize written = write(fd, bytes + at, size - at);

		if (written < 0) {
			fail(error, errno, "the agent: %s", g_strerror(errno));
			return -1;
		}
		at += (gsize)written;
	}
	fcntl(fd, F_ADD_SEALS, seals);
	return autofd_steal(&fd);
}

/* In the child: the socket becomes stdin and stdout, signals are as they were, the image takes
 * over. */
static _Noreturn void
child_exec(int image, int socket, int nowhere)
{
	char name[] = LOCAL_AGENT_NAME;
	char *const argv[] = { name, NULL };
	char path[32];
	sigset_t none;

	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(socket, STDIN_FILENO) >= 0 && dup2(socket, STDOUT_FILENO) >= 0 &&
	    dup2(nowhere, STDERR_FILENO) >= 0)
		fexecve(image, argv, environ);
	/* valgrind has no execveat(2) of a descriptor, but knows this way. */
	snprintf(path, sizeof path, "/proc/self/fd/%d", image);
	execve(path, argv, environ);
	_exit(127);
}

int
local_agent_start(GError **error)
{
	autofd image = image_open(error);
	int sockets[2];

	if (image < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0) {
		fail(error, errno, "the agent: socketpair: %s", g_strerror(errno));
		return -1;
	}
	/* Whoever waits for the end of the broker's stderr is not to wait for the agent. */
	autofd nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
	autofd ours = sockets[0];
	autofd theirs = sockets[1];
	const int size = SOCKET_BUFFER;
	setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	setsockopt(theirs, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	fcntl(ours, F_SETFL, O_NONBLOCK);
	pid_t pid = fork();
	if (pid < 0) {
		fail(error, errno, "the agent: fork: %s", g_strerror(errno));
		return -1;
	}
	if (pid == 0)
		child_exec(image, theirs, nowhere >= 0 ? nowhere : STDERR_FILENO);
	return autofd_steal(&ours);
}
