/* Links: their transport. What frames mean is in frames.c, what is asked of an agent in
 * link-requests.c.
 *
 * What a turn of the loop produces is written in one batch at its end, control frames before
 * data. Bytes are read into one buffer that all links share; what is left of a frame is kept per
 * link. A link that has more frames than it may handle in one turn stops listening and goes on
 * in the next, so that a flood on one link holds up no other. */
#include "broker/link-private.h"

#include "broker/error.h"
#include "pty/autofd.h"
#include "pty/largepipe.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE (1024 * 1024) /* more than one frame */
#define OUT_LIMIT (64u * 1024 * 1024)
#define FDS_PER_FRAME 3
#define DRAIN_ROUNDS 64 /* each a READ_SIZE, or the frames of one turn */

static guint8 read_buffer[READ_SIZE];

static void link_on_ready(guint32 events, void *data);

/* What every link starts with. */
static Link *
link_make(guint frames_per_turn, const LinkOps *ops, void *data)
{
	Link *link = g_new0(Link, 1);

	link->refs = 1;
	link->in = link->out = -1;
	link->ops = ops;
	link->data = data;
	link->frames_per_turn = frames_per_turn;
	link->control.limit = link->bulk.limit = OUT_LIMIT;
	link->leftover = g_byte_array_new();
	link->fds = g_array_new(FALSE, FALSE, sizeof(int));
	link->channels = g_hash_table_new(NULL, NULL);
	link->requests = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	return link;
}

Link *
link_new(int in, int out, gboolean hand_over, guint frames_per_turn, const LinkOps *ops, void *data)
{
	Link *link = link_make(frames_per_turn, ops, data);

	link->in = in;
	link->out = out;
	link->hand_over = hand_over;
	link->in_watch = poller_add(in, EPOLLIN, link_on_ready, link);
	if (out != in)
		link->out_watch = poller_add(out, 0, link_on_ready, link);
	return link;
}

Link *
link_new_over(Channel *carrier, guint frames_per_turn, const LinkOps *ops, void *data)
{
	Link *link = link_make(frames_per_turn, ops, data);

	link->carrier = carrier;
	return link;
}

Link *
link_ref(Link *link)
{
	link->refs++;
	return link;
}

void
link_unref(Link *link)
{
	if (--link->refs > 0)
		return;
	wire_out_done(&link->control);
	wire_out_done(&link->bulk);
	g_byte_array_unref(link->leftover);
	g_array_unref(link->fds);
	g_hash_table_unref(link->channels);
	g_hash_table_unref(link->requests);
	g_free(link);
}

static gboolean link_flush(void *data);
static void link_end(Link *link);
static gboolean link_go_on(void *data);

/* Close the transport. */
static void
link_close(Link *link)
{
	poller_forget_turn_end(link_flush, link);
	g_clear_handle_id(&link->ping_source, g_source_remove);
	g_clear_handle_id(&link->go_on_source, g_source_remove);
	g_clear_pointer(&link->in_watch, poller_remove);
	g_clear_pointer(&link->out_watch, poller_remove);
	if (link->out != link->in)
		autofd_clear(&link->out);
	link->out = -1;
	autofd_clear(&link->in);
	largepipe_forget(link->large);
	link->large = FALSE;
	for (guint i = 0; i < link->fds->len; i++)
		autofd_clear(&g_array_index(link->fds, int, i));
	g_array_set_size(link->fds, 0);
	link->carrier = NULL;
}

/* Tell every channel and every request, once. They may open nothing new here: the link is marked
 * dead first. */
static void
link_tell_all(Link *link, const GError *error)
{
	GHashTableIter iter;
	void *value;

	g_autoptr(GList) channels = g_hash_table_get_values(link->channels);
	for (GList *at = channels; at != NULL; at = at->next)
		channel_ref(at->data);
	for (GList *at = channels; at != NULL; at = at->next) {
		channel_on_lost(at->data, error);
		channel_unref(at->data);
	}
	g_hash_table_iter_init(&iter, link->requests);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		Request *request = g_memdup2(value, sizeof *request);

		g_hash_table_iter_remove(&iter);
		if (request->done != NULL)
			request->done(error, request->data);
		g_free(request);
		g_hash_table_iter_init(&iter, link->requests);
	}
}

void
link_lose(Link *link, const GError *error)
{
	if (link->dead)
		return;
	link_ref(link);
	link->dead = TRUE;
	link_close(link);
	link_tell_all(link, error);
	if (link->ops->lost != NULL && !link->disowned)
		link->ops->lost(error, link->data);
	link_unref(link);
}

void
link_free(Link *link, const GError *error)
{
	link->disowned = TRUE;
	link_lose(link, error);
	link_unref(link);
}

/* Lose the link for an errno of its transport. */
static void
link_lose_errno(Link *link, int code, const char *what)
{
	g_autoptr(GError) error = NULL;

	if (code == 0)
		fail(&error, ECONNRESET, "link lost: the agent is gone");
	else
		fail(&error, ECONNRESET, "link lost: %s: %s", what, g_strerror(code));
	link_lose(link, error);
}

void
link_lose_protocol(Link *link, const char *what)
{
	g_autoptr(GError) error = NULL;

	fail(&error, ECONNRESET, LINK_PROTOCOL_TEXT "%s", what);
	link_lose(link, error);
}

/* Writing. */

/* Write what fits of @out. FALSE when the transport takes no more now. */
static gboolean
link_write(Link *link, struct wire_out *out)
{
	gssize written;

	if (link->carrier != NULL)
		written = channel_send_as(link->carrier, out->data, out->size, out->secret);
	else
		written = write(link->out, out->data, out->size);
	if (written < 0 && link->carrier == NULL && errno != EAGAIN && errno != EINTR) {
		if (errno == EPIPE || errno == ECONNRESET)
			link_end(link);
		else
			link_lose_errno(link, errno, "write");
		return FALSE;
	}
	if (written <= 0)
		return FALSE;
	link->bytes_sent += (guint64)written;
	wire_out_consume(out, (gsize)written);
	return TRUE;
}

/* Write control frames, then data; data that has begun to go is finished first, since it may be
 * in mid-frame (there is never more than a batch of it). FALSE when the transport takes no more
 * now. */
static gboolean
link_write_all(Link *link)
{
	while (!link->dead && (link->control.size > 0 || link->bulk.size > 0)) {
		struct wire_out *out = link->bulk_partial || link->control.size == 0
					       ? &link->bulk
					       : &link->control;

		if (!link_write(link, out))
			return FALSE;
		link->bulk_partial = out == &link->bulk && out->size > 0;
	}
	return TRUE;
}

/* Write the batch; wait for the transport where it does not take all. */
static void
link_write_batch(Link *link)
{
	gboolean all = link_write_all(link);

	channels_offer_room(link);
	if (link->dead || link->carrier != NULL || all == !link->out_waiting)
		return;
	link->out_waiting = !all;
	guint32 out = all ? 0 : EPOLLOUT;
	if (link->out_watch != NULL)
		poller_set(link->out_watch, out);
	else
		poller_set(link->in_watch, (link->go_on_source == 0 ? EPOLLIN : 0) | out);
}

/* At the turn's end. The link may be lost by it, and freed by its owner then. */
static gboolean
link_flush(void *data)
{
	Link *link = link_ref(data);

	link->flush_wanted = FALSE;
	if (!link->dead)
		link_write_batch(link);
	link_unref(link);
	return G_SOURCE_REMOVE;
}

void
link_want_flush(Link *link)
{
	if (link->flush_wanted || link->dead)
		return;
	link->flush_wanted = TRUE;
	poller_at_turn_end(link_flush, link);
}

void
link_pump(Link *link)
{
	link_want_flush(link);
}

/* Reading. */

/* Keep the descriptors of one control message. */
static void
link_take_fds(Link *link, struct msghdr *message)
{
	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL;
	     at = CMSG_NXTHDR(message, at)) {
		if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
			continue;
		guint count = (guint)((at->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		g_array_append_vals(link->fds, CMSG_DATA(at), count);
	}
}

/* Read what is there behind the leftover in the shared buffer. */
static gssize
link_read(Link *link, guint8 *space, gsize size)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * FDS_PER_FRAME)];
	} control;
	struct iovec iov = { space, size };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof control.bytes };

	if (!link->hand_over)
		return read(link->in, space, size);
	gssize got = recvmsg(link->in, &message, MSG_CMSG_CLOEXEC);
	if (got > 0)
		link_take_fds(link, &message);
	return got;
}

void
link_set_preamble(Link *link, LinkPreamble preamble, void *data)
{
	link->preamble = preamble;
	link->preamble_data = data;
}

void
link_begin_frames(Link *link)
{
	link->preamble = NULL;
}

void
link_send_raw(Link *link, const void *bytes, gsize size, gboolean secret)
{
	if (link->dead)
		return;
	link->control.secret |= secret;
	wire_put_bytes(&link->control, bytes, size);
	link_want_flush(link);
}

/* Give what comes before the first frame to who waits for it; the bytes used. */
static gsize
link_handle_preamble(Link *link, const guint8 *data, gsize size)
{
	gsize used = 0, step = 1;

	while (!link->dead && link->preamble != NULL && used < size && step > 0) {
		step = link->preamble(data + used, size - used, link->preamble_data);
		used += step;
	}
	return used;
}

/* Handle the complete frames in @data, at most a turn's worth; the bytes used. */
static gsize
link_handle_frames(Link *link, const guint8 *data, gsize size)
{
	gsize used = 0;

	for (guint count = 0; count < link->frames_per_turn && !link->dead; count++) {
		struct wire_frame frame;
		gsize length;
		int found = wire_frame_find(data + used, size - used, &frame, &length);

		if (found < 0)
			link_lose_protocol(link, "a frame's header is malformed");
		if (found <= 0)
			return link->dead ? size : used;
		used += length;
		link_on_frame(link, &frame);
	}
	link->more = !link->dead && used < size;
	return link->dead ? size : used;
}

/* @size bytes stand in the shared buffer: handle frames, keep the rest. */
static void
link_digest(Link *link, const guint8 *data, gsize size)
{
	link->more = FALSE;
	gsize used = link_handle_preamble(link, data, size);
	if (!link->dead && link->preamble == NULL)
		used += link_handle_frames(link, data + used, size - used);
	if (link->dead)
		return;
	g_byte_array_set_size(link->leftover, 0);
	g_byte_array_append(link->leftover, data + used, (guint)(size - used));
	if (link->leftover->len == 0 && used > 64 * 1024) {
		g_byte_array_unref(link->leftover);
		link->leftover = g_byte_array_new();
	}
	if (link->carrier != NULL)
		channel_give_credit(link->carrier, WIRE_STDOUT,
				    link->leftover->len < READ_SIZE ? WIRE_CREDIT_MAX : 0);
	if (!link->more || link->go_on_source != 0)
		return;
	link->go_on_source = g_idle_add_full(G_PRIORITY_DEFAULT, link_go_on, link, NULL);
	if (link->in_watch != NULL)
		poller_set(link->in_watch,
			   link->out_watch == NULL && link->out_waiting ? EPOLLOUT : 0);
}

/* The same with what is left over. */
static void
link_digest_leftover(Link *link)
{
	g_autoptr(GByteArray) rest = g_steal_pointer(&link->leftover);

	link->leftover = g_byte_array_new();
	link_digest(link, rest->data, rest->len);
}

/* The next turn for a link that had more frames than one turn's worth. */
static gboolean
link_go_on(void *data)
{
	Link *link = link_ref(data);

	link->go_on_source = 0;
	link_digest_leftover(link);
	if (!link->dead && link->go_on_source == 0 && link->in_watch != NULL)
		poller_set(link->in_watch,
			   EPOLLIN | (link->out_watch == NULL && link->out_waiting ? EPOLLOUT : 0));
	link_unref(link);
	return G_SOURCE_REMOVE;
}

void
link_feed(Link *link, const guint8 *bytes, gsize size)
{
	link->bytes_received += size;
	link->heard = TRUE;
	link->pings_missed = 0;
	link_ref(link);
	if (link->go_on_source == 0 && link->leftover->len == 0) {
		link_digest(link, bytes, size);
	} else {
		g_byte_array_append(link->leftover, bytes, (guint)size);
		if (link->go_on_source == 0)
			link_digest_leftover(link);
	}
	link_unref(link);
}

/* Read into @buffer, of READ_SIZE, behind the leftover, which is always less than one frame, or a
 * turn's rest. FALSE when there was nothing. */
static gboolean
link_read_into(Link *link, guint8 *buffer)
{
	gsize left = link->leftover->len;

	if (left > 0)
		memcpy(buffer, link->leftover->data, left);
	gssize got = link_read(link, buffer + left, READ_SIZE - left);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return FALSE;
	if (got <= 0) {
		link_lose_errno(link, got == 0 || errno == ECONNRESET ? 0 : errno, "read");
		return FALSE;
	}
	link->bytes_received += (guint64)got;
	link->heard = TRUE;
	link->pings_missed = 0;
	if (got >= LARGEPIPE_BUSY && !link->hand_over && !link->large)
		link->large = largepipe_make(link->in);
	link_digest(link, buffer, left + (gsize)got);
	return TRUE;
}

/* The buffer is not the shared one, in which another link's frames may be under way. */
gboolean
link_drain(Link *link)
{
	g_autofree guint8 *buffer = link->carrier == NULL ? g_malloc(READ_SIZE) : NULL;
	gboolean more = buffer != NULL, alive;

	link_ref(link);
	for (guint i = 0; i < DRAIN_ROUNDS && more && !link->dead; i++) {
		if (link->go_on_source == 0) {
			more = link_read_into(link, buffer);
		} else {
			g_clear_handle_id(&link->go_on_source, g_source_remove);
			link_go_on(link);
		}
	}
	alive = !link->dead;
	link_unref(link);
	return alive;
}

/* The agent takes no more: it is gone, but what it said before still counts. */
static void
link_end(Link *link)
{
	if (link_drain(link))
		link_lose_errno(link, 0, NULL);
}

static void
link_on_ready(guint32 events, void *data)
{
	Link *link = link_ref(data);

	if ((events & EPOLLOUT) != 0)
		link_want_flush(link);
	if (link->go_on_source == 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
		if (link->in_watch != NULL && (link->out_watch == NULL || (events & EPOLLERR) == 0))
			link_read_into(link, read_buffer);
		else
			link_end(link);
	}
	link_unref(link);
}

gboolean
link_hands_over(const Link *link)
{
	return link->hand_over;
}

guint64
link_bytes_sent(const Link *link)
{
	return link->bytes_sent;
}

guint64
link_bytes_received(const Link *link)
{
	return link->bytes_received;
}

guint64
link_rtt_usec(const Link *link)
{
	return link->rtt_usec;
}
