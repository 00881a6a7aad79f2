/* Errors by name. */
#include "pty/errname.h"
#include "tests/residue.h"

#include <string.h>

static void
test_known(void)
{
	g_assert_cmpstr(errno_name(ENOENT), ==, "ENOENT");
	g_assert_cmpstr(errno_name(EAGAIN), ==, "EAGAIN");
	g_assert_cmpstr(errno_name(EOPNOTSUPP), ==, "EOPNOTSUPP");
	g_assert_cmpstr(errno_name(EDEADLK), ==, "EDEADLK");
	g_assert_cmpint(errno_number("EACCES"), ==, EACCES);
	g_assert_cmpint(errno_number("EWOULDBLOCK"), ==, EAGAIN);
	g_assert_cmpint(errno_number("ENOTSUP"), ==, EOPNOTSUPP);
#ifdef ERRNO_USUAL
	g_assert_cmpint(errno_number("13"), ==, EACCES);
	g_assert_cmpint(errno_number("122"), ==, EDQUOT);
#endif
}

static void
test_unknown(void)
{
	g_assert_cmpstr(errno_name(0), ==, "EIO");
	g_assert_cmpstr(errno_name(-1), ==, "EIO");
	g_assert_cmpstr(errno_name(4000), ==, "EIO");
	g_assert_cmpint(errno_number(""), ==, EIO);
	g_assert_cmpint(errno_number("ENOSUCH"), ==, EIO);
	g_assert_cmpint(errno_number("enoent"), ==, EIO);
	g_assert_cmpint(errno_number("0"), ==, EIO);
	g_assert_cmpint(errno_number("512"), ==, EIO);
	g_assert_cmpint(errno_number("-2"), ==, EIO);
	g_assert_cmpint(errno_number("2x"), ==, EIO);
}

/* Whatever the C library has a text for has a name here, and comes back by it. */
static void
test_round_trip(void)
{
	g_assert_cmpstr(errno_name(EIO), ==, "EIO");
	for (int number = 1; number < 200; number++) {
		if (g_str_has_prefix(strerror(number), "Unknown error") || number == EIO)
			continue;
		g_test_message("%d %s", number, strerror(number));
		g_assert_cmpstr(errno_name(number), !=, "EIO");
		g_assert_cmpint(errno_number(errno_name(number)), ==, number);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/errname/known", test_known);
	g_test_add_func("/errname/unknown", test_unknown);
	g_test_add_func("/errname/round-trip", test_round_trip);
	return residue_run();
}
