/* The error domain of the broker. */
#include "broker/error.h"

#include <stdarg.h>

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
