/* Names: lookup, mkdir, rmdir, rename. Only children/ ever changes, and only by contexts; what else
 * is asked for is EPERM. Everything here is answered at once: a MKDIR that waited would freeze the
 * directory for all. */
#include "fs/dirs.h"

#include "fs/attributes.h"
#include "fs/commandwait.h"

#include <errno.h>
#include <stdio.h>

#define ENTRY_TIMEOUT 1.0 /* seconds */

/* Whether @node is a children/. */
static gboolean
node_is_children(const Node *node)
{
	return node->row == files_children();
}

/* Answer with the node of this file, as one lookup more. */
static void
dirs_reply_entry(Mount *mount, Context *context, const FileRow *row, Reply *reply)
{
	Node *node = node_take(mount->nodes, context, row);
	struct fuse_entry_param entry = {
		.ino = node->id,
		.attr_timeout = attributes_timeout(row),
		/* The name of a directory may be kept: it keeps its nodeid. A stream does too, but
		 * its size has to come anew with each open: sendfile(2) believes a size of 0 that
		 * an earlier stat has left behind. */
		.entry_timeout = row->flags & (FILE_FRESH | FILE_STREAM) ? 0 : ENTRY_TIMEOUT,
	};

	attributes_of_node(mount, node, &entry.attr);
	if (reply_entry(reply, &entry) < 0)
		node_forget(mount->nodes, node->id, 1);
}

void
dirs_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	Mount *mount = fuse_req_userdata(req);
	g_autoptr(Reply) reply = reply_new(req);
	Node *node = node_find(mount->nodes, parent);
	Context *context = NULL;
	const FileRow *row = NULL;

	if (node != NULL && node_is_children(node)) {
		context = context_child(node->context, name);
		row = &files_context_row;
	} else if (node != NULL && !context_removed(node->context)) {
		context = node->context;
		row = files_find(node->row, name);
	}
	if (context == NULL || row == NULL)
		reply_error(g_steal_pointer(&reply), node == NULL ? ESTALE : ENOENT);
	else
		dirs_reply_entry(mount, context, row, g_steal_pointer(&reply));
}

void
dirs_op_forget(fuse_req_t req, fuse_ino_t id, uint64_t count)
{
	Mount *mount = fuse_req_userdata(req);

	node_forget(mount->nodes, id, count);
	reply_none(req);
}

void
dirs_op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	Mount *mount = fuse_req_userdata(req);

	for (size_t i = 0; i < count; i++)
		node_forget(mount->nodes, forgets[i].ino, forgets[i].nlookup);
	reply_none(req);
}

/* The context whose children/ is @parent, if the caller may change it; else NULL with the errno in
 * @ret_code. */
static Context *
dirs_changing(Mount *mount, fuse_ino_t parent, const Reply *reply, int *ret_code)
{
	Node *node = node_find(mount->nodes, parent);

	*ret_code = 0;
	if (node == NULL)
		*ret_code = ESTALE;
	else if (!node_is_children(node))
		*ret_code = EPERM;
	else if (!mount_may_write(mount, reply))
		*ret_code = EACCES;
	return *ret_code == 0 ? node->context : NULL;
}

void
dirs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	Mount *mount = fuse_req_userdata(req);
	g_autoptr(Reply) reply = reply_new(req);
	g_autoptr(GError) error = NULL;
	Context *child = NULL;
	int code;
	Context *context = dirs_changing(mount, parent, reply, &code);

	if (context != NULL)
		child = context_make(context, name, &error);
	if (child != NULL)
		dirs_reply_entry(mount, child, &files_context_row, g_steal_pointer(&reply));
	else
		reply_error(g_steal_pointer(&reply), code != 0 ? code : command_error_code(error));
}

void
dirs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	Mount *mount = fuse_req_userdata(req);
	g_autoptr(Reply) reply = reply_new(req);
	g_autoptr(GError) error = NULL;
	int code;
	Context *context = dirs_changing(mount, parent, reply, &code);

	if (context != NULL && !context_remove(context, name, &error))
		code = command_error_code(error);
	reply_error(g_steal_pointer(&reply), code);
}

/* A context keeps its place among its siblings: to another parent is EPERM and not EXDEV, after
 * which mv(1) would try to copy. */
void
dirs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	       const char *new_name, unsigned int flags)
{
	Mount *mount = fuse_req_userdata(req);
	g_autoptr(Reply) reply = reply_new(req);
	g_autoptr(GError) error = NULL;
	int code;
	Context *context = dirs_changing(mount, parent, reply, &code);

	if (context != NULL && (flags & ~RENAME_NOREPLACE) != 0)
		code = EINVAL;
	else if (context != NULL && parent != new_parent)
		code = EPERM;
	else if (context != NULL && !context_rename(context, name, new_name, &error))
		code = command_error_code(error);
	reply_error(g_steal_pointer(&reply), code);
}
