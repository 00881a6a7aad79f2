/* After kill -9 of the broker nobody answers its mount any more, and for an ordinary user nothing
 * clears it. So a child waits for the end of a pipe whose other end only the broker has.
 *
 * It is to survive whatever ends the broker: its own session, no signals but the two that cannot be
 * refused, and neither "mitofs" nor the mountpoint in its name or arguments, since pkill(1) goes by
 * these. It unmounts only the very mount that the broker has told it (mount id and device), or, if
 * the broker died before it could tell, a mount of ours on that place that answers ENOTCONN. */
#include "fs/watcher.h"

#include "fs/mountinfo.h"
#include "fs/mountpoint.h"

#include "pty/autofd.h"

#include "broker/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WATCHER_NAME "mount-watcher"

/* What the broker tells: which mount is its own, and with @clean that it has gone. No padding: it
 * goes through a pipe. */
typedef struct Message Message;
struct Message {
	guint64 id, device; /* of MountInfo; 0: not mounted yet */
	guint64 clean;
};

struct Watcher {
	int pipe;
	pid_t pid;
	char *mountpoint;
};

/* Overwrite the arguments of the process with its new name. */
static void
rename_process(int argc, char **argv)
{
	char *start = argv[0];
	gsize size = (gsize)(argv[argc - 1] + strlen(argv[argc - 1]) + 1 - start);

	memset(start, 0, size);
	memcpy(start, WATCHER_NAME, MIN(size - 1, strlen(WATCHER_NAME)));
	prctl(PR_SET_NAME, WATCHER_NAME);
}

/* Close all descriptors from @first on; close_range(2) came with Linux 5.9. */
static void
close_from(int first)
{
	if (close_range((unsigned int)first, ~0U, 0) == 0)
		return;
	for (int fd = first; fd < sysconf(_SC_OPEN_MAX); fd++)
		close(fd);
}

/* Keep nothing of the broker's but @pipe, which becomes 3; 0 to 2 lead nowhere. */
static void
keep_only(int pipe)
{
	int null;

	if (pipe != 3 && dup2(pipe, 3) < 0)
		_exit(1);
	close_from(4);
	close(0);
	null = open("/dev/null", O_RDWR);
	dup2(null, 1);
	dup2(null, 2);
}

/* Let nothing but KILL and STOP through. */
static void
ignore_signals(void)
{
	for (int number = 1; number < NSIG; number++)
		signal(number, number == SIGCHLD ? SIG_DFL : SIG_IGN);
}

/* Whether the mount on @mountpoint is the broker's, as far as it was told of. */
static gboolean
is_ours(const char *mountpoint, const Message *told)
{
	MountInfo now;

	if (!mountinfo_at(mountpoint, &now) || strcmp(now.type, MOUNTINFO_TYPE) != 0)
		return FALSE;
	if (told->id != 0)
		return (guint64)now.id == told->id && now.device == told->device;
	return mountpoint_is_stale(mountpoint);
}

/* The watcher's whole life. */
static void
watch(const char *mountpoint, int pipe)
{
	Message message = { 0 }, last = { 0 };
	ssize_t size;

	while ((size = read(pipe, &message, sizeof(message))) != 0) {
		if (size == sizeof(message))
			last = message;
		else if (size < 0 && errno != EINTR)
			break;
	}
	if (!last.clean && is_ours(mountpoint, &last))
		mountpoint_detach(mountpoint);
	_exit(0);
}

Watcher *
watcher_new(const char *mountpoint, int argc, char **argv, GError **error)
{
	autofd reading = -1;
	autofd writing = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0) {
		fail(error, errno, "pipe: %s", g_strerror(errno));
		return NULL;
	}
	reading = ends[0];
	writing = ends[1];
	pid_t pid = fork();
	if (pid < 0) {
		fail(error, errno, "fork: %s", g_strerror(errno));
		return NULL;
	}
	if (pid == 0) {
		setsid();
		ignore_signals();
		keep_only(reading);
		rename_process(argc, argv);
		watch(mountpoint, 3);
	}
	Watcher *watcher = g_new(Watcher, 1);
	*watcher = (Watcher){ autofd_steal(&writing), pid, g_strdup(mountpoint) };
	return watcher;
}

gint
watcher_pid(const Watcher *watcher)
{
	return watcher->pid;
}

void
watcher_mounted(Watcher *watcher)
{
	Message message = { 0 };
	MountInfo info;

	if (!mountinfo_at(watcher->mountpoint, &info))
		return;
	message.id = (guint64)info.id;
	message.device = info.device;
	if (write(watcher->pipe, &message, sizeof(message)) < 0)
		g_warning("the mount watcher is gone: after a kill -9 of this process the mount "
			  "will stay");
}

void
watcher_free(Watcher *watcher)
{
	Message message = { .clean = TRUE };

	/* One that was killed has nothing left to hear. */
	if (write(watcher->pipe, &message, sizeof(message)) < 0)
		g_debug("the mount watcher is gone: %s", g_strerror(errno));
	close(watcher->pipe);
	while (waitpid(watcher->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	g_free(watcher->mountpoint);
	g_free(watcher);
}
