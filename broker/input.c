/* Inputs: a queue of writes and the sink that takes them.
 *
 * Every write stands in one queue. One that was accepted while nothing could take it (staged)
 * has no callback any more; the others wait. The first of the queue goes on until it is whole,
 * so writes never mix. The end of file stands behind the queue. A terminal has no end of file:
 * there the VEOF character is queued as one more write. */
#include "broker/input.h"

#include "broker/poller.h"
#include "pty/autofd.h"
#include "pty/pty.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#define STAGED_MAX (64 * 1024)
#define ATOMIC_WRITE \
	4096 /* PIPE_BUF: taken whole or not at all, and what a poll for writing promises */

struct InputWrite {
	Input *input;
	guint8 *bytes;
	gsize size, done;
	InputWriteDone callback; /* NULL: accepted already */
	void *data;
	GList link;
	gboolean veof; /* no bytes: a sink that is a terminal gets its end of file here */
};

struct Input {
	int refs;
	InputEofMode mode;
	GQueue writes; /* of InputWrite */
	gsize staged;  /* bytes accepted and not written yet */
	guint writers;
	int error; /* what writers get once it is over; 0: it is not */
	int fd;	   /* the sink, or -1 */
	PollerWatch *watch;
	InputSink sink;
	Notifier changed;
	void (*last_close)(void *data);
	void *last_close_data;
	guint truncated : 1, end_wanted : 1, end_by_close : 1, ended : 1, bound : 1, pty : 1,
		pumping : 1;
};

struct InputWriter {
	Input *input;
};

Input *
input_new(InputEofMode mode)
{
	Input *input = g_new0(Input, 1);

	input->refs = 1;
	input->fd = -1;
	input->mode = mode;
	return input;
}

Input *
input_ref(Input *input)
{
	input->refs++;
	return input;
}

/* Unlink and free a write. */
static void
write_free(InputWrite *write)
{
	g_queue_unlink(&write->input->writes, &write->link);
	if (write->callback == NULL)
		write->input->staged -= write->size - write->done;
	g_free(write->bytes);
	g_free(write);
}

/* Append a copy of @bytes to the queue. */
static InputWrite *
write_new(Input *input, const void *bytes, gsize size, InputWriteDone callback, void *data)
{
	InputWrite *write = g_new0(InputWrite, 1);

	write->input = input;
	write->bytes = g_memdup2(bytes, size);
	write->size = size;
	write->callback = callback;
	write->data = data;
	write->link.data = write;
	if (callback == NULL)
		input->staged += size;
	g_queue_push_tail_link(&input->writes, &write->link);
	return write;
}

/* Close the sink's descriptor. */
static void
input_close_sink(Input *input)
{
	g_clear_pointer(&input->watch, poller_remove);
	autofd_clear(&input->fd);
}

void
input_unref(Input *input)
{
	if (input == NULL || --input->refs > 0)
		return;
	while (input->writes.head != NULL)
		write_free(input->writes.head->data);
	input_close_sink(input);
	notifier_done(&input->changed);
	g_free(input);
}

void
input_set_eof_mode(Input *input, InputEofMode mode)
{
	input->mode = mode;
}

void
input_on_last_close(Input *input, void (*func)(void *data), void *data)
{
	input->last_close = func;
	input->last_close_data = data;
}

/* Give @bytes to the sink: the number taken, -EAGAIN, or another -errno. */
static gssize
input_sink_write(Input *input, const void *bytes, gsize size)
{
	if (input->fd < 0)
		return input->sink.write(bytes, size, input->sink.data);
	gssize written = write(input->fd, bytes, size);
	return written >= 0 ? written : errno == EINTR ? -EAGAIN : -errno;
}

static void
input_on_writable(guint32 events, void *data)
{
	g_autoptr(Input) input = input_ref(data);

	if (input->writes.head == NULL)
		g_clear_pointer(&input->watch, poller_remove);
	input_pump(input);
	notifier_emit(&input->changed);
}

/* Wait until the descriptor takes more. A sink of another kind calls input_pump() itself. */
static void
input_wait_sink(Input *input)
{
	if (input->fd >= 0 && input->watch == NULL)
		input->watch = poller_add(input->fd, EPOLLOUT, input_on_writable, input);
}

/* The queue is empty and the end is wanted: hand it on. */
static void
input_hand_end(Input *input)
{
	input->ended = TRUE;
	if (input->fd >= 0)
		input_close_sink(input);
	else if (input->sink.end != NULL)
		input->sink.end(input->sink.data);
}

/* A write is whole, or failed with @result: tell its owner. */
static void
write_finish(InputWrite *write, gssize result)
{
	InputWriteDone callback = write->callback;
	void *data = write->data;

	write_free(write);
	if (callback != NULL)
		callback(result, data);
}

/* Write the head of the queue on. FALSE when it has to wait. */
static gboolean
input_write_head(Input *input, InputWrite *write)
{
	if (write->veof) {
		input->sink.end(input->sink.data);
		write_finish(write, 0);
		return TRUE;
	}
	gssize taken =
		input_sink_write(input, write->bytes + write->done, write->size - write->done);

	if (taken == -EAGAIN)
		return FALSE;
	if (taken < 0) {
		input_close(input, EPIPE);
		return TRUE;
	}
	write->done += (gsize)taken;
	if (write->callback == NULL)
		input->staged -= (gsize)taken;
	if (write->done == write->size)
		write_finish(write, (gssize)write->size);
	return TRUE;
}

void
input_pump(Input *input)
{
	if (!input->bound || input->pumping || input->error != 0)
		return;
	G_GNUC_UNUSED g_autoptr(Input) held = input_ref(input);
	input->pumping = TRUE;
	while (input->error == 0 && input->writes.head != NULL) {
		if (!input_write_head(input, input->writes.head->data)) {
			input_wait_sink(input);
			break;
		}
	}
	input->pumping = FALSE;
	if (input->error == 0 && input->writes.head == NULL) {
		g_clear_pointer(&input->watch, poller_remove);
		if (input->end_wanted && !input->ended)
			input_hand_end(input);
	}
	notifier_emit(&input->changed);
}

/* The command takes what was staged. On a terminal no close ends the input, only an `eof` that
 * was asked for. */
static void
input_start(Input *input, gboolean pty)
{
	input->bound = TRUE;
	input->pty = pty;
	if (pty && input->end_wanted) {
		input->end_wanted = FALSE;
		if (!input->end_by_close)
			input_end(input);
	}
	input_pump(input);
}

void
input_bind(Input *input, int fd, gboolean pty)
{
	input->fd = fd;
	input_start(input, pty);
}

void
input_bind_sink(Input *input, const InputSink *sink, gboolean pty)
{
	input->sink = *sink;
	input_start(input, pty);
}

gboolean
input_taken(const Input *input)
{
	return input->bound || input->error != 0;
}

gboolean
input_end(Input *input)
{
	if (input->error != 0 || input->end_wanted)
		return FALSE;
	input->end_by_close = FALSE;
	if (input->pty && input->fd >= 0) {
		int character = pty_eof_character(input->fd);
		char byte = (char)(character > 0 ? character : 4);

		write_new(input, &byte, 1, NULL, NULL);
	} else if (input->pty) {
		write_new(input, "", 0, NULL, NULL)->veof = TRUE;
	} else {
		input->end_wanted = TRUE;
	}
	input_pump(input);
	return TRUE;
}

void
input_close(Input *input, int error)
{
	if (input->error != 0)
		return;
	G_GNUC_UNUSED g_autoptr(Input) held = input_ref(input);
	input->error = error;
	input_close_sink(input);
	while (input->writes.head != NULL) {
		InputWrite *write = input->writes.head->data;

		write_finish(write, write->done > 0 ? (gssize)write->done : -error);
	}
	notifier_emit(&input->changed);
}

const char *
input_state(const Input *input)
{
	return input->error != 0 ? "closed" : input->end_wanted ? "ended" : "open";
}

const char *
input_refusal(const Input *input)
{
	if (input->error == ECONNRESET)
		return "the link of the command was lost";
	if (input->error != 0)
		return input->bound ? "the command has ended or has closed its input"
				    : "the context was removed";
	return input->end_by_close ? "the input has ended: its last writer has closed it"
				   : "the input has ended: eof was written";
}

Notifier *
input_changed(Input *input)
{
	return &input->changed;
}

/* Forget what is staged: a new `>` replaces it. */
static void
input_drop_staged(Input *input)
{
	GList *next;

	for (GList *link = input->writes.head; link != NULL; link = next) {
		InputWrite *write = link->data;

		next = link->next;
		if (write->callback == NULL)
			write_free(write);
	}
}

void
input_truncate(Input *input)
{
	if (input->error != 0)
		return;
	input->truncated = TRUE;
	if (!input->bound) {
		input_drop_staged(input);
		input->end_wanted = FALSE;
	}
}

void
input_end_with_writers(Input *input)
{
	input->truncated = TRUE;
}

InputWriter *
input_writer_new(Input *input, gboolean truncate)
{
	InputWriter *writer = g_new(InputWriter, 1);

	writer->input = input_ref(input);
	input->writers++;
	if (truncate)
		input_truncate(input);
	else if (!input->bound && input->truncated)
		input->end_wanted =
			FALSE; /* staging goes on; its end comes with this writer's close */
	return writer;
}

/* The last writer has gone: end of file, where the mode says so. */
static void
input_last_closed(Input *input)
{
	gboolean truncated = input->truncated;

	if (input->bound)
		input->truncated = FALSE;
	if (!(input->bound && input->pty) &&
	    (input->mode == INPUT_EOF_CLOSE || (input->mode == INPUT_EOF_TRUNC && truncated)))
		input->end_by_close = input_end(input);
	if (input->error == 0 && input->last_close != NULL)
		input->last_close(input->last_close_data);
}

void
input_writer_free(InputWriter *writer)
{
	Input *input = writer->input;

	g_free(writer);
	if (--input->writers == 0)
		input_last_closed(input);
	input_unref(input);
}

Input *
input_writer_input(InputWriter *writer)
{
	return writer->input;
}

/* How many of @size bytes can be taken at once: written to the sink, or staged. */
static gssize
input_take_now(Input *input, const void *bytes, gsize size, gboolean partly)
{
	if (input->bound)
		return input_sink_write(input, bytes, size);
	gsize room = STAGED_MAX - MIN(input->staged, STAGED_MAX);
	if (room == 0 || (room < size && (!partly || size <= ATOMIC_WRITE)))
		return -EAGAIN;
	write_new(input, bytes, MIN(size, room), NULL, NULL);
	return (gssize)MIN(size, room);
}

/* Whether a write has to queue behind others. */
static gboolean
input_is_busy(const Input *input)
{
	const InputWrite *last = input->writes.tail != NULL ? input->writes.tail->data : NULL;

	return last != NULL && (input->bound || last->callback != NULL);
}

InputWrite *
input_write(InputWriter *writer, const void *bytes, gsize size, gboolean nonblock,
	    InputWriteDone done, void *data, gssize *ret_result)
{
	Input *input = writer->input;
	gssize taken = -EAGAIN;

	if (input->error != 0 || input->end_wanted) {
		*ret_result = input->error != 0 ? -input->error : -EPIPE;
		return NULL;
	}
	if (!input_is_busy(input))
		taken = input_take_now(input, bytes, size, nonblock);
	if (taken < 0 && taken != -EAGAIN) {
		input_close(input, EPIPE);
		*ret_result = -EPIPE;
		return NULL;
	}
	if (nonblock || taken == (gssize)size) {
		*ret_result = taken;
		return NULL;
	}
	InputWrite *write = write_new(input, bytes, size, done, data);
	if (taken > 0)
		write->done = (gsize)taken;
	if (input->bound)
		input_wait_sink(input);
	return write;
}

gsize
input_write_cancel(InputWrite *write)
{
	Input *input = write->input;
	gsize done = write->done;

	write_free(write);
	input_pump(input);
	return done;
}

gboolean
input_writable(Input *input)
{
	if (input->error != 0 || input->end_wanted)
		return TRUE;
	if (input_is_busy(input))
		return FALSE;
	if (!input->bound)
		return input->staged + ATOMIC_WRITE <= STAGED_MAX;
	if (input->fd < 0)
		return input->sink.write(NULL, 0, input->sink.data) >= 0;
	struct pollfd poll_fd = { .fd = input->fd, .events = POLLOUT };
	if (poll(&poll_fd, 1, 0) > 0)
		return TRUE;
	input_wait_sink(input);
	return FALSE;
}
