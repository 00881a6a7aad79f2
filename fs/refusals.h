/* Operations that no file of the mount knows. An operation without a handler would show as
 * ENOSYS. */
#ifndef MITOFS_FS_REFUSALS_H
#define MITOFS_FS_REFUSALS_H

#include "fs/reply.h"

void refusals_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
			struct fuse_file_info *info);
void refusals_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		       dev_t device);
void refusals_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void refusals_op_link(fuse_req_t req, fuse_ino_t id, fuse_ino_t parent, const char *name);
void refusals_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void refusals_op_readlink(fuse_req_t req, fuse_ino_t id);
void refusals_op_ioctl(fuse_req_t req, fuse_ino_t id, unsigned int command, void *argument,
		       struct fuse_file_info *info, unsigned flags, const void *in, size_t in_size,
		       size_t out_size);

#endif
