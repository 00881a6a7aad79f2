/* The client program of a place that is being reached, or was: its process at the parent's place,
 * the first stage behind it, its questions, what it says on stderr for as long as it lives, and,
 * when it fails, why. */
#ifndef MITOFS_BROKER_CLIENT_H
#define MITOFS_BROKER_CLIENT_H

#include "broker/context-private.h"
#include "broker/failure.h"
#include "broker/method.h"

typedef struct Client Client;
typedef struct ClientOps ClientOps;

/* None of them from inside client_new() or client_free(); each may free the client. */
struct ClientOps {
	/* It runs: @link (taken) is over its stdin and stdout. */
	void (*link)(Link *link, void *data);
	/* It asks a question, or has its answer. */
	void (*asking)(gboolean asking, void *data);
	/* It will not reach an agent, or it has lost the one it had. Nothing else comes after it. */
	void (*failed)(FailureKind kind, const GError *error, void *data);
};

/* Start the client of @method with @args (the method first) at the place behind @through. @link_ops
 * are the link's, their data is @data too. All but the context are borrowed for as long as the
 * client lives. NULL with @error when it could not even begin. */
Client *client_new(Context *context, const Method *method, char *const *args, Link *through,
		   const LinkOps *link_ops, const ClientOps *ops, void *data, GError **error);
/* Let go of it: it is stopped behind our back. */
void client_free(Client *client);

/* The agent has said HELLO. */
void client_up(Client *client);
/* The link that the client made has ended: `failed` follows, when it is known why. */
void client_link_lost(Client *client, const GError *error);
/* The connect has taken too long: why, as far as can be told. */
FailureKind client_timeout(Client *client, GError **error);
/* "dial", "authenticate", "marker", "image" or "hello". */
const char *client_phase(const Client *client);

#endif
