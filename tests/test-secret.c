/* Secrets: copied, ended by a NUL, and gone with their page; and that this process cannot be dumped
 * while there is one. */
#include "broker/secret.h"
#include "tests/unit.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define PAGE 4096

/* Whether the page of @address is mapped. */
static gboolean
mapped(guintptr address)
{
	unsigned char there;

	return mincore((void *)(address & ~(guintptr)(PAGE - 1)), PAGE, &there) == 0;
}

static void
copy(void)
{
	char bytes[] = "one\0two";
	Secret *secret = secret_new(bytes, sizeof bytes - 1);

	g_assert_nonnull(secret);
	memset(bytes, 'x', sizeof bytes);
	g_assert_cmpmem(secret_bytes(secret), secret_size(secret), "one\0two", 7);
	g_assert_true(secret_bytes(secret)[7] == '\0');
	secret_free(secret);
}

static void
sizes(void)
{
	g_autofree char *bytes = g_strnfill(SECRET_MAX + 1, 's');
	g_autoptr(Secret) most = secret_new(bytes, SECRET_MAX), none = secret_new("", 0);

	g_assert_cmpuint(secret_size(most), ==, SECRET_MAX);
	g_assert_cmpuint(strlen(secret_bytes(most)), ==, SECRET_MAX);
	g_assert_cmpuint(secret_size(none), ==, 0);
	g_assert_cmpstr(secret_bytes(none), ==, "");
	g_assert_null(secret_new(bytes, SECRET_MAX + 1));
}

/* Its page is unmapped, so nothing can be read from it any more. */
static void
gone(void)
{
	Secret *first = secret_new("first", 5), *second = secret_new("second", 6);
	guintptr address = (guintptr)secret_bytes(first);

	g_assert_true(mapped(address));
	g_assert_cmpuint(address / PAGE, !=, (guintptr)secret_bytes(second) / PAGE);
	secret_free(first);
	g_assert_false(mapped(address));
	g_assert_cmpstr(secret_bytes(second), ==, "second");
	secret_free(second);
}

/* As long as one lives, and as it was before. */
static void
dumpable(void)
{
	for (int before = 0; before <= 1; before++) {
		g_assert_cmpint(prctl(PR_SET_DUMPABLE, before), ==, 0);
		Secret *first = secret_new("1", 1), *second = secret_new("2", 1);
		g_assert_cmpint(prctl(PR_GET_DUMPABLE), ==, 0);
		secret_free(first);
		g_assert_cmpint(prctl(PR_GET_DUMPABLE), ==, 0);
		secret_free(second);
		g_assert_cmpint(prctl(PR_GET_DUMPABLE), ==, before);
	}
}

static const UnitTest tests[] = {
	{ "/secret/copy", copy },
	{ "/secret/sizes", sizes },
	{ "/secret/gone/R111", gone },
	{ "/secret/dumpable/R111", dumpable },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
