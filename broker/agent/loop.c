/* The worker's event loop.
 *
 * Two epoll sets: the main one, and one for the runs' streams, which is itself a source of the
 * main one. When the link cannot take more output, the second is taken out with one call, and a
 * thousand busy pipes cost nothing until it is put back; signals, timers and the link are served
 * meanwhile. A turn serves each ready descriptor once, so that channels take turns.
 *
 * A callback may unwatch and free any source, its own included: what the present batch still
 * holds of it is forgotten. Timers are a list sorted by when they are due; there are few (one
 * per stopping run). */
#include "broker/agent/loop.h"

#include <errno.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

uint64_t
loop_now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
loop_now(void)
{
	return loop_now_usec() / 1000;
}

/* Wait, and serve what is ready. */
static void
poller_serve(struct poller *poller, int timeout)
{
	poller->next = 0;
	poller->count = epoll_wait(poller->fd, poller->batch, POLLER_BATCH, timeout);
	while (poller->next < poller->count) {
		struct epoll_event *event = &poller->batch[poller->next++];
		struct source *source = event->data.ptr;

		if (source)
			source->ready(source, event->events);
	}
}

static void
streams_on_ready(struct source *source, uint32_t events)
{
	struct loop *loop = owner_of(source, struct loop, streams_source);

	(void)events;
	poller_serve(&loop->streams, 0);
}

int
loop_init(struct loop *loop)
{
	*loop = (struct loop){ .main.fd = -1, .streams.fd = -1 };
	loop->main.fd = epoll_create1(EPOLL_CLOEXEC);
	loop->streams.fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->main.fd < 0 || loop->streams.fd < 0)
		return -errno;
	loop->streams_source = (struct source){ .fd = loop->streams.fd, .ready = streams_on_ready };
	return loop_watch(loop, &loop->streams_source, EPOLLIN);
}

static struct poller *
source_poller(struct loop *loop, const struct source *source)
{
	return source->stream ? &loop->streams : &loop->main;
}

int
loop_watch(struct loop *loop, struct source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };
	int operation = source->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (source->watched && source->events == events)
		return 0;
	if (epoll_ctl(source_poller(loop, source)->fd, operation, source->fd, &event) < 0)
		return -errno;
	source->watched = true;
	source->events = events;
	return 0;
}

void
loop_unwatch(struct loop *loop, struct source *source)
{
	struct poller *poller = source_poller(loop, source);

	if (!source->watched)
		return;
	epoll_ctl(poller->fd, EPOLL_CTL_DEL, source->fd, NULL);
	source->watched = false;
	for (int i = poller->next; i < poller->count; i++)
		if (poller->batch[i].data.ptr == source)
			poller->batch[i].data.ptr = NULL;
}

void
loop_close(struct loop *loop, struct source *source)
{
	loop_unwatch(loop, source);
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

void
loop_pause_streams(struct loop *loop, bool pause)
{
	if (pause)
		loop_unwatch(loop, &loop->streams_source);
	else
		(void)loop_watch(loop, &loop->streams_source, EPOLLIN);
}

void
loop_arm(struct loop *loop, struct timer *timer, uint64_t delay_ms)
{
	struct timer **link = &loop->timers;

	loop_disarm(loop, timer);
	timer->due = loop_now() + delay_ms;
	timer->armed = true;
	while (*link && (*link)->due <= timer->due)
		link = &(*link)->next;
	timer->next = *link;
	*link = timer;
}

void
loop_disarm(struct loop *loop, struct timer *timer)
{
	struct timer **link = &loop->timers;

	if (!timer->armed)
		return;
	timer->armed = false;
	while (*link != timer)
		link = &(*link)->next;
	*link = timer->next;
}

/* Milliseconds until the next timer is due, -1 for never. */
static int
loop_timeout(const struct loop *loop)
{
	uint64_t now;

	if (!loop->timers)
		return -1;
	now = loop_now();
	if (loop->timers->due <= now)
		return 0;
	return loop->timers->due - now > INT_MAX ? INT_MAX : (int)(loop->timers->due - now);
}

/* Fire what was due when this began. */
static void
loop_fire(struct loop *loop)
{
	uint64_t now = loop->timers ? loop_now() : 0;

	while (loop->timers && loop->timers->due <= now && !loop->stopped) {
		struct timer *timer = loop->timers;

		loop_disarm(loop, timer);
		timer->fire(timer);
	}
}

void
loop_run(struct loop *loop, void (*turn)(void *data), void *data)
{
	for (;;) {
		turn(data);
		if (loop->stopped)
			return;
		poller_serve(&loop->main, loop_timeout(loop));
		loop_fire(loop);
	}
}
