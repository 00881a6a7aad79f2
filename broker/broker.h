/* The broker: the tree of contexts, the local agent, and the end of both.
 *
 * It runs on the default main context of its thread, and nothing in it blocks. What stands above
 * hands in callbacks at the start; nothing here calls up by name. */
#ifndef MITOFS_BROKER_BROKER_H
#define MITOFS_BROKER_BROKER_H

#include "broker/context.h"

typedef struct BrokerOptions BrokerOptions;
typedef struct BrokerHooks BrokerHooks;

struct BrokerOptions {
	guint max_contexts;    /* of the mount */
	guint max_children;    /* of one context */
	guint max_depth;       /* of nesting; the root is 0 */
	guint64 retain_total;  /* bytes */
	guint64 max_retain;    /* the highest `retain`, bytes */
	guint frames_per_turn; /* of one link in one turn of the loop */
	int log_level;	       /* of the root context: enum wire_level */
};
extern const BrokerOptions broker_default_options;

struct BrokerHooks {
	/* @name below @parent is gone (destroy): make the kernel forget it, then call
	 * broker_removed(@token). NULL: nothing has to be done. */
	void (*removed)(Context *parent, const char *name, void *token, void *data);
	/* The shutdown has begun: whatever waits has to end with ESHUTDOWN. */
	void (*stopping)(void *data);
	/* Agents are gone or given up: end the session and the loop. */
	void (*stopped)(void *data);
	void *data;
};

/* Start the local agent and wait for its HELLO, at most 5 s. Call it before mounting. NULL on
 * error. */
Broker *broker_new(const BrokerOptions *options, const BrokerHooks *hooks, GError **error);
/* After `stopped`, or to kill everything at once. */
void broker_free(Broker *broker);
Context *broker_root(Broker *broker); /* borrowed */
const BrokerOptions *broker_options(const Broker *broker);
void broker_removed(void *token);
/* A child process that is not the broker's to kill or to wonder about. */
void broker_spare_process(Broker *broker, gint pid);

/* Begin the shutdown: connections in flight are cancelled, agents get their grace (at most 4 s),
 * then `stopped`. A second call forces: KILL at once. */
void broker_shutdown(Broker *broker);
gboolean broker_stopping(const Broker *broker);
/* The sentence of ESHUTDOWN. */
#define BROKER_SHUTDOWN_TEXT "connection cancelled: the broker is shutting down"

#endif
