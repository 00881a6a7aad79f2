/* What stat(2) shows of a node, and what may be set. */
#ifndef MITOFS_FS_ATTRIBUTES_H
#define MITOFS_FS_ATTRIBUTES_H

#include "fs/mount.h"

/* How long the kernel may believe names and attributes of directories, in seconds; those of files
 * are asked each time. */
#define ATTRIBUTES_DIRECTORY_TIMEOUT 1.0

/* The attributes of @node, or of a file that has no node now (@row of @context). */
void attributes_of_node(const Mount *mount, const Node *node, struct stat *ret_stat);
void attributes_of_row(const Mount *mount, Context *context, const FileRow *row,
		       struct stat *ret_stat);
double attributes_timeout(const FileRow *row);

void attributes_op_getattr(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info);
void attributes_op_setattr(fuse_req_t req, fuse_ino_t id, struct stat *stat, int which,
			   struct fuse_file_info *info);
void attributes_op_statfs(fuse_req_t req, fuse_ino_t id);

#endif
