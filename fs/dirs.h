/* Directories: a context's own, and its children/. */
#ifndef MITOFS_FS_DIRS_H
#define MITOFS_FS_DIRS_H

#include "fs/mount.h"

void dirs_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void dirs_op_forget(fuse_req_t req, fuse_ino_t id, uint64_t count);
void dirs_op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void dirs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void dirs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void dirs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		    const char *new_name, unsigned int flags);

#endif
