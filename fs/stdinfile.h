/* stdin: what is written goes to the command. */
#ifndef MITOFS_FS_STDINFILE_H
#define MITOFS_FS_STDINFILE_H

#include "fs/files.h"

int stdinfile_open(OpenFile *file);
void stdinfile_release(OpenFile *file);
int stdinfile_truncate(Context *context, OpenFile *file);
void stdinfile_write(OpenFile *file, Reply *reply, const char *bytes, gsize size,
		     gboolean nonblock);
gboolean stdinfile_writable(OpenFile *file);
Notifier *stdinfile_changed(OpenFile *file);

#endif
