/* all/stdout and all/stderr: the outputs of all direct children in one, by lines. */
#ifndef MITOFS_FS_ALLOUTPUT_H
#define MITOFS_FS_ALLOUTPUT_H

#include "fs/files.h"

/* 1 once a child has run, else 0: how many bytes there will be nobody knows. */
guint64 allstdout_size(Context *context);
guint64 allstderr_size(Context *context);

int allstdout_open(OpenFile *file);
int allstderr_open(OpenFile *file);
void alloutput_release(OpenFile *file);
gssize alloutput_look(OpenFile *file, guint64 offset, gsize size, struct iovec iov[2],
		      int *ret_count);
Notifier *alloutput_changed(OpenFile *file);

#endif
