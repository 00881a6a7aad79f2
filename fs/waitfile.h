/* wait: blocks until the run ends, then one line about how. */
#ifndef MITOFS_FS_WAITFILE_H
#define MITOFS_FS_WAITFILE_H

#include "fs/files.h"

/* 1 while it waits, 0 if nothing ever ran. */
guint64 waitfile_size(Context *context);
int waitfile_open(OpenFile *file);
void waitfile_release(OpenFile *file);
gssize waitfile_look(OpenFile *file, guint64 offset, gsize size, struct iovec iov[2],
		     int *ret_count);
Notifier *waitfile_changed(OpenFile *file);

#endif
