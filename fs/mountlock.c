/* The lock of a mountpoint: a file in the user's runtime directory, named by what the mountpoint's
 * name stands in (which does not change when something is mounted on it), held with flock(2) for as
 * long as the broker lives. The file holds its pid. Who gives the lock back removes the file first,
 * so who gets one on a file without a name tries again. */
#include "fs/mountpoint.h"

#include "pty/autofd.h"

#include "broker/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* Whether @path is a directory that nobody else can put anything into. */
static gboolean
is_private(const char *path)
{
	struct stat stat_buffer;

	return path != NULL && lstat(path, &stat_buffer) == 0 && S_ISDIR(stat_buffer.st_mode) &&
	       stat_buffer.st_uid == geteuid() && (stat_buffer.st_mode & 022) == 0;
}

/* $XDG_RUNTIME_DIR, /run/user/UID, or a directory of our own in /tmp. */
static char *
runtime_directory(GError **error)
{
	g_autofree char *run = g_strdup_printf("/run/user/%u", (guint)geteuid());
	g_autofree char *tmp = g_strdup_printf("/tmp/mitofs-%u", (guint)geteuid());

	if (is_private(g_getenv("XDG_RUNTIME_DIR")))
		return g_strdup(g_getenv("XDG_RUNTIME_DIR"));
	if (is_private(run))
		return g_steal_pointer(&run);
	if (mkdir(tmp, 0700) < 0 && errno != EEXIST) {
		fail(error, errno, "%s: %s", tmp, g_strerror(errno));
		return NULL;
	}
	if (is_private(tmp))
		return g_steal_pointer(&tmp);
	fail(error, EACCES, "%s: has to be a directory that only you can write", tmp);
	return NULL;
}

/* The name of the lock's file: the mount namespace, the parent directory and the last name. */
static char *
lock_file(const char *mountpoint, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(mountpoint);
	g_autofree char *name = g_path_get_basename(mountpoint);
	g_autofree char *directory = runtime_directory(error);
	struct stat place, space = { 0 };

	if (directory == NULL)
		return NULL;
	if (stat(parent, &place) < 0) {
		fail(error, errno, "%s: %s", parent, g_strerror(errno));
		return NULL;
	}
	stat("/proc/self/ns/mnt", &space);
	g_autofree char *key =
		g_strdup_printf("%ju:%ju:%ju:%s", (uintmax_t)space.st_ino, (uintmax_t)place.st_dev,
				(uintmax_t)place.st_ino, name);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, key, -1);
	sum[16] = '\0';
	return g_strdup_printf("%s/mitofs-%s.lock", directory, sum);
}

/* The process that has the lock, as it wrote there. */
static gboolean
fail_locked(int fd, const char *mountpoint, GError **error)
{
	char text[32] = "";
	ssize_t size = pread(fd, text, sizeof(text) - 1, 0);
	int pid = size > 0 ? atoi(text) : 0;

	if (pid > 0)
		return fail(error, EBUSY, "%s: already mounted or being mounted by pid %d",
			    mountpoint, pid);
	return fail(error, EBUSY, "%s: already being mounted", mountpoint);
}

/* Lock the file as it is named now; -1 with @error NULL: it has lost its name meanwhile. */
static int
try_lock(const char *file, const char *mountpoint, GError **error)
{
	autofd fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat held, named;

	if (fd < 0) {
		fail(error, errno, "%s: %s", file, g_strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		fail_locked(fd, mountpoint, error);
		return -1;
	}
	if (fstat(fd, &held) < 0 || stat(file, &named) < 0 || held.st_ino != named.st_ino)
		return -1;
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		g_debug("%s: %s", file, g_strerror(errno));
	return autofd_steal(&fd);
}

int
mountpoint_lock(const char *mountpoint, char **ret_file, GError **error)
{
	g_autofree char *file = lock_file(mountpoint, error);
	g_autoptr(GError) reason = NULL;
	int fd = -1;

	if (file == NULL)
		return -1;
	while (fd < 0 && reason == NULL)
		fd = try_lock(file, mountpoint, &reason);
	if (fd < 0)
		g_propagate_error(error, g_steal_pointer(&reason));
	else
		*ret_file = g_steal_pointer(&file);
	return fd;
}

void
mountpoint_unlock(int fd, char *file)
{
	unlink(file);
	g_free(file);
	autofd_clear(&fd);
}
