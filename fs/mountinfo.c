/* Reading mountinfo. No GLib allocation and no threads: the watcher uses it too, after a fork. A
 * line is ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAGS...] - TYPE SOURCE OPTIONS, with \040
 * and the like in paths. */
#include "fs/mountinfo.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Undo \ooo in the first word of @text. */
static void
unescape(const char *text, char *path)
{
	gsize used = 0;

	for (; *text != ' ' && *text != '\0' && used < PATH_MAX - 1; text++) {
		unsigned int octal;

		if (*text == '\\' && sscanf(text + 1, "%3o", &octal) == 1) {
			path[used++] = (char)octal;
			text += 3;
		} else {
			path[used++] = *text;
		}
	}
	path[used] = '\0';
}

gboolean
mountinfo_parse(const char *line, MountInfo *ret, char *path)
{
	unsigned int major_number, minor_number;
	int at = 0;
	const char *tail;

	if (sscanf(line, "%d %*d %u:%u %*s %n", &ret->id, &major_number, &minor_number, &at) != 3 ||
	    at == 0)
		return FALSE;
	tail = strstr(line + at, " - ");
	if (tail == NULL || sscanf(tail, " - %63s", ret->type) != 1)
		return FALSE;
	ret->device = makedev(major_number, minor_number);
	unescape(line + at, path);
	return TRUE;
}

/* The last entry on @path, or with @path NULL of @device. */
static gboolean
mountinfo_find(const char *path, dev_t device, MountInfo *ret)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	gboolean found = FALSE;
	char *line = NULL;
	size_t size = 0;

	while (file != NULL && getline(&line, &size, file) > 0) {
		MountInfo info;
		char entry[PATH_MAX];

		if (!mountinfo_parse(line, &info, entry))
			continue;
		if (path != NULL ? strcmp(entry, path) == 0 : info.device == device) {
			*ret = info;
			found = TRUE;
		}
	}
	free(line);
	if (file != NULL)
		fclose(file);
	return found;
}

gboolean
mountinfo_at(const char *path, MountInfo *ret)
{
	return mountinfo_find(path, 0, ret);
}

gboolean
mountinfo_of(dev_t device, MountInfo *ret)
{
	return mountinfo_find(NULL, device, ret);
}
