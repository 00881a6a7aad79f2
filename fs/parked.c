/* The list of parked requests, oldest first, and the short list of those that an INTERRUPT has
 * marked.
 *
 * The interrupt callback runs under libfuse's lock, where an answer would free the request that
 * libfuse still holds, and fuse_req_interrupt_func() would wait for itself: it only marks. The
 * marked ones are told from the loop, before anything new is waited for. A request that was
 * interrupted before it got here is marked while it is being parked. */
#include "fs/parked.h"

#include "broker/poller.h"

struct Parking {
	GQueue all;    /* Parked, in the order they came */
	GQueue marked; /* Parked */
	gboolean stopping;
	guint64 limit_ms;
	guint expiry; /* source that looks for old ones */
	guint settle; /* source that tells the marked ones */
};

struct Parked {
	Parking *parking;
	Reply *reply;
	ParkedEnd end;
	void *data;
	gint64 since; /* monotonic, microseconds */
	gboolean is_marked;
	GList link, mark;
};

static gboolean parking_on_expiry(void *data);

Parking *
parking_new(guint64 limit_ms)
{
	Parking *parking = g_new0(Parking, 1);

	parking->limit_ms = limit_ms;
	return parking;
}

void
parking_free(Parking *parking)
{
	parking_stop(parking);
	g_clear_handle_id(&parking->expiry, g_source_remove);
	g_clear_handle_id(&parking->settle, g_source_remove);
	g_free(parking);
}

gboolean
parking_stopping(const Parking *parking)
{
	return parking->stopping;
}

guint
parking_count(const Parking *parking)
{
	return parking->all.length;
}

/* Tell those that were interrupted. */
static gboolean
parking_on_settle(void *data)
{
	Parking *parking = data;
	GList *link;

	parking->settle = 0;
	while ((link = g_queue_pop_head_link(&parking->marked)) != NULL) {
		Parked *parked = link->data;

		parked->is_marked = FALSE;
		parked->end(PARKED_INTERRUPTED, parked->data);
	}
	return G_SOURCE_REMOVE;
}

/* Note an INTERRUPT; runs under libfuse's lock. */
static void
parked_on_interrupt(fuse_req_t req, void *data)
{
	Parked *parked = data;
	Parking *parking = parked->parking;

	if (parked->is_marked)
		return;
	parked->is_marked = TRUE;
	g_queue_push_tail_link(&parking->marked, &parked->mark);
	if (parking->settle == 0)
		parking->settle = poller_later(parking_on_settle, parking);
}

Parked *
parking_add(Parking *parking, Reply *reply, ParkedEnd end, void *data)
{
	Parked *parked = g_new0(Parked, 1);

	*parked = (Parked){ .parking = parking, .reply = reply, .end = end, .data = data };
	parked->since = g_get_monotonic_time();
	parked->link.data = parked;
	parked->mark.data = parked;
	g_queue_push_tail_link(&parking->all, &parked->link);
	if (parking->limit_ms > 0 && parking->expiry == 0)
		parking->expiry = g_timeout_add(parking->limit_ms, parking_on_expiry, parking);
	reply_on_interrupt(reply, parked_on_interrupt, parked);
	return parked;
}

pid_t
parked_tid(const Parked *parked)
{
	return reply_caller_tid(parked->reply);
}

Reply *
parked_leave(Parked *parked)
{
	Reply *reply = parked->reply;

	g_queue_unlink(&parked->parking->all, &parked->link);
	if (parked->is_marked)
		g_queue_unlink(&parked->parking->marked, &parked->mark);
	g_free(parked);
	return reply;
}

/* End the oldest request, which has to leave. */
static void
parking_end_oldest(Parking *parking, ParkedReason reason)
{
	Parked *parked = g_queue_peek_head(&parking->all);
	guint before = parking->all.length;

	parked->end(reason, parked->data);
	if (parking->all.length >= before)
		g_error("a parked request was not answered when it had to be");
}

/* Answer the requests that have reached the limit, and look again when the next one may have. */
static gboolean
parking_on_expiry(void *data)
{
	Parking *parking = data;
	gint64 now = g_get_monotonic_time();
	gint64 limit = (gint64)parking->limit_ms * 1000;
	Parked *oldest;

	parking->expiry = 0;
	while ((oldest = g_queue_peek_head(&parking->all)) != NULL &&
	       oldest->since + limit <= now) {
		g_info("a request has waited %" G_GUINT64_FORMAT
		       " ms: EINTR, before the kernel's own limit "
		       "ends the mount",
		       parking->limit_ms);
		parking_end_oldest(parking, PARKED_EXPIRED);
	}
	if (oldest != NULL)
		parking->expiry = g_timeout_add((guint)((oldest->since + limit - now) / 1000 + 1),
						parking_on_expiry, parking);
	return G_SOURCE_REMOVE;
}

void
parking_stop(Parking *parking)
{
	parking->stopping = TRUE;
	while (parking->all.length > 0)
		parking_end_oldest(parking, PARKED_STOPPING);
}
