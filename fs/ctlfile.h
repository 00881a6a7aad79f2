/* ctl: verbs in. */
#ifndef MITOFS_FS_CTLFILE_H
#define MITOFS_FS_CTLFILE_H

#include "fs/files.h"

int ctlfile_open(OpenFile *file);
void ctlfile_release(OpenFile *file);
void ctlfile_write(OpenFile *file, Reply *reply, const char *bytes, gsize size, gboolean nonblock);

#endif
