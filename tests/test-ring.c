/* Rings: bytes at absolute offsets, over growth, wrap-around and the change from heap to mapping.
 *
 * The byte at offset o is a hash of o, so that every piece can be checked by itself, wherever it
 * stands. The random walk is seeded by g_test, so a failure can be repeated with its seed. */
#include "broker/ring.h"
#include "tests/unit.h"

/* What stands at @offset. */
static guint8
byte_at(guint64 offset)
{
	return (guint8)((offset * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)) >> 56);
}

/* Put @size bytes behind the end, as stream.c does. */
static void
ring_fill(Ring *ring, gsize size)
{
	g_assert_true(ring_grow(ring, size));
	while (size > 0) {
		gsize piece = 0;
		guint8 *space = ring_free_space(ring, size, &piece);

		g_assert_nonnull(space);
		g_assert_cmpuint(piece, >, 0);
		g_assert_cmpuint(piece, <=, size);
		for (gsize i = 0; i < piece; i++)
			space[i] = byte_at(ring->end + i);
		ring->end += piece;
		size -= piece;
	}
}

/* Whether @size bytes from @offset are what was put. */
static void
ring_check(const Ring *ring, guint64 offset, gsize size)
{
	struct iovec iov[2];
	int count = ring_pieces(ring, offset, size, iov);
	gsize total = 0;

	for (int i = 0; i < count; i++) {
		const guint8 *bytes = iov[i].iov_base;

		g_assert_cmpuint(iov[i].iov_len, >, 0);
		for (gsize at = 0; at < iov[i].iov_len; at++)
			g_assert_cmpuint(bytes[at], ==, byte_at(offset + total + at));
		total += iov[i].iov_len;
	}
	g_assert_cmpuint(total, ==, size);
}

/* It starts empty, grows by powers of two, and is empty again when it is done. */
static void
ring_growth(void)
{
	Ring ring = { 0 };
	gsize piece;

	g_assert_null(ring_free_space(&ring, 1, &piece));
	ring_fill(&ring, 1);
	g_assert_cmpuint(ring.capacity, ==, 256);
	ring_fill(&ring, 255);
	g_assert_cmpuint(ring.capacity, ==, 256);
	g_assert_null(ring_free_space(&ring, 1, &piece));
	ring_fill(&ring, 1);
	g_assert_cmpuint(ring.capacity, ==, 512);
	ring_check(&ring, 0, 257);
	ring_fill(&ring, 1000000);
	g_assert_cmpuint(ring.capacity, ==, 1048576);
	ring_check(&ring, 0, 1000257);
	ring_done(&ring);
	g_assert_null(ring.data);
	ring_done(&ring);
}

/* A range over the seam is two pieces, each other is one. */
static void
ring_seam(void)
{
	Ring ring = { .start = 250, .end = 250 };
	struct iovec iov[2];

	ring_fill(&ring, 100);
	g_assert_cmpuint(ring.capacity, ==, 256);
	g_assert_cmpint(ring_pieces(&ring, 250, 6, iov), ==, 1);
	g_assert_cmpint(ring_pieces(&ring, 250, 7, iov), ==, 2);
	g_assert_cmpint(ring_pieces(&ring, 256, 94, iov), ==, 1);
	ring_check(&ring, 250, 100);
	ring.start = 340;
	ring_fill(&ring, 246);
	g_assert_cmpuint(ring.capacity, ==, 256);
	ring_check(&ring, 340, 256);
	ring_fill(&ring, 1);
	ring_check(&ring, 340, 257);
	ring_done(&ring);
}

/* Growth while the bytes stand over the seam, from heap to heap, to mapping, and from mapping to
 * mapping. */
static void
ring_grow_over_seam(void)
{
	for (gsize capacity = 256; capacity <= 512 * 1024; capacity *= 2) {
		for (gsize kept = 1; kept < capacity; kept = kept * 5 + 1) {
			Ring ring = { .start = capacity * 3 - kept / 2 };

			ring.end = ring.start;
			ring_fill(&ring, kept);
			ring_fill(&ring, capacity - kept);
			g_assert_cmpuint(ring.capacity, ==, capacity);
			ring_fill(&ring, 1);
			ring_check(&ring, ring.start, capacity + 1);
			ring_done(&ring);
		}
	}
}

/* A random walk: fill, let go, look anywhere. */
static void
ring_walk(void)
{
	Ring ring = { .start = G_GUINT64_CONSTANT(0xfffffff0),
		      .end = G_GUINT64_CONSTANT(0xfffffff0) };

	for (guint i = 0; i < 3000; i++) {
		guint64 kept;

		ring_fill(&ring, (gsize)g_test_rand_int_range(0, i % 100 == 0 ? 30000 : 300));
		kept = ring.end - ring.start;
		if (kept > 0) {
			guint64 from = ring.start + (guint64)g_test_rand_int_range(0, (gint32)kept);

			ring_check(&ring, from, (gsize)MIN(ring.end - from, 500));
			ring.start += (guint64)g_test_rand_int_range(0, (gint32)MIN(kept, 400) + 1);
		}
	}
	if (ring.end > ring.start)
		ring_check(&ring, ring.start, (gsize)(ring.end - ring.start));
	ring_done(&ring);
}

static const UnitTest tests[] = {
	{ "/ring/growth", ring_growth },
	{ "/ring/seam", ring_seam },
	{ "/ring/grow-over-seam", ring_grow_over_seam },
	{ "/ring/walk", ring_walk },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
