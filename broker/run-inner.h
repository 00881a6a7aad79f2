/* A run from inside, for run.c and run-text.c. */
#ifndef MITOFS_BROKER_RUN_INNER_H
#define MITOFS_BROKER_RUN_INNER_H

#include "broker/input.h"
#include "broker/run-private.h"
#include "broker/stream.h"

typedef enum RunState {
	RUN_STARTING,
	RUN_RUNNING,
	RUN_STOPPED,
	RUN_EXITED, /* or failed to start */
	RUN_LOST,
} RunState;

struct Run {
	int refs;
	Context *context; /* borrowed; NULL once abandoned */
	Channel *channel;
	guint32 number;
	RunState state;
	GStrv argv;
	gboolean pty, login;
	Stream *output[3]; /* 1 and 2 */
	Input *input;
	NotifierWatch drained[3];
	guint32 pid;
	gint64 started, ended;	/* microseconds since the epoch; 0: not yet */
	gint64 began, deadline; /* of the timeout, monotonic microseconds */
	int code;
	const char *why;
	char *argument; /* of why: status, signal name, errno name, seconds */
	gboolean core, timed_out;
	gboolean by_frames; /* outputs come in DATA frames */
	guint64 real_usec, user_usec, system_usec, maxrss_kib, memory_peak;
	guint timeout_source;
	guint64 timeout_ms;
	Notifier changed;
	RunStarted done;
	void *done_data;
};

#endif
