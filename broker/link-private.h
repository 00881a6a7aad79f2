/* Links and channels from inside: what link.c, link-requests.c, channel.c and frames.c share. */
#ifndef MITOFS_BROKER_LINK_PRIVATE_H
#define MITOFS_BROKER_LINK_PRIVATE_H

#include "broker/link.h"
#include "broker/poller.h"

struct Link {
	int refs;
	int in, out; /* -1 over a carrier */
	Channel *carrier;
	PollerWatch *in_watch, *out_watch; /* out_watch is NULL for a socket */
	const LinkOps *ops;
	void *data;
	LinkPreamble preamble; /* NULL once frames come */
	void *preamble_data;
	guint frames_per_turn;
	struct wire_out control, bulk; /* to write: control frames, DATA frames */
	GByteArray *leftover; /* read, not a whole frame yet, or more than a turn's worth */
	GArray *fds;	      /* int: handed over, not claimed by their frame yet */
	GHashTable *channels; /* id -> Channel, owned */
	GHashTable *requests; /* serial -> Request */
	GQueue waiting;	      /* of Channel: for room among the DATA frames */
	guint32 serial, last_channel;
	guint64 bytes_sent, bytes_received, rtt_usec;
	guint ping_source, go_on_source, pings_missed;
	guint32 ping_serial;
	gint64 ping_sent;
	guint hand_over : 1, dead : 1, disowned : 1, hello_seen : 1, heard : 1, more : 1;
	guint flush_wanted : 1, out_waiting : 1;
	guint bulk_partial : 1; /* a DATA frame has gone out in part */
	guint large : 1;	/* the pipe that is read holds more than a pipe does */
};

/* What waits for an answer. */
typedef struct Request Request;
struct Request {
	guint32 channel; /* 0: the link itself */
	LinkDone done;
	void *data;
};

struct Channel {
	int refs;
	Link *link;
	guint32 id;
	const ChannelOps *ops;
	void *data;
	guint64 input_credit;	/* what the agent takes of stdin */
	guint64 outstanding[3]; /* what it may still send of stdout and stderr */
	guint64 window[3];
	GBytes *request; /* SPAWN's payload, until the answer: a failure quotes it */
	GList waiting;	 /* link in the link's `waiting` while it waits for room there */
	guint closed : 1, starved : 1, input_closed : 1, waits : 1;
	guint started : 1, over : 1; /* STARTED came; FAILED or EXIT came */
	guint promised : 1;	     /* its streams will be handed over */
};

Link *link_ref(Link *link);
void link_unref(Link *link);
void link_lose_protocol(Link *link, const char *what);
void link_want_flush(Link *link);
guint32 link_new_request(Link *link, guint32 channel, LinkDone done, void *data);
void link_answer_request(Link *link, guint32 serial, const char *error_name, const char *text);
/* The agent knows @channel no more: what was asked of it is answered with ESRCH. */
void link_answer_channel(Link *link, guint32 channel);

/* In frames.c: what a frame means. */
void link_on_frame(Link *link, const struct wire_frame *frame);
Channel *channel_ref(Channel *channel);
void channel_unref(Channel *channel);
/* Its descriptors, which were promised, have come, or will not. */
void channel_redeem(Channel *channel);
/* Data frames were written: whoever waited for room among them goes on. */
void channels_offer_room(Link *link);
void channel_on_lost(Channel *channel, const GError *error);
/* channel_send() of what may be a secret. */
gssize channel_send_as(Channel *channel, const void *bytes, gsize size, gboolean secret);

#endif
