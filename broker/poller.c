/* One epoll fd as one GSource. A watch that is removed while its turn is being dispatched is
 * only marked, and freed when the turn is over, so that a callback may remove any watch. */
#include "broker/poller.h"

#include "pty/autofd.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/epoll.h>

#define EVENTS_PER_TURN 64
#define ROUNDS_PER_TURN 8 /* then timers and idle sources have their chance */
#define SPIN_USEC 50
#define SPIN_SCORE_MAX 16
#define SPIN_RETRY 16

struct PollerWatch {
	int fd;
	PollerFunc func; /* NULL: removed */
	void *data;
};

typedef struct TurnEnd TurnEnd;
struct TurnEnd {
	GSourceFunc func;
	void *data;
};

static struct {
	int epoll;
	guint source;
	guint depth;	   /* of dispatching */
	GSList *removed;   /* watches to free behind the turn */
	GArray *turn_ends; /* TurnEnd */
	guint turn_source; /* the idle source that serves them outside a turn */
	guint spin_usec;   /* how long to look for more before sleeping; 0 on one processor */
	guint spin_score, spin_skipped;
	gboolean expecting, yielding;
} poller = { .epoll = -1 };

/* Call what asked for the end of the turn; what is added meanwhile is called too. */
static void
run_turn_ends(void)
{
	for (guint i = 0; poller.turn_ends != NULL && i < poller.turn_ends->len; i++) {
		TurnEnd end = g_array_index(poller.turn_ends, TurnEnd, i);

		if (end.func != NULL)
			end.func(end.data);
	}
	if (poller.turn_ends != NULL)
		g_array_set_size(poller.turn_ends, 0);
}

void
poller_expect(void)
{
	poller.expecting = TRUE;
}

void
poller_yield(void)
{
	poller.yielding = TRUE;
}

/* Tell each ready watch; what was asked for the turn's end follows. */
static void
serve(const struct epoll_event *events, int count)
{
	poller.expecting = poller.yielding = FALSE;
	for (int i = 0; i < count; i++) {
		PollerWatch *watch = events[i].data.ptr;

		if (watch->func != NULL)
			watch->func(events[i].events, watch->data);
	}
	run_turn_ends();
}

/* Look for more for a while before sleeping, if somebody was answered: a wake-up across cores
 * costs more than the wait, and while an agent has the word its child needs the core more. It is
 * given up while it does not pay, and tried again now and then. */
static int
spin(struct epoll_event *events)
{
	if (poller.spin_usec == 0 || !poller.expecting || poller.yielding ||
	    (poller.spin_score == 0 && ++poller.spin_skipped % SPIN_RETRY != 0))
		return 0;
	gint64 deadline = g_get_monotonic_time() + poller.spin_usec;
	int count;
	do {
		count = epoll_wait(poller.epoll, events, EVENTS_PER_TURN, 0);
	} while (count == 0 && g_get_monotonic_time() < deadline);
	if (count > 0)
		poller.spin_score = MIN(poller.spin_score + 2, SPIN_SCORE_MAX);
	else if (poller.spin_score > 0)
		poller.spin_score--;
	return count;
}

/* One turn: tell each ready watch, then free what was removed. */
static gboolean
poller_on_ready(int fd, GIOCondition condition, void *data)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int count = epoll_wait(poller.epoll, events, EVENTS_PER_TURN, 0);

	poller.depth++;
	for (guint round = 0; count > 0 && round < ROUNDS_PER_TURN; round++) {
		serve(events, count);
		if (poller.removed != NULL) {
			g_slist_free_full(poller.removed, g_free);
			poller.removed = NULL;
		}
		count = round + 1 < ROUNDS_PER_TURN ? spin(events) : 0;
	}
	poller.depth--;
	return G_SOURCE_CONTINUE;
}

/* Make the epoll fd and its source with the first watch. */
static void
poller_start(void)
{
	if (poller.epoll >= 0)
		return;
	poller.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (poller.epoll < 0)
		g_error("epoll_create1: %s", g_strerror(errno));
	GSource *source = g_unix_fd_source_new(poller.epoll, G_IO_IN);
	g_source_set_callback(source, G_SOURCE_FUNC(poller_on_ready), NULL, NULL);
	/* Nothing recurses here, but a source that may not is taken out of poll(2) and put back
	 * around each dispatch, and each time GLib wakes itself through its eventfd: six system
	 * calls a turn. */
	g_source_set_can_recurse(source, TRUE);
	poller.source = g_source_attach(source, NULL);
	g_source_unref(source);
	poller.spin_usec = g_get_num_processors() > 1 ? SPIN_USEC : 0;
	poller.turn_ends = g_array_new(FALSE, FALSE, sizeof(TurnEnd));
}

PollerWatch *
poller_add(int fd, guint32 events, PollerFunc func, void *data)
{
	PollerWatch *watch = g_new(PollerWatch, 1);

	poller_start();
	*watch = (PollerWatch){ .fd = fd, .func = func, .data = data };
	struct epoll_event event = { .events = events, .data.ptr = watch };
	if (epoll_ctl(poller.epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		g_error("epoll_ctl(%d): %s", fd, g_strerror(errno));
	return watch;
}

void
poller_set(PollerWatch *watch, guint32 events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (epoll_ctl(poller.epoll, EPOLL_CTL_MOD, watch->fd, &event) < 0)
		g_error("epoll_ctl(%d): %s", watch->fd, g_strerror(errno));
}

void
poller_remove(PollerWatch *watch)
{
	epoll_ctl(poller.epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->func = NULL;
	if (poller.depth > 0)
		poller.removed = g_slist_prepend(poller.removed, watch);
	else
		g_free(watch);
}

void
poller_done(void)
{
	if (poller.epoll < 0)
		return;
	g_source_remove(poller.source);
	g_clear_handle_id(&poller.turn_source, g_source_remove);
	g_clear_pointer(&poller.turn_ends, g_array_unref);
	autofd_clear(&poller.epoll);
}

guint
poller_later(GSourceFunc func, void *data)
{
	return g_idle_add_full(G_PRIORITY_HIGH, func, data, NULL);
}

/* Outside a turn: serve the turn's end from an idle source. */
static gboolean
turn_end_on_idle(void *data)
{
	poller.turn_source = 0;
	run_turn_ends();
	return G_SOURCE_REMOVE;
}

void
poller_at_turn_end(GSourceFunc func, void *data)
{
	TurnEnd end = { func, data };

	poller_start();
	g_array_append_val(poller.turn_ends, end);
	if (poller.depth == 0 && poller.turn_source == 0)
		poller.turn_source = g_idle_add_full(G_PRIORITY_HIGH, turn_end_on_idle, NULL, NULL);
}

void
poller_forget_turn_end(GSourceFunc func, void *data)
{
	for (guint i = 0; poller.turn_ends != NULL && i < poller.turn_ends->len; i++) {
		TurnEnd *end = &g_array_index(poller.turn_ends, TurnEnd, i);

		if (end->func == func && end->data == data)
			end->func = NULL;
	}
}
