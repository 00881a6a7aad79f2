/* The grammar of ctl: what is a command, what its words are, and what is none. Each case is fed
 * whole, and then cut in two at every byte, and a byte at a time. */
#include "broker/error.h"
#include "broker/text.h"
#include "fs/pending.h"
#include "fs/words.h"

#include <errno.h>
#include <string.h>

/* Feed all of @bytes in pieces of at most @first, then @rest bytes; each command becomes a line of
 * its words, in ctl quoting, each failure the name of its errno. */
static char *
scan(const char *bytes, gsize size, gsize first, gsize rest)
{
	g_autoptr(Scanner) scanner = scanner_new();
	GString *out = g_string_new(NULL);
	gsize piece = first;
	gboolean skipping = FALSE; /* the rest of a failed command is still to come */

	while (size > 0) {
		gsize left = MIN(piece, size);

		size -= left;
		piece = rest;
		while (left > 0) {
			g_auto(GStrv) words = NULL;
			g_autoptr(GError) error = NULL;
			gsize used = 0;
			ScanResult result =
				scanner_feed(scanner, bytes, left, &used, &words, &error);

			g_assert_cmpuint(used, >, 0);
			g_assert_cmpuint(used, <=, left);
			g_assert_true((result == SCAN_COMMAND) == (words != NULL));
			g_assert_true((result == SCAN_FAILED) == (error != NULL));
			gboolean ends_skipped = skipping && words != NULL;
			skipping = (skipping || error != NULL) && bytes[used - 1] != '\n';
			bytes += used;
			left -= used;
			if (ends_skipped) {
				g_assert_null(words[0]);
			} else if (words != NULL) {
				text_quote_words(out, words);
				g_string_append_c(out, '|');
			} else if (error != NULL) {
				g_string_append(out, error->code == EINVAL ? "EINVAL|" : "E2BIG|");
			}
		}
	}
	if (scanner_pending(scanner)) {
		g_auto(GStrv) words = scanner_finish(scanner);

		g_string_append(out, words != NULL ? "tail " : "open");
		if (words != NULL)
			text_quote_words(out, words);
	}
	return g_string_free(out, FALSE);
}

typedef struct Case Case;
struct Case {
	const char *name, *input, *expected;
};

static const Case cases[] = {
	{ "plain", "exec ls -l\n", "exec ls -l|" },
	{ "blanks", "  exec\t ls  \n", "exec ls|" },
	{ "empty", "\n  \n", "||" },
	{ "many", "cwd /tmp\numask 22\nexec a\n", "cwd /tmp|umask 22|exec a|" },
	{ "single", "exec 'a b' 'c\"\\n'\n", "exec 'a b' 'c\"\\n'|" },
	{ "double", "exec \"a'b\" \"\\$x\\`\\\"\\\\\\n\"\n", "exec 'a'\\''b' '$x`\"\\\\n'|" },
	{ "empty-words", "exec '' \"\" $''\n", "exec '' '' ''|" },
	{ "joined", "exec a'b c'\"d\"\\ e$'\\x41'\n", "exec 'ab cd eA'|" },
	{ "backslash", "exec \\a\\ \\'\\\\\n", "exec 'a '\\''\\'|" },
	{ "continued", "exec a\\\nb \\\n c\n", "exec ab c|" },
	{ "continued-double", "exec \"a\\\nb\"\n", "exec ab|" },
	{ "newline-quoted", "exec 'a\nb' \"c\nd\"\n", "exec $'a\\nb' $'c\\nd'|" },
	{ "comment", "# all of it\nexec a # b 'c\nexec a#b \\#c\n", "|exec a|exec 'a#b' '#c'|" },
	{ "nothing-expanded", "exec $HOME `x` $(y) * ~ ; & | < >\n",
	  "exec '$HOME' '`x`' '$(y)' '*' '~' ';' '&' '|' '<' '>'|" },
	{ "dollar", "exec $ a$ $$ $\"x\"\n", "exec '$' 'a$' '$$' '$x'|" },
	{ "ansi", "exec $'\\n\\t\\a\\b\\e\\E\\f\\r\\v\\\\\\'\\\"\\?'\n",
	  "exec $'\\n\\t\\007\\010\\033\\033\\014\\015\\013\\\\\\'\"?'|" },
	{ "ansi-digits", "exec $'\\101\\1012\\x41g\\x4\\7' $'\\u00e9\\u41' $'\\U0001f600'\n",
	  "exec $'AA2Ag\\004\\007' '\303\251A' '\360\237\230\200'|" },
	{ "ansi-octal-byte", "exec $'\\303\\251'\n", "exec '\303\251'|" },
	{ "ansi-unknown", "exec $'\\q\\x'\n", "exec '\\q\\x'|" },
	{ "ansi-no-character", "exec $'\\ud800'\n", "exec '\357\277\275'|" },
	{ "ansi-nul", "exec $'a\\0'\nexec $'\\x00'\nexec b\n", "EINVAL|EINVAL|exec b|" },
	{ "sh", "sh echo 'a # $x \\\nexec b\n", "sh 'echo '\\''a # $x \\'|exec b|" },
	{ "sh-blanks", "sh\t  a  \n", "sh '  a  '|" },
	{ "sh-quoted", "'sh' a 'b\n", "sh 'a '\\''b'|" },
	{ "sh-alone", "sh\nsh \n", "sh|sh ''|" },
	{ "sh-async", "async sh a;'b\nasync exec sh 'c d'\n",
	  "async sh 'a;'\\''b'|async exec sh 'c d'|" },
	{ "sh-argument", "exec sh -c 'a b' # c\n", "exec sh -c 'a b'|" },
	{ "cr", "exec a\r\nexec b\n", "EINVAL|exec b|" },
	{ "cr-sh", "sh a\r\n\r\nexec b\n", "EINVAL|EINVAL|exec b|" },
	{ "cr-inside", "exec a\rb\n", "exec $'a\\015b'|" },
	{ "cr-quoted", "exec 'a\r\n'\nexec $'\\r'\n", "exec $'a\\015\\n'|exec $'\\015'|" },
	{ "bytes", "exec \377\200 '\001'\n", "exec $'\\377\\200' $'\\001'|" },
	{ "tail", "exec a\nexec b", "exec a|tail exec b" },
	{ "tail-comment", "exec a # b", "tail exec a" },
	{ "tail-dollar", "exec $", "tail exec '$'" },
	{ "tail-sh", "sh echo 'x", "tail sh 'echo '\\''x'" },
	{ "tail-none", "  # nothing", "" },
	{ "open-single", "exec 'a", "open" },
	{ "open-double", "exec \"a\\", "open" },
	{ "open-ansi", "exec $'a\\0", "open" },
	{ "open-backslash", "exec a\\", "open" },
};

/* One case, in every cut. */
static void
test_case(gconstpointer data)
{
	const Case *test = data;
	gsize size = strlen(test->input);

	for (gsize cut = 1; cut <= size; cut++) {
		g_autofree char *found = scan(test->input, size, cut, size);

		g_assert_cmpstr(found, ==, test->expected);
	}
	g_autofree char *found = scan(test->input, size, 1, 1);
	g_assert_cmpstr(found, ==, test->expected);
}

/* A NUL byte anywhere, in a comment and a raw line too, spoils its command and no other. */
static void
test_nul(void)
{
	static const char input[] = "exec a\0b\nsh c\0\n# \0\nexec '\0'\nexec d\n";

	for (gsize cut = 1; cut < sizeof(input); cut++) {
		g_autofree char *found = scan(input, sizeof(input) - 1, cut, sizeof(input));

		g_assert_cmpstr(found, ==, "EINVAL|EINVAL|EINVAL|EINVAL|exec d|");
	}
}

/* A command may have WORDS_COMMAND_MAX bytes; one more is E2BIG once, and its rest is no
 * command. */
static void
test_size(void)
{
	for (gsize extra = 0; extra <= 1; extra++) {
		GString *input = g_string_new("exec ");

		while (input->len < WORDS_COMMAND_MAX + extra)
			g_string_append_c(input, 'x');
		g_string_append(input, "\nexec b\n");
		for (gsize piece = 1; piece <= input->len; piece = piece * 5 + 1) {
			g_autofree char *found = scan(input->str, input->len, piece, piece);

			if (extra > 0)
				g_assert_cmpstr(found, ==, "E2BIG|exec b|");
			else
				g_assert_true(g_str_has_suffix(found, "x|exec b|"));
		}
		g_string_free(input, TRUE);
	}
}

/* Any word comes back as it was quoted. */
static void
test_round_trip(void)
{
	for (guint round = 0; round < 2000; round++) {
		g_autoptr(GString) line = g_string_new("exec ");
		char word[12];
		guint length = (guint)g_test_rand_int_range(0, 11);

		for (guint i = 0; i < length; i++)
			word[i] = (char)(g_test_rand_bit()
						 ? g_test_rand_int_range(1, 256)
						 : "'\"\\$# \n\tsh"[g_test_rand_int_range(0, 10)]);
		word[length] = '\0';
		text_quote(line, word);
		g_string_append_c(line, '\n');

		g_autoptr(Scanner) scanner = scanner_new();
		g_auto(GStrv) words = NULL;
		gsize used;
		g_assert_cmpint(scanner_feed(scanner, line->str, line->len, &used, &words, NULL),
				==, SCAN_COMMAND);
		g_assert_cmpuint(used, ==, line->len);
		g_assert_cmpuint(g_strv_length(words), ==, 2);
		g_assert_cmpstr(words[1], ==, word);
	}
}

/* A reset forgets what has begun. */
static void
test_reset(void)
{
	g_autoptr(Scanner) scanner = scanner_new();
	g_auto(GStrv) words = NULL;
	gsize used;

	g_assert_cmpint(scanner_feed(scanner, "sh 'x", 5, &used, &words, NULL), ==, SCAN_MORE);
	g_assert_true(scanner_pending(scanner));
	scanner_reset(scanner);
	g_assert_false(scanner_pending(scanner));
	g_assert_cmpint(scanner_feed(scanner, "exec a\n", 7, &used, &words, NULL), ==,
			SCAN_COMMAND);
	g_assert_cmpstr(words[0], ==, "exec");
}

/* Which pending signals end a wait. */
static void
test_pending(void)
{
	static const struct {
		const char *masks;
		gboolean ends;
	} masks[] = {
		{ "\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\n", FALSE },
		{ "\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000010000\n", FALSE }, /* CHLD */
		{ "\nSigPnd:\t0000000008000000\nShdPnd:\t0000000000020000\n",
		  FALSE }, /* WINCH, CONT */
		{ "\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000002\n", TRUE }, /* INT */
		{ "\nSigPnd:\t0000000000000100\nShdPnd:\t0000000000000000\n", TRUE }, /* KILL */
		{ "\nSigPnd:\t0000000000080000\nShdPnd:\t0000000000010000\n",
		  TRUE }, /* TSTP, CHLD */
		{ "\nSigPnd:\t\nShdPnd:\t0000000000000000\n", TRUE },
		{ "", TRUE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(masks); i++)
		g_assert_cmpint(pending_text_ends_wait(masks[i].masks), ==, masks[i].ends);
	g_assert_true(pending_ends_wait(0));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/ctl/words/", cases[i].name, NULL);

		g_test_add_data_func(path, &cases[i], test_case);
	}
	g_test_add_func("/ctl/nul", test_nul);
	g_test_add_func("/ctl/size", test_size);
	g_test_add_func("/ctl/round-trip", test_round_trip);
	g_test_add_func("/ctl/reset", test_reset);
	g_test_add_func("/ctl/pending", test_pending);
	return g_test_run();
}
