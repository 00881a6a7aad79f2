/* readdir and readdirplus. */
#ifndef MITOFS_FS_LISTING_H
#define MITOFS_FS_LISTING_H

#include "fs/mount.h"

void listing_op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset,
			struct fuse_file_info *info);
void listing_op_readdirplus(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset,
			    struct fuse_file_info *info);

#endif
