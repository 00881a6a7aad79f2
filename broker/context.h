/* A context: a directory of the mount; a place, settings, at most one command at a time, and
 * children.
 *
 * The tree of contexts belongs to the broker. A Context is reference counted: one that was
 * removed lives on, without a parent, for as long as open files hold it. Calls that take a
 * context which was removed, or come while the broker shuts down, answer ENOENT or ESHUTDOWN. */
#ifndef MITOFS_BROKER_CONTEXT_H
#define MITOFS_BROKER_CONTEXT_H

#include "broker/run.h"

typedef struct Broker Broker;
typedef struct Context Context;
typedef struct Prompt Prompt;

Context *context_ref(Context *context);
void context_unref(Context *context);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Context, context_unref)

/* A number that no other context of this mount ever has; the root's is 1. Children are made in
 * its order. */
guint64 context_serial(const Context *context);
const char *context_name(const Context *context); /* "" for the root */
Context *context_parent(const Context *context);  /* borrowed; NULL for the root and once removed */
gboolean context_removed(const Context *context);
Broker *context_broker(const Context *context);
gint64 context_created(const Context *context); /* microseconds since the epoch */
/* "/web1/build" for children/web1/children/build, "/" for the root; raw bytes. Caller frees. */
char *context_path(const Context *context);
guint context_child_count(const Context *context);

/* Borrowed, or NULL. */
Context *context_child(const Context *context, const char *name);
/* The child with the lowest serial above @serial, for readdir that misses and repeats nothing. */
Context *context_child_after(const Context *context, guint64 serial);

/* mkdir, rmdir, rename below @parent's children/. mkdir returns the new child (borrowed).
 * Errors: EINVAL and ENAMETOOLONG bad name, EEXIST, ENOENT, EBUSY (a command runs), ENOTEMPTY,
 * EDQUOT (a cap, named), ELOOP (depth), ESHUTDOWN. They are recorded in @parent's `error` by the
 * callee. */
Context *context_make(Context *parent, const char *name, GError **error);
gboolean context_remove(Context *parent, const char *name, GError **error);
gboolean context_rename(Context *parent, const char *from, const char *to, GError **error);

/* The present run, or NULL if nothing ever ran (or since `reset`). Borrowed. */
Run *context_run(Context *context);
/* stdout (1) or stderr (2) of the run whose output stands in the file now, or NULL before any
 * run. Borrowed. A failed exec keeps the earlier run's. */
Stream *context_output(Context *context, int which);
/* Counts from 1 the runs whose output stands in the files, or is the next to do so. */
guint64 context_output_number(const Context *context);
/* The input that a writer opening now belongs to; made if there is none. Borrowed. */
Input *context_input(Context *context);
/* The questions of its place; made when first asked for. Borrowed. */
Prompt *context_prompt(Context *context);
/* The `log`, made if it is empty yet. Borrowed. */
Stream *context_log(Context *context);
/* A new stream of the changes in this subtree from now on; drops its oldest lines past 1 MiB. It
 * ends when the caller calls context_events_close(), which frees it. */
Stream *context_events_open(Context *context);
void context_events_close(Context *context, Stream *events);

/* The texts of the files of these names, appended to @out. */
void context_ctl_text(Context *context, GString *out);
void context_status_text(Context *context, GString *out);
void context_signal_text(Context *context, GString *out);
void context_error_text(Context *context, GString *out);
void context_error_clear(Context *context);
/* The text of all/status: a line for each member (members.h). */
void context_all_status_text(Context *context, GString *out);

/* Record a failure of @verb in `error` and `log`. For what the caller found wrong itself. */
void context_fail(Context *context, const char *verb, const GError *error);

#endif
