/* The place of the mount: checked before, since mount(2) takes nearly anything. */
#ifndef MITOFS_FS_MOUNTPOINT_H
#define MITOFS_FS_MOUNTPOINT_H

#include <glib.h>

/* @path as an absolute one without symlinks, or NULL. A stale mount on it does not hurt. */
char *mountpoint_resolve(const char *path, GError **error);

/* Take the lock on @mountpoint (resolved): one broker at a time starts or runs there. Returns a
 * descriptor that holds it, with the name of its file in @ret_file, or -1: EBUSY names the process
 * that has it. */
int mountpoint_lock(const char *mountpoint, char **ret_file, GError **error);
/* Give it back. Takes both. */
void mountpoint_unlock(int fd, char *file);

/* Whether a mount may go there: a directory of the user's, not a mount of FUSE already, empty
 * unless @nonempty. A stale mount of our own is cleared first, and that said on stderr. */
gboolean mountpoint_check(const char *mountpoint, gboolean nonempty, GError **error);
/* Whether nobody serves the mount there any more. The server is asked, whatever the kernel has
 * cached: one that is stopped is waited for. */
gboolean mountpoint_is_stale(const char *mountpoint);
/* Unmount lazily, as root or with fusermount3(1). */
gboolean mountpoint_detach(const char *mountpoint);

#endif
