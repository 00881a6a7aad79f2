/* What the files that carry out a context's life share: its fields, and the small calls between
 * them.
 *
 * context.c owns the tree, place.c the places, run.c the runs, command.c the queue of verbs,
 * pipe.c the ways from one context to another, log.c and events.c what is told of it all. */
#ifndef MITOFS_BROKER_CONTEXT_PRIVATE_H
#define MITOFS_BROKER_CONTEXT_PRIVATE_H

#include "broker/broker.h"
#include "broker/command.h"
#include "broker/context.h"
#include "broker/link.h"
#include "broker/poller.h"
#include "broker/prompt.h"
#include "broker/run-private.h"
#include "broker/settings.h"

#include <uuid/uuid.h>

typedef struct Place Place;
typedef struct Pipe Pipe;
typedef struct ErrorList ErrorList;

struct Context {
	int refs;
	Broker *broker;
	Context *parent; /* NULL for the root and once removed */
	guint64 serial;
	uuid_t uuid;
	char *name;
	gint64 created;
	GHashTable *by_name; /* name -> Context, owned; NULL while there is none */
	GPtrArray *children; /* the same, borrowed, by serial */
	Settings *settings;
	Place *place; /* its own, or NULL: the parent's */
	guint32 last_run, last_dial;
	Run *run;	 /* the present one */
	Run *output_run; /* whose output stands in the files */
	guint64 outputs; /* that have stood there, with it */
	Input *input;	 /* that a writer opening now belongs to */
	Pipe *pipe;	 /* where its output goes too */
	Stream *log;
	Prompt *prompt; /* NULL until somebody asks or answers */
	ErrorList *errors;
	GQueue *commands; /* of Command: the head is being carried out */
	guint removed : 1, destroying : 1, advancing : 1;
};

struct Broker {
	BrokerOptions options;
	BrokerHooks hooks;
	Context *root;
	guint64 last_serial;
	guint contexts;
	GPtrArray *events; /* of EventsWatch */
	guint stop_source, restart_source;
	gint64 agent_started;	     /* monotonic microseconds */
	gint64 stop_began;	     /* microseconds since the epoch, as the ends of runs */
	PollerWatch *children_watch; /* of SIGCHLD */
	int children_fd;
	gint spared; /* a child that is left alone, 0: none */
	guint stopping : 1, forced : 1, stopped : 1;
};

/* context.c */
Context *context_new(Broker *broker, Context *parent, const char *name, Settings *settings);
/* Take @context out of the tree: its commands are cancelled, its link is torn down behind it. */
void context_drop(Context *context);
/* Call @func for @context and everything below it, parents first. */
void context_walk(Context *context, void (*func)(Context *context, void *data), void *data);
/* The context at @path as status prints it, or NULL. */
Context *context_find(Broker *broker, const char *path);
void context_set_settings(Context *context, Settings *settings);
guint context_depth(const Context *context);
gboolean context_is_running(const Context *context);

/* @run has started: its output stands in the files from now on. */
void context_run_started(Context *context, Run *run);
/* Begin a run; it is the present one from now on. */
Run *context_begin_run(Context *context, Link *link, const RunStart *start, RunStarted done,
		       void *data, GError **error);
/* Forget an ended run. */
void context_reset(Context *context);
/* EINVAL or ENAMETOOLONG for what may not be the name of a context. */
gboolean context_name_check(const char *name, GError **error);

/* broker.c */
void broker_local_lost(Broker *broker);
gsize broker_agent_size(void);

/* local.c: start the agent of this machine; its socket, or -1. Its name is that of the process
 * too. */
#define LOCAL_AGENT_NAME "ctx-agent"
int local_agent_start(GError **error);
gsize local_agent_size(void);

/* log.c: @level is an enum wire_level. A line goes to the logs of the context and of all above
 * it. */
void context_logf(Context *context, int level, const char *format, ...) G_GNUC_PRINTF(3, 4);
const char *log_level_name(int level);
void error_list_free(ErrorList *errors);

/* events.c: "key=value" words in @format, which may be NULL. */
void context_event(Context *context, const char *what, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* It was removed: nothing will happen in it any more, and who reads its events comes to their
 * end. */
void context_events_end(Context *context);

/* command.c: cancel every command of the context with @error. */
void context_cancel_commands(Context *context, const GError *error);
/* Cancel pending `connect`, `exec` and the like only; how many. */
guint context_cancel_pending(Context *context, const GError *error);

/* pipe.c */
gboolean pipe_check(Context *context, const char *path, GError **error);
/* A run has started: connect it. */
void pipe_restart(Context *context);
/* The setting has changed: it concerns what still runs, from the oldest byte kept, and what
 * comes. */
void pipe_change(Context *context);
void pipe_free(Pipe *pipe);

/* members.c: whether the contexts that @settings names, but @context's do not yet, are there. Makes
 * their paths raw. */
gboolean members_check(Context *context, Settings *settings, GError **error);

/* status.c */
const char *context_state(Context *context);

#endif
