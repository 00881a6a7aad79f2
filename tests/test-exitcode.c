/* Wait statuses. */
#include "pty/exitcode.h"
#include "tests/residue.h"

#include <signal.h>
#include <unistd.h>

/* The status of a child that exits with @status, or is killed by @signal. */
static int
child_status(int status, int signal)
{
	pid_t pid = fork();
	int got;

	if (pid == 0) {
		if (signal)
			kill(getpid(), signal);
		_exit(status);
	}
	g_assert_cmpint(waitpid(pid, &got, 0), ==, pid);
	return got;
}

static void
test_exit(void)
{
	static const int statuses[] = { 0, 1, 127, 255 };

	for (guint i = 0; i < G_N_ELEMENTS(statuses); i++) {
		struct exit_code code = exit_code_from_status(child_status(statuses[i], 0));

		g_assert_cmpint(code.why, ==, EXIT_WHY_EXIT);
		g_assert_cmpint(code.argument, ==, statuses[i]);
		g_assert_false(code.core);
		g_assert_cmpint(exit_code_shell(code), ==, statuses[i]);
	}
}

static void
test_signal(void)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGPIPE, 63 }; /* valgrind keeps 64 */

	for (guint i = 0; i < G_N_ELEMENTS(signals); i++) {
		struct exit_code code = exit_code_from_status(child_status(0, signals[i]));

		g_assert_cmpint(code.why, ==, EXIT_WHY_SIGNAL);
		g_assert_cmpint(code.argument, ==, signals[i]);
		g_assert_cmpint(exit_code_shell(code), ==, 128 + signals[i]);
	}
}

static void
test_core(void)
{
	struct exit_code code = exit_code_from_status(SIGSEGV | 0x80);

	g_assert_cmpint(code.why, ==, EXIT_WHY_SIGNAL);
	g_assert_true(code.core);
	g_assert_cmpint(exit_code_shell(code), ==, 128 + SIGSEGV);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/exitcode/exit", test_exit);
	g_test_add_func("/exitcode/signal", test_signal);
	g_test_add_func("/exitcode/core", test_core);
	return residue_run();
}
