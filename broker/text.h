/* Text that people read and the broker writes: words quoted for ctl, and bytes escaped for a
 * line. */
#ifndef MITOFS_BROKER_TEXT_H
#define MITOFS_BROKER_TEXT_H

#include <glib.h>

/* Append @word as ctl reads it back: bare when it is plain, else '...' or $'...' for control
 * bytes. */
void text_quote(GString *out, const char *word);
/* All of @words with a blank between them. */
void text_quote_words(GString *out, char *const *words);

/* Append @size bytes (-1: NUL-terminated) so that they stay on one line and carry no control:
 * printable ASCII and valid UTF-8 without C1 and bidirectional controls stay, newline becomes
 * \n, a backslash \\, anything else \xNN. */
void text_escape(GString *out, const char *bytes, gssize size);
/* A new string of it. */
char *text_escaped(const char *bytes);

/* "1763830000.12": wall-clock seconds of @usec (microseconds since the epoch). */
void text_time(GString *out, gint64 usec);

/* A whole decimal number within [@min, @max] into @ret; FALSE for a sign that is not wanted,
 * blanks, "0x", trailing bytes or a value out of range. */
gboolean text_number(const char *text, gint64 min, gint64 max, gint64 *ret);
/* Bytes with an optional K, M or G (powers of 1024). */
gboolean text_bytes(const char *text, guint64 max, guint64 *ret);
/* Seconds with at most three decimals, into milliseconds. */
gboolean text_seconds(const char *text, guint64 max_ms, guint64 *ret_ms);

#endif
