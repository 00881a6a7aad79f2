/* The agent's end of the link: frames in, frames out, descriptors out. */
#ifndef MITOFS_BROKER_AGENT_LINK_H
#define MITOFS_BROKER_AGENT_LINK_H

#include "broker/agent/loop.h"
#include "broker/wire.h"

struct handed; /* descriptors that wait for their frame to be sent */

struct link {
	struct loop *loop;
	struct source in, out;
	bool can_pass; /* a unix socket: descriptors may be handed over */
	bool open;
	/* 0 or -EPROTO: then the link ends. */
	int (*on_frame)(const struct wire_frame *frame, void *data);
	/* The link has ended; @error is 0 for an orderly end, -EPROTO for a malformed frame,
	 * else -errno. From the loop. */
	void (*on_end)(int error, void *data);
	void *data;

	struct wire_out control, stream; /* what goes before, and what waits for its turn */
	size_t control_sent, stream_sent;
	size_t stream_frame_end; /* where in stream the frame ends that stream_sent is in */
	uint64_t control_base;	 /* how many bytes of control have been sent and dropped */
	struct handed *handed, **handed_last;
	int error; /* of an output that failed, until the turn's end */

	size_t filled;
	uint8_t buffer[WIRE_HEADER + WIRE_PAYLOAD_MAX];
};

/* Take descriptors @in and @out, which are made non-blocking. The callbacks must be set. 0 or
 * -errno. */
int link_init(struct link *link, struct loop *loop, int in, int out);

/* Write a frame of control: begin, put its fields into what is returned, end. After the link's
 * end it goes nowhere. */
struct wire_out *link_begin(struct link *link, uint32_t channel, enum wire_type type);
void link_end(struct link *link);
/* As link_end(), and hand over @count (1 to 3) descriptors with the frame's first byte; they are
 * taken. */
void link_end_with(struct link *link, const int *fds, unsigned count);

/* DATA and END of a run's stream, which wait behind control frames. The data are what one read(2) of
 * at most @size bytes from @fd gives, and its result is returned; at 0 and -1 nothing is sent. */
ssize_t link_send_data(struct link *link, uint32_t channel, enum wire_stream stream, int fd,
		       size_t size);
void link_send_end(struct link *link, uint32_t channel, enum wire_stream stream);
/* Whether so much DATA waits that no more should be read. */
bool link_full(const struct link *link);

/* Write what can be written; once per turn. Pauses and resumes the streams and the link's own
 * input. */
void link_flush(struct link *link);
/* Give back the memory of buffers that are empty. */
void link_trim(struct link *link);

#endif
