/* Start one command with every setting applied in the child, and learn exactly what failed.
 *
 * The parent never waits for the child, as it would after vfork(2): chdir, PATH search and exec
 * happen in the child alone, so that a path on a dead network file system holds up no one else.
 * Its failure comes back through a close-on-exec pipe that the caller watches: end of file with
 * nothing read means that execve(2) succeeded, a struct spawn_failure means that it did not. Each
 * command is the leader of a session and process group of its own. */
#ifndef MITOFS_PTY_SPAWN_H
#define MITOFS_PTY_SPAWN_H

#include "pty/rlimits.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the child was doing when it failed, in the order in which it does them. */
enum spawn_stage {
	SPAWN_FORK,
	SPAWN_SESSION,
	SPAWN_TERMINAL,
	SPAWN_STDIO,
	SPAWN_RLIMIT,
	SPAWN_AFFINITY,
	SPAWN_NICE,
	SPAWN_OOM,
	SPAWN_UMASK,
	SPAWN_CWD,
	SPAWN_PREEXEC, /* execve of the first word of the pre-exec chain */
	SPAWN_EXEC,    /* execve of the command itself */
};

#define SPAWN_KEEP INT_MIN /* for umask, nice and oom: leave what the agent has */

/* All strings are borrowed for the duration of the call. argv and env arrays end with NULL. */
struct spawn_spec {
	const char *file; /* what to execute; without a slash it is looked up in the child's PATH */
	char **argv;	  /* argv[0] first; with @preexec the chain's words come first */
	bool preexec;	  /* argv starts with a pre-exec chain: a failed exec is SPAWN_PREEXEC */
	bool clear_env;	  /* start from nothing instead of the agent's environment */
	char **unset_env; /* names to remove, then */
	char **set_env;	  /* NAME=VALUE to set */
	const char
		*cwd; /* "~" and "~/x" mean the user's home; relative is under it; "" means "~" */
	int umask;    /* or SPAWN_KEEP */
	int nice;     /* absolute, -20 to 19, or SPAWN_KEEP */
	int oom;      /* oom_score_adj, -1000 to 1000, or SPAWN_KEEP */
	const char *affinity; /* CPU list, or "" to keep */
	const struct rlimit_setting *rlimits;
	size_t rlimit_count;
	bool pty;
	int terminal; /* without @pty: becomes the controlling terminal if it is above 2; borrowed */
	uint16_t columns, rows;
	uint64_t tag; /* see pty/tree.h; 0 for none */
};

/* What the agent knows of its place that a child needs; filled once at the agent's start. */
struct spawn_place {
	const char *home;     /* the user's home directory, "/" if there is none */
	uint64_t nofile_soft; /* RLIMIT_NOFILE's soft limit before the agent raised it */
	/* The signals that the caller ignores, ended by 0, so that a child need not reset all
	 * 64; NULL: unknown, it resets all. (Signals with a handler are reset by execve(2).) */
	const int *ignored;
};

/* What comes back through the failure pipe; written with one write(2). */
#define SPAWN_FACT 1024
struct spawn_failure {
	int32_t stage; /* enum spawn_stage */
	int32_t error; /* errno */
	int32_t index; /* which rlimit, for SPAWN_RLIMIT */
	/* What the sentence needs and only the child knows: the PATH that was searched, the hard
	 * limit that the rlimit is above; else "". */
	char fact[SPAWN_FACT];
};

/* Fork the command of @spec with @stdio as its descriptors 0-2 (borrowed; with spec->pty all three
 * are the terminal's slave, which becomes the controlling terminal). 0 with @ret_pid and
 * @ret_failure_fd (close-on-exec, non-blocking, the caller's), or -errno of pipe2(2) or fork(2). */
int spawn_start(const struct spawn_spec *spec, const struct spawn_place *place, const int stdio[3],
		pid_t *ret_pid, int *ret_failure_fd);

/* The same where the child may use this process's memory until it has executed, so that nothing of
 * it is copied. Then @ret_shared is not NULL: @spec, @place and all that they point to must stay
 * as they are, and @ret_shared must be kept, until the failure pipe was read to its end, or the
 * child was reaped. Only in the agent's static image, else it is spawn_start(). */
struct spawn_shared;
int spawn_start_shared(const struct spawn_spec *spec, const struct spawn_place *place,
		       const int stdio[3], pid_t *ret_pid, int *ret_failure_fd,
		       struct spawn_shared **ret_shared);
void spawn_shared_free(struct spawn_shared *shared); /* NULL is nothing */

/* The stage's name as errors print it: "fork", "cwd", "preexec", "exec" ... */
const char *spawn_stage_name(enum spawn_stage stage);

/* A sentence for @failure that names the thing, with ERRNO_WORDS (errname.h) for the words of its
 * errno: `"nosuch" not found in PATH=/usr/bin:/bin`,
 * `cwd "/x": WORDS`, `rlimit nofile 99999999: WORDS`. */
void spawn_failure_text(const struct spawn_spec *spec, const struct spawn_failure *failure,
			char *text, size_t size);

#endif
