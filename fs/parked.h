/* Parked requests: reads and writes that cannot be answered yet.
 *
 * A Parked owns the Reply until its own owner takes it back with parked_leave(). It ends early when
 * the caller is interrupted, when the kernel would soon call the request overdue (and abort the
 * whole mount), and when the broker shuts down. */
#ifndef MITOFS_FS_PARKED_H
#define MITOFS_FS_PARKED_H

#include "fs/reply.h"

typedef struct Parking Parking;
typedef struct Parked Parked;

typedef enum {
	PARKED_INTERRUPTED, /* the caller got a signal; the owner may stay parked */
	PARKED_EXPIRED,	    /* too old for the kernel: has to be answered now */
	PARKED_STOPPING,    /* the broker shuts down: has to be answered now */
} ParkedReason;

/* Called from the main path, never under libfuse's lock, nor from inside parking_add(). */
typedef void (*ParkedEnd)(ParkedReason reason, void *data);

/* @limit_ms: how old a request may get; 0 for any age. */
Parking *parking_new(guint64 limit_ms);
void parking_free(Parking *parking);
/* Park @reply (taken). */
Parked *parking_add(Parking *parking, Reply *reply, ParkedEnd end, void *data);
/* No more waiting: all that are parked end with PARKED_STOPPING, and none may be added. */
void parking_stop(Parking *parking);
gboolean parking_stopping(const Parking *parking);
guint parking_count(const Parking *parking);

/* The thread that waits. */
pid_t parked_tid(const Parked *parked);
/* The reply, to be answered; @parked is freed. */
Reply *parked_leave(Parked *parked);

#endif
