/* The mount watcher: a process that unmounts when the broker was killed. */
#ifndef MITOFS_FS_WATCHER_H
#define MITOFS_FS_WATCHER_H

#include <glib.h>

typedef struct Watcher Watcher;

/* Fork it. Call this before anything that starts a thread, and before the mount. @argv is main()'s
 * own: the watcher overwrites it, so that nothing of it shows in ps(1). NULL on error. */
Watcher *watcher_new(const char *mountpoint, int argc, char **argv, GError **error);
gint watcher_pid(const Watcher *watcher);
/* The mount stands now: from here on it is the watcher's to clear. */
void watcher_mounted(Watcher *watcher);
/* The mount has gone, or there was none: the watcher ends, and is waited for. */
void watcher_free(Watcher *watcher);

#endif
