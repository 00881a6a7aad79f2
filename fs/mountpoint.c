/* Checks of the mountpoint, and what a broker that was killed has left there. Nothing here touches
 * a live mount of FUSE: its process may be stopped, and would be waited for. */
#include "fs/mountpoint.h"

#include "fs/mountinfo.h"

#include "broker/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* realpath(3), into memory of GLib's. */
static char *
real_path(const char *path)
{
	char *real = realpath(path, NULL);
	char *copy = g_strdup(real);

	free(real);
	return copy;
}

char *
mountpoint_resolve(const char *path, GError **error)
{
	char *resolved = real_path(path);

	if (resolved == NULL && errno == ENOTCONN) {
		g_autofree char *parent = g_path_get_dirname(path);
		g_autofree char *name = g_path_get_basename(path);
		g_autofree char *directory = real_path(parent);

		resolved = directory != NULL ? g_build_filename(directory, name, NULL) : NULL;
	}
	if (resolved == NULL)
		fail(error, errno, "%s: %s", path, g_strerror(errno));
	return resolved;
}

gboolean
mountpoint_is_stale(const char *mountpoint)
{
	struct statx answer;
	int result;

	do /* a server that ends meanwhile aborts the question */
		result = statx(AT_FDCWD, mountpoint, AT_STATX_FORCE_SYNC, STATX_MODE, &answer);
	while (result < 0 && errno == ECONNABORTED);
	return result < 0 && errno == ENOTCONN;
}

gboolean
mountpoint_detach(const char *mountpoint)
{
	pid_t pid;
	int status;

	if (geteuid() == 0)
		return umount2(mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
	pid = fork();
	if (pid == 0) {
		execlp("fusermount3", "fusermount3", "-u", "-q", "-z", "--", mountpoint,
		       (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

/* Refuse a mount of FUSE on @mountpoint, but clear one of ours whose broker has died. */
static gboolean
check_mounted(const char *mountpoint, GError **error)
{
	MountInfo info;

	if (!mountinfo_at(mountpoint, &info) || !g_str_has_prefix(info.type, "fuse"))
		return TRUE;
	if (strcmp(info.type, MOUNTINFO_TYPE) != 0)
		return fail(error, EBUSY, "%s: a %s filesystem is mounted there", mountpoint,
			    info.type);
	if (!mountpoint_is_stale(mountpoint))
		return fail(error, EBUSY, "%s: mitofs is mounted there already", mountpoint);
	if (!mountpoint_detach(mountpoint))
		return fail(error, EBUSY,
			    "%s: the stale mount of a broker that died cannot be unmounted: %s",
			    mountpoint, g_strerror(errno));
	g_printerr("mitofs: %s: cleared the stale mount of a broker that died\n", mountpoint);
	return check_mounted(mountpoint, error);
}

/* Refuse a directory with anything in it. */
static gboolean
check_empty(const char *mountpoint, GError **error)
{
	g_autoptr(GDir) directory = g_dir_open(mountpoint, 0, NULL);

	if (directory == NULL)
		return fail(error, EACCES, "%s: cannot be read", mountpoint);
	if (g_dir_read_name(directory) != NULL)
		return fail(error, ENOTEMPTY, "%s: not empty (mount over it with -o nonempty)",
			    mountpoint);
	return TRUE;
}

/* Refuse what is not ours to mount on, as fusermount3(1) would. */
static gboolean
check_rights(const char *mountpoint, const struct stat *stat_buffer, GError **error)
{
	if (geteuid() == 0)
		return TRUE;
	if (access(mountpoint, W_OK) < 0)
		return fail(error, EACCES, "%s: you may not write there", mountpoint);
	if ((stat_buffer->st_mode & S_ISVTX) && stat_buffer->st_uid != geteuid())
		return fail(error, EACCES, "%s: not yours", mountpoint);
	return TRUE;
}

gboolean
mountpoint_check(const char *mountpoint, gboolean nonempty, GError **error)
{
	struct stat stat_buffer;
	MountInfo info;

	if (!check_mounted(mountpoint, error))
		return FALSE;
	if (stat(mountpoint, &stat_buffer) < 0)
		return fail(error, errno, "%s: %s", mountpoint, g_strerror(errno));
	if (!S_ISDIR(stat_buffer.st_mode))
		return fail(error, ENOTDIR, "%s: not a directory", mountpoint);
	if (mountinfo_of(stat_buffer.st_dev, &info) && strcmp(info.type, MOUNTINFO_TYPE) == 0)
		return fail(error, ELOOP, "%s: inside a mitofs mount", mountpoint);
	return check_rights(mountpoint, &stat_buffer, error) &&
	       (nonempty || check_empty(mountpoint, error));
}
