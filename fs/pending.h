/* What interrupted a thread that waits in a write. FUSE tells only that something did. */
#ifndef MITOFS_FS_PENDING_H
#define MITOFS_FS_PENDING_H

#include <glib.h>
#include <sys/types.h>

/* Whether a signal is pending for the thread @tid that means "stop waiting": INT QUIT TERM HUP ALRM
 * TSTP STOP KILL. TRUE too where that cannot be read. */
gboolean pending_ends_wait(pid_t tid);
/* The same, from the text of /proc/TID/status. */
gboolean pending_text_ends_wait(const char *status);

#endif
