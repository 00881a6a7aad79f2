/* All descriptors that the broker waits for, in one epoll fd, which is one source of the main
 * loop: GLib's own poll(2) costs time per descriptor, this does not. One thread, one poller. */
#ifndef MITOFS_BROKER_POLLER_H
#define MITOFS_BROKER_POLLER_H

#include <glib.h>

typedef struct PollerWatch PollerWatch;
/* @events are of epoll_ctl(2): EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR. Level-triggered. */
typedef void (*PollerFunc)(guint32 events, void *data);

/* Watch @fd (borrowed; remove the watch before closing it). The first watch makes the poller. */
PollerWatch *poller_add(int fd, guint32 events, PollerFunc func, void *data);
/* Change what is waited for; 0 for nothing but EPOLLHUP and EPOLLERR. */
void poller_set(PollerWatch *watch, guint32 events);
/* May be called from any callback, its own included; no callback comes after it. */
void poller_remove(PollerWatch *watch);
/* Who was just answered may well ask again at once: look for it for a moment behind this turn,
 * before sleeping. */
void poller_expect(void);
/* Not in this turn: another process has the word now, and needs the core more. */
void poller_yield(void);
/* Free the poller: all watches must be removed. For the end of the program and of tests. */
void poller_done(void);

/* Call @func(@data) from the loop, soon, once, before anything new is waited for. Returns an id for
 * g_source_remove(). */
guint poller_later(GSourceFunc func, void *data);

/* Call @func(@data) once when the present turn's descriptors have all been served, or soon from
 * the loop when there is no turn: where what a turn produced is written in one batch. Its return
 * value is ignored. */
void poller_at_turn_end(GSourceFunc func, void *data);
void poller_forget_turn_end(GSourceFunc func, void *data);

#endif
