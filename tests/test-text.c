/* Quoting and escaping, and the numbers that ctl takes.
 *
 * The tables hold what a word or a text becomes; a quoted word is also given to a real POSIX
 * shell's printf, since it has to mean the same there. Bytes that are no UTF-8, C1 controls and
 * the characters that turn the direction of text must never reach a line as they are. */
#include "broker/text.h"
#include "tests/unit.h"

#include <string.h>

static const struct {
	const char *word, *quoted;
} quotes[] = {
	{ "", "''" },
	{ "ls", "ls" },
	{ "-n", "-n" },
	{ "a/b:c=d,e.f_g@h%i+j-k", "a/b:c=d,e.f_g@h%i+j-k" },
	{ "a b", "'a b'" },
	{ "$HOME", "'$HOME'" },
	{ "#no", "'#no'" },
	{ "~", "'~'" },
	{ "a\"b", "'a\"b'" },
	{ "it's", "'it'\\''s'" },
	{ "'", "''\\'''" },
	{ "back\\slash", "'back\\slash'" },
	{ "\xc3\xa9t\xc3\xa9", "'\xc3\xa9t\xc3\xa9'" },
	{ "a\nb", "$'a\\nb'" },
	{ "a\tb", "$'a\\tb'" },
	{ "it's\n\\", "$'it\\'s\\n\\\\'" },
	{ "\x1b[0m7", "$'\\033[0m7'" },
	{ "\x7f", "$'\\177'" },
	{ "\xff\xfe", "$'\\377\\376'" },
	{ "\xc3", "$'\\303'" },
	{ "\xc2\x85", "$'\\302\\205'" }, /* NEL, of C1 */
	{ "\xe2\x80\xae"
	  "abc",
	  "$'\\342\\200\\256abc'" },		  /* right-to-left override */
	{ "\xed\xa0\x80", "$'\\355\\240\\200'" }, /* a surrogate */
	{ "\xc3\xa9\n", "$'\xc3\xa9\\n'" },
};

/* Each word of the table as ctl shows it. */
static void
text_quote_table(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(quotes); i++) {
		g_autoptr(GString) out = g_string_new("x ");

		text_quote(out, quotes[i].word);
		g_assert_cmpstr(out->str + 2, ==, quotes[i].quoted);
	}
}

/* bash prints the word that was quoted. */
static void
text_quote_shell(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(quotes); i++) {
		g_autoptr(GString) line = g_string_new("printf %s ");
		g_autofree char *printed = NULL;
		g_autoptr(GError) error = NULL;

		text_quote(line, quotes[i].word);
		char *argv[] = { (char *)"bash", (char *)"-c", line->str, NULL };
		g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &printed, NULL,
			     NULL, &error);
		g_assert_no_error(error);
		g_assert_cmpstr(printed, ==, quotes[i].word);
	}
}

/* Words are parted by one blank; none is nothing. */
static void
text_quote_list(void)
{
	char *words[] = { (char *)"sh", (char *)"-c", (char *)"echo 'x'", (char *)"", NULL };
	g_autoptr(GString) out = g_string_new(NULL);

	text_quote_words(out, words + 4);
	g_assert_cmpstr(out->str, ==, "");
	text_quote_words(out, words);
	g_assert_cmpstr(out->str, ==, "sh -c 'echo '\\''x'\\''' ''");
}

static const struct {
	const char *bytes;
	gssize size;
	const char *escaped;
} escapes[] = {
	{ "", -1, "" },
	{ "plain text 'x'", -1, "plain text 'x'" },
	{ "a\nb\tc\rd", -1, "a\\nb\\x09c\\x0dd" },
	{ "back\\slash", -1, "back\\\\slash" },
	{ "a\0b", 3, "a\\x00b" },
	{ "cut here", 3, "cut" },
	{ "\x1b]0;x\x07", -1, "\\x1b]0;x\\x07" },
	{ "\x7f", -1, "\\x7f" },
	{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", -1, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "\xff", -1, "\\xff" },
	{ "\xc0\xaf", -1, "\\xc0\\xaf" }, /* overlong */
	{ "\xe2\x82", -1, "\\xe2\\x82" }, /* cut short */
	{ "\xe2\x82\xac", 2, "\\xe2\\x82" },
	{ "\xf4\x90\x80\x80", -1, "\\xf4\\x90\\x80\\x80" },
	{ "\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", -1,
	  "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa0" }, /* C1 */
	{ "\xd8\x9c", -1, "\\xd8\\x9c" },	      /* Arabic letter mark */
	{ "\xe2\x80\x8e\xe2\x80\x8f", -1, "\\xe2\\x80\\x8e\\xe2\\x80\\x8f" },
	{ "\xe2\x80\xa8\xe2\x80\xaa\xe2\x80\xae", -1,
	  "\\xe2\\x80\\xa8\\xe2\\x80\\xaa\\xe2\\x80\\xae" },
	{ "\xe2\x81\xa6\xe2\x81\xa9", -1, "\\xe2\\x81\\xa6\\xe2\\x81\\xa9" },
	{ "\xe2\x80\xa6", -1, "\xe2\x80\xa6" }, /* an ellipsis is tame */
};

/* Each text of the table as a line shows it. */
static void
text_escape_table(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(escapes); i++) {
		g_autoptr(GString) out = g_string_new(NULL);

		text_escape(out, escapes[i].bytes, escapes[i].size);
		g_assert_cmpstr(out->str, ==, escapes[i].escaped);
		if (escapes[i].size < 0) {
			g_autofree char *copy = text_escaped(escapes[i].bytes);

			g_assert_cmpstr(copy, ==, escapes[i].escaped);
		}
	}
}

/* No byte alone, and no two, make a line with a control, more lines, or bytes that are no UTF-8. */
static void
text_escape_all(void)
{
	for (guint i = 0; i < 65536; i++) {
		const char bytes[2] = { (char)(i >> 8), (char)i };
		g_autoptr(GString) out = g_string_new(NULL);

		text_escape(out, bytes, 2);
		g_assert_true(g_utf8_validate(out->str, (gssize)out->len, NULL));
		for (gsize at = 0; at < out->len; at++)
			g_assert_cmpint((guchar)out->str[at], >=, 0x20);
		g_assert_null(strchr(out->str, 0x7f));
	}
}

/* Seconds with two decimals, cut and not rounded. */
static void
text_time_format(void)
{
	g_autoptr(GString) out = g_string_new(NULL);

	text_time(out, G_GINT64_CONSTANT(1763830000129999));
	g_string_append_c(out, ' ');
	text_time(out, 1000000);
	g_assert_cmpstr(out->str, ==, "1763830000.12 1.00");
}

static const struct {
	const char *text;
	gint64 min, max;
	gboolean good;
	gint64 value;
} numbers[] = {
	{ "0", 0, 10, TRUE, 0 },
	{ "10", 0, 10, TRUE, 10 },
	{ "11", 0, 10, FALSE, 0 },
	{ "-1", 0, 10, FALSE, 0 },
	{ "-20", -20, 19, TRUE, -20 },
	{ "-21", -20, 19, FALSE, 0 },
	{ "0019", -20, 19, TRUE, 19 },
	{ "-0", -20, 19, TRUE, 0 },
	{ "", 0, 10, FALSE, 0 },
	{ "-", -20, 19, FALSE, 0 },
	{ "+1", 0, 10, FALSE, 0 },
	{ " 1", 0, 10, FALSE, 0 },
	{ "1 ", 0, 10, FALSE, 0 },
	{ "0x1", 0, 10, FALSE, 0 },
	{ "1.0", 0, 10, FALSE, 0 },
	{ "--1", -20, 19, FALSE, 0 },
	{ "9223372036854775807", 0, G_MAXINT64, TRUE, G_MAXINT64 },
	{ "9223372036854775808", 0, G_MAXINT64, FALSE, 0 },
	{ "-9223372036854775807", G_MININT64, 0, TRUE, -G_MAXINT64 },
	{ "18446744073709551616", 0, G_MAXINT64, FALSE, 0 },
	{ "99999999999999999999999", 0, G_MAXINT64, FALSE, 0 },
};

/* Whole numbers, and nothing that only begins with one; a bad one leaves the result alone. */
static void
text_number_table(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
		gint64 value = 4711;
		gboolean good =
			text_number(numbers[i].text, numbers[i].min, numbers[i].max, &value);

		g_assert_cmpint(good, ==, numbers[i].good);
		g_assert_cmpint(value, ==, good ? numbers[i].value : 4711);
	}
}

static const struct {
	const char *text;
	guint64 max;
	gboolean good;
	guint64 value;
} sizes[] = {
	{ "0", 100, TRUE, 0 },
	{ "64", 100, TRUE, 64 },
	{ "101", 100, FALSE, 0 },
	{ "64K", G_MAXUINT64, TRUE, 65536 },
	{ "16M", G_MAXUINT64, TRUE, 16777216 },
	{ "3G", G_MAXUINT64, TRUE, G_GUINT64_CONSTANT(3221225472) },
	{ "1K", 1023, FALSE, 0 },
	{ "1k", G_MAXUINT64, FALSE, 0 },
	{ "1KB", G_MAXUINT64, FALSE, 0 },
	{ "1T", G_MAXUINT64, FALSE, 0 },
	{ "K", G_MAXUINT64, FALSE, 0 },
	{ "", G_MAXUINT64, FALSE, 0 },
	{ "-1", G_MAXUINT64, FALSE, 0 },
	{ "1.5M", G_MAXUINT64, FALSE, 0 },
	{ "18446744073709551615", G_MAXUINT64, TRUE, G_MAXUINT64 },
	{ "18446744073709551616", G_MAXUINT64, FALSE, 0 },
	{ "17179869184G", G_MAXUINT64, FALSE, 0 },
};

/* Bytes with a suffix or none. */
static void
text_bytes_table(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		guint64 value = 4711;
		gboolean good = text_bytes(sizes[i].text, sizes[i].max, &value);

		g_assert_cmpint(good, ==, sizes[i].good);
		g_assert_cmpuint(value, ==, good ? sizes[i].value : 4711);
	}
}

static const struct {
	const char *text;
	guint64 max_ms;
	gboolean good;
	guint64 ms;
} seconds[] = {
	{ "0", 1000, TRUE, 0 },
	{ "1", 1000, TRUE, 1000 },
	{ "1.001", 1000, FALSE, 0 },
	{ "0.5", 1000, TRUE, 500 },
	{ "0.25", 1000, TRUE, 250 },
	{ "0.007", 1000, TRUE, 7 },
	{ "2", 1000, FALSE, 0 },
	{ "1.", 5000, FALSE, 0 },
	{ ".5", 5000, FALSE, 0 },
	{ "1.2345", 5000, FALSE, 0 },
	{ "1.5s", 5000, FALSE, 0 },
	{ "-1", 5000, FALSE, 0 },
	{ "1e3", G_MAXUINT64, FALSE, 0 },
	{ "", 5000, FALSE, 0 },
	{ "18446744073709551616", G_MAXUINT64, FALSE, 0 },
};

/* Seconds with up to three decimals. */
static void
text_seconds_table(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(seconds); i++) {
		guint64 ms = 4711;
		gboolean good = text_seconds(seconds[i].text, seconds[i].max_ms, &ms);

		g_assert_cmpint(good, ==, seconds[i].good);
		g_assert_cmpuint(ms, ==, good ? seconds[i].ms : 4711);
	}
}

static const UnitTest tests[] = {
	{ "/text/quote/table", text_quote_table }, { "/text/quote/shell", text_quote_shell },
	{ "/text/quote/words", text_quote_list },  { "/text/escape/table", text_escape_table },
	{ "/text/escape/all", text_escape_all },   { "/text/time", text_time_format },
	{ "/text/number", text_number_table },	   { "/text/bytes", text_bytes_table },
	{ "/text/seconds", text_seconds_table },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
