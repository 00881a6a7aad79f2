/* What the broker's unit tests share: a table of tests, a loop that turns until something holds,
 * and the check that a test left nothing behind.
 *
 * Each test is run between two looks at its descriptors; behind it the poller is freed, and
 * every descriptor must be closed and every child reaped. Nothing here sleeps: unit_until()
 * turns the main context until its condition holds, and fails the test at a deadline that is
 * long enough for valgrind. A header only, since each unit test is one program of one file. */
#ifndef MITOFS_TESTS_UNIT_H
#define MITOFS_TESTS_UNIT_H

#include "broker/poller.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNIT_DEADLINE_S 20
#define UNIT_DESCRIPTORS 512 /* the highest that is looked at */

typedef struct UnitTest UnitTest;
struct UnitTest {
	const char *path;
	void (*run)(void);
};

/* All open descriptors and what they are, one a line. */
static inline char *
unit_descriptors(void)
{
	GString *all = g_string_new(NULL);

	for (int fd = 0; fd < UNIT_DESCRIPTORS; fd++) {
		g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
		g_autofree char *target = g_file_read_link(path, NULL);

		if (target != NULL)
			g_string_append_printf(all, "%d %s\n", fd, target);
	}
	return g_string_free(all, FALSE);
}

/* Only makes the loop turn. */
static inline gboolean
unit_wake(void *data)
{
	return G_SOURCE_CONTINUE;
}

/* One turn of the main context, which ends after 50 ms at the latest; past @deadline the test
 * has failed. */
static inline void
unit_turn(gint64 deadline, const char *condition)
{
	guint wake = g_timeout_add(50, unit_wake, NULL);

	if (g_get_monotonic_time() > deadline)
		g_error("in vain waited for: %s", condition);
	g_main_context_iteration(NULL, TRUE);
	g_source_remove(wake);
}

/* Turn the main context until @condition holds. */
#define unit_until(condition)                                                                     \
	do {                                                                                      \
		gint64 unit_deadline = g_get_monotonic_time() + UNIT_DEADLINE_S * G_USEC_PER_SEC; \
		while (!(condition))                                                              \
			unit_turn(unit_deadline, #condition);                                     \
	} while (0)

/* Turn the main context until nothing is pending. */
static inline void
unit_settle(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* A test that is run for the rows of a table of its own. */
typedef struct UnitCase UnitCase;
struct UnitCase {
	void (*run)(gconstpointer row);
	gconstpointer row;
};

/* Run one case, and see that nothing is left of it. */
static inline void
unit_run_case(gconstpointer data)
{
	const UnitCase *test = data;
	g_autofree char *before = unit_descriptors();

	test->run(test->row);
	unit_settle();
	poller_done();
	g_autofree char *after = unit_descriptors();
	g_assert_cmpstr(after, ==, before);
	g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
	g_assert_cmpint(errno, ==, ECHILD);
}

/* The case of a UnitTest. */
static inline void
unit_run(gconstpointer row)
{
	((const UnitTest *)row)->run();
}

/* Before the first is added. */
static inline void
unit_init(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN);
	g_main_context_default(); /* keeps a descriptor of its own */
}

/* Add a test that is run with @row. */
static inline void
unit_add_case(const char *path, void (*run)(gconstpointer row), gconstpointer row)
{
	UnitCase *test = g_new(UnitCase, 1);

	*test = (UnitCase){ run, row };
	g_test_add_data_func_full(path, test, unit_run_case, g_free);
}

static inline void
unit_add(const UnitTest *tests, gsize count)
{
	for (gsize i = 0; i < count; i++)
		unit_add_case(tests[i].path, unit_run, &tests[i]);
}

/* main() of a unit test: the rows of @tests. */
static inline int
unit_main(int argc, char **argv, const UnitTest *tests, gsize count)
{
	unit_init(argc, argv);
	unit_add(tests, count);
	return g_test_run();
}

#endif
