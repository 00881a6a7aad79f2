/* CPU lists. */
#include "pty/affinity.h"
#include "tests/residue.h"

#include <sched.h>
#include <unistd.h>

static const struct {
	const char *list;
	int result;
} checks[] = {
	{ "0", 0 },
	{ "0-3", 0 },
	{ "0-3,8", 0 },
	{ "0,2,4", 0 },
	{ "0-6:2", 0 },
	{ "1023", 0 },
	{ "3-3", 0 },
	{ "", -EINVAL },
	{ ",", -EINVAL },
	{ "0,", -EINVAL },
	{ ",0", -EINVAL },
	{ "3-1", -EINVAL },
	{ "1024", -EINVAL },
	{ "0-1024", -EINVAL },
	{ "0-", -EINVAL },
	{ "-1", -EINVAL },
	{ "0-3:0", -EINVAL },
	{ "0-3:", -EINVAL },
	{ "0:2", -EINVAL },
	{ "a", -EINVAL },
	{ "0 1", -EINVAL },
	{ "0x1", -EINVAL },
	{ "0-3:18446744073709551615", -EINVAL },
	{ "18446744073709551616", -EINVAL },
};

static void
test_check(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(checks); i++) {
		g_test_message("%s", checks[i].list);
		g_assert_cmpint(affinity_check(checks[i].list), ==, checks[i].result);
		g_assert_cmpint(affinity_apply(checks[i].list, 0), ==, checks[i].result);
	}
}

/* A CPU that this process may use. */
static int
own_cpu(const cpu_set_t *set)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, set))
			return cpu;
	g_assert_not_reached();
}

static void
test_apply(void)
{
	cpu_set_t before, after;
	char list[16];
	int cpu;

	g_assert_no_errno(sched_getaffinity(0, sizeof(before), &before));
	cpu = own_cpu(&before);
	g_snprintf(list, sizeof(list), "%d", cpu);
	g_assert_cmpint(affinity_apply(list, getpid()), ==, 0);
	g_assert_no_errno(sched_getaffinity(0, sizeof(after), &after));
	g_assert_cmpint(CPU_COUNT(&after), ==, 1);
	g_assert_true(CPU_ISSET(cpu, &after));
	g_assert_no_errno(sched_setaffinity(0, sizeof(before), &before));
	g_assert_cmpint(affinity_apply("1023", getpid()), ==, -EINVAL); /* no such CPU here */
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/affinity/check", test_check);
	g_test_add_func("/affinity/apply", test_apply);
	return residue_run();
}
