/* Why a place was not reached: kinds, each with a word for `status`, an errno and a phrase. */
#ifndef MITOFS_BROKER_FAILURE_H
#define MITOFS_BROKER_FAILURE_H

#include <glib.h>

typedef enum FailureKind {
	FAILURE_NONE,
	FAILURE_NO_SUCH_HOST,
	FAILURE_REFUSED,
	FAILURE_UNREACHABLE,
	FAILURE_TIMEOUT,
	FAILURE_AUTH_REQUIRED,
	FAILURE_AUTH_FAILED,
	FAILURE_HOSTKEY_UNKNOWN,
	FAILURE_HOSTKEY_CHANGED,
	FAILURE_NO_SUCH_CONTAINER,
	FAILURE_NO_CLIENT,
	FAILURE_NO_SHELL,
	FAILURE_NO_PLACE,
	FAILURE_NO_ARCH,
	FAILURE_NOISE,
	FAILURE_PROTOCOL,
	FAILURE_EOF,
	FAILURE_LOST,
	FAILURE_CANCELLED,
} FailureKind;

/* "refused", "hostkey-changed"; "-" for none. */
const char *failure_name(FailureKind kind);
/* The kind of that name, or FAILURE_NONE. */
FailureKind failure_find(const char *name);
/* Set @error to the kind's errno and "METHOD: PHRASE: DETAIL"; returns FALSE. @method may say more
 * than the method's name, @detail may be "". */
gboolean failure_set(GError **error, FailureKind kind, const char *method, const char *detail);

#endif
