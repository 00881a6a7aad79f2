/* The worker's event loop: sources of descriptors, and timers. One thread, no callback from
 * inside a call. */
#ifndef MITOFS_BROKER_AGENT_LOOP_H
#define MITOFS_BROKER_AGENT_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/* The struct of @type whose member @member is at @pointer. */
#define owner_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* A descriptor and what to do when it is ready. Embedded in its owner; the fd is the owner's. */
struct source {
	int fd;
	bool stream; /* waits with the streams, which can be held back together */
	bool watched;
	uint32_t events;
	void (*ready)(struct source *source, uint32_t events);
};

struct timer {
	uint64_t due; /* of loop_now() */
	bool armed;
	void (*fire)(struct timer *timer); /* once; may arm it again */
	struct timer *next;
};

#define POLLER_BATCH 64
struct poller {
	int fd;
	struct epoll_event batch[POLLER_BATCH];
	int next, count; /* what of the batch is still to be served */
};

struct loop {
	struct poller main, streams;
	struct source streams_source; /* the second poller is a source of the first */
	struct timer *timers;	      /* by due */
	bool stopped;
};

/* Milliseconds and microseconds of CLOCK_MONOTONIC. */
uint64_t loop_now(void);
uint64_t loop_now_usec(void);

/* 0 or -errno. */
int loop_init(struct loop *loop);

/* Wait for @events (EPOLLIN, EPOLLOUT, or 0 for hang-ups only), level-triggered; also changes
 * them. 0, or -errno of epoll_ctl(2). */
int loop_watch(struct loop *loop, struct source *source, uint32_t events);
/* Stop; no callback comes after this, not even from the present batch. Before the fd is closed. */
void loop_unwatch(struct loop *loop, struct source *source);
/* Unwatch, and close the descriptor, if there is one. */
void loop_close(struct loop *loop, struct source *source);

/* Hold all streams back, or let them go on. */
void loop_pause_streams(struct loop *loop, bool pause);

/* Fire @timer @delay_ms from now, instead of when it was to fire. */
void loop_arm(struct loop *loop, struct timer *timer, uint64_t delay_ms);
void loop_disarm(struct loop *loop, struct timer *timer);

/* Serve until loop->stopped; @turn is called before each wait. */
void loop_run(struct loop *loop, void (*turn)(void *data), void *data);

#endif
