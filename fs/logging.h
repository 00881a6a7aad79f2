/* Where the log lines of this process go. */
#ifndef MITOFS_FS_LOGGING_H
#define MITOFS_FS_LOGGING_H

#include <glib.h>

/* Log what is at least as grave as @level to stderr; once logging_detach() was called, to the
 * journal or syslog(3). */
void logging_start(GLogLevelFlags level);
void logging_detach(void);

#endif
