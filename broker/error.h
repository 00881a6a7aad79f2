/* The errors of the broker: the code is an errno, the message a sentence that names the thing.
 * The code goes to the kernel, the sentence to the context's `error` and `log`. */
#ifndef MITOFS_BROKER_ERROR_H
#define MITOFS_BROKER_ERROR_H

#include <glib.h>

#define MITOFS_ERROR (mitofs_error_quark())
GQuark mitofs_error_quark(void);

/* Set @error to errno @code (positive) with a formatted sentence; returns FALSE, so that a
 * caller can `return fail(error, EINVAL, ...)`. @error may be NULL. */
gboolean fail(GError **error, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The same with a sentence that an agent has told, where ERRNO_WORDS stands for the words of @code. */
gboolean fail_told(GError **error, int code, const char *told);

#endif
