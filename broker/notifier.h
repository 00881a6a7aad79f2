/* Who is told when something changes: readers parked at the end of a stream, writers at a full
 * input, polls. A notification carries nothing; who is told looks again. */
#ifndef MITOFS_BROKER_NOTIFIER_H
#define MITOFS_BROKER_NOTIFIER_H

#include <glib.h>

typedef struct Notifier Notifier;
typedef struct NotifierWatch NotifierWatch;
typedef void (*NotifierFunc)(void *data);

/* Both are embedded in their owners; zero is a valid start. */
struct NotifierWatch {
	NotifierWatch *next, **previous; /* private */
	NotifierFunc func;
	void *data;
};
struct Notifier {
	NotifierWatch *first; /* private */
};

/* Be told of each change until notifier_unwatch(). @watch must not be in use. */
void notifier_watch(Notifier *notifier, NotifierWatch *watch, NotifierFunc func, void *data);
/* Harmless on one that is not watching. May be called from any callback. */
void notifier_unwatch(NotifierWatch *watch);
/* Tell all who watch now; one that is added meanwhile is told the next time. A callback may
 * remove any watch, its own too, but must not free the notifier. */
void notifier_emit(Notifier *notifier);
/* Let go of all watches, without a call. */
void notifier_done(Notifier *notifier);

#endif
