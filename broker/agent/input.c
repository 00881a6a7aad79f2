/* A command's stdin, out of DATA frames.
 *
 * Bytes go straight from the link's buffer into the pipe; only what the pipe does not take is
 * kept, never more than the credit that was given, and goes on when the pipe has room. Credit is
 * returned by halves of the window. A window that was used up whole grows to twice its size, up
 * to WINDOW_MAX, so that one stream fills a long link; it does not grow when there is no memory.
 *
 * States: open; ended (END came, closes when all is written); closed (the reader is gone: the
 * broker is told by CLOSE, what it still sends is dropped and its credit returned); handed over.
 * A terminal never ends: END becomes its VEOF character among the bytes. */
#include "broker/agent/input.h"

#include "broker/agent/agent.h"
#include "broker/agent/report.h"
#include "pty/pty.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW_MAX (1024u * 1024)

static size_t
input_waiting(const struct input *input)
{
	return input->tail - input->head;
}

/* Double the window, and the buffer if there is one. */
static bool
input_grow(struct input *input)
{
	size_t capacity = (size_t)input->window * 2 + 1;
	uint8_t *buffer;

	if (input->window >= WINDOW_MAX)
		return false;
	if (input->buffer) {
		buffer = realloc(input->buffer, capacity);
		if (!buffer)
			return false;
		input->buffer = buffer;
		input->capacity = capacity;
	}
	input->window *= 2;
	return true;
}

/* Return credit when enough of the window is free. */
static void
input_return_credit(struct input *input)
{
	size_t used = input_waiting(input) + input->credit;
	uint32_t back = used < input->window ? (uint32_t)(input->window - used) : 0;

	if (back < input->window / 2 || input->ended)
		return;
	if (input->exhausted && input_grow(input))
		back += input->window / 2;
	input->exhausted = false;
	input->credit += back;
	report_credit(input->run, WIRE_STDIN, back);
}

/* Free the buffer; it is empty or dropped. */
static void
input_drop(struct input *input)
{
	free(input->buffer);
	input->buffer = NULL;
	input->head = input->tail = input->capacity = 0;
}

void
input_close(struct input *input)
{
	loop_close(&input->run->agent->loop, &input->source);
	input_drop(input);
}

/* Tell that the reader is gone; before STARTED that is left to input_begin(). */
static void
input_tell_closed(struct input *input)
{
	if (input->ended || input->run->state == RUN_STARTING)
		return;
	report_input_closed(input->run);
	input_return_credit(input);
}

/* The reader is gone. */
static void
input_broken(struct input *input)
{
	input_close(input);
	input_tell_closed(input);
}

/* Write @size bytes of @data; how many the reader took, or -errno when it is gone. */
static ssize_t
input_write(struct input *input, const uint8_t *data, size_t size)
{
	ssize_t put = size ? write(input->source.fd, data, size) : 0;

	if (put < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return put;
}

/* Wait for what is to be waited for; closes after the end. */
static void
input_settle(struct input *input)
{
	bool waiting = input_waiting(input) > 0;

	if (!waiting)
		input_drop(input);
	if (input->ended && !waiting) {
		input_close(input);
		return;
	}
	if (loop_watch(&input->run->agent->loop, &input->source, waiting ? EPOLLOUT : 0) < 0)
		input_broken(input);
	else
		input_return_credit(input);
}

static void
input_on_ready(struct source *source, uint32_t events)
{
	struct input *input = owner_of(source, struct input, source);
	ssize_t put;

	if (!(events & EPOLLOUT)) {
		input_broken(input);
		return;
	}
	put = input_write(input, input->buffer + input->head, input_waiting(input));
	if (put < 0) {
		input_broken(input);
		return;
	}
	input->head += (size_t)put;
	input_settle(input);
}

void
input_init(struct input *input, struct run *run)
{
	*input = (struct input){ .source = { .fd = -1, .ready = input_on_ready },
				 .run = run,
				 .window = WIRE_CREDIT_START,
				 .credit = WIRE_CREDIT_START };
}

void
input_begin(struct input *input)
{
	if (input->source.fd >= 0)
		input_settle(input);
	else
		input_tell_closed(input);
}

int
input_take(struct input *input)
{
	int fd = input->source.fd;

	loop_unwatch(&input->run->agent->loop, &input->source);
	input->source.fd = -1;
	input->handed = true;
	input_drop(input);
	return fd;
}

/* Keep what the reader did not take. 0 or -ENOMEM. */
static int
input_keep(struct input *input, const uint8_t *data, size_t size)
{
	size_t waiting = input_waiting(input);

	if (!size)
		return 0;
	if (input->tail + size > input->capacity && input->head) {
		memmove(input->buffer, input->buffer + input->head, waiting);
		input->head = 0;
		input->tail = waiting;
	}
	if (waiting + size > input->capacity) {
		uint8_t *buffer = realloc(input->buffer, input->window + 1); /* and a VEOF */

		if (!buffer)
			return -ENOMEM;
		input->buffer = buffer;
		input->capacity = input->window + 1;
	}
	memcpy(input->buffer + input->tail, data, size);
	input->tail += size;
	return 0;
}

/* Give bytes to the reader now or later. */
static void
input_put(struct input *input, const uint8_t *data, size_t size)
{
	ssize_t put = input_waiting(input) ? 0 : input_write(input, data, size);

	if (put >= 0 && input_keep(input, data + put, size - (size_t)put) == 0)
		input_settle(input);
	else
		input_broken(input);
}

int
input_data(struct input *input, const uint8_t *data, size_t size)
{
	if (input->handed || input->ended || size > input->credit || run_will_pass(input->run))
		return -EPROTO;
	input->credit -= (uint32_t)size;
	if (!input->credit)
		input->exhausted = true;
	if (input->source.fd >= 0)
		input_put(input, data, size);
	else
		input_return_credit(input);
	return 0;
}

int
input_end(struct input *input)
{
	int eof;

	if (input->handed)
		return -EPROTO;
	if (input->source.fd < 0) {
		input->ended = true;
		return 0;
	}
	if (input->run->master < 0) {
		input->ended = true;
		input_settle(input);
		return 0;
	}
	eof = pty_eof_character(input->run->master);
	if (eof > 0 &&
	    input_waiting(input) <= input->window) /* else it is stuck, and has been told before */
		input_put(input, &(uint8_t){ (uint8_t)eof }, 1);
	return 0;
}
