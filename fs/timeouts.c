/* fs.fuse.default_request_timeout and fs.fuse.max_request_timeout, in seconds, 0 for none (Linux
 * 6.16 on). The lower one holds for a server that asks for nothing. A request that is older ends
 * the whole connection, and with it every context; the kernel looks each 15 s. Half the limit is
 * well before that. */
#include "fs/timeouts.h"

#define MS_PER_SECOND 1000

/* The seconds in @name, or 0. */
static guint64
read_seconds(const char *directory, const char *name)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autofree char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	return g_ascii_strtoull(text, NULL, 10);
}

guint64
timeouts_limit(const char *directory)
{
	guint64 usual = read_seconds(directory, "default_request_timeout");
	guint64 highest = read_seconds(directory, "max_request_timeout");
	guint64 limit = usual == 0 || (highest != 0 && highest < usual) ? highest : usual;

	return MIN(limit, G_MAXINT32 / MS_PER_SECOND) * MS_PER_SECOND / 2;
}
