/* The terminal that a client asks its questions on.
 *
 * ssh, sudo and their like ask for passwords at their controlling terminal, while their stdin and
 * stdout are the link. So SPAWN may ask for a terminal that is controlling and nothing else. What
 * is written to it goes up as PROMPT, with the state of its echo, by which a password can be told
 * from a line; ANSWER is typed at it, and wiped here. It stays for as long as the command lives:
 * to close it would be a hang-up. */
#include "broker/agent/question.h"

#include "broker/agent/agent.h"
#include "broker/agent/report.h"
#include "pty/autofd.h"
#include "pty/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define COLUMNS 500 /* no client is to fold a question */
#define ROWS 24
#define CHUNK 1024
#define SENTENCE 512

static void
question_on_ready(struct source *source, uint32_t events)
{
	struct question *question = owner_of(source, struct question, source);
	uint8_t chunk[CHUNK];
	ssize_t got = read(source->fd, chunk, sizeof(chunk));

	(void)events;
	if (got > 0)
		report_prompt(question->run, pty_echoes(source->fd), chunk, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		question_close(question);
}

void
question_init(struct question *question, struct run *run)
{
	*question = (struct question){ .source = { .fd = -1, .ready = question_on_ready },
				       .run = run,
				       .slave = -1 };
}

int
question_open(struct question *question)
{
	char text[SENTENCE];
	struct pty pty;
	int result = pty_open(&pty, COLUMNS, ROWS);

	if (result == 0) {
		fcntl(pty.master, F_SETFL, O_RDWR | O_NONBLOCK);
		question->source.fd = pty.master;
		question->slave = pty.slave;
		return pty.slave;
	}
	pty_error_text(-result, "Linux", "/proc", text, sizeof(text));
	report_log(question->run->agent, question->run->channel, WIRE_WARNING, text);
	return -1;
}

void
question_begin(struct question *question)
{
	if (question->source.fd >= 0)
		(void)loop_watch(&question->run->agent->loop, &question->source, EPOLLIN);
}

void
question_answer(struct question *question, const uint8_t *data, size_t size)
{
	/* A terminal takes a line at once, or its reader is not there to read it. */
	if (question->source.fd >= 0 && write(question->source.fd, data, size) < 0)
		report_log(question->run->agent, question->run->channel, WIRE_WARNING,
			   "the answer could not be typed");
	explicit_bzero((void *)(uintptr_t)data, size);
}

void
question_close(struct question *question)
{
	loop_close(&question->run->agent->loop, &question->source);
	autofd_clear(&question->slave);
}
