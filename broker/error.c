/* The error domain of the broker. */
#include "broker/error.h"

#include "pty/errname.h"

#include <stdarg.h>
#include <string.h>

G_DEFINE_QUARK(mitofs - error - quark, mitofs_error)

gboolean
fail(GError **error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (error != NULL)
		*error = g_error_new_valist(MITOFS_ERROR, code, format, args);
	va_end(args);
	return FALSE;
}

/* The words come last where there is a name or a path, which may hold any byte. */
gboolean
fail_told(GError **error, int code, const char *told)
{
	const char *words = strrchr(told, ERRNO_WORDS[0]);

	if (words == NULL)
		return fail(error, code, "%s", told);
	return fail(error, code, "%.*s%s%s", (int)(words - told), told, g_strerror(code),
		    words + 1);
}
