/* Methods: how a place is reached from its parent's. A row of a table each. */
#ifndef MITOFS_BROKER_METHOD_H
#define MITOFS_BROKER_METHOD_H

#include "pty/spawn.h"

#include <glib.h>

typedef struct Method Method;

/* The method of the root's place and of `connect local`. */
extern const Method method_local;

/* The method called @name, or NULL with EINVAL that names those there are. */
const Method *method_find(const char *name, GError **error);
const char *method_name(const Method *method);
/* Whether @args (the method first) are in order. */
gboolean method_check(const Method *method, char *const *args, GError **error);
/* Fill in what the client of the method is: file and argv, static or borrowed from @args. */
gboolean method_fill(const Method *method, char *const *args, struct spawn_spec *spec,
		     GError **error);

#endif
