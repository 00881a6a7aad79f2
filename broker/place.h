/* A place: where commands run, and the link that leads there.
 *
 * The root's place is this machine, with an agent that the broker itself starts (and starts
 * again when it dies). Every other place is reached through its parent's: a client program there
 * leads to another agent. */
#ifndef MITOFS_BROKER_PLACE_H
#define MITOFS_BROKER_PLACE_H

#include "broker/context-private.h"

typedef enum PlaceState {
	PLACE_CONNECTING,
	PLACE_PROMPTING,
	PLACE_UP,
	PLACE_LOST,
} PlaceState;

typedef void (*PlaceDone)(const GError *error, void *data);

/* The place that @context's commands run at: its own, or the nearest above. Never NULL below a
 * root that has one. */
Place *context_place(Context *context);

/* Connect @context by @args (the method first). @done comes once, never from inside the call;
 * FALSE with @error when it could not even begin. Whatever the outcome, the context has a place
 * of its own from then on (unless @args are wrong), so that no command runs elsewhere than was
 * meant. */
gboolean place_connect(Context *context, char *const *args, PlaceDone done, void *data,
		       GError **error);
/* Stop a connect: its `done` gets @error. */
void place_cancel(Place *place, const GError *error);
/* Tear the link down; what waits on it gets @error. */
void place_free(Place *place, const GError *error);

/* The root's: over @fd, the local agent's socket (taken). */
Place *place_new_local(Context *root, int fd);

PlaceState place_state(const Place *place);
const char *place_state_name(const Place *place);
/* The link, or NULL with ENOTCONN or ECONNRESET and a sentence when it is not up. */
Link *place_link(Place *place, GError **error);
Context *place_context(const Place *place);
const char *place_host(const Place *place); /* "-" until it said HELLO */
const char *place_user(const Place *place);
const char *place_arch(const Place *place);
const char *place_method(const Place *place);
/* A word for why it is lost, and where a connect stands or ended; "-" for none. */
const char *place_failure(const Place *place);
const char *place_phase(const Place *place);
char *const *place_args(const Place *place); /* of `connect`; NULL for the root's */
/* Where its shell is. */
const char *place_shell(const Place *place);
void place_signal_text(const Place *place, GString *out);
Link *place_any_link(const Place *place); /* also one that is not up yet; NULL for none */

#endif
