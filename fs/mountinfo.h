/* /proc/self/mountinfo: what is mounted where. See proc(5). */
#ifndef MITOFS_FS_MOUNTINFO_H
#define MITOFS_FS_MOUNTINFO_H

#include <glib.h>
#include <sys/types.h>

/* Of our own mounts. */
#define MOUNTINFO_TYPE "fuse.mitofs"

typedef struct MountInfo MountInfo;
struct MountInfo {
	int id;
	dev_t device; /* st_dev of its files */
	char type[64];
};

/* What is mounted on @path (absolute, without symlinks); the topmost. FALSE if nothing is. */
gboolean mountinfo_at(const char *path, MountInfo *ret);
/* What has st_dev @device. */
gboolean mountinfo_of(dev_t device, MountInfo *ret);
/* One line of the file; FALSE if it is none. @path has to hold PATH_MAX bytes. */
gboolean mountinfo_parse(const char *line, MountInfo *ret, char *path);

#endif
