/* Becoming a daemon: the command returns when the mount stands. */
#ifndef MITOFS_FS_DAEMON_H
#define MITOFS_FS_DAEMON_H

#include <glib.h>

/* Descriptors 0 to 2 open, no signal blocked or ignored that matters here, no write outside a
 * private umask. */
void daemon_prepare(void);
/* Go on in a child; the parent waits for daemon_ready() and exits with 0, or with 1 when the child
 * ends before it (and has said why on stderr). Call it before anything that starts a thread. */
gboolean daemon_fork(GError **error);
/* The mount stands: let the parent go, and go without a terminal. Harmless without
 * daemon_fork(). */
void daemon_ready(void);

#endif
