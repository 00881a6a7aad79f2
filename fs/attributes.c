/* Attributes: everything belongs to the mounting user, nothing can be given away or opened up.
 * Times may be "set" without effect, for touch(1) and tar(1). */
#include "fs/attributes.h"

#include "fs/openfile.h"
#include "fs/streamfile.h"

#include <errno.h>
#include <sys/statvfs.h>

#define BLOCK_SIZE 4096
/* A block size that makes cat(1) and cp(1) ask for as much as the kernel passes in one request. */
#define STREAM_BLOCK_SIZE (1024 * 1024)

/* Microseconds since the epoch as a timespec. */
static struct timespec
timespec_of(gint64 usec)
{
	return (struct timespec){ .tv_sec = usec / G_USEC_PER_SEC,
				  .tv_nsec = usec % G_USEC_PER_SEC * 1000 };
}

/* Links of a directory: its own two, and one from each directory in it. */
static nlink_t
directory_links(const Context *context, const FileRow *row)
{
	nlink_t links = 2 + (row == files_children() ? context_child_count(context) : 0);

	for (row = row->files; row != NULL && row->name != NULL; row++)
		links += S_ISDIR(row->mode);
	return links;
}

/* Set all three times. */
static void
set_times(struct stat *stat, gint64 usec)
{
	stat->st_mtim = timespec_of(usec);
	stat->st_atim = stat->st_mtim;
	stat->st_ctim = stat->st_mtim;
}

void
attributes_of_row(const Mount *mount, Context *context, const FileRow *row, struct stat *ret_stat)
{
	*ret_stat = (struct stat){
		.st_ino = files_inode(context, row),
		.st_mode = row->mode,
		.st_nlink = S_ISDIR(row->mode) ? directory_links(context, row) : 1,
		.st_uid = mount->uid,
		.st_gid = mount->gid,
		.st_blksize = row->flags & FILE_STREAM ? STREAM_BLOCK_SIZE : BLOCK_SIZE,
		.st_size = row->size != NULL ? (off_t)row->size(context) : 0,
	};
	set_times(ret_stat, row->mtime != NULL ? row->mtime(context) : context_created(context));
}

/* @node is of an earlier run, and somebody may have it open. */
static void
attributes_of_earlier(const Mount *mount, const Node *node, struct stat *stat)
{
	for (const GList *link = mount->open_files.head; link != NULL; link = link->next) {
		OpenFile *file = link->data;
		if (file->node == node->id) {
			stat->st_size = (off_t)streamfile_size(file);
			set_times(stat, streamfile_mtime(file));
			return;
		}
	}
}

void
attributes_of_node(const Mount *mount, const Node *node, struct stat *ret_stat)
{
	attributes_of_row(mount, node->context, node->row, ret_stat);
	ret_stat->st_ino = node->inode;
	if (node->version != files_version(node->context, node->row))
		attributes_of_earlier(mount, node, ret_stat);
	if (node->text != NULL) {
		ret_stat->st_size = (off_t)g_bytes_get_size(node->text);
		set_times(ret_stat, node->time);
	}
	ret_stat->st_blocks = (ret_stat->st_size + 511) / 512;
}

double
attributes_timeout(const FileRow *row)
{
	return S_ISDIR(row->mode) ? ATTRIBUTES_DIRECTORY_TIMEOUT : 0;
}

/* Answer with the attributes of @node. */
static void
attributes_reply(const Mount *mount, const Node *node, Reply *reply)
{
	struct stat stat;

	attributes_of_node(mount, node, &stat);
	reply_attr(reply, &stat, attributes_timeout(node->row));
}

void
attributes_op_getattr(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
	Mount *mount = fuse_req_userdata(req);
	g_autoptr(Reply) reply = reply_new(req);
	Node *node = node_find(mount->nodes, id);

	if (node == NULL)
		reply_error(g_steal_pointer(&reply), ESTALE);
	else
		attributes_reply(mount, node, g_steal_pointer(&reply));
}

/* truncate(2) and ftruncate(2): to 0 it means what O_TRUNC means. */
static int
attributes_truncate(const Node *node, off_t size, struct fuse_file_info *info)
{
	OpenFile *file = info != NULL ? (OpenFile *)(guintptr)info->fh : NULL;

	if (!(node->row->mode & S_IWUSR))
		return -EACCES;
	if (size != 0)
		return -EINVAL;
	if (node->row->truncate == NULL)
		return 0;
	if (context_removed(node->context) && file == NULL)
		return -ENOENT;
	return node->row->truncate(node->context, file);
}

void
attributes_op_setattr(fuse_req_t req, fuse_ino_t id, struct stat *stat, int which,
		      struct fuse_file_info *info)
{
	Mount *mount = fuse_req_userdata(req);
	g_autoptr(Reply) reply = reply_new(req);
	Node *node = node_find(mount->nodes, id);
	int result = 0;

	if (node == NULL)
		result = -ESTALE;
	else if (which & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		result = -EPERM;
	else if (!mount_may_write(mount, reply))
		result = -EACCES;
	else if (which & FUSE_SET_ATTR_SIZE)
		result = attributes_truncate(node, stat->st_size, info);
	if (result < 0)
		reply_error(g_steal_pointer(&reply), -result);
	else
		attributes_reply(mount, node, g_steal_pointer(&reply));
}

/* There is no space to speak of. */
void
attributes_op_statfs(fuse_req_t req, fuse_ino_t id)
{
	struct statvfs statvfs = { .f_bsize = BLOCK_SIZE,
				   .f_frsize = BLOCK_SIZE,
				   .f_namemax = 255 };

	reply_statfs(reply_new(req), &statvfs);
}
