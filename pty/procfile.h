/* Small files of /proc and /sys: read whole, in one read(2). */
#ifndef MITOFS_PTY_PROCFILE_H
#define MITOFS_PTY_PROCFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Read @path into @text, at most @size - 1 bytes, and terminate it. The bytes read, or -errno. */
ssize_t procfile_read(const char *path, char *text, size_t size);

/* The number that @path starts with. 0, -EINVAL where there is none, or -errno. */
int procfile_number(const char *path, uint64_t *ret);

/* What follows @title and blanks on the line of @text that begins with it, or NULL. */
const char *procfile_line(const char *text, const char *title);

/* Write "/proc/PID/NAME" into @path, which must have room for PROCFILE_PATH bytes. */
#define PROCFILE_PATH 64
void procfile_path(char *path, pid_t pid, const char *name);

/* Whether /proc is there and knows processes by the numbers that they have for us: not where it was
 * mounted for another pid namespace than ours. */
bool procfile_is_ours(void);

/* What /proc/PID/stat says of a process; see proc(5). */
struct procstat {
	pid_t pid, parent, group;
	char state;
	unsigned flags;			   /* PF_* of the kernel */
	uint64_t user_ticks, system_ticks; /* its own and those of its reaped children */
	unsigned threads;
	uint64_t start;	   /* clock ticks since boot: with the pid it names one process */
	uint64_t resident; /* pages */
};
#define PROCSTAT_KERNEL_THREAD 0x00200000u /* PF_KTHREAD of the kernel's sched.h */

/* 0, or -errno: -ENOENT and -ESRCH for a process that is gone. */
int procstat_read(pid_t pid, struct procstat *ret);

#endif
