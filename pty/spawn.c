/* Starting one command.
 *
 * Called by the agent's worker (and by tests). The parent prepares all that needs memory, blocks
 * signals and forks; the child then walks through the stages of enum spawn_stage in their order,
 * each a small function that returns 0 or -errno, and ends in execve(2). The first that fails is
 * written into the failure pipe and the child exits 127. The failure pipe closes by itself when
 * execve succeeds.
 *
 * To copy a process, and to let the copies go apart again page by page, costs more than all the
 * rest of a start. So the agent's image does not: its child runs in the agent's memory, on a
 * stack of its own, until it executes. Unlike after vfork(2) the agent goes on meanwhile, so
 * neither may change what the other uses: the child reads what was put together for it, writes
 * its stack, and makes raw calls, which leave errno alone. Where one of its attributes belongs
 * to the memory (oom_score_adj does) it is forked.
 *
 * The child dies with its parent (PR_SET_PDEATHSIG) until it executes something set-user-ID. It
 * allocates nothing and takes no lock. Descriptors above 2 are marked close-on-exec rather than
 * closed, so that the failure pipe stays until the end. What a failure was is told by
 * spawnerror.c. */
#include "pty/spawn.h"

#include "pty/affinity.h"
#include "pty/autofd.h"
#include "pty/environment.h"
#include "pty/rawcall.h"
#include "pty/signals.h"
#include "pty/textbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4u
#endif

/* Whether a child may use its parent's memory until it executes: the builds of the images say so.
 * Sanitizers and valgrind, which see the other builds, know no such child. */
#if RAW_CALLS && defined(SPAWN_SHARES)
#define SHARES 1
#else
#define SHARES 0
#endif

#define STACK_SIZE (12 * 1024) /* two paths and some */
#define SIGNAL_SET 8	       /* bytes of the kernel's sigset_t */

/* All that the child needs, put together before the fork. */
struct child {
	const struct spawn_spec *spec;
	const struct spawn_place *place;
	char **environment;
	pid_t parent;
	int stdio[3];
	int failure_fd;
	int32_t index; /* of the rlimit that is being set */
};

/* What a child uses that shares its parent's memory. */
struct spawn_shared {
	struct child child;
	_Alignas(16) uint8_t stack[STACK_SIZE];
};

/* Dispositions and mask as a login shell would have them. The arguments of the raw calls are the
 * kernel's struct sigaction and sigset_t: zeros are SIG_DFL, no flags, no signals. */
static void
signals_reset(const int *ignored)
{
	static const uint64_t zero[8];

	if (ignored) {
		for (; *ignored; ignored++)
			raw_call(SYS_rt_sigaction, *ignored, (long)zero, 0, SIGNAL_SET);
	} else {
		for (int number = 1; number <= signal_last(); number++)
			raw_call(SYS_rt_sigaction, number, (long)zero, 0, SIGNAL_SET);
	}
	raw_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)zero, 0, SIGNAL_SET);
}

static int
child_session(struct child *child)
{
	long result;

	raw_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
	if (raw_call(SYS_getppid, 0, 0, 0, 0) != child->parent) /* it died before the line above */
		return -ESRCH;
	signals_reset(child->place->ignored);
	result = raw_call(SYS_setsid, 0, 0, 0, 0);
	return result < 0 ? (int)result : 0;
}

static int
child_terminal(struct child *child)
{
	int terminal = child->spec->pty ? child->stdio[0] : child->spec->terminal;

	if (!child->spec->pty && terminal <= STDERR_FILENO)
		return 0;
	return (int)raw_call(SYS_ioctl, terminal, TIOCSCTTY, 0, 0);
}

/* Mark everything above 2 close-on-exec. */
static void
descriptors_seal(void)
{
	if (raw_call(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC, 0) == 0)
		return;
	/* Before Linux 5.11 or under a filter: what the agent opened is sealed anyway. */
	for (int fd = 3; fd < 1024; fd++)
		raw_call(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC, 0);
}

static int
child_stdio(struct child *child)
{
	int *stdio = child->stdio;

	/* None may stand where another goes. */
	for (int i = 0; i < 3; i++) {
		if (stdio[i] < 3 && stdio[i] != i)
			stdio[i] = (int)raw_call(SYS_fcntl, stdio[i], F_DUPFD_CLOEXEC, 3, 0);
		if (stdio[i] < 0)
			return stdio[i];
	}
	for (int i = 0; i < 3; i++) {
		long result = stdio[i] == i ? raw_call(SYS_fcntl, i, F_SETFD, 0, 0)
					    : raw_call(SYS_dup3, stdio[i], i, 0, 0);

		if (result < 0)
			return (int)result;
	}
	descriptors_seal();
	return 0;
}

/* Set the soft limit of @resource and leave the hard one. */
static int
soft_limit_set(int resource, uint64_t soft)
{
	struct rlimit_native limit;
	int result = rlimit_get(resource, &limit);

	if (result < 0 || limit.soft == soft)
		return result;
	limit.soft = soft;
	return rlimit_set(resource, &limit);
}

static int
child_rlimits(struct child *child)
{
	const struct spawn_spec *spec = child->spec;

	/* Both come first, so that a setting of the user's wins. The tag may fail: trees are
	 * then found by descent alone. */
	if (child->place->nofile_soft)
		(void)soft_limit_set(RLIMIT_NOFILE, child->place->nofile_soft);
	if (spec->tag)
		(void)soft_limit_set(RLIMIT_RTTIME, spec->tag);
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

	return list && *list ? affinity_apply(list, AFFINITY_SELF) : 0;
}

static int
child_nice(struct child *child)
{
	if (child->spec->nice == SPAWN_KEEP)
		return 0;
	return (int)raw_call(SYS_setpriority, PRIO_PROCESS, 0, child->spec->nice, 0);
}

/* Never in shared memory: the kernel gives the value to all that share it. */
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
		raw_call(SYS_umask, child->spec->umask, 0, 0, 0);
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
	return (int)raw_call(SYS_chdir, (long)(home ? path : cwd), 0, 0, 0);
}

/* execve(2); returns only its failure. */
static int
execute(const char *path, char **argv, char **environment)
{
	return (int)raw_call(SYS_execve, (long)path, (long)argv, (long)environment, 0);
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
			int failure = execute(full, argv, environment);
			if (failure == -EACCES)
				result = failure;
			else if (failure != -ENOENT && failure != -ENOTDIR)
				return failure;
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
	return execute(file, child->spec->argv, child->environment);
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
	struct rlimit_native limit;
	struct textbuf buf;

	textbuf_init(&buf, failure->fact, sizeof(failure->fact));
	if (failure->stage == SPAWN_EXEC)
		textbuf_add(&buf, environment_path(child->environment));
	if (failure->stage == SPAWN_RLIMIT && failure->error == EINVAL &&
	    rlimit_get(rlimit_resource(spec->rlimits[child->index].name), &limit) == 0 &&
	    limit.hard != UINT64_MAX)
		textbuf_add_unsigned(&buf, limit.hard);
}

/* What happens in the child: every step in turn, until one fails or the last does not return. */
static int
child_run(void *data)
{
	struct child *child = data;
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
	while (raw_call(SYS_write, child->failure_fd, (long)&failure, sizeof(failure), 0) == -EINTR)
		continue;
	raw_call(SYS_exit_group, 127, 0, 0, 0);
	return 127; /* never */
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

/* Put together what the child needs but its end of the failure pipe. 0 or -ENOMEM. */
static int
child_init(struct child *child, const struct spawn_spec *spec, const struct spawn_place *place,
	   const int stdio[3])
{
	*child = (struct child){ .spec = spec,
				 .place = place,
				 .environment = environment_new(spec),
				 .parent = getpid(),
				 .stdio = { stdio[0], stdio[1], stdio[2] } };
	return child->environment ? 0 : -ENOMEM;
}

/* A copy of this process. */
static pid_t
child_fork(struct child *child, uint8_t *stack)
{
	pid_t pid = _Fork(); /* no handlers, no locks: the child only makes system calls */

	(void)stack;
	if (pid == 0)
		child_run(child);
	return pid;
}

/* A process on @stack in the memory of this one, which goes on meanwhile. */
static pid_t
child_share(struct child *child, uint8_t *stack)
{
	return clone(child_run, stack + STACK_SIZE, CLONE_VM | SIGCHLD, child);
}

/* Make the child by @make with a failure pipe. 0, or -errno of pipe2(2), fork(2) or clone(2). */
static int
child_start(struct child *child, pid_t (*make)(struct child *child, uint8_t *stack), uint8_t *stack,
	    pid_t *ret_pid, int *ret_failure_fd)
{
	autofd parent_end = -1;
	autofd child_end = -1;
	sigset_t all, before;
	int result = failure_pipe(&parent_end, &child_end);
	pid_t pid;

	if (result < 0)
		return result;
	child->failure_fd = child_end;
	/* No handler of the parent's may run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = make(child, stack);
	result = pid < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (result < 0)
		return result;
	*ret_pid = pid;
	*ret_failure_fd = autofd_steal(&parent_end);
	return 0;
}

int
spawn_start(const struct spawn_spec *spec, const struct spawn_place *place, const int stdio[3],
	    pid_t *ret_pid, int *ret_failure_fd)
{
	struct child child;
	int result = child_init(&child, spec, place, stdio);

	if (result == 0)
		result = child_start(&child, child_fork, NULL, ret_pid, ret_failure_fd);
	free(child.environment);
	return result;
}

int
spawn_start_shared(const struct spawn_spec *spec, const struct spawn_place *place,
		   const int stdio[3], pid_t *ret_pid, int *ret_failure_fd,
		   struct spawn_shared **ret_shared)
{
	struct spawn_shared *shared;
	int result;

	*ret_shared = NULL;
	if (!SHARES || spec->oom != SPAWN_KEEP)
		return spawn_start(spec, place, stdio, ret_pid, ret_failure_fd);
	shared = malloc(sizeof(*shared));
	if (!shared)
		return -ENOMEM;
	result = child_init(&shared->child, spec, place, stdio);
	if (result == 0)
		result = child_start(&shared->child, child_share, shared->stack, ret_pid,
				     ret_failure_fd);
	if (result == 0)
		*ret_shared = shared;
	else
		spawn_shared_free(shared);
	/* Emulation of another architecture knows no such child. */
	return result == -EINVAL ? spawn_start(spec, place, stdio, ret_pid, ret_failure_fd)
				 : result;
}

void
spawn_shared_free(struct spawn_shared *shared)
{
	if (!shared)
		return;
	free(shared->child.environment);
	free(shared);
}
