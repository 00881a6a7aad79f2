/* A sentence put together in a buffer of fixed size: always terminated, cut where it is full.
 * Instead of stdio, which would double the size of the agent. */
#ifndef MITOFS_PTY_TEXTBUF_H
#define MITOFS_PTY_TEXTBUF_H

#include <stddef.h>
#include <stdint.h>

struct textbuf {
	char *text; /* borrowed */
	size_t size, used;
};

/* Begin with "" in @text, which has @size > 0 bytes. */
void textbuf_init(struct textbuf *buf, char *text, size_t size);
void textbuf_add(struct textbuf *buf, const char *text);
/* All of the strings up to a NULL. */
void textbuf_add_all(struct textbuf *buf, ...) __attribute__((sentinel));
void textbuf_add_unsigned(struct textbuf *buf, uint64_t number);
void textbuf_add_signed(struct textbuf *buf, int64_t number);

#endif
