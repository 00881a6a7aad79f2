/* Reading a text is cutting a slice of it. */
#include "fs/textfile.h"

#include "fs/openfile.h"

void
textfile_nothing(Context *context, GString *out)
{
}

gssize
textfile_look(OpenFile *file, guint64 offset, gsize size, struct iovec iov[2], int *ret_count)
{
	gsize length;
	const char *text = g_bytes_get_data(file->text, &length);

	if (offset >= length)
		return 0;
	iov[0].iov_base = (char *)text + offset;
	iov[0].iov_len = MIN(size, length - offset);
	*ret_count = 1;
	return (gssize)iov[0].iov_len;
}
