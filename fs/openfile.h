/* An open file: one open(2) of one file, until its RELEASE. The generic half of open, read, write
 * and poll; what is special to a file is in its row. */
#ifndef MITOFS_FS_OPENFILE_H
#define MITOFS_FS_OPENFILE_H

#include "fs/mount.h"

struct OpenFile {
	Mount *mount;
	const FileRow *row;
	guint64 node;	    /* id of the node it was opened by */
	Context *context;   /* owned */
	GBytes *text;	    /* owned; of the node it was opened by */
	int flags;	    /* of open(2) */
	gboolean is_stream; /* no position in the kernel: @cursor counts */
	void *state;	    /* the row's own */
	guint64 cursor;	    /* where the last read ended */
	GList link;	    /* in mount->open_files */

	struct fuse_pollhandle *poll; /* owned; who polls and is to be woken */
	NotifierWatch poll_watch;
};

void openfile_op_open(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info);
void openfile_op_read(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset,
		      struct fuse_file_info *info);
void openfile_op_write(fuse_req_t req, fuse_ino_t id, const char *bytes, size_t size, off_t offset,
		       struct fuse_file_info *info);
void openfile_op_flush(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info);
void openfile_op_release(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info);
void openfile_op_poll(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info,
		      struct fuse_pollhandle *handle);

/* Close what the kernel has left open; nothing waits on it any more. */
void openfile_free(OpenFile *file);

#endif
