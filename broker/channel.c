/* Channels: the frames that go to an agent for one command, and the credit of its streams.
 *
 * Credit of output is the receiver's: a channel starts with WIRE_CREDIT_START outstanding, and
 * its window doubles up to WIRE_CREDIT_MAX each time the agent has used half of it up, so that
 * one stream comes to fill a long link, and on a fast one few frames tell of credit. Frames for a
 * channel that was closed are dropped, frames for one that never was end the link. */
#include "broker/descriptors.h"
#include "broker/error.h"
#include "broker/link-private.h"

#include <errno.h>

#define BULK_MAX (256 * 1024) /* bytes of DATA frames that may stand in front of a control frame */
#define CHUNK (64 * 1024)
#define FDS_PER_COMMAND 3
#define ATOMIC_WRITE 4096 /* PIPE_BUF: taken whole or not at all, as by a pipe */

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

void
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
