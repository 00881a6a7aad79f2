/* Processes as /proc shows them: what lives below one, what it is stuck in, and waiting for their
 * end. */
#ifndef MITOFS_TESTS_PROCESS_H
#define MITOFS_TESTS_PROCESS_H

#include <glib.h>
#include <sys/types.h>

typedef struct Process Process;
struct Process {
	pid_t pid, parent;
	char state; /* as in /proc/PID/stat: R S D Z T ... */
	guint fds;  /* open descriptors; 0 where they cannot be seen */
	char *name;
};

/* A moment by which something must have happened: CLOCK_MONOTONIC microseconds. Grows with
 * MITOFS_SLOW (a factor) and under MITOFS_WRAPPER. */
gint64 deadline_in(guint seconds);
/* What is left of it for poll(2), in ms, at least 0. */
int deadline_left(gint64 deadline);

/* Every descendant of @root, zombies too, but not @root itself nor @spare and what is below that
 * (0: none). An array of Process*, which frees them. */
GPtrArray *process_below(pid_t root, pid_t spare);
/* Every process that /proc shows. */
GPtrArray *process_all(void);
/* Whether @list has a process of this pid. */
gboolean process_listed(const GPtrArray *list, pid_t pid);
/* Every process that has NAME=VALUE as @mark in its environment as far as we may read that, but
 * ourselves. */
GPtrArray *process_marked(const char *mark);
/* Open descriptors of @pid, one per line as "FD TARGET". Caller frees. */
char *process_fds(pid_t pid);

/* Print for each: parents, state, command line, and the kernel's stack, wchan and system call, to
 * stderr. */
void process_dump(const GPtrArray *list);

/* KILL every process of @list. */
void process_kill(const GPtrArray *list);
/* Reap whatever ended below us until no child is left but @spare (0: none). FALSE at the deadline.
 */
gboolean process_reap(pid_t spare, gint64 deadline);

#endif
