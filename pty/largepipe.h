/* Pipes that hold more than a pipe does, so that a busy writer and its reader need not wait for each
 * other at every 64 KiB: 256 KiB. A process has at most 64 of them: a quarter of what a user's
 * pipes may hold (pipe-user-pages-soft). */
#ifndef MITOFS_PTY_LARGEPIPE_H
#define MITOFS_PTY_LARGEPIPE_H

#include <stdbool.h>

/* What a read of a full pipe of the usual size gives, or more. */
#define LARGEPIPE_BUSY (60 * 1024)

/* Make @fd hold more. FALSE when it is no pipe, may not, or there are enough. */
bool largepipe_make(int fd);
/* One that was made is closed, or given away; @made FALSE: none. */
void largepipe_forget(bool made);

#endif
