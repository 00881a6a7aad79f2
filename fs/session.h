/* The FUSE session: the kernel's requests, served from the main loop. */
#ifndef MITOFS_FS_SESSION_H
#define MITOFS_FS_SESSION_H

#include "fs/mount.h"

typedef struct Session Session;
/* The kernel is gone: unmounted by the user, or the connection was aborted. Called once, from the
 * loop. */
typedef void (*SessionEnded)(void *data);

/* @options: FUSE mount options (fsname=...), NULL-terminated, with commas and backslashes escaped.
 * @mount is borrowed. */
Session *session_new(Mount *mount, GStrv options, gboolean debug, GError **error);
/* Mount on @mountpoint and begin to serve. */
gboolean session_mount(Session *session, const char *mountpoint, SessionEnded ended, void *data,
		       GError **error);
/* Stop serving, and unmount if that has not happened. */
void session_unmount(Session *session);
void session_free(Session *session);
struct fuse_session *session_fuse(Session *session); /* borrowed */

#endif
