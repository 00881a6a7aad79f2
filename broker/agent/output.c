/* A command's stdout or stderr, on its way into DATA frames.
 *
 * One read and one frame per turn of the loop, within the credit that the broker gave; without
 * credit the descriptor is not watched, and the command waits in its write. A terminal's master
 * is read the same way: EIO is its end of file. END follows the last DATA in the same queue. */
#include "broker/agent/output.h"

#include "broker/agent/agent.h"
#include "pty/largepipe.h"

#include <errno.h>
#include <unistd.h>

#define CHUNK (64u * 1024) /* a pipe's usual capacity */

void
output_shut(struct output *output)
{
	loop_close(&output->run->agent->loop, &output->source);
	largepipe_forget(output->large);
	output->large = false;
}

/* Close, and say so. */
static void
output_end(struct output *output)
{
	output_shut(output);
	link_send_end(&output->run->agent->link, output->run->channel, output->number);
}

static void
output_on_ready(struct source *source, uint32_t events)
{
	struct output *output = owner_of(source, struct output, source);
	struct agent *agent = output->run->agent;
	size_t size = output->credit < CHUNK ? output->credit : CHUNK;
	ssize_t got;

	(void)events;
	if (link_full(&agent->link)) /* the streams are paused at this turn's end */
		return;
	got = link_send_data(&agent->link, output->run->channel, output->number, source->fd, size);
	if (got > 0) {
		if (got >= LARGEPIPE_BUSY && output->run->is_client && !output->large)
			output->large = largepipe_make(source->fd);
		output->credit -= (uint32_t)got;
		if (!output->credit)
			loop_unwatch(&agent->loop, source);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		output_end(output);
	}
}

void
output_init(struct output *output, struct run *run, enum wire_stream number)
{
	*output = (struct output){ .source = { .fd = -1, .stream = true, .ready = output_on_ready },
				   .run = run,
				   .number = number,
				   .credit = WIRE_CREDIT_START };
}

/* Watch, if there is something to watch for. */
static void
output_watch(struct output *output)
{
	if (output->source.fd < 0 || !output->begun || !output->credit)
		return;
	if (loop_watch(&output->run->agent->loop, &output->source, EPOLLIN) < 0)
		output_end(output);
}

void
output_begin(struct output *output)
{
	output->begun = true;
	output_watch(output);
}

int
output_take(struct output *output)
{
	int fd = output->source.fd;

	output->source.fd = -1;
	output->handed = true;
	return fd;
}

int
output_credit(struct output *output, uint32_t bytes)
{
	if (output->handed || bytes > WIRE_CREDIT_MAX - output->credit)
		return -EPROTO;
	output->credit += bytes;
	output_watch(output);
	return 0;
}

int
output_close(struct output *output)
{
	if (output->handed)
		return -EPROTO;
	if (output->source.fd >= 0)
		output_end(output);
	return 0;
}
