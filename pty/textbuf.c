/* Sentences in fixed buffers.
 *
 * What the agent says to a person (why an exec failed, which limit was hit) and the /proc paths
 * that it reads are put together here. A struct textbuf is a view on the caller's array: it is
 * never freed, and what does not fit is left out, so that no caller has an error to handle. The
 * text is terminated after every call. */
#include "pty/textbuf.h"

#include <stdarg.h>
#include <string.h>

void
textbuf_init(struct textbuf *buf, char *text, size_t size)
{
	buf->text = text;
	buf->size = size;
	buf->used = 0;
	text[0] = '\0';
}

/* Append what fits of @size bytes. */
static void
textbuf_add_bytes(struct textbuf *buf, const char *bytes, size_t size)
{
	size_t room = buf->size - buf->used - 1;

	if (size > room)
		size = room;
	memcpy(buf->text + buf->used, bytes, size);
	buf->used += size;
	buf->text[buf->used] = '\0';
}

void
textbuf_add(struct textbuf *buf, const char *text)
{
	textbuf_add_bytes(buf, text, strlen(text));
}

void
textbuf_add_all(struct textbuf *buf, ...)
{
	const char *text;
	va_list list;

	va_start(list, buf);
	while ((text = va_arg(list, const char *)))
		textbuf_add(buf, text);
	va_end(list);
}

void
textbuf_add_unsigned(struct textbuf *buf, uint64_t number)
{
	char digits[20];
	char *next = digits + sizeof(digits);

	do {
		*--next = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	textbuf_add_bytes(buf, next, (size_t)(digits + sizeof(digits) - next));
}

void
textbuf_add_signed(struct textbuf *buf, int64_t number)
{
	if (number < 0)
		textbuf_add(buf, "-");
	textbuf_add_unsigned(buf, number < 0 ? -(uint64_t)number : (uint64_t)number);
}
