/* Frames that come from an agent: which may come where, and what each means for its channel or its
 * link. Each handler reads the whole payload before it acts on it. */
#include "broker/error.h"
#include "broker/link-private.h"
#include "pty/errname.h"

#include <errno.h>
#include <unistd.h>

#define FAILURE_TEXT 2048 /* a whole fact and what is quoted before it */

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
