/* A link: the byte stream to one agent, the frames on it, and the channels that they belong to.
 *
 * Its bytes go over descriptors (the local agent's socketpair, a client's pipes) or over a
 * channel of another link. When it ends, for whatever reason, everything that waits on it is
 * told once: each channel by `lost`, each request by its callback, the owner by LinkOps.lost, in
 * that order. */
#ifndef MITOFS_BROKER_LINK_H
#define MITOFS_BROKER_LINK_H

#include "broker/wire.h"

#include <glib.h>

typedef struct Link Link;
typedef struct LinkOps LinkOps;
typedef struct Channel Channel;
typedef struct ChannelOps ChannelOps;

struct LinkOps {
	/* The agent's first frame; strings are borrowed for the call. */
	void (*hello)(const struct wire_hello *hello, void *data);
	void (*log)(int level, const char *text, void *data);
	/* The link is gone. The owner may free it from here. */
	void (*lost)(const GError *error, void *data);
};

/* What comes on a channel. Each may be NULL. A callback may close the channel. */
struct ChannelOps {
	/* execve succeeded. @mask: streams handed over, their descriptors in @fds (taken), else
	 * -1. */
	void (*started)(guint32 pid, guint32 mask, const int fds[3], void *data);
	/* It did not; the channel says nothing more. */
	void (*failed)(enum spawn_stage stage, const GError *error, void *data);
	void (*output)(int stream, const guint8 *bytes, gsize size, void *data);
	void (*output_end)(int stream, void *data);
	void (*input_credit)(void *data);
	void (*input_closed)(void *data);
	void (*exited)(const struct wire_exit *ended, void *data);
	void (*stopped)(gboolean stopped, void *data);
	void (*usage)(guint64 user_usec, guint64 system_usec, guint64 memory_peak, void *data);
	void (*log)(int level, const char *text, void *data);
	/* Written to the terminal of its questions, which echoes what is typed there or does not. */
	void (*prompt)(gboolean echo, const guint8 *bytes, gsize size, void *data);
	void (*lost)(const GError *error, void *data);
};

/* What is said on a link before its first frame, as by the first stage of a connection: some bytes
 * that came; how many of them were used up. Those left come again, with more behind them, or are
 * frames, after link_begin_frames(). */
typedef gsize (*LinkPreamble)(const guint8 *bytes, gsize size, void *data);

/* The answer to a request: NULL for success. Also called with ECONNRESET when the link goes. */
typedef void (*LinkDone)(const GError *error, void *data);

/* Over descriptors (taken; the same one twice for a socket). With @hand_over the agent may pass
 * descriptors. */
Link *link_new(int in, int out, gboolean hand_over, guint frames_per_turn, const LinkOps *ops,
	       void *data);
/* Over @carrier, a channel that was opened with link_carrier_ops and whose data
 * link_set_carrier() sets. */
Link *link_new_over(Channel *carrier, guint frames_per_turn, const LinkOps *ops, void *data);
void link_feed(Link *link, const guint8 *bytes, gsize size);
/* Before anything came: what comes goes to @preamble, until link_begin_frames(), which it may call. */
void link_set_preamble(Link *link, LinkPreamble preamble, void *data);
void link_begin_frames(Link *link);
/* Send bytes that are no frame; a secret is wiped from every buffer when it was sent. */
void link_send_raw(Link *link, const void *bytes, gsize size, gboolean secret);
/* Handle now what its agent has said so far, as far as that came over descriptors: the link is
 * about to be ended. FALSE if that has ended it, and told the owner. */
gboolean link_drain(Link *link);
/* The carrier takes more. */
void link_pump(Link *link);
/* End it: whoever waits is told @error, the owner is not. */
void link_free(Link *link, const GError *error);
/* What begins the message of the error when the other end has broken the protocol. */
#define LINK_PROTOCOL_TEXT "link lost: protocol: "
/* End it from outside: as if the agent had gone. */
void link_lose(Link *link, const GError *error);

gboolean link_hands_over(const Link *link);
guint64 link_bytes_sent(const Link *link);
guint64 link_bytes_received(const Link *link);
guint64 link_rtt_usec(const Link *link); /* of the last ping, 0: none yet */
/* Ping it when it was silent for @ms, and lose it after three pings without a byte; 0: never. */
void link_set_keepalive(Link *link, guint64 ms);
void link_send_shutdown(Link *link, guint32 grace_ms);
/* KILL what is left of every run of @group. */
void link_sweep(Link *link, guint32 group);

/* Start a command. */
Channel *channel_open(Link *link, const struct wire_spawn *spawn, const ChannelOps *ops, void *data,
		      GError **error);
/* Nothing more is wanted of it: no callback comes any more, and the agent forgets it. */
void channel_close(Channel *channel);
/* As channel_close(), but only once its command has ended: requests sent before still count. */
void channel_retire(Channel *channel);
Link *channel_link(Channel *channel);

/* How many of @size bytes the credit lets through; they are sent. -EAGAIN for none. */
gssize channel_send(Channel *channel, const void *bytes, gsize size);
void channel_send_end(Channel *channel);
/* Let the agent send up to @room more bytes of @stream than it has sent (the window still bounds
 * it). */
void channel_give_credit(Channel *channel, int stream, guint64 room);
void channel_close_output(Channel *channel, int stream);
void channel_cancel(Channel *channel);
/* Type a secret at the terminal of its questions: it is wiped from every buffer when it was sent. */
void channel_answer(Channel *channel, const void *bytes, gsize size);

/* Requests: @done comes once, never from inside the call. NULL: nobody wants to know. A serial for
 * link_forget_request(). 0: the link is gone already, @done never comes. */
guint32 channel_signal(Channel *channel, const char *name, enum wire_target target, LinkDone done,
		       void *data);
guint32 channel_stop(Channel *channel, guint32 grace_ms, LinkDone done, void *data);
guint32 channel_winsize(Channel *channel, guint columns, guint rows, LinkDone done, void *data);
guint32 channel_set(Channel *channel, const char *name, const char *value, LinkDone done,
		    void *data);
void link_forget_request(Link *link, guint32 serial);

#endif
