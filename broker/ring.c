/* See ring.h. Byte at offset o stands at data[o % capacity]. */
#include "broker/ring.h"

#include <string.h>
#include <sys/mman.h>

#define RING_SMALLEST 256
#define RING_MAPPED (128 * 1024)
#define RING_HUGE   \
	(4 * 1024 * \
	 1024) /* from here on huge pages: fewer faults, and fewer pages for FUSE to pin */

/* Memory of @capacity bytes, or NULL. */
static guint8 *
memory_new(gsize capacity)
{
	if (capacity < RING_MAPPED)
		return g_try_malloc(capacity);
	void *data =
		mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return NULL;
	if (capacity >= RING_HUGE)
		madvise(data, capacity, MADV_HUGEPAGE);
	return data;
}

/* Give the memory back. */
static void
memory_free(guint8 *data, gsize capacity)
{
	if (capacity < RING_MAPPED)
		g_free(data);
	else
		munmap(data, capacity);
}

void
ring_done(Ring *ring)
{
	if (ring->data != NULL)
		memory_free(ring->data, ring->capacity);
	ring->data = NULL;
	ring->capacity = 0;
}

gboolean
ring_grow(Ring *ring, gsize size)
{
	gsize kept = (gsize)(ring->end - ring->start);
	gsize capacity = MAX(ring->capacity, RING_SMALLEST);
	struct iovec iov[2];

	while (capacity < kept + size)
		capacity *= 2;
	if (capacity == ring->capacity)
		return TRUE;
	guint8 *data = memory_new(capacity);
	if (data == NULL)
		return FALSE;
	guint64 offset = ring->start;
	int count = kept > 0 ? ring_pieces(ring, offset, kept, iov) : 0;
	for (int i = 0; i < count; i++) {
		gsize at = (gsize)(offset & (capacity - 1));
		gsize first = MIN(iov[i].iov_len, capacity - at);

		memcpy(data + at, iov[i].iov_base, first);
		memcpy(data, (guint8 *)iov[i].iov_base + first, iov[i].iov_len - first);
		offset += iov[i].iov_len;
	}
	ring_done(ring);
	ring->data = data;
	ring->capacity = capacity;
	return TRUE;
}

guint8 *
ring_free_space(Ring *ring, gsize size, gsize *ret_size)
{
	gsize room = ring->capacity - (gsize)(ring->end - ring->start);

	if (room == 0)
		return NULL;
	gsize at = (gsize)(ring->end & (ring->capacity - 1));
	*ret_size = MIN(MIN(size, room), ring->capacity - at);
	return ring->data + at;
}

int
ring_pieces(const Ring *ring, guint64 offset, gsize size, struct iovec iov[2])
{
	gsize at = (gsize)(offset & (ring->capacity - 1));
	gsize first = MIN(size, ring->capacity - at);

	iov[0] = (struct iovec){ ring->data + at, first };
	if (first == size)
		return 1;
	iov[1] = (struct iovec){ ring->data, size - first };
	return 2;
}
