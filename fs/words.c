/* A state machine over single bytes. Between two pieces it holds the words so far, so nothing is
 * looked at twice and a command may come a byte at a time. Each state is one small function, which
 * says what the byte means there. */
#include "fs/words.h"

#include "broker/error.h"

#include <errno.h>
#include <string.h>

/* Escapes that are digits: \nnn \xHH \uHHHH \UHHHHHHHH. */
typedef struct Digits Digits;
struct Digits {
	char letter; /* behind the backslash; 0 for octal */
	guint base, max;
	gboolean is_unicode;
	guint count; /* so far */
	guint32 value;
};

typedef struct State State;
struct State {
	void (*byte)(Scanner *scanner, char c);
	gboolean is_quoted; /* a newline here does not end the command */
};

struct Scanner {
	const State *state;
	GPtrArray *words;
	GString *word;
	gboolean in_word; /* @word has begun, if only with quotes */
	gsize size;	  /* bytes of the command so far */
	gboolean cr;	  /* the last byte was an unquoted carriage return */
	gboolean nul;	  /* an escape stood for a NUL */
	Digits digits;
};

static const State blank, bare, backslash, single, twice, twice_backslash, dollar, ansi,
	ansi_backslash, ansi_digits, comment, raw, skip;

static const Digits digit_escapes[] = {
	{ 'x', 16, 2, FALSE, 0, 0 },
	{ 'u', 16, 4, TRUE, 0, 0 },
	{ 'U', 16, 8, TRUE, 0, 0 },
};

static const struct {
	char letter, byte;
} letter_escapes[] = {
	{ 'n', '\n' },	{ 't', '\t' }, { 'a', '\a' }, { 'b', '\b' }, { 'e', 033 },
	{ 'E', 033 },	{ 'f', '\f' }, { 'r', '\r' }, { 'v', '\v' }, { '\\', '\\' },
	{ '\'', '\'' }, { '"', '"' },  { '?', '?' },
};

/* Add @c to the present word. */
static void
put(Scanner *scanner, char c)
{
	scanner->in_word = TRUE;
	g_string_append_c(scanner->word, c);
}

/* The present word, if there is one, is complete. */
static void
end_word(Scanner *scanner)
{
	if (scanner->in_word)
		g_ptr_array_add(scanner->words, g_strndup(scanner->word->str, scanner->word->len));
	g_string_truncate(scanner->word, 0);
	scanner->in_word = FALSE;
}

/* Whether the words so far are `sh` or `async sh`: the rest of the line is not ours to read. */
static gboolean
before_raw_line(const Scanner *scanner)
{
	guint count = scanner->words->len;
	guint skipped = count == 2 && strcmp(scanner->words->pdata[0], "async") == 0;

	return count == skipped + 1 && strcmp(scanner->words->pdata[skipped], "sh") == 0;
}

/* A byte outside quotes, in a word or where one may begin. */
static void
unquoted_byte(Scanner *scanner, char c)
{
	switch (c) {
	case ' ':
	case '\t':
		end_word(scanner);
		scanner->state = before_raw_line(scanner) ? &raw : &blank;
		return;
	case '\'':
	case '"':
		scanner->in_word = TRUE;
		scanner->state = c == '"' ? &twice : &single;
		return;
	case '\\':
		scanner->state = &backslash;
		return;
	case '$':
		scanner->state = &dollar;
		return;
	}
	put(scanner, c);
	scanner->state = &bare;
}

static void
blank_byte(Scanner *scanner, char c)
{
	if (c == '#')
		scanner->state = &comment;
	else
		unquoted_byte(scanner, c);
}

/* Backslash-newline is removed, and leaves a word or a gap as it was. */
static void
backslash_byte(Scanner *scanner, char c)
{
	if (c != '\n')
		put(scanner, c);
	scanner->state = scanner->in_word ? &bare : &blank;
}

static void
single_byte(Scanner *scanner, char c)
{
	if (c == '\'')
		scanner->state = &bare;
	else
		put(scanner, c);
}

static void
twice_byte(Scanner *scanner, char c)
{
	if (c == '"')
		scanner->state = &bare;
	else if (c == '\\')
		scanner->state = &twice_backslash;
	else
		put(scanner, c);
}

/* Between double quotes a backslash quotes only what would be special there. */
static void
twice_backslash_byte(Scanner *scanner, char c)
{
	if (strchr("$`\"\\\n", c) == NULL)
		put(scanner, '\\');
	if (c != '\n')
		put(scanner, c);
	scanner->state = &twice;
}

/* A dollar is special only before a single quote. */
static void
dollar_byte(Scanner *scanner, char c)
{
	scanner->in_word = TRUE;
	if (c == '\'') {
		scanner->state = &ansi;
		return;
	}
	put(scanner, '$');
	unquoted_byte(scanner, c);
}

static void
ansi_byte(Scanner *scanner, char c)
{
	if (c == '\'')
		scanner->state = &bare;
	else if (c == '\\')
		scanner->state = &ansi_backslash;
	else
		put(scanner, c);
}

/* The byte behind a backslash in $'...': a letter, or the start of digits; any other stands with
 * its backslash. */
static void
ansi_backslash_byte(Scanner *scanner, char c)
{
	scanner->state = &ansi;
	for (guint i = 0; i < G_N_ELEMENTS(letter_escapes); i++) {
		if (letter_escapes[i].letter == c) {
			put(scanner, letter_escapes[i].byte);
			return;
		}
	}
	for (guint i = 0; i < G_N_ELEMENTS(digit_escapes); i++) {
		if (digit_escapes[i].letter == c) {
			scanner->digits = digit_escapes[i];
			scanner->state = &ansi_digits;
			return;
		}
	}
	if (c >= '0' && c <= '7') {
		scanner->digits = (Digits){ 0, 8, 3, FALSE, 1, (guint32)(c - '0') };
		scanner->state = &ansi_digits;
		return;
	}
	put(scanner, '\\');
	put(scanner, c);
}

/* The digits are complete: add what they stand for. */
static void
end_digits(Scanner *scanner)
{
	const Digits *digits = &scanner->digits;

	scanner->state = &ansi;
	scanner->in_word = TRUE;
	if (digits->count == 0) {
		put(scanner, '\\');
		put(scanner, digits->letter);
	} else if (digits->is_unicode && digits->value > 0x7f) {
		g_string_append_unichar(scanner->word,
					g_unichar_validate(digits->value) ? digits->value : 0xfffd);
	} else {
		scanner->nul |= (digits->value & 0xff) == 0;
		put(scanner, (char)digits->value);
	}
}

static void
ansi_digits_byte(Scanner *scanner, char c)
{
	Digits *digits = &scanner->digits;
	int digit = g_ascii_xdigit_value(c);

	if (digit < 0 || (guint)digit >= digits->base) {
		end_digits(scanner);
		ansi_byte(scanner, c);
		return;
	}
	digits->value = digits->value * digits->base + (guint)digit;
	if (++digits->count == digits->max)
		end_digits(scanner);
}

static void
ignore_byte(Scanner *scanner, char c)
{
}

static const State blank = { blank_byte }, bare = { unquoted_byte }, comment = { ignore_byte },
		   skip = { ignore_byte }, raw = { put }, dollar = { dollar_byte },
		   backslash = { backslash_byte, .is_quoted = TRUE },
		   single = { single_byte, .is_quoted = TRUE },
		   twice = { twice_byte, .is_quoted = TRUE },
		   twice_backslash = { twice_backslash_byte, .is_quoted = TRUE },
		   ansi = { ansi_byte, .is_quoted = TRUE },
		   ansi_backslash = { ansi_backslash_byte, .is_quoted = TRUE },
		   ansi_digits = { ansi_digits_byte, .is_quoted = TRUE };

Scanner *
scanner_new(void)
{
	Scanner *scanner = g_new0(Scanner, 1);

	scanner->words = g_ptr_array_new_with_free_func(g_free);
	scanner->word = g_string_new(NULL);
	scanner->state = &blank;
	return scanner;
}

void
scanner_free(Scanner *scanner)
{
	g_ptr_array_unref(scanner->words);
	g_string_free(scanner->word, TRUE);
	g_free(scanner);
}

void
scanner_reset(Scanner *scanner)
{
	g_ptr_array_set_size(scanner->words, 0);
	g_string_truncate(scanner->word, 0);
	scanner->in_word = FALSE;
	scanner->state = &blank;
	scanner->size = 0;
	scanner->cr = FALSE;
	scanner->nul = FALSE;
}

gboolean
scanner_pending(const Scanner *scanner)
{
	return scanner->words->len > 0 || scanner->in_word || scanner->state == &backslash ||
	       scanner->state == &dollar;
}

/* The words of the command that ends here; the scanner is ready for the next. */
static GStrv
take_words(Scanner *scanner)
{
	GStrv words;

	if (scanner->state == &raw)
		scanner->in_word = TRUE;
	else if (scanner->state == &dollar)
		put(scanner, '$');
	end_word(scanner);
	g_ptr_array_add(scanner->words, NULL);
	words = (GStrv)g_ptr_array_steal(scanner->words, NULL);
	scanner_reset(scanner);
	return words;
}

/* Give the command up with @error set already, and skip the rest of it. */
static ScanResult
give_up(Scanner *scanner, const char *bytes, gsize size, gsize at, gsize *ret_used)
{
	const char *newline = memchr(bytes + at, '\n', size - at);

	scanner_reset(scanner);
	if (newline == NULL)
		scanner->state = &skip;
	*ret_used = newline != NULL ? (gsize)(newline + 1 - bytes) : size;
	return SCAN_FAILED;
}

/* What is wrong with the command if its next byte is @c; TRUE for nothing. */
static gboolean
check_byte(const Scanner *scanner, char c, GError **error)
{
	if (c == '\0' || scanner->nul)
		return fail(error, EINVAL, "a NUL byte in the command");
	if (c == '\n' && scanner->cr && !scanner->state->is_quoted)
		return fail(error, EINVAL,
			    "a carriage return before the newline: the lines end as on Windows; "
			    "convert them, "
			    "or quote it as $'\\r'");
	if (scanner->size >= WORDS_COMMAND_MAX && (c != '\n' || scanner->state->is_quoted))
		return fail(error, E2BIG, "the command is longer than %d bytes", WORDS_COMMAND_MAX);
	return TRUE;
}

ScanResult
scanner_feed(Scanner *scanner, const char *bytes, gsize size, gsize *ret_used, GStrv *ret_words,
	     GError **error)
{
	for (gsize at = 0; at < size; at++) {
		char c = bytes[at];
		const State *before = scanner->state;

		if (before != &skip && !check_byte(scanner, c, error))
			return give_up(scanner, bytes, size, at, ret_used);
		if (c == '\n' && !before->is_quoted) {
			*ret_used = at + 1;
			*ret_words = take_words(scanner);
			return SCAN_COMMAND;
		}
		scanner->size++;
		before->byte(scanner, c);
		scanner->cr = c == '\r' && !before->is_quoted;
	}
	*ret_used = size;
	return SCAN_MORE;
}

GStrv
scanner_finish(Scanner *scanner)
{
	gboolean is_whole = scanner_pending(scanner) && !scanner->state->is_quoted && !scanner->nul;

	if (is_whole)
		return take_words(scanner);
	scanner_reset(scanner);
	return NULL;
}
