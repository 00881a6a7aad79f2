/* Starting one command.
 *
 * spawn_start() is called by the agent's worker (and by tests). The parent prepares all that
 * needs memory, blocks signals and forks; the child then walks through the stages of enum
 * spawn_stage in their order, each a small function that returns 0 or -errno, and ends in
 * execve(2). The first that fails is written into the failure pipe and the child exits 127. The
 * failure pipe closes by itself when execve succeeds.
 *
 * The child dies with its parent (PR_SET_PDEATHSIG) until it executes something set-user-ID. It
 * allocates nothing and takes no lock. Descriptors above 2 are marked close-on-exec rather than
 * closed, so that the failure pipe stays until the end. What a failure was is told by
 * spawnerror.c. */
#include "pty/spawn.h"

#include "pty/affinity.h"
#include "pty/autofd.h"
#include "pty/environment.h"
#include "pty/procfile.h"
#include "pty/signals.h"
#include "pty/textbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4u
#endif

/* All that the child needs, put together before the fork. */
struct child {
	const struct spawn_spec *spec;
	const struct spawn_place *place;
	char **environment;
	pid_t parent;
	int stdio[3];
	int32_t index; /* of the rlimit that is being set */
};

/* Dispositions and mask as a login shell would have them. */
static void
signals_reset(const int *ignored)
{
	sigset_t none;

	if (ignored) {
		for (; *ignored; ignored++)
			signal(*ignored, SIG_DFL);
	} else {
		for (int number = 1; number <= signal_last(); number++)
			signal(number, SIG_DFL); /* KILL and STOP have no other */
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
child_session(struct child *child)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != child->parent) /* it died before the line above */
		_exit(127);
	signals_reset(child->place->ignored);
	return setsid() < 0 ? -errno : 0;
}

static int
child_terminal(struct child *child)
{
	int terminal = child->spec->pty ? child->stdio[0] : child->spec->terminal;

	if (!child->spec->pty && terminal <= STDERR_FILENO)
		return 0;
	return ioctl(terminal, TIOCSCTTY, 0) < 0 ? -errno : 0;
}

/* Mark everything above 2 close-on-exec. */
static void
descriptors_seal(void)
{
	if (!close_range(3, ~0u, CLOSE_RANGE_CLOEXEC))
		return;
	/* Before Linux 5.11 or under a filter: what the agent opened is sealed anyway. */
	for (int fd = 3; fd < 1024; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int
child_stdio(struct child *child)
{
	/* None may stand where another goes. */
	for (int i = 0; i < 3; i++) {
		if (child->stdio[i] < 3 && child->stdio[i] != i)
			child->stdio[i] = fcntl(child->stdio[i], F_DUPFD_CLOEXEC, 3);
		if (child->stdio[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++) {
		int result = child->stdio[i] == i ? fcntl(i, F_SETFD, 0) : dup2(child->stdio[i], i);

		if (result < 0)
			return -errno;
	}
	descriptors_seal();
	return 0;
}

/* Set the soft limit of @resource and leave the hard one. */
static int
soft_limit_set(int resource, rlim_t soft)
{
	struct rlimit limit;

	if (prlimit(0, resource, NULL, &limit) < 0)
		return -errno;
	if (limit.rlim_cur == soft)
		return 0;
	limit.rlim_cur = soft;
	return prlimit(0, resource, &limit, NULL) < 0 ? -errno : 0;
}

static int
child_rlimits(struct child *child)
{
	const struct spawn_spec *spec = child->spec;

	/* Both come first, so that a setting of the user's wins. The tag may fail: trees are
	 * then found by descent alone. */
	if (child->place->nofile_soft)
		(void)soft_limit_set(RLIMIT_NOFILE, (rlim_t)child->place->nofile_soft);
	if (spec->tag)
		(void)soft_limit_set(RLIMIT_RTTIME, (rlim_t)spec->tag);
	for (size_t i = 0; i < spec->rlimit_count; i++) {
		int result = rlimit_apply(&spec->rlimits[i]);

		child->index = (int32_t)i;
		if (result < 0)
			return result;
	}
	return 0;
}

static int
child_affinity(struct child *child)
{
	const char *list = child->spec->affinity;

	return list && *list ? affinity_apply(list, getpid()) : 0;
}

static int
child_nice(struct child *child)
{
	if (child->spec->nice == SPAWN_KEEP)
		return 0;
	return setpriority(PRIO_PROCESS, 0, child->spec->nice) < 0 ? -errno : 0;
}

static int
child_oom(struct child *child)
{
	char text[16];
	struct textbuf buf;
	autofd fd = -1;
	ssize_t put;

	if (child->spec->oom == SPAWN_KEEP)
		return 0;
	/* The agent is not dumpable, and such a process may not even write its own files of
	 * /proc. */
	prctl(PR_SET_DUMPABLE, 1);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	prctl(PR_SET_DUMPABLE, 0);
	if (fd < 0)
		return -errno;
	textbuf_init(&buf, text, sizeof(text));
	textbuf_add_signed(&buf, child->spec->oom);
	put = write(fd, text, buf.used);
	return put < 0 ? -errno : 0;
}

static int
child_umask(struct child *child)
{
	if (child->spec->umask != SPAWN_KEEP)
		umask((mode_t)child->spec->umask);
	return 0;
}

static int
child_cwd(struct child *child)
{
	const char *cwd = child->spec->cwd ? child->spec->cwd : "", *home = child->place->home;
	char path[PATH_MAX];
	struct textbuf buf;

	if (cwd[0] == '~' && (!cwd[1] || cwd[1] == '/'))
		cwd += cwd[1] ? 2 : 1;
	else if (cwd[0] == '/')
		home = NULL;
	while (home && cwd[0] == '/') /* "~//x" */
		cwd++;
	if (home && strlen(home) + strlen(cwd) + 2 > sizeof(path))
		return -ENAMETOOLONG;
	textbuf_init(&buf, path, sizeof(path));
	if (home)
		textbuf_add_all(&buf, home, "/", NULL);
	textbuf_add(&buf, cwd);
	return chdir(home ? path : cwd) < 0 ? -errno : 0;
}

/* execve(2) of @file in each directory of @path, as execvp(3) does: EACCES is remembered, a
 * missing file is not yet an error, anything else is one. A script without #! is not handed to
 * sh. */
static int
path_execute(const char *path, const char *file, char **argv, char **environment)
{
	char full[PATH_MAX];
	struct textbuf buf;
	int result = -ENOENT;

	for (;; path++) {
		size_t length = strcspn(path, ":");

		if (length + strlen(file) + 2 <= sizeof(full)) {
			memcpy(full, path, length);
			full[length] = '\0';
			textbuf_init(&buf, full + length, sizeof(full) - length);
			textbuf_add_all(&buf, length ? "/" : "", file, NULL);
			execve(full, argv, environment);
			if (errno == EACCES)
				result = -EACCES;
			else if (errno != ENOENT && errno != ENOTDIR)
				return -errno;
		}
		path += length;
		if (!*path)
			return result;
	}
}

/* Execute the command; returns only its failure. */
static int
child_execute(struct child *child)
{
	const char *file = child->spec->file;

	if (!*file)
		return -ENOENT;
	if (!strchr(file, '/'))
		return path_execute(environment_path(child->environment), file, child->spec->argv,
				    child->environment);
	execve(file, child->spec->argv, child->environment);
	return -errno;
}

static const struct {
	enum spawn_stage stage;
	int (*enter)(struct child *child);
} steps[] = {
	{ SPAWN_SESSION, child_session },   { SPAWN_TERMINAL, child_terminal },
	{ SPAWN_STDIO, child_stdio },	    { SPAWN_RLIMIT, child_rlimits },
	{ SPAWN_AFFINITY, child_affinity }, { SPAWN_NICE, child_nice },
	{ SPAWN_OOM, child_oom },	    { SPAWN_UMASK, child_umask },
	{ SPAWN_CWD, child_cwd },	    { SPAWN_EXEC, child_execute },
};

/* Add what is known here alone. */
static void
failure_explain(const struct child *child, struct spawn_failure *failure)
{
	const struct spawn_spec *spec = child->spec;
	struct rlimit limit;
	struct textbuf buf;

	textbuf_init(&buf, failure->fact, sizeof(failure->fact));
	if (failure->stage == SPAWN_EXEC)
		textbuf_add(&buf, environment_path(child->environment));
	if (failure->stage == SPAWN_RLIMIT && failure->error == EINVAL &&
	    !prlimit(0, rlimit_resource(spec->rlimits[child->index].name), NULL, &limit) &&
	    limit.rlim_max != RLIM_INFINITY)
		textbuf_add_unsigned(&buf, limit.rlim_max);
}

/* What happens in the child: every step in turn, until one fails or the last does not return. */
static void __attribute__((noreturn)) child_run(struct child *child, int failure_fd)
{
	struct spawn_failure failure = { 0 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !failure.error; i++) {
		failure.error = -steps[i].enter(child);
		failure.stage = steps[i].stage;
	}
	failure_explain(child, &failure);
	if (failure.stage == SPAWN_EXEC && child->spec->preexec)
		failure.stage = SPAWN_PREEXEC;
	failure.index = child->index;
	/* A write of this size to a pipe is whole or not at all. */
	while (write(failure_fd, &failure, sizeof(failure)) < 0 && errno == EINTR)
		continue;
	_exit(127);
}

/* Make the failure pipe: the parent's end does not block. 0 or -errno. */
static int
failure_pipe(int *ret_read, int *ret_write)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	if (ends[1] < 3) { /* it must not stand where the child's stdio goes */
		int moved = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);

		close(ends[1]);
		ends[1] = moved;
	}
	if (ends[1] < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		int error = errno;

		close(ends[0]);
		autofd_close(&ends[1]);
		return -error;
	}
	*ret_read = ends[0];
	*ret_write = ends[1];
	return 0;
}

int
spawn_start(const struct spawn_spec *spec, const struct spawn_place *place, const int stdio[3],
	    pid_t *ret_pid, int *ret_failure_fd)
{
	struct child child = { .spec = spec,
			       .place = place,
			       .parent = getpid(),
			       .stdio = { stdio[0], stdio[1], stdio[2] } };
	autofd parent_end = -1;
	autofd child_end = -1;
	sigset_t all, before;
	int result = failure_pipe(&parent_end, &child_end);
	pid_t pid;

	if (result < 0)
		return result;
	child.environment = environment_new(spec);
	if (!child.environment)
		return -ENOMEM;
	/* No handler of the parent's may run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = _Fork(); /* no handlers, no locks: the child only makes system calls */
	result = pid < 0 ? -errno : 0;
	if (pid == 0)
		child_run(&child, child_end);
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(child.environment);
	if (result < 0)
		return result;
	*ret_pid = pid;
	*ret_failure_fd = autofd_steal(&parent_end);
	return 0;
}
