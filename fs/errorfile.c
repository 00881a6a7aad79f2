/* The list of failures is written by what fails; a user can only clear it. */
#include "fs/errorfile.h"

#include "fs/reply.h"

#include <errno.h>

int
errorfile_truncate(Context *context, OpenFile *file)
{
	context_error_clear(context);
	return 0;
}

void
errorfile_write(OpenFile *file, Reply *reply, const char *bytes, gsize size, gboolean nonblock)
{
	reply_error(reply, EINVAL);
}
