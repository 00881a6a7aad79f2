/* The table of nodes: all of them by nodeid, and those that are shared by (context, row, version). Nodes
 * hold their context; the root's node stays until the table goes. */
#include "fs/node.h"

#include <fuse_lowlevel.h>

struct NodeTable {
	guint64 last_id;
	GHashTable *by_id;  /* &Node.id -> Node, owned */
	GHashTable *shared; /* Node, by its context, row and version */
};

/* Shared nodes are one for each context, row and version. */
static guint
node_hash(gconstpointer key)
{
	const Node *node = key;

	return g_direct_hash(node->context) * 31 + g_direct_hash(node->row);
}

/* Whether both are the same file. */
static gboolean
node_equal(gconstpointer a, gconstpointer b)
{
	const Node *left = a, *right = b;

	return left->context == right->context && left->row == right->row &&
	       left->version == right->version;
}

/* Free what a node owns. */
static void
node_free(void *data)
{
	Node *node = data;

	context_unref(node->context);
	g_clear_pointer(&node->text, g_bytes_unref);
	g_free(node);
}

/* A node of its own number for this file, its text rendered. */
static Node *
node_new(NodeTable *table, Context *context, const FileRow *row)
{
	Node *node = g_new0(Node, 1);

	node->id = ++table->last_id;
	node->row = row;
	node->version = files_version(context, row);
	node->inode = files_inode(context, row);
	node->context = context_ref(context);
	if (row->text != NULL) {
		GString *text = g_string_new(NULL);

		row->text(context, text);
		node->text = g_string_free_to_bytes(text);
		node->time = g_get_real_time();
	}
	g_hash_table_add(table->by_id, node);
	if (!(row->flags & FILE_FRESH))
		g_hash_table_add(table->shared, node);
	return node;
}

NodeTable *
node_table_new(Context *root, const FileRow *row)
{
	NodeTable *table = g_new0(NodeTable, 1);

	G_STATIC_ASSERT(G_STRUCT_OFFSET(Node, id) == 0);
	table->by_id = g_hash_table_new_full(g_int64_hash, g_int64_equal, node_free, NULL);
	table->shared = g_hash_table_new(node_hash, node_equal);
	table->last_id = FUSE_ROOT_ID - 1;
	node_new(table, root, row)->lookups = 1;
	return table;
}

void
node_table_free(NodeTable *table)
{
	g_hash_table_unref(table->shared);
	g_hash_table_unref(table->by_id);
	g_free(table);
}

guint
node_table_size(const NodeTable *table)
{
	return g_hash_table_size(table->by_id);
}

Node *
node_find(NodeTable *table, guint64 id)
{
	return g_hash_table_lookup(table->by_id, &id);
}

Node *
node_known(NodeTable *table, Context *context, const FileRow *row)
{
	Node key = { .context = context, .row = row, .version = files_version(context, row) };

	return g_hash_table_lookup(table->shared, &key);
}

Node *
node_take(NodeTable *table, Context *context, const FileRow *row)
{
	Node *node = node_known(table, context, row);

	if (node == NULL)
		node = node_new(table, context, row);
	node->lookups++;
	return node;
}

void
node_forget(NodeTable *table, guint64 id, guint64 count)
{
	Node *node = node_find(table, id);

	if (node == NULL || id == FUSE_ROOT_ID)
		return;
	node->lookups -= MIN(count, node->lookups);
	if (node->lookups > 0)
		return;
	if (!(node->row->flags & FILE_FRESH))
		g_hash_table_remove(table->shared, node);
	g_hash_table_remove(table->by_id, &id);
}
