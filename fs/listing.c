/* Listings: one page of a directory, from an offset that the kernel gives back.
 *
 * Offsets: 1 is behind ".", 2 behind ".."; then the number of the row, but in children/ the serial
 * of the child, which never changes and never comes again, so a page that follows any change misses
 * and repeats nothing.
 *
 * With readdirplus a directory comes with its node, counted as a lookup; a file only by name
 * (nodeid 0), since a node of its own would be one text rendered and forgotten for each name. */
#include "fs/listing.h"

#include "fs/attributes.h"

#include <errno.h>

typedef struct Listing Listing;
struct Listing {
	Mount *mount;
	fuse_req_t req; /* for libfuse's packing only */
	gboolean plus;
	char *page;
	gsize size, used;
};

/* Add an entry; FALSE if the page is full. */
static gboolean
listing_add(Listing *listing, const char *name, Context *context, const FileRow *row, off_t next,
	    gboolean take)
{
	struct fuse_entry_param entry = { 0 };
	char *at = listing->page + listing->used;
	gsize room = listing->size - listing->used;
	gsize needed = listing->plus
			       ? fuse_add_direntry_plus(listing->req, NULL, 0, name, &entry, next)
			       : fuse_add_direntry(listing->req, NULL, 0, name, &entry.attr, next);

	if (needed > room)
		return FALSE;
	if (listing->plus && take) {
		Node *node = node_take(listing->mount->nodes, context, row);

		entry.ino = node->id;
		entry.attr_timeout = entry.entry_timeout = attributes_timeout(row);
		attributes_of_node(listing->mount, node, &entry.attr);
	} else {
		entry.attr.st_ino = files_inode(context, row);
		entry.attr.st_mode = row->mode;
	}
	if (listing->plus)
		fuse_add_direntry_plus(listing->req, at, room, name, &entry, next);
	else
		fuse_add_direntry(listing->req, at, room, name, &entry.attr, next);
	listing->used += needed;
	return TRUE;
}

/* "." and ".." of any directory, whose nodes the kernel has. */
static gboolean
listing_add_dots(Listing *listing, const Node *node, off_t offset)
{
	Context *parent = node->context;
	const FileRow *parent_row = &files_context_row;

	if (node->row == &files_context_row && context_parent(node->context) != NULL) {
		parent = context_parent(node->context);
		parent_row = files_children();
	}
	if (offset < 1 && !listing_add(listing, ".", node->context, node->row, 1, FALSE))
		return FALSE;
	return offset >= 2 || listing_add(listing, "..", parent, parent_row, 2, FALSE);
}

/* The rows of a directory, from row @offset - 2 on. */
static void
listing_add_files(Listing *listing, const Node *node, off_t offset)
{
	const FileRow *row;

	for (guint i = (guint)MAX(offset - 2, 0); (row = files_row(node->row, i)) != NULL; i++) {
		if (!listing_add(listing, row->name, node->context, row, i + 3, S_ISDIR(row->mode)))
			return;
	}
}

/* The children of a context, from the one behind serial @offset - 2 on. */
static void
listing_add_children(Listing *listing, Context *context, off_t offset)
{
	guint64 serial = (guint64)MAX(offset - 2, 0);
	Context *child;

	while ((child = context_child_after(context, serial)) != NULL) {
		serial = context_serial(child);
		if (!listing_add(listing, context_name(child), child, &files_context_row,
				 (off_t)serial + 2, TRUE))
			return;
	}
}

/* Answer with one page. An answer that does not arrive means that the kernel has gone, and its
 * lookups with it. */
static void
listing_reply(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset, gboolean plus)
{
	Mount *mount = fuse_req_userdata(req);
	g_autoptr(Reply) reply = reply_new(req);
	g_autofree char *page = g_malloc(size);
	Listing listing = { .mount = mount, .req = req, .plus = plus, .page = page, .size = size };
	Node *node = node_find(mount->nodes, id);

	if (node == NULL || !S_ISDIR(node->row->mode)) {
		reply_error(g_steal_pointer(&reply), ENOTDIR);
		return;
	}
	if (!context_removed(node->context) && listing_add_dots(&listing, node, offset)) {
		if (node->row == files_children())
			listing_add_children(&listing, node->context, offset);
		else
			listing_add_files(&listing, node, offset);
	}
	reply_bytes(g_steal_pointer(&reply), page, listing.used);
}

void
listing_op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset,
		   struct fuse_file_info *info)
{
	listing_reply(req, id, size, offset, FALSE);
}

void
listing_op_readdirplus(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset,
		       struct fuse_file_info *info)
{
	listing_reply(req, id, size, offset, TRUE);
}
