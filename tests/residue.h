/* What a test program must not leave behind: open descriptors and children. */
#ifndef MITOFS_TESTS_RESIDUE_H
#define MITOFS_TESTS_RESIDUE_H

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/wait.h>

/* The descriptors that this process has open. */
static inline guint
residue_fds(void)
{
	GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
	guint count = 0;

	g_assert_nonnull(dir);
	while (g_dir_read_name(dir))
		count++;
	g_dir_close(dir);
	return count;
}

/* Whether valgrind runs this, which cannot fail an execve and keeps some signals and limits for
 * itself. */
static inline gboolean
residue_valgrind(void)
{
	const char *preload = g_getenv("LD_PRELOAD");

	return g_getenv("MITOFS_WRAPPER") || (preload && strstr(preload, "vgpreload"));
}

/* Run the tests, and check that there are as many descriptors as before and no child. */
static inline int
residue_run(void)
{
	guint before = residue_fds();
	int result = g_test_run();

	g_assert_cmpuint(residue_fds(), ==, before);
	g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
	g_assert_cmpint(errno, ==, ECHILD);
	return result;
}

#endif
