/* Channels: what each frame of a link means, and the credit of the streams.
 *
 * Credit of output is the receiver's: a channel starts with WIRE_CREDIT_START outstanding, and
 * its window doubles up to WIRE_CREDIT_MAX each time the agent has used half of it up, so that
 * one stream comes to fill a long link, and on a fast one few frames tell of credit. Frames for a
 * channel that was closed are dropped, frames for one that never was end the link. */
#include "broker/descriptors.h"
#include "broker/error.h"
#include "broker/link-private.h"
#include "pty/errname.h"

#include <errno.h>
#include <unistd.h>

#define BULK_MAX (256 * 1024) /* bytes of DATA frames that may stand in front of a control frame */
#define CHUNK (64 * 1024)
#define FAILURE_TEXT 2048 /* a whole fact and what is quoted before it */
#define FDS_PER_COMMAND 3
#define ATOMIC_WRITE 4096 /* PIPE_BUF: taken whole or not at all, as by a pipe */

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

Channel *
channel_ref(Channel *channel)
{
	channel->refs++;
	return channel;
}

void
channel_unref(Channel *channel)
{
	if (--channel->refs > 0)
		return;
	g_clear_pointer(&channel->request, g_bytes_unref);
	g_free(channel);
}

/* A frame that has the channel and nothing else. */
static void
channel_send_plain(Channel *channel, enum wire_type type)
{
	if (channel->link->dead)
		return;
	wire_begin(&channel->link->control, channel->id, type);
	wire_end(&channel->link->control);
	link_want_flush(channel->link);
}

/* A frame that has a stream and nothing else. */
static void
channel_send_stream(Channel *channel, enum wire_type type, int stream)
{
	if (channel->link->dead)
		return;
	wire_begin(&channel->link->control, channel->id, type);
	wire_put_u8(&channel->link->control, (uint8_t)stream);
	wire_end(&channel->link->control);
	link_want_flush(channel->link);
}

/* What was promised has come, or will not. */
static void
channel_redeem(Channel *channel)
{
	if (channel->promised)
		descriptors_redeem(FDS_PER_COMMAND);
	channel->promised = FALSE;
}

/* A copy of the payload of the frame that was put last. */
static GBytes *
frame_payload(const struct wire_out *out)
{
	gsize at = out->frame + WIRE_HEADER;

	return g_bytes_new(out->data + at, out->size - at);
}

Channel *
channel_open(Link *link, const struct wire_spawn *spawn, const ChannelOps *ops, void *data,
	     GError **error)
{
	if (link->dead || link->last_channel == G_MAXUINT32) {
		fail(error, ENOTCONN, "no link");
		return NULL;
	}
	struct wire_spawn asked = *spawn;
	asked.hand_over = spawn->hand_over && descriptors_promise(FDS_PER_COMMAND);
	wire_begin(&link->control, link->last_channel + 1, WIRE_SPAWN);
	wire_put_spawn(&link->control, &asked);
	int result = wire_end(&link->control);
	if (result < 0) {
		if (asked.hand_over)
			descriptors_redeem(FDS_PER_COMMAND);
		fail(error, -result, "the command and its env settings take more than %u bytes",
		     WIRE_PAYLOAD_MAX);
		return NULL;
	}
	Channel *channel = g_new0(Channel, 1);
	channel->refs = 1;
	channel->link = link;
	channel->id = ++link->last_channel;
	channel->ops = ops;
	channel->data = data;
	channel->input_credit = WIRE_CREDIT_START;
	channel->promised = asked.hand_over;
	channel->request = frame_payload(&link->control);
	channel->waiting.data = channel;
	for (int i = 0; i < 3; i++)
		channel->outstanding[i] = channel->window[i] = WIRE_CREDIT_START;
	g_hash_table_insert(link->channels, GUINT_TO_POINTER(channel->id), channel);
	link_want_flush(link);
	poller_yield();
	return channel;
}

void
channel_close(Channel *channel)
{
	channel->closed = TRUE;
	if (channel->waits)
		g_queue_unlink(&channel->link->waiting, &channel->waiting);
	channel->waits = FALSE;
	channel_redeem(channel);
	channel_send_plain(channel, WIRE_FORGET);
	g_hash_table_remove(channel->link->channels, GUINT_TO_POINTER(channel->id));
	channel_unref(channel);
}

static void
retired_on_exited(const struct wire_exit *ended, void *data)
{
	channel_close(data);
}

static void
retired_on_failed(enum spawn_stage stage, const GError *error, void *data)
{
	channel_close(data);
}

static void
retired_on_lost(const GError *error, void *data)
{
	channel_close(data);
}

void
channel_retire(Channel *channel)
{
	static const ChannelOps retired = {
		.failed = retired_on_failed,
		.exited = retired_on_exited,
		.lost = retired_on_lost,
	};

	channel->ops = &retired;
	channel->data = channel;
	if (channel->over || channel->link->dead)
		channel_close(channel);
}

Link *
channel_link(Channel *channel)
{
	return channel->link;
}

void
channel_on_lost(Channel *channel, const GError *error)
{
	if (!channel->closed && channel->ops->lost != NULL)
		channel->ops->lost(error, channel->data);
}

/* There is no room for its data on the link: it is told when there is. */
static void
channel_wait_room(Channel *channel)
{
	if (channel->waits)
		return;
	channel->waits = TRUE;
	g_queue_push_tail_link(&channel->link->waiting, &channel->waiting);
}

void
channels_offer_room(Link *link)
{
	if (link->bulk.size > BULK_MAX / 2)
		return;
	while (!link->dead && link->bulk.size + ATOMIC_WRITE <= BULK_MAX &&
	       link->waiting.head != NULL) {
		Channel *channel = g_queue_pop_head_link(&link->waiting)->data;

		channel->waits = FALSE;
		if (channel->ops->input_credit != NULL)
			channel->ops->input_credit(channel->data);
	}
}

gssize
channel_send(Channel *channel, const void *bytes, gsize size)
{
	return channel_send_as(channel, bytes, size, FALSE);
}

gssize
channel_send_as(Channel *channel, const void *bytes, gsize size, gboolean secret)
{
	Link *link = channel->link;
	gsize room = link->bulk.size < BULK_MAX ? BULK_MAX - link->bulk.size : 0;
	gsize wanted =
		size > 0 ? size : ATOMIC_WRITE; /* nothing asks whether there is room for a write */
	gsize least = MIN(wanted, ATOMIC_WRITE);
	gsize count = MIN(MIN(size, room), channel->input_credit);

	if (channel->input_closed || link->dead)
		return -EPIPE;
	if (wanted > channel->input_credit)
		channel->starved = TRUE;
	if (MIN(wanted, channel->input_credit) > room)
		channel_wait_room(channel);
	if (room < least || channel->input_credit < least)
		return -EAGAIN;
	link->bulk.secret |= secret && count > 0;
	for (gsize at = 0; at < count; at += CHUNK) {
		wire_begin(&link->bulk, channel->id, WIRE_DATA);
		wire_put_u8(&link->bulk, WIRE_STDIN);
		wire_put_bytes(&link->bulk, (const guint8 *)bytes + at, MIN(CHUNK, count - at));
		wire_end(&link->bulk);
	}
	channel->input_credit -= count;
	if (count > 0)
		link_want_flush(link);
	return (gssize)count;
}

/* End of file stands behind the data, so it goes the same way. */
void
channel_send_end(Channel *channel)
{
	if (channel->link->dead)
		return;
	wire_begin(&channel->link->bulk, channel->id, WIRE_END);
	wire_put_u8(&channel->link->bulk, WIRE_STDIN);
	wire_end(&channel->link->bulk);
	link_want_flush(channel->link);
}

void
channel_give_credit(Channel *channel, int stream, guint64 room)
{
	Link *link = channel->link;

	if (link->dead || channel->closed)
		return;
	guint64 had = channel->outstanding[stream];
	guint64 window = channel->window[stream];
	guint64 wanted = MIN(window, room);
	if (wanted <= had || (wanted - had < window / 2 && had > 0))
		return;
	if (had <= window / 2 && room > window) {
		channel->window[stream] = MIN(window * 2, WIRE_CREDIT_MAX);
		wanted = MIN(channel->window[stream], room);
	}
	guint64 more = wanted - had;
	channel->outstanding[stream] += more;
	wire_begin(&link->control, channel->id, WIRE_CREDIT);
	wire_put_u8(&link->control, (uint8_t)stream);
	wire_put_u32(&link->control, (uint32_t)more);
	wire_end(&link->control);
	link_want_flush(link);
}

void
channel_close_output(Channel *channel, int stream)
{
	channel_send_stream(channel, WIRE_CLOSE, stream);
}

void
channel_answer(Channel *channel, const void *bytes, gsize size)
{
	Link *link = channel->link;

	if (link->dead)
		return;
	link->control.secret = TRUE;
	wire_begin(&link->control, channel->id, WIRE_ANSWER);
	wire_put_bytes(&link->control, bytes, size);
	wire_end(&link->control);
	link_want_flush(link);
}

void
channel_cancel(Channel *channel)
{
	channel_send_plain(channel, WIRE_CANCEL);
}

/* Begin a request of @channel: its header and serial. 0 when the link is gone. */
static guint32
channel_begin_request(Channel *channel, enum wire_type type, LinkDone done, void *data)
{
	Link *link = channel->link;

	if (link->dead)
		return 0;
	guint32 serial = link_new_request(link, channel->id, done, data);
	wire_begin(&link->control, channel->id, type);
	wire_put_u32(&link->control, serial);
	link_want_flush(link);
	return serial;
}

guint32
channel_signal(Channel *channel, const char *name, enum wire_target target, LinkDone done,
	       void *data)
{
	guint32 serial = channel_begin_request(channel, WIRE_SIGNAL, done, data);

	if (serial == 0)
		return 0;
	wire_put_u8(&channel->link->control, (uint8_t)target);
	wire_put_string(&channel->link->control, name);
	wire_end(&channel->link->control);
	return serial;
}

guint32
channel_stop(Channel *channel, guint32 grace_ms, LinkDone done, void *data)
{
	guint32 serial = channel_begin_request(channel, WIRE_STOP, done, data);

	if (serial == 0)
		return 0;
	wire_put_u32(&channel->link->control, grace_ms);
	wire_end(&channel->link->control);
	return serial;
}

guint32
channel_winsize(Channel *channel, guint columns, guint rows, LinkDone done, void *data)
{
	guint32 serial = channel_begin_request(channel, WIRE_WINSIZE, done, data);

	if (serial == 0)
		return 0;
	wire_put_u16(&channel->link->control, (uint16_t)columns);
	wire_put_u16(&channel->link->control, (uint16_t)rows);
	wire_end(&channel->link->control);
	return serial;
}

guint32
channel_set(Channel *channel, const char *name, const char *value, LinkDone done, void *data)
{
	guint32 serial = channel_begin_request(channel, WIRE_SET, done, data);

	if (serial == 0)
		return 0;
	wire_put_string(&channel->link->control, name);
	wire_put_string(&channel->link->control, value);
	wire_end(&channel->link->control);
	return serial;
}

/* Frames that come. Each handler reads the whole payload before it acts on it. */

typedef void (*FrameHandler)(Link *link, Channel *channel, struct wire_in *in);

static void
on_hello(Link *link, Channel *channel, struct wire_in *in)
{
	struct wire_hello hello;

	if (link->hello_seen || wire_get_hello(in, &hello) < 0) {
		link_lose_protocol(link, "HELLO is malformed");
		return;
	}
	if (hello.version != WIRE_VERSION) {
		link_lose_protocol(link, "the agent is of another version");
	} else {
		link->hello_seen = TRUE;
		link->ops->hello(&hello, link->data);
	}
	free(hello.signals);
}

/* Take the descriptors of @mask out of the link's, a pty's master for both of its streams.
 * FALSE: too few came. */
static gboolean
claim_fds(Link *link, guint32 mask, int fds[3])
{
	guint at = 0;

	for (int i = 0; i < 3; i++) {
		fds[i] = -1;
		if ((mask & (1u << i)) == 0 || (mask == 3 && i == 1))
			continue;
		if (at >= link->fds->len)
			return FALSE;
		fds[i] = g_array_index(link->fds, int, at++);
	}
	g_array_remove_range(link->fds, 0, at);
	return TRUE;
}

static void
on_started(Link *link, Channel *channel, struct wire_in *in)
{
	guint32 pid = wire_get_u32(in);
	guint32 mask = wire_get_u32(in);
	int fds[3];

	if (wire_in_finish(in) < 0 || channel->started || channel->over || mask > 7 ||
	    (mask != 0 && !link->hand_over) || !claim_fds(link, mask, fds)) {
		link_lose_protocol(link, "STARTED is malformed");
		return;
	}
	channel->started = TRUE;
	g_clear_pointer(&channel->request, g_bytes_unref);
	channel_redeem(channel);
	if (channel->ops->started != NULL) {
		channel->ops->started(pid, mask, fds, channel->data);
		return;
	}
	for (int i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

/* Put into words what the child of @channel's request has told of its failure. */
static void
failure_text(Channel *channel, const struct spawn_failure *failure, char *text, gsize size)
{
	gsize length;
	const guint8 *payload = g_bytes_get_data(channel->request, &length);
	struct wire_frame frame = { channel->id, WIRE_SPAWN, (guint32)length, payload };
	struct wire_spawn spawn;
	struct wire_in in;

	text[0] = '\0';
	wire_in_init(&in, &frame);
	if (wire_get_spawn(&in, &spawn) < 0)
		return;
	spawn_failure_text(&spawn.spec, failure, text, size);
	wire_spawn_done(&spawn);
}

static void
on_failed(Link *link, Channel *channel, struct wire_in *in)
{
	struct spawn_failure failure = { .stage = wire_get_u8(in) };
	const char *told;
	char text[FAILURE_TEXT];
	g_autoptr(GError) error = NULL;
	guint child;

	failure.error = errno_number(wire_get_string(in));
	child = wire_get_u8(in);
	failure.index = (gint32)wire_get_u32(in);
	told = wire_get_string(in);
	if (wire_in_finish(in) < 0 || channel->started || channel->over ||
	    failure.stage > SPAWN_EXEC || child > 1) {
		link_lose_protocol(link, "FAILED is malformed");
		return;
	}
	channel->over = TRUE;
	channel_redeem(channel);
	if (child) {
		g_strlcpy(failure.fact, told, sizeof failure.fact);
		failure_text(channel, &failure, text, sizeof text);
		told = text;
	}
	fail_told(&error, failure.error, told);
	if (channel->ops->failed != NULL)
		channel->ops->failed((enum spawn_stage)failure.stage, error, channel->data);
	link_answer_channel(link, channel->id);
}

static void
on_data(Link *link, Channel *channel, struct wire_in *in)
{
	guint stream = wire_get_u8(in);
	size_t size;
	const guint8 *bytes = wire_get_rest(in, &size);

	if (in->failed || (stream != WIRE_STDOUT && stream != WIRE_STDERR) ||
	    size > channel->outstanding[stream]) {
		link_lose_protocol(link, "DATA is malformed or beyond its credit");
		return;
	}
	channel->outstanding[stream] -= size;
	if (channel->ops->output != NULL)
		channel->ops->output((int)stream, bytes, size, channel->data);
}

static void
on_end(Link *link, Channel *channel, struct wire_in *in)
{
	guint stream = wire_get_u8(in);

	if (wire_in_finish(in) < 0 || (stream != WIRE_STDOUT && stream != WIRE_STDERR))
		link_lose_protocol(link, "END is malformed");
	else if (channel->ops->output_end != NULL)
		channel->ops->output_end((int)stream, channel->data);
}

static void
on_credit(Link *link, Channel *channel, struct wire_in *in)
{
	guint stream = wire_get_u8(in);
	guint32 more = wire_get_u32(in);

	if (wire_in_finish(in) < 0 || stream != WIRE_STDIN ||
	    channel->input_credit + more > WIRE_CREDIT_MAX) {
		link_lose_protocol(link, "CREDIT is malformed");
		return;
	}
	channel->input_credit += more;
	if (channel->starved && channel->ops->input_credit != NULL) {
		channel->starved = FALSE;
		channel->ops->input_credit(channel->data);
	}
}

static void
on_close(Link *link, Channel *channel, struct wire_in *in)
{
	if (wire_get_u8(in) != WIRE_STDIN || wire_in_finish(in) < 0) {
		link_lose_protocol(link, "CLOSE is malformed");
		return;
	}
	channel->input_closed = TRUE;
	if (channel->ops->input_closed != NULL)
		channel->ops->input_closed(channel->data);
}

static void
on_exit_frame(Link *link, Channel *channel, struct wire_in *in)
{
	struct wire_exit ended;

	if (wire_get_exit(in, &ended) < 0 || channel->over) {
		link_lose_protocol(link, "EXIT is malformed");
		return;
	}
	channel->over = TRUE;
	if (channel->ops->exited != NULL)
		channel->ops->exited(&ended, channel->data);
}

static void
on_state(Link *link, Channel *channel, struct wire_in *in)
{
	guint stopped = wire_get_u8(in);

	if (wire_in_finish(in) < 0 || stopped > 1)
		link_lose_protocol(link, "STATE is malformed");
	else if (channel->ops->stopped != NULL)
		channel->ops->stopped(stopped == 1, channel->data);
}

static void
on_usage(Link *link, Channel *channel, struct wire_in *in)
{
	guint64 user = wire_get_u64(in);
	guint64 system = wire_get_u64(in);
	guint64 peak = wire_get_u64(in);

	if (wire_in_finish(in) < 0)
		link_lose_protocol(link, "USAGE is malformed");
	else if (channel->ops->usage != NULL)
		channel->ops->usage(user, system, peak, channel->data);
}

static void
on_log(Link *link, Channel *channel, struct wire_in *in)
{
	int level = wire_get_u8(in);
	const char *text = wire_get_string(in);

	if (wire_in_finish(in) < 0)
		link_lose_protocol(link, "LOG is malformed");
	else if (channel != NULL && channel->ops->log != NULL)
		channel->ops->log(level, text, channel->data);
	else if (link->ops->log != NULL)
		link->ops->log(level, text, link->data);
}

static void
on_prompt(Link *link, Channel *channel, struct wire_in *in)
{
	guint echo = wire_get_u8(in);
	size_t size;
	const guint8 *bytes = wire_get_rest(in, &size);

	if (wire_in_finish(in) < 0 || echo > 1)
		link_lose_protocol(link, "PROMPT is malformed");
	else if (channel->ops->prompt != NULL)
		channel->ops->prompt(echo == 1, bytes, size, channel->data);
}

static void
on_pong(Link *link, Channel *channel, struct wire_in *in)
{
	guint32 serial = wire_get_u32(in);

	if (wire_in_finish(in) < 0)
		link_lose_protocol(link, "PONG is malformed");
	else if (serial == link->ping_serial)
		link->rtt_usec = (guint64)(g_get_monotonic_time() - link->ping_sent);
}

static void
on_done(Link *link, Channel *channel, struct wire_in *in)
{
	guint32 serial = wire_get_u32(in);
	const char *name = wire_get_string(in);
	const char *text = wire_get_string(in);

	if (wire_in_finish(in) < 0)
		link_lose_protocol(link, "DONE is malformed");
	else
		link_answer_request(link, serial, name, text);
}

enum { ON_LINK = 1, ON_CHANNEL = 2, ONCE_STARTED = 4 };

/* Which frames an agent may send, and where. */
static const struct {
	guint8 type;
	guint8 where;
	FrameHandler handle;
} frame_rows[] = {
	{ WIRE_HELLO, ON_LINK, on_hello },
	{ WIRE_STARTED, ON_CHANNEL, on_started },
	{ WIRE_FAILED, ON_CHANNEL, on_failed },
	{ WIRE_DATA, ON_CHANNEL | ONCE_STARTED, on_data },
	{ WIRE_END, ON_CHANNEL | ONCE_STARTED, on_end },
	{ WIRE_CREDIT, ON_CHANNEL | ONCE_STARTED, on_credit },
	{ WIRE_CLOSE, ON_CHANNEL | ONCE_STARTED, on_close },
	{ WIRE_EXIT, ON_CHANNEL | ONCE_STARTED, on_exit_frame },
	{ WIRE_STATE, ON_CHANNEL | ONCE_STARTED, on_state },
	{ WIRE_USAGE, ON_CHANNEL | ONCE_STARTED, on_usage },
	{ WIRE_LOG, ON_LINK | ON_CHANNEL, on_log },
	{ WIRE_PROMPT, ON_CHANNEL | ONCE_STARTED, on_prompt },
	{ WIRE_PONG, ON_LINK, on_pong },
	{ WIRE_DONE, ON_LINK | ON_CHANNEL, on_done },
};

/* A late frame for a channel that is closed: its descriptors must not stay claimed for the next. */
static void
drop_late_frame(Link *link, const struct wire_frame *frame, struct wire_in *in)
{
	int fds[3];

	if (frame->type != WIRE_STARTED)
		return;
	wire_get_u32(in);
	if (!claim_fds(link, wire_get_u32(in) & 7, fds))
		return;
	for (int i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

void
link_on_frame(Link *link, const struct wire_frame *frame)
{
	Channel *channel = g_hash_table_lookup(link->channels, GUINT_TO_POINTER(frame->channel));
	guint8 where = frame->channel == 0 ? ON_LINK : ON_CHANNEL;
	struct wire_in in;
	guint row = 0;

	wire_in_init(&in, frame);
	while (row < G_N_ELEMENTS(frame_rows) && frame_rows[row].type != frame->type)
		row++;
	if (row == G_N_ELEMENTS(frame_rows) || (frame_rows[row].where & where) == 0 ||
	    frame->channel > link->last_channel ||
	    (channel != NULL && (frame_rows[row].where & ONCE_STARTED) != 0 && !channel->started) ||
	    (!link->hello_seen && frame->type != WIRE_HELLO)) {
		link_lose_protocol(link, "a frame that may not come here");
		return;
	}
	if (where == ON_CHANNEL && channel == NULL && frame->type != WIRE_DONE) {
		drop_late_frame(link, frame, &in);
		return;
	}
	if (channel != NULL)
		channel_ref(channel);
	frame_rows[row].handle(link, channel, &in);
	if (channel != NULL)
		channel_unref(channel);
}
