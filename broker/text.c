/* Quoting and escaping, and the few numbers that ctl takes. Plain functions without state. */
#include "broker/text.h"

#include <string.h>

/* Whether @word needs no quotes: not empty, nothing special to ctl or to a shell. */
static gboolean
word_is_plain(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_@%+=:,./-";

	return word[0] != '\0' && word[strspn(word, plain)] == '\0';
}

/* Whether @c may stand in a line as it is: no control of C0 or C1, nothing that turns the
 * direction of text. */
static gboolean
character_is_tame(gunichar c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return FALSE;
	return !(c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
		 (c >= 0x2066 && c <= 0x2069));
}

/* The bytes of the character at @bytes if it may stand in a line as it is, else 0. */
static gsize
tame_length(const char *bytes, const char *end)
{
	gunichar c = g_utf8_get_char_validated(bytes, end - bytes);

	if (c == (gunichar)-1 || c == (gunichar)-2 || !character_is_tame(c))
		return 0;
	return (gsize)(g_utf8_next_char(bytes) - bytes);
}

/* Whether @word has a byte that only $'...' can show on one line. */
static gboolean
word_is_wild(const char *word)
{
	const char *end = word + strlen(word);
	gsize length;

	for (; word < end; word += length) {
		length = tame_length(word, end);
		if (length == 0)
			return TRUE;
	}
	return FALSE;
}

/* Append @word as $'...'. */
static void
quote_ansi(GString *out, const char *word)
{
	const char *end = word + strlen(word);

	g_string_append(out, "$'");
	while (word < end) {
		gsize length = tame_length(word, end);

		if (*word == '\'' || *word == '\\')
			g_string_append_c(out, '\\');
		if (length > 0)
			g_string_append_len(out, word, (gssize)length);
		else if (*word == '\n')
			g_string_append(out, "\\n");
		else if (*word == '\t')
			g_string_append(out, "\\t");
		else
			g_string_append_printf(out, "\\%03o", (guchar)*word);
		word += MAX(length, 1);
	}
	g_string_append_c(out, '\'');
}

void
text_quote(GString *out, const char *word)
{
	if (word_is_plain(word)) {
		g_string_append(out, word);
		return;
	}
	if (word_is_wild(word)) {
		quote_ansi(out, word);
		return;
	}
	g_string_append_c(out, '\'');
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			g_string_append(out, "'\\''");
		else
			g_string_append_c(out, *word);
	}
	g_string_append_c(out, '\'');
}

void
text_quote_words(GString *out, char *const *words)
{
	for (guint i = 0; words[i] != NULL; i++) {
		if (i > 0)
			g_string_append_c(out, ' ');
		text_quote(out, words[i]);
	}
}

void
text_escape(GString *out, const char *bytes, gssize size)
{
	const char *end = bytes + (size < 0 ? (gssize)strlen(bytes) : size);

	while (bytes < end) {
		gsize length = tame_length(bytes, end);

		if (*bytes == '\\')
			g_string_append_c(out, '\\');
		if (length > 0)
			g_string_append_len(out, bytes, (gssize)length);
		else if (*bytes == '\n')
			g_string_append(out, "\\n");
		else
			g_string_append_printf(out, "\\x%02x", (guchar)*bytes);
		bytes += MAX(length, 1);
	}
}

char *
text_escaped(const char *bytes)
{
	GString *out = g_string_new(NULL);

	text_escape(out, bytes, -1);
	return g_string_free(out, FALSE);
}

void
text_time(GString *out, gint64 usec)
{
	g_string_append_printf(out, "%" G_GINT64_FORMAT ".%02d", usec / G_USEC_PER_SEC,
			       (int)(usec % G_USEC_PER_SEC / 10000));
}

/* Read decimal digits at @text; the first byte behind them, or NULL for none or too many. */
static const char *
read_digits(const char *text, guint64 *ret)
{
	guint64 value = 0;

	if (!g_ascii_isdigit(*text))
		return NULL;
	for (; g_ascii_isdigit(*text); text++) {
		if (!g_uint64_checked_mul(&value, value, 10) ||
		    !g_uint64_checked_add(&value, value, (guint64)(*text - '0')))
			return NULL;
	}
	*ret = value;
	return text;
}

gboolean
text_number(const char *text, gint64 min, gint64 max, gint64 *ret)
{
	gboolean negative = min < 0 && *text == '-';
	guint64 value;
	const char *end = read_digits(text + negative, &value);

	if (end == NULL || *end != '\0' || value > G_MAXINT64)
		return FALSE;
	gint64 number = negative ? -(gint64)value : (gint64)value;
	if (number < min || number > max)
		return FALSE;
	*ret = number;
	return TRUE;
}

gboolean
text_bytes(const char *text, guint64 max, guint64 *ret)
{
	static const char suffixes[] = "KMG";
	guint64 value;
	const char *end = read_digits(text, &value);

	if (end == NULL)
		return FALSE;
	if (*end != '\0') {
		const char *suffix = strchr(suffixes, *end);

		if (suffix == NULL || end[1] != '\0' ||
		    !g_uint64_checked_mul(&value, value,
					  G_GUINT64_CONSTANT(1024) << (10 * (suffix - suffixes))))
			return FALSE;
	}
	if (value > max)
		return FALSE;
	*ret = value;
	return TRUE;
}

gboolean
text_seconds(const char *text, guint64 max_ms, guint64 *ret_ms)
{
	guint64 seconds, ms = 0;
	const char *end = read_digits(text, &seconds);

	if (end == NULL || seconds > max_ms / 1000)
		return FALSE;
	if (*end == '.') {
		guint64 scale = 100;

		for (end++; g_ascii_isdigit(*end) && scale > 0; end++, scale /= 10)
			ms += (guint64)(*end - '0') * scale;
		if (scale == 100)
			return FALSE;
	}
	if (*end != '\0' || seconds * 1000 + ms > max_ms)
		return FALSE;
	*ret_ms = seconds * 1000 + ms;
	return TRUE;
}
