/* The environment of a command: what the agent has, less what was taken out, plus what was set. */
#ifndef MITOFS_PTY_ENVIRONMENT_H
#define MITOFS_PTY_ENVIRONMENT_H

#include "pty/spawn.h"

#define ENVIRONMENT_PATH "/usr/local/bin:/usr/bin:/bin" /* where PATH is unset */
#define ENVIRONMENT_TERM "TERM=xterm-256color"		/* where a command on a pty has no TERM */

/* An array for free(3), ended by NULL; its strings are borrowed from @spec and environ(7). NULL:
 * no memory. */
char **environment_new(const struct spawn_spec *spec);

/* The value of @name in @environment, or NULL. */
const char *environment_get(char *const *environment, const char *name);

/* Where the command of @environment is looked up. */
const char *environment_path(char *const *environment);

#endif
