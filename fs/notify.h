/* The service manager's end of sd_notify(3): it is told when the mount stands, and when it goes. */
#ifndef MITOFS_FS_NOTIFY_H
#define MITOFS_FS_NOTIFY_H

#include <glib.h>

/* Take $NOTIFY_SOCKET out of the environment, so that no command speaks in our name. Call it before
 * anything is started. If @foreground, it is where notify_send() writes to; what goes into the
 * background is not what the manager waits for. */
void notify_prepare(gboolean foreground);
/* Send @state, such as "READY=1". Harmless where there is no manager. */
void notify_send(const char *state);

#endif
