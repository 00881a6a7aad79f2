/* Fuzzer of ctl's grammar.
 *
 * Whatever is fed, in whatever pieces, the same commands come out; and words that were quoted
 * for ctl, as `status` and a read of ctl print them, are the same words when they are read back. */
#include "broker/text.h"
#include "fs/words.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Feed @bytes in pieces of @piece (the last may be shorter), and write down what comes of them. */
static char *
scan(const char *bytes, gsize size, gsize piece)
{
	g_autoptr(Scanner) scanner = scanner_new();
	GString *out = g_string_new(NULL);
	for (gsize at = 0; at < size;) {
		gsize count = MIN(piece, size - at), used = 0;
		g_auto(GStrv) words = NULL;
		g_autoptr(GError) error = NULL;
		/* A piece of its own, so that a read beyond it is seen. */
		g_autofree char *copy = g_memdup2(bytes + at, count);
		ScanResult result = scanner_feed(scanner, copy, count, &used, &words, &error);
		g_assert_cmpuint(used, <=, count);
		g_assert_true(used > 0 || result == SCAN_MORE);
		g_assert_true((error != NULL) == (result == SCAN_FAILED));
		g_assert_true((words != NULL) == (result == SCAN_COMMAND));
		if (result == SCAN_MORE)
			g_assert_cmpuint(used, ==, count);
		if (result == SCAN_FAILED)
			g_string_append_printf(out, "error %d %s\n", error->code, error->message);
		for (gsize i = 0; words != NULL && words[i] != NULL; i++) {
			text_quote(out, words[i]);
			g_string_append_c(out, words[i + 1] != NULL ? ' ' : '\n');
		}
		at += used;
	}
	g_auto(GStrv) rest = scanner_finish(scanner);
	g_assert_false(scanner_pending(scanner));
	if (rest != NULL)
		text_quote_words(out, rest);
	return g_string_free(out, FALSE);
}

static void
check_pieces(const uint8_t *data, size_t size, gsize piece)
{
	g_autofree char *whole = scan((const char *)data, size, MAX(size, 1));
	g_autofree char *bytes = scan((const char *)data, size, 1);
	g_autofree char *pieces = scan((const char *)data, size, piece);
	g_assert_cmpstr(whole, ==, bytes);
	g_assert_cmpstr(whole, ==, pieces);
}

/* @data is words with a NUL behind each. */
static void
check_quoting(const uint8_t *data, size_t size)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) line = g_string_new(NULL);
	g_autoptr(Scanner) scanner = scanner_new();
	g_auto(GStrv) read_back = NULL;
	gsize used;

	g_ptr_array_add(words, g_strdup("exec"));
	for (size_t at = 0; at < size;) {
		char *word = g_strndup((const char *)data + at, size - at);
		at += strlen(word) + 1;
		g_ptr_array_add(words, word);
	}
	g_ptr_array_add(words, NULL);
	text_quote_words(line, (char *const *)words->pdata);
	g_assert_null(memchr(line->str, '\n', line->len));
	g_string_append_c(line, '\n');
	if (line->len > WORDS_COMMAND_MAX)
		return;
	g_assert_cmpint(scanner_feed(scanner, line->str, line->len, &used, &read_back, NULL), ==,
			SCAN_COMMAND);
	g_assert_cmpuint(used, ==, line->len);
	g_assert_true(
		g_strv_equal((const char *const *)words->pdata, (const char *const *)read_back));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 2 == 0)
		check_pieces(data + 1, size - 1, data[0] / 2 + 1);
	else
		check_quoting(data + 1, size - 1);
	return 0;
}
