/* A ring of bytes with absolute offsets, that grows by powers of two. Above 64 KiB its memory is
 * a mapping of its own, so that it goes back to the system at once and never fragments the heap. */
#ifndef MITOFS_BROKER_RING_H
#define MITOFS_BROKER_RING_H

#include <glib.h>
#include <sys/uio.h>

typedef struct Ring Ring;
struct Ring {
	guint8 *data;	/* private */
	gsize capacity; /* private; 0 or a power of two */
	guint64 start;	/* offset of the oldest byte kept */
	guint64 end;	/* offset behind the newest */
};

void ring_done(Ring *ring);
/* Make room for @size more bytes; FALSE when there is no memory. */
gboolean ring_grow(Ring *ring, gsize size);
/* The contiguous free place behind the newest byte, at most @size bytes; NULL for none. */
guint8 *ring_free_space(Ring *ring, gsize size, gsize *ret_size);
/* Bytes of [@offset, @offset + @size) as one or two pieces; the range must be kept. Returns how
 * many pieces. */
int ring_pieces(const Ring *ring, guint64 offset, gsize size, struct iovec iov[2]);

#endif
