/* What is asked of an agent: pings, and requests that it answers by their serial number. */
#include "broker/error.h"
#include "broker/link-private.h"
#include "pty/errname.h"

#include <errno.h>

#define PINGS_MISSED_MAX 3

/* Keepalive. */

/* Once per interval: any byte that came counts as life. */
static gboolean
link_on_ping_time(void *data)
{
	Link *link = data;

	if (link->heard) {
		link->heard = FALSE;
		return G_SOURCE_CONTINUE;
	}
	if (link->pings_missed++ >= PINGS_MISSED_MAX) {
		g_autoptr(GError) error = NULL;

		fail(&error, ECONNRESET, "link lost: no answer to %d pings", PINGS_MISSED_MAX);
		link_lose(link, error);
		return G_SOURCE_REMOVE;
	}
	link->ping_sent = g_get_monotonic_time();
	wire_begin(&link->control, 0, WIRE_PING);
	wire_put_u32(&link->control, ++link->ping_serial);
	wire_end(&link->control);
	link_want_flush(link);
	return G_SOURCE_CONTINUE;
}

void
link_set_keepalive(Link *link, guint64 ms)
{
	g_clear_handle_id(&link->ping_source, g_source_remove);
	if (ms > 0 && !link->dead)
		link->ping_source =
			g_timeout_add((guint)MIN(ms, G_MAXUINT), link_on_ping_time, link);
}

/* Requests. */

guint32
link_new_request(Link *link, guint32 channel, LinkDone done, void *data)
{
	Request *request = g_new(Request, 1);

	do {
		link->serial++;
	} while (link->serial == 0 ||
		 g_hash_table_contains(link->requests, GUINT_TO_POINTER(link->serial)));
	*request = (Request){ channel, done, data };
	g_hash_table_insert(link->requests, GUINT_TO_POINTER(link->serial), request);
	return link->serial;
}

void
link_forget_request(Link *link, guint32 serial)
{
	Request *request = g_hash_table_lookup(link->requests, GUINT_TO_POINTER(serial));

	if (request != NULL)
		request->done = NULL;
}

void
link_answer_request(Link *link, guint32 serial, const char *error_name, const char *text)
{
	Request *request = g_hash_table_lookup(link->requests, GUINT_TO_POINTER(serial));
	g_autoptr(GError) error = NULL;

	if (request == NULL)
		return;
	Request copy = *request;
	g_hash_table_remove(link->requests, GUINT_TO_POINTER(serial));
	if (error_name[0] != '\0')
		fail_told(&error, errno_number(error_name), text);
	if (copy.done != NULL)
		copy.done(error, copy.data);
}

void
link_answer_channel(Link *link, guint32 channel)
{
	GHashTableIter iter;
	void *serial, *value;

	g_hash_table_iter_init(&iter, link->requests);
	while (g_hash_table_iter_next(&iter, &serial, &value)) {
		const Request *request = value;

		if (request->channel != channel)
			continue;
		link_answer_request(link, GPOINTER_TO_UINT(serial), "ESRCH",
				    "the command did not start");
		g_hash_table_iter_init(&iter, link->requests);
	}
}

void
link_send_shutdown(Link *link, guint32 grace_ms)
{
	if (link->dead)
		return;
	wire_begin(&link->control, 0, WIRE_SHUTDOWN);
	wire_put_u32(&link->control, grace_ms);
	wire_end(&link->control);
	link_want_flush(link);
}

void
link_sweep(Link *link, guint32 group)
{
	if (link->dead)
		return;
	wire_begin(&link->control, 0, WIRE_SWEEP);
	wire_put_u32(&link->control, link_new_request(link, 0, NULL, NULL));
	wire_put_u32(&link->control, group);
	wire_end(&link->control);
	link_want_flush(link);
}
