/* What a run's context and its verbs do with it, beside run.h. */
#ifndef MITOFS_BROKER_RUN_PRIVATE_H
#define MITOFS_BROKER_RUN_PRIVATE_H

#include "broker/context.h"
#include "broker/link.h"

typedef struct RunStart RunStart;

/* What a run executes. */
struct RunStart {
	const char *file;  /* NULL: argv[0] */
	char *const *argv; /* as status shows it */
	gboolean pty;	   /* as the setting, or for `login` */
	gboolean login;	   /* argv[0] gets a "-" in front */
};

/* How the start came out: NULL when execve succeeded. Once, never from inside run_new(). */
typedef void (*RunStarted)(const GError *error, void *data);

/* Start a run of @context over @link. NULL with E2BIG or ENOTCONN when nothing could be sent. */
Run *run_new(Context *context, Link *link, const RunStart *start, RunStarted done, void *data,
	     GError **error);
/* Take a start back; `done` follows. */
void run_cancel(Run *run);
/* Its context has another run now, or none: what it still writes is drained. */
void run_replace(Run *run);
/* Its context is gone: close everything. */
void run_abandon(Run *run);
gboolean run_starting(const Run *run);
Stream *run_output(Run *run, int which);
gboolean run_outputs_ended(const Run *run);
/* It ended by KILL, or was lost with its agent, at or after @since, microseconds since the
 * epoch. */
gboolean run_killed_since(const Run *run, gint64 since);
/* A reader has seen a stream of it end, so it may well be exiting: of two ends that come at once
 * one is first. */
gboolean run_seems_over(const Run *run);
Channel *run_channel(Run *run); /* NULL once the link is lost */
char *const *run_argv(const Run *run);
gboolean run_is_login(const Run *run);
gboolean run_has_pty(const Run *run);
/* Its `timeout` setting changed. */
void run_set_timeout(Run *run, guint64 ms);
/* Close a stream that a lingering process holds. */
void run_close_output(Run *run, int which);
/* The lines of status from "state" on that are the run's. */
void run_status_text(Run *run, GString *out);
/* "CODE run=N pid=N", with "-" for what it has not. */
void run_brief_text(const Run *run, GString *out);
const char *run_state(const Run *run);
void run_usage_text(const Run *run, GString *out);

#endif
