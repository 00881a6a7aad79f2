/* all/stdin: what is written goes to the command of each direct child. */
#ifndef MITOFS_FS_ALLINPUT_H
#define MITOFS_FS_ALLINPUT_H

#include "fs/files.h"

int allinput_open(OpenFile *file);
void allinput_release(OpenFile *file);
int allinput_truncate(Context *context, OpenFile *file);
void allinput_write(OpenFile *file, Reply *reply, const char *bytes, gsize size, gboolean nonblock);
gboolean allinput_writable(OpenFile *file);
Notifier *allinput_changed(OpenFile *file);

#endif
