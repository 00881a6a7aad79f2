/* all/wait: a line for each direct child's run, as it ends. */
#ifndef MITOFS_FS_ALLWAIT_H
#define MITOFS_FS_ALLWAIT_H

#include "fs/files.h"

/* 1 while there is a run that has not ended, 0 if nothing ever ran. */
guint64 allwait_size(Context *context);
int allwait_open(OpenFile *file);
void allwait_release(OpenFile *file);
gssize allwait_look(OpenFile *file, guint64 offset, gsize size, struct iovec iov[2],
		    int *ret_count);
Notifier *allwait_changed(OpenFile *file);

#endif
