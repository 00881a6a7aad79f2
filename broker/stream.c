/* Streams: the policy of what a ring keeps, the descriptor that fills it, and its readers.
 *
 * A stream that reads a descriptor holds a reference to itself until that descriptor's end, so
 * that what a lingering process still writes is drained after its run was replaced. It is held
 * back ("blocked") by taking its watch out of the poller, since a hang-up would be reported at
 * every turn otherwise; a reader that consumes, or any stream that lets memory go below the
 * mount's total, puts it back. */
#include "broker/stream.h"

#include "broker/poller.h"
#include "broker/ring.h"
#include "pty/autofd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#define READ_SIZE (1024 * 1024)
#define FREE_OF_TOTAL (64 * 1024)
#define PIPE_SMALL (64 * 1024)
#define PIPE_FULL (60 * 1024) /* a full pipe of odd-sized writes holds less than its size */
#define PIPE_LARGE (1024 * 1024)
#define PIPES_LARGE_MAX 16
#define IDLE_READS 64 /* small reads in a row after which a large pipe is made small again */
#define BUSY_BYTES (128 * 1024) /* within BUSY_USEC: reads are not small, whatever each one got */
#define BUSY_USEC 10000
#define REST_MS 1

struct Stream {
	int refs;
	int error;	  /* what readers get behind the end */
	int error_behind; /* the same, once the source has ended by itself */
	Ring ring;
	guint64 retain;
	guint64 given; /* some reader was given every byte before this offset */
	guint64 dropped;
	gint64 mtime;
	GPtrArray *readers; /* of StreamReader, borrowed */
	Notifier changed;
	Notifier drained;
	int fd;
	PollerWatch *watch; /* NULL while held back */
	GList held;	    /* link in `held_back` while held back, in `resting` while it rests */
	gint64 busy_since;  /* monotonic microseconds: when counting began of */
	gsize busy_bytes;
	guint8 idle_reads;
	guint drop : 1, ended : 1, blocked : 1, large : 1, orphan : 1, rests : 1;
};

struct StreamReader {
	Stream *stream;
	guint64 kernel_next; /* the kernel's offset behind the last read */
	guint64 next;	     /* the stream's offset behind it */
	guint64 looked;	     /* where the last look began */
	guint64 held; /* kept from here on: shells read ahead and seek back, so a read is over with the next */
};

static guint64 total_limit = 256 * 1024 * 1024;
static guint64 total_kept;
static guint large_pipes;
static GQueue held_back = G_QUEUE_INIT;
static gboolean resume_scheduled;
static GQueue resting = G_QUEUE_INIT;
static guint rest_source;
static int lift[2] = { -1, -1 }; /* a pipe of our own, open while there are large ones */

static void stream_resume(Stream *stream);
static void stream_hold_back(Stream *stream);

Stream *
stream_new(guint64 retain, gboolean drop)
{
	Stream *stream = g_new0(Stream, 1);

	stream->refs = 1;
	stream->fd = -1;
	stream->retain = retain;
	stream->drop = drop;
	stream->mtime = g_get_real_time();
	stream->held.data = stream;
	return stream;
}

Stream *
stream_ref(Stream *stream)
{
	stream->refs++;
	return stream;
}

/* From the loop: give every stream that is held back another look. */
static gboolean
resume_all(void *data)
{
	guint count = held_back.length;

	resume_scheduled = FALSE;
	while (count-- > 0 && held_back.head != NULL) {
		Stream *stream = held_back.head->data;

		g_queue_unlink(&held_back, &stream->held);
		g_queue_push_tail_link(&held_back, &stream->held);
		stream_resume(stream);
	}
	return G_SOURCE_REMOVE;
}

/* How many bytes the stream keeps. */
static guint64
stream_kept(const Stream *stream)
{
	return stream->ring.end - stream->ring.start;
}

static void
lift_close(void)
{
	autofd_clear(&lift[0]);
	autofd_clear(&lift[1]);
}

/* Listen to the source again. */
static void
stream_wake(Stream *stream)
{
	if (!stream->rests)
		return;
	stream->rests = FALSE;
	g_queue_unlink(&resting, &stream->held);
	poller_set(stream->watch, EPOLLIN);
}

/* It is not held back any more. */
static void
stream_let_go(Stream *stream)
{
	if (stream->blocked)
		g_queue_unlink(&held_back, &stream->held);
	stream->blocked = FALSE;
}

/* @size bytes are no longer kept. */
static void
total_release(guint64 size)
{
	gboolean was_full = total_kept >= total_limit;

	total_kept -= size;
	if (was_full && total_kept < total_limit && held_back.length > 0 && !resume_scheduled) {
		resume_scheduled = TRUE;
		poller_later(resume_all, NULL);
	}
}

void
stream_unref(Stream *stream)
{
	if (stream == NULL || --stream->refs > 0)
		return;
	stream_let_go(stream);
	total_release(stream_kept(stream));
	ring_done(&stream->ring);
	notifier_done(&stream->changed);
	notifier_done(&stream->drained);
	g_clear_pointer(&stream->readers, g_ptr_array_unref);
	g_free(stream);
}

void
stream_set_limits(Stream *stream, guint64 retain, gboolean drop)
{
	stream->retain = retain;
	stream->drop = drop;
	stream_resume(stream);
}

void
stream_set_total(guint64 bytes)
{
	total_limit = bytes;
}

/* How many bytes the stream may keep now. */
static guint64
stream_limit(const Stream *stream)
{
	guint64 kept = stream_kept(stream);
	guint64 left = total_limit > total_kept ? total_limit - total_kept : 0;

	return MIN(stream->retain, MAX(kept + left, FREE_OF_TOTAL));
}

/* How many of the oldest bytes may go: those that a reader was given and that no open reader is
 * below. */
static guint64
stream_evictable(const Stream *stream)
{
	if (!stream_has_readers(stream))
		return stream->orphan || stream->drop ? stream_kept(stream) : 0;
	guint64 low = stream->drop ? stream->ring.end : stream->given;
	for (guint i = 0; !stream->drop && i < stream->readers->len; i++) {
		const StreamReader *reader = g_ptr_array_index(stream->readers, i);

		low = MIN(low, MAX(reader->held, stream->ring.start));
	}
	return low - stream->ring.start;
}

/* Let the @size oldest bytes go; what no reader was given is counted as dropped. */
static void
stream_evict(Stream *stream, guint64 size)
{
	guint64 start = stream->ring.start + size;

	if (start > MAX(stream->given, stream->ring.start) && !stream->orphan)
		stream->dropped += start - MAX(stream->given, stream->ring.start);
	stream->given = MAX(stream->given, start);
	stream->ring.start = start;
	total_release(size);
}

/* The next @size bytes are never kept: they go like the ones before them, and leave the same
 * kind of gap. */
static void
stream_skip(Stream *stream, guint64 size)
{
	stream_evict(stream, stream_kept(stream));
	stream->ring.start = stream->ring.end += size;
	stream->given = stream->ring.start;
	stream->dropped += stream->orphan ? 0 : size;
}

guint64
stream_room(const Stream *stream)
{
	guint64 kept = stream_kept(stream);
	guint64 limit = stream_limit(stream);
	guint64 after = kept - stream_evictable(stream);

	return limit > after ? limit - after : 0;
}

/* Evict as much as @size more bytes need at the limit. */
static void
stream_make_room(Stream *stream, guint64 size)
{
	guint64 kept = stream_kept(stream);
	guint64 limit = stream_limit(stream);

	if (kept + size > limit)
		stream_evict(stream, MIN(kept + size - limit, stream_evictable(stream)));
}

/* @size bytes were put behind the end. */
static void
stream_commit(Stream *stream, gsize size)
{
	stream->ring.end += size;
	total_kept += size;
	stream->mtime = g_get_real_time();
}

void
stream_append(Stream *stream, const void *data, gsize size)
{
	const guint8 *bytes = data;

	if (stream->ended || size == 0)
		return;
	if (stream->drop && size > stream->retain) {
		stream_skip(stream, size - stream->retain);
		bytes += size - stream->retain;
		size = (gsize)stream->retain;
	}
	stream_make_room(stream, size);
	if (!ring_grow(&stream->ring, size)) {
		stream->dropped += size;
		return;
	}
	while (size > 0) {
		gsize piece;
		guint8 *space = ring_free_space(&stream->ring, size, &piece);

		memcpy(space, bytes, piece);
		stream_commit(stream, piece);
		bytes += piece;
		size -= piece;
	}
	stream_ref(stream);
	if (stream->fd < 0 && stream_room(stream) == 0)
		stream_hold_back(stream);
	notifier_emit(&stream->changed);
	stream_unref(stream);
}

/* Make the pipe large, and with the first one the pipe that it is emptied through. */
static void
stream_enlarge(Stream *stream)
{
	if (large_pipes >= PIPES_LARGE_MAX || fcntl(stream->fd, F_SETPIPE_SZ, PIPE_LARGE) < 0)
		return;
	stream->large = TRUE;
	stream->idle_reads = 0;
	if (large_pipes++ > 0 || pipe2(lift, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	if (fcntl(lift[1], F_SETPIPE_SZ, PIPE_LARGE) < 0)
		lift_close();
}

/* The pipe is not large any more, or not ours. */
static void
stream_shrunk(Stream *stream)
{
	if (!stream->large)
		return;
	stream->large = FALSE;
	if (--large_pipes == 0)
		lift_close();
}

/* Whether much comes: in one read, or in a short time. */
static gboolean
stream_is_busy(Stream *stream, gsize got)
{
	gint64 now = g_get_monotonic_time();

	if (now - stream->busy_since > BUSY_USEC) {
		stream->busy_since = now;
		stream->busy_bytes = 0;
	}
	stream->busy_bytes += got;
	return got >= PIPE_FULL || stream->busy_bytes >= BUSY_BYTES;
}

/* A pipe that much comes through carries more when it is larger; the system allows few large
 * ones. */
static void
stream_tune_pipe(Stream *stream, gsize got)
{
	gboolean busy = stream_is_busy(stream, got);

	if (!stream->large && busy) {
		stream_enlarge(stream);
	} else if (stream->large) {
		stream->idle_reads = busy ? 0 : stream->idle_reads + 1;
		if (stream->idle_reads >= IDLE_READS &&
		    fcntl(stream->fd, F_SETPIPE_SZ, PIPE_SMALL) >= 0)
			stream_shrunk(stream);
	}
}

/* Take the source out of the poller, or let its sender run out of credit, until there is room
 * again. */
static void
stream_hold_back(Stream *stream)
{
	if (stream->blocked)
		return;
	stream_wake(stream);
	stream->blocked = TRUE;
	g_clear_pointer(&stream->watch, poller_remove);
	g_queue_push_tail_link(&held_back, &stream->held);
	notifier_emit(&stream->changed);
}

/* Close the source; the reference it held goes. */
static void
stream_close_source(Stream *stream)
{
	stream_let_go(stream);
	stream_wake(stream);
	if (stream->fd < 0)
		return;
	g_clear_pointer(&stream->watch, poller_remove);
	stream_shrunk(stream);
	autofd_clear(&stream->fd);
	stream_unref(stream);
}

/* How many bytes stand in the source now. */
static gsize
stream_waiting(const Stream *stream)
{
	int count = 0;

	return ioctl(stream->fd, FIONREAD, &count) < 0 ? G_MAXSIZE : (gsize)count;
}

/* A read brought nothing: the end, an error, or another try later. */
static void
stream_on_nothing(Stream *stream, gssize got)
{
	if (got == 0 || (errno != EAGAIN && errno != EINTR))
		stream_end(stream, got == 0 || errno == EIO ? 0 : errno);
}

/* The stream is full and nothing stands in the source: it has ended, or its next byte comes
 * right now. */
static void
stream_probe(Stream *stream)
{
	guint8 byte;
	gssize got = read(stream->fd, &byte, 1);

	if (got > 0)
		stream_append(stream, &byte, 1);
	else
		stream_on_nothing(stream, got);
}

/* Read up to @size bytes of the source, as read(2) does. A reader holds a pipe's lock for as long
 * as it copies, and the writer spins there: so the pages of a large one are first lifted into a
 * pipe of our own, which copies nothing. */
static gssize
stream_read_source(Stream *stream, guint8 *space, gsize size)
{
	gsize done = 0;
	gssize got;

	if (!stream->large || lift[0] < 0)
		return read(stream->fd, space, size);
	got = splice(stream->fd, NULL, lift[1], NULL, size, SPLICE_F_NONBLOCK);
	while (got > 0 && done < (gsize)got) {
		gssize copied = read(lift[0], space + done, (gsize)got - done);

		if (copied <= 0)
			g_error("reading a pipe of our own: %s", g_strerror(errno));
		done += (gsize)copied;
	}
	return got;
}

/* One read of the source straight into the ring. At the limit older bytes go only for as many
 * as really come. */
static void
stream_take(Stream *stream)
{
	G_GNUC_UNUSED g_autoptr(Stream) kept = stream_ref(stream);
	gsize size = (gsize)MIN(stream_room(stream), stream->large ? READ_SIZE : PIPE_SMALL);
	gsize piece = 0;
	guint8 *space = NULL;

	if (size == 0 || stream_kept(stream) + size > stream_limit(stream)) {
		gsize waiting = stream_waiting(stream);

		if (waiting == 0) {
			stream_probe(stream);
			return;
		}
		size = MIN(size, waiting);
	}
	if (size > 0) {
		stream_make_room(stream, size);
		if (ring_grow(&stream->ring, size))
			space = ring_free_space(&stream->ring, size, &piece);
	}
	if (space == NULL) {
		stream_hold_back(stream);
		return;
	}
	gssize got = stream_read_source(stream, space, piece);
	if (got <= 0) {
		stream_on_nothing(stream, got);
		return;
	}
	stream_tune_pipe(stream, (gsize)got);
	stream_commit(stream, (gsize)got);
	notifier_emit(&stream->changed);
}

/* Take what has gathered in those that rest. */
static gboolean
rest_on_timeout(void *data)
{
	guint count = resting.length;

	while (count-- > 0 && resting.head != NULL) {
		g_autoptr(Stream) stream = stream_ref(resting.head->data);

		stream_wake(stream);
		stream_take(stream);
	}
	if (resting.length > 0)
		return G_SOURCE_CONTINUE;
	rest_source = 0;
	return G_SOURCE_REMOVE;
}

/* Much comes, and nobody waits for it: let it gather in the pipe until a reader is back. */
static void
stream_rest(Stream *stream)
{
	stream->rests = TRUE;
	poller_set(stream->watch, 0);
	g_queue_push_tail_link(&resting, &stream->held);
	if (rest_source == 0)
		rest_source = g_timeout_add(REST_MS, rest_on_timeout, NULL);
}

static void
stream_on_readable(guint32 events, void *data)
{
	Stream *stream = data;

	if (stream->large && stream->changed.first == NULL && (events & EPOLLHUP) == 0)
		stream_rest(stream);
	else
		stream_take(stream);
}

gboolean
stream_refresh(Stream *stream)
{
	guint64 size = stream->ring.end;

	if (!stream->rests)
		return FALSE;
	stream_take(stream);
	if (stream->ring.end == size)
		stream_wake(stream);
	return stream->ring.end != size || stream->ended;
}

void
stream_attach(Stream *stream, int fd)
{
	stream->fd = fd;
	stream_ref(stream);
	stream->watch = poller_add(fd, EPOLLIN, stream_on_readable, stream);
}

void
stream_detach(Stream *stream)
{
	G_GNUC_UNUSED g_autoptr(Stream) held = stream_ref(stream);

	stream_close_source(stream);
	stream_end(stream, 0);
}

/* There may be room again: let the source go on, and tell who gives credit. */
static void
stream_resume(Stream *stream)
{
	if (stream->blocked) {
		if (stream_room(stream) == 0)
			return;
		stream_let_go(stream);
		if (stream->fd >= 0)
			stream->watch = poller_add(stream->fd, EPOLLIN, stream_on_readable, stream);
	}
	if (stream->fd < 0 && !stream->ended)
		notifier_emit(&stream->drained);
}

void
stream_end(Stream *stream, int error)
{
	if (stream->ended)
		return;
	G_GNUC_UNUSED g_autoptr(Stream) held = stream_ref(stream);
	stream->ended = TRUE;
	stream->error = error != 0 ? error : stream->error_behind;
	stream_close_source(stream);
	notifier_emit(&stream->changed);
}

void
stream_end_behind(Stream *stream, int error)
{
	stream->error_behind = error;
	if (stream->fd < 0)
		stream_end(stream, error);
}

void
stream_orphan(Stream *stream)
{
	stream->orphan = TRUE;
	stream_resume(stream);
}

gboolean
stream_ended(const Stream *stream)
{
	return stream->ended;
}

guint64
stream_size(const Stream *stream)
{
	return stream->ring.end;
}

guint64
stream_start(const Stream *stream)
{
	return stream->ring.start;
}

guint64
stream_dropped(const Stream *stream)
{
	return stream->dropped;
}

gboolean
stream_blocked(const Stream *stream)
{
	return stream->blocked || (stream->fd < 0 && !stream->ended && stream_room(stream) == 0);
}

gint64
stream_mtime(const Stream *stream)
{
	return stream->mtime;
}

Notifier *
stream_changed(Stream *stream)
{
	return &stream->changed;
}

Notifier *
stream_drained(Stream *stream)
{
	return &stream->drained;
}

gboolean
stream_has_readers(const Stream *stream)
{
	return stream->readers != NULL && stream->readers->len > 0;
}

StreamReader *
stream_reader_new(Stream *stream)
{
	StreamReader *reader = g_new0(StreamReader, 1);

	reader->stream = stream_ref(stream);
	if (stream->readers == NULL)
		stream->readers = g_ptr_array_new();
	g_ptr_array_add(stream->readers, reader);
	return reader;
}

void
stream_reader_free(StreamReader *reader)
{
	g_ptr_array_remove_fast(reader->stream->readers, reader);
	stream_resume(reader->stream);
	stream_unref(reader->stream);
	g_free(reader);
}

Stream *
stream_reader_stream(StreamReader *reader)
{
	return reader->stream;
}

gssize
stream_reader_look(StreamReader *reader, guint64 offset, gsize size, struct iovec iov[2],
		   int *ret_count)
{
	Stream *stream = reader->stream;
	gboolean continues = offset == reader->kernel_next;
	guint64 from = MAX(continues ? reader->next : offset, stream->ring.start);

	reader->looked = from;
	if (continues && from > reader->held) {
		reader->held = from;
		stream_resume(stream);
	}
	*ret_count = 0;
	if (from < stream->ring.end) {
		size = (gsize)MIN(size, stream->ring.end - from);
		*ret_count = size > 0 ? ring_pieces(&stream->ring, from, size, iov) : 0;
		return (gssize)size;
	}
	if (!stream->ended)
		return -EAGAIN;
	return stream->error != 0 && from == stream->ring.end ? -stream->error : 0;
}

void
stream_reader_consume(StreamReader *reader, guint64 offset, gsize size)
{
	Stream *stream = reader->stream;

	reader->kernel_next = offset + size;
	reader->next = reader->looked + size;
	reader->held = reader->looked;
	if (reader->looked <= stream->given)
		stream->given = MAX(stream->given, reader->next);
	stream_resume(stream);
}
