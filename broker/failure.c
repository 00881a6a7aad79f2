/* The table of failures. Where two kinds share an errno, the phrase and the word tell them apart. */
#include "broker/failure.h"

#include "broker/error.h"

#include <errno.h>
#include <string.h>

/* clang-format off */
static const struct {
	const char *name;
	int code;
	const char *phrase;
} rows[] = {
	[FAILURE_NONE] = { "-", 0, "" },
	[FAILURE_NO_SUCH_HOST] = { "no-such-host", ENXIO, "no such host" },
	[FAILURE_REFUSED] = { "refused", ECONNREFUSED, "connection refused" },
	[FAILURE_UNREACHABLE] = { "unreachable", EHOSTUNREACH, "host unreachable" },
	[FAILURE_TIMEOUT] = { "timeout", ETIMEDOUT, "timeout" },
	[FAILURE_AUTH_REQUIRED] = { "auth-required", EACCES, "authentication required" },
	[FAILURE_AUTH_FAILED] = { "auth-failed", EACCES, "authentication failed" },
	[FAILURE_HOSTKEY_UNKNOWN] = { "hostkey-unknown", EKEYREJECTED, "host key unknown" },
	[FAILURE_HOSTKEY_CHANGED] = { "hostkey-changed", EKEYREJECTED, "host key changed" },
	[FAILURE_NO_SUCH_CONTAINER] = { "no-such-container", ENXIO, "no such container" },
	[FAILURE_NO_CLIENT] = { "no-client", ENOENT, "the client program is missing" },
	[FAILURE_NO_SHELL] = { "no-shell", EPERM, "no shell" },
	[FAILURE_NO_PLACE] = { "no-place", ENOSPC, "no place to run the agent" },
	[FAILURE_NO_ARCH] = { "no-arch", ENOEXEC, "no agent for this machine" },
	[FAILURE_NOISE] = { "noise", EPROTO, "too much noise before the first stage" },
	[FAILURE_PROTOCOL] = { "protocol", EPROTO, "protocol" },
	[FAILURE_EOF] = { "eof", ECONNABORTED, "the client ended" },
	[FAILURE_LOST] = { "lost", ECONNRESET, "link lost" },
	[FAILURE_CANCELLED] = { "cancelled", ECANCELED, "cancelled" },
};
/* clang-format on */

const char *
failure_name(FailureKind kind)
{
	return rows[kind].name;
}

FailureKind
failure_find(const char *name)
{
	for (guint i = 1; i < G_N_ELEMENTS(rows); i++) {
		if (strcmp(rows[i].name, name) == 0)
			return (FailureKind)i;
	}
	return FAILURE_NONE;
}

gboolean
failure_set(GError **error, FailureKind kind, const char *method, const char *detail)
{
	return fail(error, rows[kind].code, "%s: %s%s%s", method, rows[kind].phrase,
		    detail[0] != '\0' ? ": " : "", detail);
}
