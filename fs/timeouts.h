/* The kernel's own limits on how long a request may take. */
#ifndef MITOFS_FS_TIMEOUTS_H
#define MITOFS_FS_TIMEOUTS_H

#include <glib.h>

/* How old a request may get, in ms, before it has to be answered; 0 for any age. @directory is
 * where the sysctls are (/proc/sys/fs/fuse). */
guint64 timeouts_limit(const char *directory);

#endif
