/* The agent's end of the link.
 *
 * What comes in is read into one buffer that holds the largest frame, and each whole frame in it
 * is handed to on_frame(). What goes out waits in two buffers, control frames before DATA, and
 * is written once per turn of the loop in one writev(2): first the rest of a DATA frame that was
 * cut, then control, then DATA. Sent bytes stay at the buffers' heads until they are worth
 * moving.
 *
 * Descriptors are handed over as SCM_RIGHTS on the first byte of their frame, so a write never
 * runs across such a byte; between being given to link_end_with() and being sent they belong to
 * a struct handed.
 *
 * Both directions are bounded: with much DATA waiting the streams are paused, with much control
 * waiting no more frames are read, so that a peer which asks and never reads costs a fixed
 * amount. The link ends once, through on_end(), from the loop. */
#include "broker/agent/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define STREAM_FULL (512u * 1024) /* above this the streams pause */
#define STREAM_LIMIT (STREAM_FULL * 4)
#define CONTROL_FULL (1024u * 1024) /* above this no frame is read */
#define CONTROL_LIMIT (8u * 1024 * 1024)
#define MOVE_AT (256u * 1024) /* sent bytes worth a memmove */

struct handed {
	uint64_t at; /* its frame's first byte, counted from the link's start over all of control */
	int fds[3];
	unsigned count;
	struct handed *next;
};

/* Remember that the link is broken; told at the end of the turn, from link_flush(). */
static void
link_break(struct link *link, int error)
{
	if (link->open && !link->error)
		link->error = error;
}

static void
handed_free(struct handed *handed)
{
	for (unsigned i = 0; i < handed->count; i++)
		close(handed->fds[i]);
	free(handed);
}

/* Close the link, and tell. */
static void
link_close(struct link *link, int error)
{
	if (!link->open)
		return;
	link->open = false;
	loop_close(link->loop, &link->in);
	loop_close(link->loop, &link->out);
	while (link->handed) {
		struct handed *handed = link->handed;

		link->handed = handed->next;
		handed_free(handed);
	}
	link->handed_last = &link->handed;
	loop_pause_streams(link->loop, false);
	link->on_end(error, link->data);
}

/* Hand the whole frames of the buffer on, and move what is left to its head; nothing else stays,
 * since it may have been an answer on its way to a further place. 0 or -EPROTO. */
static int
link_parse(struct link *link)
{
	size_t at = 0;

	while (link->open) {
		struct wire_frame frame;
		size_t used;
		int found = wire_frame_find(link->buffer + at, link->filled - at, &frame, &used);

		if (found <= 0 || (found = link->on_frame(&frame, link->data)) < 0) {
			link->filled -= at;
			memmove(link->buffer, link->buffer + at, link->filled);
			memset(link->buffer + link->filled, 0, at);
			return found;
		}
		at += used;
	}
	return 0;
}

static void
link_on_readable(struct source *source, uint32_t events)
{
	struct link *link = owner_of(source, struct link, in);
	ssize_t got =
		read(source->fd, link->buffer + link->filled, sizeof(link->buffer) - link->filled);

	(void)events;
	if (got > 0) {
		link->filled += (size_t)got;
		if (link_parse(link) < 0)
			link_break(link, -EPROTO);
	} else if (got == 0) {
		link_close(link, 0);
	} else if (errno != EAGAIN && errno != EINTR) {
		link_close(link, -errno);
	}
}

/* The output has room again, which the next flush will see, or its reader is gone. */
static void
link_on_writable(struct source *source, uint32_t events)
{
	if (events & EPOLLERR)
		link_close(owner_of(source, struct link, out), -EPIPE);
}

/* Let @fd not block. 0 or -errno. */
static int
fd_unblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int
link_init(struct link *link, struct loop *loop, int in, int out)
{
	int domain = 0, result = fd_unblock(in);
	socklen_t size = sizeof(domain);

	link->loop = loop;
	link->open = true;
	link->in = (struct source){ .fd = in, .ready = link_on_readable };
	link->out = (struct source){ .fd = out, .ready = link_on_writable };
	link->control.limit = CONTROL_LIMIT;
	link->stream.limit = STREAM_LIMIT;
	link->handed_last = &link->handed;
	link->can_pass =
		!getsockopt(out, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_UNIX;
	if (result == 0)
		result = fd_unblock(out);
	if (result == 0)
		result = loop_watch(loop, &link->in, EPOLLIN);
	return result == 0 ? loop_watch(loop, &link->out, 0) : result;
}

struct wire_out *
link_begin(struct link *link, uint32_t channel, enum wire_type type)
{
	wire_begin(&link->control, channel, type);
	return &link->control;
}

void
link_end(struct link *link)
{
	int result = wire_end(&link->control);

	if (result < 0)
		link_break(link, result);
	if (!link->open) /* nobody will send it */
		link->control.size = link->control_sent;
}

void
link_end_with(struct link *link, const int *fds, unsigned count)
{
	struct handed *handed = malloc(sizeof(*handed));

	if (!handed || !link->open) {
		link_break(link, -ENOMEM);
		for (unsigned i = 0; i < count; i++)
			close(fds[i]);
		free(handed);
	} else {
		*handed = (struct handed){ .at = link->control_base + link->control.frame,
					   .count = count };
		memcpy(handed->fds, fds, count * sizeof(*fds));
		*link->handed_last = handed;
		link->handed_last = &handed->next;
	}
	link_end(link);
}

/* End the frame that is being written into the DATA buffer. */
static void
stream_end(struct link *link)
{
	int result = wire_end(&link->stream);

	if (result < 0)
		link_break(link, result);
	if (!link->open)
		link->stream.size = link->stream_sent;
}

ssize_t
link_send_data(struct link *link, uint32_t channel, enum wire_stream stream, int fd, size_t size)
{
	struct wire_out *out = &link->stream;
	uint8_t *space;
	ssize_t got;

	wire_begin(out, channel, WIRE_DATA);
	wire_put_u8(out, (uint8_t)stream);
	space = wire_put_space(out, size);
	if (!space) {
		stream_end(link); /* breaks it */
		errno = EAGAIN;
		return -1;
	}
	got = read(fd, space, size);
	if (got <= 0) {
		out->size = out->frame;
		return got;
	}
	out->size -= size - (size_t)got;
	stream_end(link);
	return got;
}

void
link_send_end(struct link *link, uint32_t channel, enum wire_stream stream)
{
	wire_begin(&link->stream, channel, WIRE_END);
	wire_put_u8(&link->stream, (uint8_t)stream);
	stream_end(link);
}

bool
link_full(const struct link *link)
{
	return link->stream.size - link->stream_sent > STREAM_FULL;
}

/* What one write covers. */
struct batch {
	struct iovec parts[3];
	int count;
	size_t cut, control;   /* bytes of the cut DATA frame, and of control, in it */
	struct handed *handed; /* to be attached */
};

/* Add @size bytes from @at on of what waits in @out. */
static void
batch_add(struct batch *batch, const struct wire_out *out, size_t at, size_t size)
{
	if (size)
		batch->parts[batch->count++] = (struct iovec){ out->data + at, size };
}

/* Put together what may go out in one write. */
static void
batch_fill(struct link *link, struct batch *batch)
{
	struct handed *next = link->handed;
	size_t control = link->control.size - link->control_sent, stream, before;

	*batch = (struct batch){ .cut = link->stream_frame_end - link->stream_sent };
	batch_add(batch, &link->stream, link->stream_sent, batch->cut);
	if (next && next->at == link->control_base + link->control_sent) {
		if (batch->cut) /* its first byte must be the first of a write */
			return;
		batch->handed = next;
		next = next->next;
	}
	before = next ? (size_t)(next->at - link->control_base) - link->control_sent : control;
	batch->control = before;
	batch_add(batch, &link->control, link->control_sent, before);
	if (before < control)
		return;
	stream = link->stream.size - link->stream_frame_end;
	batch_add(batch, &link->stream, link->stream_frame_end, stream);
}

/* Write it; the bytes written or -errno. */
static ssize_t
batch_write(struct link *link, const struct batch *batch)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(3 * sizeof(int))];
	} ancillary;
	struct msghdr message = { .msg_iov = (struct iovec *)batch->parts, .msg_iovlen = 0 };
	size_t size;
	ssize_t sent;

	if (!batch->handed) {
		sent = writev(link->out.fd, batch->parts, batch->count);
		return sent < 0 ? -errno : sent;
	}
	size = batch->handed->count * sizeof(int);
	memset(&ancillary, 0, sizeof(ancillary));
	message.msg_iovlen = (unsigned)batch->count;
	message.msg_control = &ancillary;
	message.msg_controllen = CMSG_SPACE(size);
	ancillary.header.cmsg_level = SOL_SOCKET;
	ancillary.header.cmsg_type = SCM_RIGHTS;
	ancillary.header.cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(&ancillary.header), batch->handed->fds, size);
	sent = sendmsg(link->out.fd, &message, MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

/* Note that @count more bytes of the DATA buffer are sent, and where the frame ends that this
 * cut. */
static void
stream_advance(struct link *link, size_t count)
{
	link->stream_sent += count;
	while (link->stream_frame_end < link->stream_sent) {
		struct wire_frame frame;
		size_t used = 0;

		wire_frame_find(link->stream.data + link->stream_frame_end,
				link->stream.size - link->stream_frame_end, &frame, &used);
		link->stream_frame_end += used;
	}
	if (link->stream_sent == link->stream.size || link->stream_sent >= MOVE_AT) {
		wire_out_consume(&link->stream, link->stream_sent);
		link->stream_frame_end -= link->stream_sent;
		link->stream_sent = 0;
	}
}

static void
control_advance(struct link *link, size_t count)
{
	link->control_sent += count;
	if (link->control_sent == link->control.size || link->control_sent >= MOVE_AT) {
		wire_out_consume(&link->control, link->control_sent);
		link->control_base += link->control_sent;
		link->control_sent = 0;
	}
}

/* Note that the first @sent bytes of @batch are out. */
static void
batch_advance(struct link *link, const struct batch *batch, size_t sent)
{
	size_t cut = sent < batch->cut ? sent : batch->cut;
	size_t control = sent - cut < batch->control ? sent - cut : batch->control;

	if (batch->handed) {
		link->handed = batch->handed->next;
		if (!link->handed)
			link->handed_last = &link->handed;
		handed_free(batch->handed);
	}
	control_advance(link, control);
	stream_advance(link, sent - control);
}

/* Write until all is out or there is no room. 0, -EAGAIN, or another -errno. */
static int
link_write(struct link *link)
{
	for (;;) {
		struct batch batch;
		ssize_t sent;

		batch_fill(link, &batch);
		if (!batch.count)
			return 0;
		sent = batch_write(link, &batch);
		if (sent == -ETOOMANYREFS) /* the peer has not taken the descriptors before these */
			return -EAGAIN;
		if (sent == -EINTR)
			continue;
		if (sent < 0)
			return (int)sent;
		batch_advance(link, &batch, (size_t)sent);
	}
}

void
link_flush(struct link *link)
{
	int result;

	if (!link->open)
		return;
	result = link_write(link);
	if (link->error || (result < 0 && result != -EAGAIN)) {
		link_close(link, link->error ? link->error : result);
		return;
	}
	(void)loop_watch(link->loop, &link->out, result == -EAGAIN ? EPOLLOUT : 0);
	loop_pause_streams(link->loop, link_full(link));
	if (link->control.size - link->control_sent > CONTROL_FULL)
		loop_unwatch(link->loop, &link->in);
	else
		(void)loop_watch(link->loop, &link->in, EPOLLIN);
}

void
link_trim(struct link *link)
{
	if (!link->control.size)
		wire_out_done(&link->control);
	if (!link->stream.size)
		wire_out_done(&link->stream);
}
