/* What the benchmark clients share. They measure, and never judge: each prints rows of one
 * table, | what | mitofs | compared with | ratio |, medians of rounds that take turns. An error
 * ends the program. */
#ifndef MITOFS_TESTS_BENCH_H
#define MITOFS_TESTS_BENCH_H

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline double
bench_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline int
bench_compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static inline double
bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), bench_compare);
	return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static inline void G_GNUC_NORETURN
bench_fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static inline int
bench_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		bench_fail(path);
	return fd;
}

/* Run a line of sh, which must succeed; its seconds. */
static inline double
bench_sh(const char *script)
{
	double start = bench_now();
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		bench_fail(script);
	return bench_now() - start;
}

/* One command to an open ctl. */
static inline void
bench_command(int ctl, const char *line)
{
	if (write(ctl, line, strlen(line)) != (ssize_t)strlen(line))
		bench_fail(line);
}

#endif
