/* Text files: ctl, signal, status, error. The text was rendered at LOOKUP and stays with the
 * node. */
#ifndef MITOFS_FS_TEXTFILE_H
#define MITOFS_FS_TEXTFILE_H

#include "fs/files.h"

/* The text of a file that has nothing to say. */
void textfile_nothing(Context *context, GString *out);
gssize textfile_look(OpenFile *file, guint64 offset, gsize size, struct iovec iov[2],
		     int *ret_count);

#endif
