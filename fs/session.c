/* The session's descriptor is one more of the poller's. It does not block: each turn takes as many
 * requests as there are, up to a cap that keeps the links served, and every one is answered now or
 * is parked. libfuse only packs and unpacks; how requests come and when stays here, so that another
 * way of getting them has one place to go. */
#include "fs/session.h"

#include "fs/attributes.h"
#include "fs/dirs.h"
#include "fs/listing.h"
#include "fs/openfile.h"
#include "fs/refusals.h"

#include "broker/error.h"
#include "broker/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define REQUESTS_PER_TURN 64

struct Session {
	struct fuse_session *fuse;
	Mount *mount;
	PollerWatch *watch;
	struct fuse_buf buffer;
	SessionEnded ended;
	void *data;
};

/* What is agreed on with the kernel. libfuse asks by itself for all that is wanted: O_TRUNC within
 * open, readdirplus, parallel directory operations, requests of 1 MiB. */
static void
session_op_init(void *data, struct fuse_conn_info *connection)
{
	connection->want &=
		~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
	g_debug("FUSE %u.%u, requests of %u bytes", connection->proto_major,
		connection->proto_minor, connection->max_write);
}

static const struct fuse_lowlevel_ops operations = {
	.init = session_op_init,
	.lookup = dirs_op_lookup,
	.forget = dirs_op_forget,
	.forget_multi = dirs_op_forget_multi,
	.getattr = attributes_op_getattr,
	.setattr = attributes_op_setattr,
	.statfs = attributes_op_statfs,
	.mkdir = dirs_op_mkdir,
	.rmdir = dirs_op_rmdir,
	.rename = dirs_op_rename,
	.readdir = listing_op_readdir,
	.readdirplus = listing_op_readdirplus,
	.open = openfile_op_open,
	.read = openfile_op_read,
	.write = openfile_op_write,
	.flush = openfile_op_flush,
	.release = openfile_op_release,
	.poll = openfile_op_poll,
	.create = refusals_op_create,
	.mknod = refusals_op_mknod,
	.symlink = refusals_op_symlink,
	.link = refusals_op_link,
	.unlink = refusals_op_unlink,
	.readlink = refusals_op_readlink,
	.ioctl = refusals_op_ioctl,
};

/* What libfuse has to say goes the way of all log lines. */
static void G_GNUC_PRINTF(2, 0)
	session_on_log(enum fuse_log_level level, const char *format, va_list arguments)
{
	g_autofree char *text = g_strdup_vprintf(format, arguments);

	g_strchomp(text);
	if (level <= FUSE_LOG_ERR)
		g_warning("%s", text);
	else if (level == FUSE_LOG_DEBUG)
		g_debug("%s", text);
	else
		g_info("%s", text);
}

Session *
session_new(Mount *mount, GStrv options, gboolean debug, GError **error)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	Session *session = g_new0(Session, 1);

	fuse_set_log_func(session_on_log);
	session->mount = mount;
	fuse_opt_add_arg(&args, "mitofs");
	for (guint i = 0; options[i] != NULL; i++) {
		fuse_opt_add_arg(&args, "-o");
		fuse_opt_add_arg(&args, options[i]);
	}
	if (debug)
		fuse_opt_add_arg(&args, "-d");
	session->fuse = fuse_session_new(&args, &operations, sizeof(operations), mount);
	fuse_opt_free_args(&args);
	if (session->fuse != NULL)
		return session;
	fail(error, EINVAL, "FUSE does not take these mount options");
	g_free(session);
	return NULL;
}

struct fuse_session *
session_fuse(Session *session)
{
	return session->fuse;
}

/* The kernel is gone. */
static void
session_end(Session *session)
{
	session->mount->ended = TRUE;
	g_clear_pointer(&session->watch, poller_remove);
	session->ended(session->data);
}

/* Serve the requests that have come. */
static void
session_on_ready(guint32 events, void *data)
{
	Session *session = data;

	for (guint i = 0; i < REQUESTS_PER_TURN && session->watch != NULL; i++) {
		int size = fuse_session_receive_buf(session->fuse, &session->buffer);

		if (size == -EINTR)
			continue;
		if (size == -EAGAIN)
			return;
		if (size <= 0) {
			session_end(session);
			return;
		}
		fuse_session_process_buf(session->fuse, &session->buffer);
	}
}

gboolean
session_mount(Session *session, const char *mountpoint, SessionEnded ended, void *data,
	      GError **error)
{
	int fd, flags;

	if (fuse_session_mount(session->fuse, mountpoint) != 0)
		return fail(error, EIO, "cannot mount on %s", mountpoint);
	fd = fuse_session_fd(session->fuse);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return fail(error, errno, "the FUSE descriptor: %s", g_strerror(errno));
	session->ended = ended;
	session->data = data;
	session->watch = poller_add(fd, EPOLLIN, session_on_ready, session);
	return TRUE;
}

void
session_unmount(Session *session)
{
	session->mount->ended = TRUE;
	g_clear_pointer(&session->watch, poller_remove);
	fuse_session_unmount(session->fuse);
}

void
session_free(Session *session)
{
	fuse_session_destroy(session->fuse);
	free(session->buffer.mem);
	g_free(session);
}
