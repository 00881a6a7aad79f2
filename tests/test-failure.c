/* The kinds of failures: each has a word of its own, by which it is found, an errno and a phrase. */
#include "broker/failure.h"
#include "tests/unit.h"

#include <string.h>

/* The words are those of `status` and of methods.conf. */
static const struct {
	FailureKind kind;
	const char *name;
	int code;
} kinds[] = {
	{ FAILURE_NO_SUCH_HOST, "no-such-host", ENXIO },
	{ FAILURE_REFUSED, "refused", ECONNREFUSED },
	{ FAILURE_UNREACHABLE, "unreachable", EHOSTUNREACH },
	{ FAILURE_TIMEOUT, "timeout", ETIMEDOUT },
	{ FAILURE_AUTH_REQUIRED, "auth-required", EACCES },
	{ FAILURE_AUTH_FAILED, "auth-failed", EACCES },
	{ FAILURE_HOSTKEY_UNKNOWN, "hostkey-unknown", EKEYREJECTED },
	{ FAILURE_HOSTKEY_CHANGED, "hostkey-changed", EKEYREJECTED },
	{ FAILURE_NO_SUCH_CONTAINER, "no-such-container", ENXIO },
	{ FAILURE_NO_CLIENT, "no-client", ENOENT },
	{ FAILURE_NO_SHELL, "no-shell", EPERM },
	{ FAILURE_NO_PLACE, "no-place", ENOSPC },
	{ FAILURE_NO_ARCH, "no-arch", ENOEXEC },
	{ FAILURE_NOISE, "noise", EPROTO },
	{ FAILURE_PROTOCOL, "protocol", EPROTO },
	{ FAILURE_EOF, "eof", ECONNABORTED },
	{ FAILURE_LOST, "lost", ECONNRESET },
	{ FAILURE_CANCELLED, "cancelled", ECANCELED },
};

static void
names(void)
{
	g_assert_cmpuint(G_N_ELEMENTS(kinds), ==, FAILURE_CANCELLED);
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_assert_cmpstr(failure_name(kinds[i].kind), ==, kinds[i].name);
		g_assert_cmpint(failure_find(kinds[i].name), ==, kinds[i].kind);
	}
	g_assert_cmpstr(failure_name(FAILURE_NONE), ==, "-");
	g_assert_cmpint(failure_find("-"), ==, FAILURE_NONE);
	g_assert_cmpint(failure_find(""), ==, FAILURE_NONE);
	g_assert_cmpint(failure_find("Refused"), ==, FAILURE_NONE);
}

/* Where two kinds share an errno the sentence tells them apart. */
static void
sentences(void)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autoptr(GError) error = NULL, plain = NULL;

		g_assert_false(failure_set(&error, kinds[i].kind, "ssh", "detail"));
		g_assert_cmpint(error->code, ==, kinds[i].code);
		g_assert_true(g_str_has_prefix(error->message, "ssh: "));
		g_assert_true(g_str_has_suffix(error->message, ": detail"));
		g_assert_true(g_hash_table_add(seen, g_strdup(error->message)));
		g_assert_false(failure_set(&plain, kinds[i].kind, "ssh", ""));
		g_autofree char *longer = g_strconcat(plain->message, ": detail", NULL);
		g_assert_cmpstr(longer, ==, error->message);
	}
}

static const UnitTest tests[] = {
	{ "/failure/names/T102", names },
	{ "/failure/sentences", sentences },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
