/* Nodes: what the kernel knows by a nodeid.
 *
 * Directories and pure streams have one node for as long as the kernel knows it. Files that are
 * written, and texts, get a fresh nodeid at each LOOKUP (with the same st_ino): while a write to an
 * inode waits, a second writer of the same inode is deaf even to SIGKILL, so writers must not share
 * one; and a text is rendered once, at LOOKUP, and stays on its node, so that GETATTR, OPEN and
 * READ agree on it. Nodeids count up and are never used again.
 *
 * stdout and stderr are other files with each run: who has one open sees the size of that one, and
 * who follows the name (tail -F) sees that it has been replaced. */
#ifndef MITOFS_FS_NODE_H
#define MITOFS_FS_NODE_H

#include "fs/files.h"

#include <sys/stat.h>

typedef struct Node Node;
typedef struct NodeTable NodeTable;

struct Node {
	guint64 id;
	guint64 lookups; /* that the kernel has not forgotten */
	const FileRow *row;
	guint64 version;  /* of the file, see files_version() */
	ino_t inode;	  /* st_ino */
	Context *context; /* owned */
	GBytes *text;	  /* owned; NULL where the row has none */
	gint64 time;	  /* of the text, microseconds since the epoch */
};

/* A table with one node, FUSE's root, for the directory @root. */
NodeTable *node_table_new(Context *root, const FileRow *row);
void node_table_free(NodeTable *table);
guint node_table_size(const NodeTable *table);

/* Borrowed; NULL for an id the kernel should not know. */
Node *node_find(NodeTable *table, guint64 id);
/* The node that all lookups of this file share, or NULL if the kernel does not know it now.
 * Borrowed. */
Node *node_known(NodeTable *table, Context *context, const FileRow *row);
/* The node that a LOOKUP of this file gets, counted as one lookup. Borrowed. */
Node *node_take(NodeTable *table, Context *context, const FileRow *row);
/* @count lookups less; at none the node goes. */
void node_forget(NodeTable *table, guint64 id, guint64 count);

#endif
