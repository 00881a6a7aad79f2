/* error: `: > error` clears it. */
#ifndef MITOFS_FS_ERRORFILE_H
#define MITOFS_FS_ERRORFILE_H

#include "fs/files.h"

int errorfile_truncate(Context *context, OpenFile *file);
void errorfile_write(OpenFile *file, Reply *reply, const char *bytes, gsize size,
		     gboolean nonblock);

#endif
