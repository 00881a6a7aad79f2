/* signal: "NAME or number [leader|group|tree]", one message in one write. */
#ifndef MITOFS_FS_SIGNALFILE_H
#define MITOFS_FS_SIGNALFILE_H

#include "fs/files.h"

void signalfile_write(OpenFile *file, Reply *reply, const char *bytes, gsize size,
		      gboolean nonblock);

#endif
