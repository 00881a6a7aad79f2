/* Streams: what is kept, what may go, and who is held back, over real pipes.
 *
 * The source writes a pattern whose period is a prime, so that a gap, a repeat or a byte out of
 * order shows at once wherever a reader looks. A feed writes as fast as its pipe takes it, from
 * the loop; a reader is driven by the test. Limits are small, so that megabytes go through
 * kilobytes. The mount's total and the number of large pipes are the program's, so each test
 * leaves them as it found them. */
#include "broker/stream.h"
#include "pty/autofd.h"
#include "pty/pty.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#define PERIOD 65521
#define TOTAL_USUAL (G_GUINT64_CONSTANT(256) * 1024 * 1024)
#define KIB 1024

static guint8 pattern[2 * PERIOD + KIB];

/* Make the pattern. */
static void
pattern_init(void)
{
	guint32 state = 1;

	for (guint i = 0; i < PERIOD; i++) {
		state = state * 1664525 + 1013904223;
		pattern[i] = (guint8)(state >> 24);
	}
	for (guint i = PERIOD; i < G_N_ELEMENTS(pattern); i++)
		pattern[i] = pattern[i - PERIOD];
}

/* The pattern at @offset, of which at least 64 KiB follow. */
static const guint8 *
pattern_at(guint64 offset)
{
	return pattern + offset % PERIOD;
}

/* Whether @bytes are the pattern at @offset. */
static void
pattern_check(const guint8 *bytes, guint64 offset, gsize size)
{
	for (gsize at = 0; at < size; at += PERIOD) {
		gsize piece = MIN(size - at, PERIOD);

		g_assert_cmpint(memcmp(bytes + at, pattern_at(offset + at), piece), ==, 0);
	}
}

/* Writes the pattern into a pipe, up to a size. */
typedef struct Feed Feed;
struct Feed {
	int fd;
	guint64 written, size;
	PollerWatch *watch;
};

/* Write on; behind the last byte the pipe is closed. */
static void
feed_on_writable(guint32 events, void *data)
{
	Feed *feed = data;

	while (feed->written < feed->size) {
		gsize piece = (gsize)MIN(feed->size - feed->written, PERIOD);
		gssize got = write(feed->fd, pattern_at(feed->written), piece);

		if (got < 0 && errno == EAGAIN)
			return;
		g_assert_no_errno(got);
		feed->written += (guint64)got;
	}
	g_clear_pointer(&feed->watch, poller_remove);
	autofd_clear(&feed->fd);
}

/* A pipe that @stream reads; its write end. */
static int
stream_pipe(Stream *stream)
{
	int fds[2];

	g_assert_no_errno(pipe2(fds, O_CLOEXEC | O_NONBLOCK));
	stream_attach(stream, fds[0]);
	return fds[1];
}

/* Let @size bytes of the pattern go into @stream, and then its end. */
static void
feed_start(Feed *feed, Stream *stream, guint64 size)
{
	*feed = (Feed){ .fd = stream_pipe(stream), .size = size };
	feed->watch = poller_add(feed->fd, EPOLLOUT, feed_on_writable, feed);
}

/* Take the source away, wherever it is. */
static void
feed_stop(Feed *feed)
{
	g_clear_pointer(&feed->watch, poller_remove);
	autofd_clear(&feed->fd);
}

/* One read(2): look at up to @size bytes at the kernel's @offset, which must be the stream's
 * @at, and take them. */
static gssize
reader_read(StreamReader *reader, guint64 offset, guint64 at, gsize size)
{
	struct iovec iov[2];
	int count;
	gssize got = stream_reader_look(reader, offset, size, iov, &count);
	gsize total = 0;

	if (got <= 0) {
		g_assert_cmpint(count, ==, 0);
		return got;
	}
	g_assert_cmpint(got, <=, (gssize)size);
	for (int i = 0; i < count; i++) {
		pattern_check(iov[i].iov_base, at + total, iov[i].iov_len);
		total += iov[i].iov_len;
	}
	g_assert_cmpuint(total, ==, (gsize)got);
	stream_reader_consume(reader, offset, (gsize)got);
	return got;
}

/* The next read begins, where the last one ended, and takes nothing yet: what that gave is not
 * wanted again. */
static void
reader_go_on(StreamReader *reader, guint64 offset)
{
	struct iovec iov[2];
	int count;

	stream_reader_look(reader, offset, 1, iov, &count);
}

/* Read from the offset @at to the end, waiting for it; the bytes. The end must be @end. */
static guint64
reader_read_all(StreamReader *reader, guint64 at, gsize size, gssize end)
{
	guint64 from = at;
	gssize got;

	for (;;) {
		unit_until((got = reader_read(reader, at, at, size)) != -EAGAIN);
		if (got <= 0)
			break;
		at += (guint64)got;
	}
	g_assert_cmpint(got, ==, end);
	return at - from;
}

/* Append @size bytes of the pattern. */
static void
append(Stream *stream, gsize size)
{
	g_autofree guint8 *bytes = g_malloc(size);

	for (gsize at = 0; at < size; at += PERIOD)
		memcpy(bytes + at, pattern_at(stream_size(stream) + at), MIN(size - at, PERIOD));
	stream_append(stream, bytes, size);
}

/* Everything arrives once and in order through a retain that is far smaller, and no more than
 * that is ever kept. */
static void
order_run(guint64 retain, gboolean drop, gsize largest)
{
	g_autoptr(Stream) stream = stream_new(retain, drop);
	StreamReader *reader = stream_reader_new(stream);
	const guint64 size = 6 * KIB * KIB + 12345;
	Feed feed;
	guint64 at = 0;
	gssize got = 1;

	feed_start(&feed, stream, size);
	while (got != 0) {
		gsize piece = (gsize)g_test_rand_int_range(1, (gint32)largest);

		unit_until((got = reader_read(reader, at, at, piece)) != -EAGAIN);
		g_assert_cmpint(got, >=, 0);
		g_assert_cmpuint(stream_size(stream) - stream_start(stream), <=, retain);
		at += (guint64)got;
	}
	g_assert_cmpuint(at, ==, size);
	g_assert_cmpuint(stream_size(stream), ==, size);
	g_assert_cmpuint(stream_dropped(stream), ==, 0);
	g_assert_true(stream_ended(stream));
	stream_reader_free(reader);
}

static void
stream_order(void)
{
	order_run(64 * KIB, FALSE, 100000);
	order_run(300000, FALSE, 100000);
	order_run(TOTAL_USUAL, FALSE, 1000000);
}

static void
stream_order_small(void)
{
	order_run(4096, FALSE, 100000);
}

/* With no reader all is kept up to `retain`, not one byte more is read, and a reader gets every
 * byte. */
static void
stream_block(void)
{
	g_autoptr(Stream) stream = stream_new(50000, FALSE);
	Feed feed;

	feed_start(&feed, stream, 500000);
	unit_until(stream_blocked(stream));
	unit_settle();
	g_assert_cmpuint(stream_size(stream), ==, 50000);
	g_assert_cmpuint(stream_start(stream), ==, 0);
	g_assert_cmpuint(stream_room(stream), ==, 0);
	g_assert_cmpuint(feed.written, <, 500000);
	StreamReader *reader = stream_reader_new(stream);
	g_assert_cmpuint(reader_read_all(reader, 0, 7000, 0), ==, 500000);
	g_assert_false(stream_blocked(stream));
	stream_reader_free(reader);
}

/* A stream that is held back rests, though the pipe behind it has hung up. */
static void
stream_block_rests(void)
{
	g_autoptr(Stream) stream = stream_new(8192, FALSE);
	int fd = stream_pipe(stream);
	guint turns = 0;

	g_assert_cmpint(write(fd, pattern, 20000), ==, 20000);
	close(fd);
	while (turns < 1000 && g_main_context_iteration(NULL, FALSE))
		turns++;
	g_assert_cmpuint(turns, <, 20);
	g_assert_true(stream_blocked(stream));
	g_assert_cmpuint(stream_size(stream), ==, 8192);
	g_assert_false(stream_ended(stream));
	StreamReader *reader = stream_reader_new(stream);
	g_assert_cmpuint(reader_read_all(reader, 0, 3000, 0), ==, 20000);
	stream_reader_free(reader);
}

/* A source that ends when the stream is just full ends it, without a reader. */
static void
stream_block_exact(void)
{
	g_autoptr(Stream) stream = stream_new(8192, FALSE);
	int fd = stream_pipe(stream);

	g_assert_cmpint(write(fd, pattern, 8192), ==, 8192);
	close(fd);
	unit_until(stream_ended(stream));
	g_assert_cmpuint(stream_start(stream), ==, 0);
	g_assert_false(stream_blocked(stream));
}

/* `retain` and `overflow` may change while the source is held back. */
static void
stream_block_limits(void)
{
	g_autoptr(Stream) stream = stream_new(8192, FALSE);
	Feed feed;

	feed_start(&feed, stream, 400000);
	unit_until(stream_blocked(stream));
	stream_set_limits(stream, 100000, FALSE);
	unit_until(stream_blocked(stream));
	g_assert_cmpuint(stream_size(stream), ==, 100000);
	stream_set_limits(stream, 20000, TRUE);
	unit_until(stream_ended(stream));
	g_assert_cmpuint(stream_size(stream), ==, 400000);
	g_assert_cmpuint(stream_start(stream), ==, 380000);
	g_assert_cmpuint(stream_dropped(stream), ==, 380000);
}

/* With overflow drop the oldest go, as few as need be, and are counted; the end of the source
 * costs nothing. */
static void
stream_drop(void)
{
	g_autoptr(Stream) stream = stream_new(16 * KIB, TRUE);
	int fd = stream_pipe(stream);
	guint64 size = 0;

	for (guint i = 1; i <= 60; i++) {
		size += (guint64)write(fd, pattern_at(size), 1000);
		unit_until(stream_size(stream) == size);
		g_assert_cmpuint(stream_start(stream), ==, size > 16 * KIB ? size - 16 * KIB : 0);
	}
	close(fd);
	unit_until(stream_ended(stream));
	g_assert_cmpuint(stream_start(stream), ==, size - 16 * KIB);
	g_assert_cmpuint(stream_dropped(stream), ==, size - 16 * KIB);
	StreamReader *reader = stream_reader_new(stream);
	g_assert_cmpint(reader_read(reader, 0, stream_start(stream), 100), ==, 100);
	stream_reader_free(reader);
}

/* A little output is all there behind its end, whatever `overflow` says. */
static void
stream_drop_nothing(void)
{
	for (int drop = 0; drop < 2; drop++) {
		g_autoptr(Stream) stream = stream_new(64 * KIB, drop);
		StreamReader *reader = stream_reader_new(stream);
		Feed feed;

		feed_start(&feed, stream, 40000);
		g_assert_cmpuint(reader_read_all(reader, 0, 9999, 0), ==, 40000);
		g_assert_cmpuint(stream_start(stream), ==, 0);
		g_assert_cmpuint(reader_read_all(reader, 0, 9999, 0), ==, 40000);
		stream_reader_free(reader);
	}
}

/* What is appended and is more than `retain` leaves the newest bytes, at their own offsets. */
static void
stream_drop_append(void)
{
	g_autoptr(Stream) stream = stream_new(4096, TRUE);
	StreamReader *reader = stream_reader_new(stream);

	append(stream, 1000);
	g_assert_cmpint(reader_read(reader, 0, 0, 400), ==, 400);
	append(stream, 10000);
	g_assert_cmpuint(stream_size(stream), ==, 11000);
	g_assert_cmpuint(stream_start(stream), ==, 11000 - 4096);
	g_assert_cmpuint(stream_dropped(stream), ==, 11000 - 4096 - 400);
	g_assert_cmpint(reader_read(reader, 400, 11000 - 4096, 8000), ==, 4096);
	stream_reader_free(reader);
}

/* A reader goes on at its own kernel offset though what was there has gone; any other offset is
 * absolute. */
static void
stream_jump(void)
{
	g_autoptr(Stream) stream = stream_new(4096, TRUE);
	StreamReader *reader = stream_reader_new(stream);

	append(stream, 3000);
	g_assert_cmpint(reader_read(reader, 0, 0, 1000), ==, 1000);
	append(stream, 7096);
	g_assert_cmpuint(stream_start(stream), ==, 6000);
	g_assert_cmpint(reader_read(reader, 1000, 6000, 500), ==, 500);
	g_assert_cmpint(reader_read(reader, 1500, 6500, 500), ==, 500);
	g_assert_cmpint(reader_read(reader, 7000, 7000, 500), ==, 500);
	g_assert_cmpint(reader_read(reader, 7500, 7500, 10), ==, 10);
	g_assert_cmpint(reader_read(reader, 5, 6000, 500), ==, 500);
	g_assert_cmpint(reader_read(reader, 505, 6500, 10), ==, 10);
	g_assert_cmpint(reader_read(reader, 20000, 0, 10), ==, -EAGAIN);
	g_assert_cmpint(reader_read(reader, 515, 6510, 10000), ==, 10096 - 6510);
	g_assert_cmpint(reader_read(reader, 515 + 10096 - 6510, 0, 1), ==, -EAGAIN);
	stream_reader_free(reader);
}

/* A look alone consumes nothing, and may be repeated. */
static void
stream_look(void)
{
	g_autoptr(Stream) stream = stream_new(64 * KIB, FALSE);
	StreamReader *reader = stream_reader_new(stream);
	struct iovec iov[2];
	int count = 7;

	g_assert_cmpint(stream_reader_look(reader, 0, 10, iov, &count), ==, -EAGAIN);
	g_assert_cmpint(count, ==, 0);
	append(stream, 100);
	for (guint i = 0; i < 3; i++)
		g_assert_cmpint(stream_reader_look(reader, 0, 10, iov, &count), ==, 10);
	g_assert_cmpint(stream_reader_look(reader, 0, 0, iov, &count), ==, 0);
	g_assert_cmpint(count, ==, 0);
	g_assert_cmpint(reader_read(reader, 0, 0, 100), ==, 100);
	g_assert_true(stream_reader_stream(reader) == stream);
	stream_reader_free(reader);
}

/* Two readers: the slower one keeps what it has not read; when it goes, the source goes on. */
static void
stream_two_readers(void)
{
	g_autoptr(Stream) stream = stream_new(16 * KIB, FALSE);
	StreamReader *fast = stream_reader_new(stream);
	StreamReader *slow = stream_reader_new(stream);
	Feed feed;
	guint64 at = 0;

	feed_start(&feed, stream, 200000);
	unit_until(stream_blocked(stream));
	g_assert_cmpint(reader_read(fast, 0, 0, 16 * KIB), ==, 16 * KIB);
	g_assert_cmpint(reader_read(slow, 0, 0, 1000), ==, 1000);
	reader_go_on(fast, 16 * KIB);
	unit_settle();
	g_assert_cmpuint(stream_size(stream), ==, 16 * KIB); /* a shell may yet seek back */
	reader_go_on(slow, 1000);
	unit_until(stream_blocked(stream) && stream_size(stream) > 16 * KIB);
	g_assert_cmpuint(stream_size(stream), ==, 16 * KIB + 1000);
	g_assert_cmpuint(stream_start(stream), ==, 1000);
	at = 16 * KIB;
	at += (guint64)reader_read(fast, at, at, 16 * KIB);
	g_assert_cmpint(reader_read(fast, at, at, 1), ==, -EAGAIN);
	unit_settle();
	g_assert_true(stream_blocked(stream));
	stream_reader_free(slow);
	g_assert_cmpuint(at + reader_read_all(fast, at, 9999, 0), ==, 200000);
	stream_reader_free(fast);
}

/* What nobody was given stays, even when the only reader looked beyond it. */
static void
stream_given(void)
{
	g_autoptr(Stream) stream = stream_new(8192, FALSE);
	StreamReader *reader = stream_reader_new(stream);
	Feed feed;

	feed_start(&feed, stream, 100000);
	unit_until(stream_blocked(stream));
	g_assert_cmpint(reader_read(reader, 5000, 5000, 3192), ==, 3192);
	unit_settle();
	g_assert_true(stream_blocked(stream));
	g_assert_cmpuint(stream_start(stream), ==, 0);
	g_assert_cmpint(reader_read(reader, 0, 0, 4096), ==, 4096);
	reader_go_on(reader, 4096);
	unit_until(stream_blocked(stream) && stream_size(stream) > 8192);
	g_assert_cmpuint(stream_start(stream), ==, 4096);
	stream_reader_free(reader);
	unit_settle();
	g_assert_cmpuint(stream_start(stream), ==, 4096);
	g_assert_true(stream_blocked(stream));
	reader = stream_reader_new(stream);
	g_assert_cmpint(reader_read(reader, 0, 4096, 10), ==, 10);
	g_assert_cmpuint(reader_read_all(reader, 4096, 5000, 0), ==, 100000 - 4096);
	stream_reader_free(reader);
}

/* With no reader open nothing goes, though all of it was given before. */
static void
stream_given_closed(void)
{
	g_autoptr(Stream) stream = stream_new(8192, FALSE);
	StreamReader *reader = stream_reader_new(stream);
	int fd = stream_pipe(stream);

	g_assert_cmpint(write(fd, pattern, 6000), ==, 6000);
	unit_until(stream_size(stream) == 6000);
	g_assert_cmpint(reader_read(reader, 0, 0, 6000), ==, 6000);
	stream_reader_free(reader);
	g_assert_cmpint(write(fd, pattern_at(6000), 6000), ==, 6000);
	unit_until(stream_blocked(stream));
	g_assert_cmpuint(stream_start(stream), ==, 0);
	g_assert_cmpuint(stream_size(stream), ==, 8192);
	reader = stream_reader_new(stream);
	g_assert_cmpint(reader_read(reader, 0, 0, 8192), ==, 8192);
	close(fd);
	g_assert_cmpuint(reader_read_all(reader, 8192, 100, 0), ==, 12000 - 8192);
	stream_reader_free(reader);
}

/* Past the mount's total each stream over 64 KiB is held, smaller ones are not; memory that
 * comes back lets them go on. */
static void
stream_total(void)
{
	g_autoptr(Stream) first = stream_new(KIB * KIB, FALSE);
	g_autoptr(Stream) second = stream_new(KIB * KIB, FALSE);
	Feed feeds[2];

	stream_set_total(300 * KIB);
	feed_start(&feeds[0], first, 600 * KIB);
	unit_until(stream_blocked(first));
	guint64 kept = stream_size(first);
	g_assert_cmpuint(kept, >=, 300 * KIB);
	g_assert_cmpuint(kept, <, 500 * KIB);
	feed_start(&feeds[1], second, 200 * KIB);
	unit_until(stream_blocked(second));
	g_assert_cmpuint(stream_size(second), ==, 64 * KIB);
	feed_stop(&feeds[0]);
	stream_detach(first);
	g_clear_pointer(&first, stream_unref);
	unit_until(stream_ended(second));
	g_assert_cmpuint(stream_size(second), ==, 200 * KIB);
	stream_set_total(TOTAL_USUAL);
}

static void
count_up(void *data)
{
	(*(guint *)data)++;
}

/* The same for a stream that frames fill: its sender is told that there is room for credit. */
static void
stream_total_appended(void)
{
	g_autoptr(Stream) first = stream_new(KIB * KIB, FALSE);
	g_autoptr(Stream) second = stream_new(KIB * KIB, FALSE);
	NotifierWatch watch = { NULL };
	guint drained = 0;

	stream_set_total(200 * KIB);
	notifier_watch(stream_drained(second), &watch, count_up, &drained);
	append(first, 200 * KIB);
	append(second, 64 * KIB);
	g_assert_true(stream_blocked(second));
	g_assert_cmpuint(stream_room(second), ==, 0);
	g_assert_cmpuint(drained, ==, 0);
	g_clear_pointer(&first, stream_unref);
	unit_until(drained > 0);
	g_assert_cmpuint(stream_room(second), ==, 200 * KIB - 64 * KIB);
	notifier_unwatch(&watch);
	stream_set_total(TOTAL_USUAL);
}

/* An orphan without a reader is drained, and what goes is not counted. */
static void
stream_orphan_unread(void)
{
	Stream *stream = stream_new(8192, FALSE);
	Feed feed;

	feed_start(&feed, stream, 500000);
	unit_until(stream_blocked(stream));
	stream_orphan(stream);
	unit_until(feed.fd < 0 && stream_ended(stream));
	g_assert_cmpuint(stream_size(stream), ==, 500000);
	g_assert_cmpuint(stream_dropped(stream), ==, 0);
	stream_unref(stream);
}

/* Its reader still gets every byte; when that closes, the rest is drained, though nobody holds
 * the stream any more. */
static void
stream_orphan_read(void)
{
	Stream *stream = stream_new(8192, FALSE);
	StreamReader *reader = stream_reader_new(stream);
	Feed feed;
	guint64 at = 0;

	feed_start(&feed, stream, 500000);
	stream_orphan(stream);
	stream_unref(stream);
	while (at < 100000) {
		gssize got;

		unit_until((got = reader_read(reader, at, at, 5000)) != -EAGAIN);
		g_assert_cmpint(got, >, 0);
		at += (guint64)got;
	}
	stream_reader_free(reader);
	unit_until(feed.fd < 0);
}

/* The end is told once, stands behind the last byte, and nothing comes behind it. */
static void
stream_end_error(void)
{
	g_autoptr(Stream) stream = stream_new(64 * KIB, FALSE);
	StreamReader *reader = stream_reader_new(stream);
	NotifierWatch watch = { NULL };
	guint changes = 0;

	append(stream, 100);
	notifier_watch(stream_changed(stream), &watch, count_up, &changes);
	g_assert_cmpint(reader_read(reader, 0, 0, 40), ==, 40);
	stream_end(stream, ECONNRESET);
	stream_end(stream, 0);
	stream_append(stream, "late", 4);
	g_assert_cmpuint(changes, ==, 1);
	g_assert_cmpuint(stream_size(stream), ==, 100);
	g_assert_cmpint(reader_read(reader, 40, 40, 100), ==, 60);
	g_assert_cmpint(reader_read(reader, 100, 0, 100), ==, -ECONNRESET);
	g_assert_cmpint(reader_read(reader, 100, 0, 100), ==, -ECONNRESET);
	g_assert_cmpint(reader_read(reader, 200, 0, 100), ==, 0);
	g_assert_cmpint(reader_read(reader, 0, 0, 100), ==, 100);
	notifier_unwatch(&watch);
	stream_reader_free(reader);
}

/* Who waits at the end is told of bytes and of the end of file. */
static void
stream_end_of_file(void)
{
	g_autoptr(Stream) stream = stream_new(64 * KIB, FALSE);
	StreamReader *reader = stream_reader_new(stream);
	NotifierWatch watch = { NULL };
	guint changes = 0;
	int fd = stream_pipe(stream);
	gint64 born = stream_mtime(stream);

	notifier_watch(stream_changed(stream), &watch, count_up, &changes);
	unit_settle();
	g_assert_cmpint(reader_read(reader, 0, 0, 10), ==, -EAGAIN);
	g_assert_cmpint(write(fd, pattern, 5), ==, 5);
	unit_until(changes == 1);
	g_assert_cmpint(stream_mtime(stream), >, born);
	g_assert_cmpint(reader_read(reader, 0, 0, 10), ==, 5);
	close(fd);
	unit_until(changes == 2);
	g_assert_cmpint(reader_read(reader, 5, 0, 10), ==, 0);
	notifier_unwatch(&watch);
	stream_reader_free(reader);
}

/* A source that was cut is closed at once: who writes gets EPIPE. */
static void
stream_cut(void)
{
	g_autoptr(Stream) stream = stream_new(4096, FALSE);
	Feed feed;

	feed_start(&feed, stream, 100000);
	unit_until(stream_blocked(stream));
	stream_detach(stream);
	g_assert_true(stream_ended(stream));
	g_assert_false(stream_blocked(stream));
	g_assert_cmpint(write(feed.fd, "x", 1), ==, -1);
	g_assert_cmpint(errno, ==, EPIPE);
	feed_stop(&feed);
}

/* The hang-up of a terminal is its end. */
static void
stream_terminal(void)
{
	g_autoptr(Stream) stream = stream_new(4096, FALSE);
	StreamReader *reader = stream_reader_new(stream);
	struct pty pty;
	gssize got;

	g_assert_cmpint(pty_open(&pty, 80, 24), ==, 0);
	fcntl(pty.master, F_SETFL, O_RDWR | O_NONBLOCK);
	stream_attach(stream, pty.master);
	g_assert_cmpint(write(pty.slave, pattern, 3), ==, 3);
	unit_until(stream_size(stream) >= 3);
	close(pty.slave);
	unit_until(stream_ended(stream));
	got = reader_read(reader, 3, 0, 10);
	g_assert_cmpint(got, ==, 0);
	stream_reader_free(reader);
}

/* A sender with credit is told whenever there may be room: a read, a reader that goes, a limit,
 * an orphan. */
static void
stream_drained_told(void)
{
	g_autoptr(Stream) stream = stream_new(8192, FALSE);
	StreamReader *reader = stream_reader_new(stream);
	StreamReader *slow = stream_reader_new(stream);
	NotifierWatch watch = { NULL };
	guint drained = 0;

	notifier_watch(stream_drained(stream), &watch, count_up, &drained);
	append(stream, 8192);
	g_assert_cmpuint(drained, ==, 0);
	g_assert_true(stream_blocked(stream));
	g_assert_cmpint(reader_read(reader, 0, 0, 8192), ==, 8192);
	reader_go_on(reader, 8192);
	g_assert_cmpuint(stream_room(stream), ==, 0);
	stream_reader_free(slow);
	g_assert_cmpuint(stream_room(stream), ==, 8192);
	g_assert_cmpuint(drained, ==, 1);
	append(stream, 8192);
	g_assert_cmpint(reader_read(reader, 8192, 8192, 100), ==, 100);
	g_assert_cmpuint(drained, ==, 1);
	reader_go_on(reader, 8292);
	g_assert_cmpuint(drained, ==, 2);
	stream_set_limits(stream, 16384, FALSE);
	g_assert_cmpuint(drained, ==, 3);
	append(stream, 8192 + 100);
	stream_reader_free(reader);
	g_assert_cmpuint(drained, ==, 3);
	stream_orphan(stream);
	g_assert_cmpuint(drained, ==, 4);
	g_assert_cmpuint(stream_room(stream), ==, 16384);
	notifier_unwatch(&watch);
}

/* Fill the pipe behind @fd, and let @stream take it. */
static void
fill_once(Stream *stream, int fd, StreamReader *reader)
{
	guint64 size = stream_size(stream);
	gssize got;

	while ((got = write(fd, pattern_at(size), 64 * KIB)) > 0)
		size += (guint64)got;
	unit_until(stream_size(stream) == size);
	while (reader_read(reader, stream_size(stream) - 1, stream_size(stream) - 1, 1) < 0)
		;
}

/* A pipe that is always full is made larger, more than one of them; one that is no longer used
 * so is made small again. */
static void
stream_pipe_size(void)
{
	Stream *streams[2];
	StreamReader *readers[2];
	int fds[2];

	for (guint i = 0; i < 2; i++) {
		streams[i] = stream_new(KIB * KIB, TRUE);
		readers[i] = stream_reader_new(streams[i]);
		fds[i] = stream_pipe(streams[i]);
		g_assert_cmpint(fcntl(fds[i], F_GETPIPE_SZ), ==, 64 * KIB);
		fill_once(streams[i], fds[i], readers[i]);
		g_assert_cmpint(fcntl(fds[i], F_GETPIPE_SZ), ==, KIB * KIB);
	}
	for (guint i = 0; i < 100; i++) {
		guint64 size = stream_size(streams[0]);

		g_assert_cmpint(write(fds[0], pattern_at(size), 10), ==, 10);
		unit_until(stream_size(streams[0]) == size + 10);
	}
	g_assert_cmpint(fcntl(fds[0], F_GETPIPE_SZ), ==, 64 * KIB);
	g_assert_cmpint(fcntl(fds[1], F_GETPIPE_SZ), ==, KIB * KIB);
	for (guint i = 0; i < 2; i++) {
		close(fds[i]);
		unit_until(stream_ended(streams[i]));
		stream_reader_free(readers[i]);
		stream_unref(streams[i]);
	}
}

/* Large pipes are few, and each end gives one back. */
static void
stream_pipe_size_few(void)
{
	for (guint round = 0; round < 2; round++) {
		Stream *streams[20];
		StreamReader *readers[20];
		int fds[20];
		guint large = 0;

		for (guint i = 0; i < 20; i++) {
			streams[i] = stream_new(KIB * KIB, TRUE);
			readers[i] = stream_reader_new(streams[i]);
			fds[i] = stream_pipe(streams[i]);
			fill_once(streams[i], fds[i], readers[i]);
			large += fcntl(fds[i], F_GETPIPE_SZ) > 64 * KIB;
		}
		g_assert_cmpuint(large, ==, 16);
		for (guint i = 0; i < 20; i++) {
			stream_detach(streams[i]);
			close(fds[i]);
			stream_reader_free(readers[i]);
			stream_unref(streams[i]);
		}
	}
}

static void
count_on_change(void *data)
{
	++*(guint *)data;
}

/* What comes through a large pipe may gather there while nobody waits: a reader that comes finds
 * it, one that waits is told at once, and so is the end. */
static void
stream_rests(void)
{
	Stream *stream = stream_new(KIB * KIB, TRUE);
	StreamReader *reader = stream_reader_new(stream);
	int fd = stream_pipe(stream);
	NotifierWatch watch = { 0 };
	guint64 size;
	guint told = 0;

	fill_once(stream, fd, reader);
	size = stream_size(stream);
	for (guint i = 0; i < 50; i++) {
		g_assert_cmpint(write(fd, pattern_at(size), 1000), ==, 1000);
		unit_settle();
		stream_refresh(stream);
		g_assert_cmpuint(stream_size(stream), ==, size + 1000);
		g_assert_cmpint(reader_read(reader, size, size, 5000), ==, 1000);
		size += 1000;
		g_assert_false(stream_refresh(stream));
	}
	notifier_watch(stream_changed(stream), &watch, count_on_change, &told);
	g_assert_cmpint(write(fd, pattern_at(size), 10), ==, 10);
	unit_settle();
	g_assert_cmpuint(told, ==, 1);
	g_assert_cmpuint(stream_size(stream), ==, size + 10);
	notifier_unwatch(&watch);
	g_assert_cmpint(write(fd, pattern_at(size + 10), 10), ==, 10);
	unit_settle();
	close(fd);
	unit_until(stream_ended(stream));
	g_assert_cmpint(reader_read(reader, size, size, 100), ==, 20);
	stream_reader_free(reader);
	stream_unref(stream);
}

static const UnitTest tests[] = {
	{ "/stream/order", stream_order },
	{ "/stream/order/small", stream_order_small },
	{ "/stream/block", stream_block },
	{ "/stream/block/rests", stream_block_rests },
	{ "/stream/block/exact", stream_block_exact },
	{ "/stream/block/limits", stream_block_limits },
	{ "/stream/drop", stream_drop },
	{ "/stream/drop/nothing", stream_drop_nothing },
	{ "/stream/drop/append", stream_drop_append },
	{ "/stream/jump", stream_jump },
	{ "/stream/look", stream_look },
	{ "/stream/two-readers", stream_two_readers },
	{ "/stream/given", stream_given },
	{ "/stream/given/closed", stream_given_closed },
	{ "/stream/total", stream_total },
	{ "/stream/total/appended", stream_total_appended },
	{ "/stream/orphan/unread", stream_orphan_unread },
	{ "/stream/orphan/read", stream_orphan_read },
	{ "/stream/end/error", stream_end_error },
	{ "/stream/end/file", stream_end_of_file },
	{ "/stream/end/cut", stream_cut },
	{ "/stream/end/terminal", stream_terminal },
	{ "/stream/drained", stream_drained_told },
	{ "/stream/pipe-size", stream_pipe_size },
	{ "/stream/pipe-size/few", stream_pipe_size_few },
	{ "/stream/rests", stream_rests },
};

int
main(int argc, char **argv)
{
	pattern_init();
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
