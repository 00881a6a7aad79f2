/* A Reply: the answer that one request of the kernel still gets. It is owned by one party and
 * consumed by use; nothing else calls fuse_reply_*. One that is freed unanswered answers EIO. */
#ifndef MITOFS_FS_REPLY_H
#define MITOFS_FS_REPLY_H

#include <fuse_lowlevel.h>
#include <glib.h>

typedef struct Reply Reply;

/* Takes @req. */
Reply *reply_new(fuse_req_t req);
/* Answers EIO. */
void reply_free(Reply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reply, reply_free)

uid_t reply_caller_uid(const Reply *reply);
/* The thread that asks: a TID, or 0 where it has none here. */
pid_t reply_caller_tid(const Reply *reply);
/* @func is called under libfuse's lock: it may only mark. Once for each request. */
void reply_on_interrupt(Reply *reply, fuse_interrupt_func_t func, void *data);

/* All take @reply, and return 0 when the kernel accepted the answer, else -errno (-ENOENT: the
 * request had gone; what it carried has not arrived). */
int reply_error(Reply *reply, int code); /* 0: done, nothing to say */
int reply_iov(Reply *reply, const struct iovec *iov, int count);
int reply_bytes(Reply *reply, const void *bytes, gsize size);
int reply_written(Reply *reply, gsize size);
int reply_entry(Reply *reply, const struct fuse_entry_param *entry);
int reply_attr(Reply *reply, const struct stat *stat, double timeout);
int reply_poll(Reply *reply, guint events);
int reply_statfs(Reply *reply, const struct statvfs *statvfs);
/* An open file, whose @handle comes with each further request. @flags are FOPEN_* of linux/fuse.h:
 * libfuse 3.14 has no fields for some of them. */
int reply_open(Reply *reply, guint64 handle, guint32 flags);
/* FORGET has no answer. */
void reply_none(fuse_req_t req);

#endif
