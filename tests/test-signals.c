/* Signals by name and number. */
#include "pty/signals.h"
#include "tests/residue.h"

#include <signal.h>

static const struct {
	const char *text;
	int number;
} numbers[] = {
	{ "TERM", SIGTERM },
	{ "SIGTERM", SIGTERM },
	{ "term", SIGTERM },
	{ "sigterm", SIGTERM },
	{ "SigKill", SIGKILL },
	{ "15", 15 },
	{ "0", 0 },
	{ "9", 9 },
	{ "CHLD", SIGCHLD },
	{ "CLD", SIGCHLD },
	{ "IOT", SIGABRT },
	{ "POLL", SIGIO },
	{ "IO", SIGIO },
	{ "WINCH", SIGWINCH },
	{ "USR2", SIGUSR2 },
	{ "RTMIN", 34 },
	{ "SIGRTMIN", 34 },
	{ "RTMIN+3", 37 },
	{ "rtmin+30", 64 },
	{ "RTMAX", 64 },
	{ "RTMAX-1", 63 },
	{ "64", 64 },
	{ "", -EINVAL },
	{ "SIG", -EINVAL },
	{ "NOSUCH", -EINVAL },
	{ "TERM ", -EINVAL },
	{ " TERM", -EINVAL },
	{ "15x", -EINVAL },
	{ "-1", -EINVAL },
	{ "+1", -EINVAL },
	{ "65", -EINVAL },
	{ "32", -EINVAL },
	{ "33", -EINVAL },
	{ "99999999999999999999", -EINVAL },
	{ "RTMIN-1", -EINVAL },
	{ "RTMAX+1", -EINVAL },
	{ "RTMIN+31", -EINVAL },
	{ "RTMIN+", -EINVAL },
	{ "RTMIN+1x", -EINVAL },
	{ "RTMINX", -EINVAL },
	{ "TERMX", -EINVAL },
	{ "TER", -EINVAL },
	{ "SIGSIGTERM", -EINVAL },
	{ "SIG15", -EINVAL },
};

static void
test_number(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
		g_test_message("%s", numbers[i].text);
		g_assert_cmpint(signal_number(numbers[i].text), ==, numbers[i].number);
	}
}

static void
test_name(void)
{
	char name[16];

	g_assert_cmpint(signal_name(SIGTERM, name, sizeof(name)), ==, 0);
	g_assert_cmpstr(name, ==, "TERM");
	g_assert_cmpint(signal_name(0, name, sizeof(name)), ==, 0);
	g_assert_cmpstr(name, ==, "0");
	g_assert_cmpint(signal_name(34, name, sizeof(name)), ==, 0);
	g_assert_cmpstr(name, ==, "RTMIN");
	g_assert_cmpint(signal_name(37, name, sizeof(name)), ==, 0);
	g_assert_cmpstr(name, ==, "RTMIN+3");
	g_assert_cmpint(signal_name(64, name, sizeof(name)), ==, 0);
	g_assert_cmpstr(name, ==, "RTMAX");
	g_assert_cmpint(signal_name(-1, name, sizeof(name)), ==, -EINVAL);
	g_assert_cmpint(signal_name(32, name, sizeof(name)), ==, -EINVAL);
	g_assert_cmpint(signal_name(65, name, sizeof(name)), ==, -EINVAL);
}

static void
test_name_cut(void)
{
	char name[4];

	g_assert_cmpint(signal_name(SIGTERM, name, sizeof(name)), ==, 0);
	g_assert_cmpstr(name, ==, "TER");
	g_assert_cmpint(signal_name(SIGTERM, name, 1), ==, 0);
	g_assert_cmpstr(name, ==, "");
}

/* Every signal that has a name is found by it, with and without SIG. */
static void
test_round_trip(void)
{
	char name[16];
	int count = 0;

	for (int number = 0; number <= signal_last(); number++) {
		g_autofree char *with_sig = NULL;

		if (signal_name(number, name, sizeof(name)) < 0)
			continue;
		count++;
		g_assert_cmpint(signal_number(name), ==, number);
		with_sig = g_strdup_printf("SIG%s", name);
		if (number)
			g_assert_cmpint(signal_number(with_sig), ==, number);
	}
	g_assert_cmpint(count, ==, 32 + 31); /* 0 to 31, 34 to 64 */
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/signals/number", test_number);
	g_test_add_func("/signals/name", test_name);
	g_test_add_func("/signals/name/cut", test_name_cut);
	g_test_add_func("/signals/round-trip", test_round_trip);
	return residue_run();
}
