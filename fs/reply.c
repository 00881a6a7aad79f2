/* Answers to the kernel. A Reply is freed by the call that uses it; whoever drops one on the way
 * lets the caller have EIO instead of a process that hangs. */
#include "fs/reply.h"

#include "broker/poller.h"

#include <errno.h>
#include <linux/fuse.h>

struct Reply {
	fuse_req_t req;
};

Reply *
reply_new(fuse_req_t req)
{
	Reply *reply = g_new(Reply, 1);

	reply->req = req;
	return reply;
}

/* Give up the Reply for its request, which the caller answers. */
static fuse_req_t
reply_take(Reply *reply)
{
	fuse_req_t req = reply->req;

	g_free(reply);
	poller_expect();
	return req;
}

void
reply_free(Reply *reply)
{
	fuse_reply_err(reply_take(reply), EIO);
}

uid_t
reply_caller_uid(const Reply *reply)
{
	return fuse_req_ctx(reply->req)->uid;
}

pid_t
reply_caller_tid(const Reply *reply)
{
	return fuse_req_ctx(reply->req)->pid;
}

void
reply_on_interrupt(Reply *reply, fuse_interrupt_func_t func, void *data)
{
	fuse_req_interrupt_func(reply->req, func, data);
}

int
reply_error(Reply *reply, int code)
{
	return fuse_reply_err(reply_take(reply), code);
}

int
reply_iov(Reply *reply, const struct iovec *iov, int count)
{
	return fuse_reply_iov(reply_take(reply), iov, count);
}

int
reply_bytes(Reply *reply, const void *bytes, gsize size)
{
	return fuse_reply_buf(reply_take(reply), bytes, size);
}

int
reply_written(Reply *reply, gsize size)
{
	return fuse_reply_write(reply_take(reply), size);
}

int
reply_entry(Reply *reply, const struct fuse_entry_param *entry)
{
	return fuse_reply_entry(reply_take(reply), entry);
}

int
reply_attr(Reply *reply, const struct stat *stat, double timeout)
{
	return fuse_reply_attr(reply_take(reply), stat, timeout);
}

int
reply_poll(Reply *reply, guint events)
{
	return fuse_reply_poll(reply_take(reply), events);
}

int
reply_statfs(Reply *reply, const struct statvfs *statvfs)
{
	return fuse_reply_statfs(reply_take(reply), statvfs);
}

int
reply_open(Reply *reply, guint64 handle, guint32 flags)
{
	struct fuse_open_out out = { .fh = handle, .open_flags = flags };

	return reply_bytes(reply, &out, sizeof(out));
}

void
reply_none(fuse_req_t req)
{
	fuse_reply_none(req);
}
