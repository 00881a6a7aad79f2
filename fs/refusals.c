/* Refusals. What is missing even here the kernel answers well by itself: xattr EOPNOTSUPP, fsync 0,
 * locks and lseek locally, copy_file_range by copying. */
#include "fs/refusals.h"

#include <errno.h>

void
refusals_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		   struct fuse_file_info *info)
{
	reply_error(reply_new(req), EPERM);
}

void
refusals_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
{
	reply_error(reply_new(req), EPERM);
}

void
refusals_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	reply_error(reply_new(req), EPERM);
}

void
refusals_op_link(fuse_req_t req, fuse_ino_t id, fuse_ino_t parent, const char *name)
{
	reply_error(reply_new(req), EPERM);
}

void
refusals_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	reply_error(reply_new(req), EPERM);
}

void
refusals_op_readlink(fuse_req_t req, fuse_ino_t id)
{
	reply_error(reply_new(req), EINVAL);
}

void
refusals_op_ioctl(fuse_req_t req, fuse_ino_t id, unsigned int command, void *argument,
		  struct fuse_file_info *info, unsigned flags, const void *in, size_t in_size,
		  size_t out_size)
{
	reply_error(reply_new(req), ENOTTY);
}
