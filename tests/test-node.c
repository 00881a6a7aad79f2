/* Nodes: which lookups share one, what a text is, and when a node goes. With a broker of its own,
 * and no mount. */
#include "broker/poller.h"
#include "fs/node.h"

#include <fuse_lowlevel.h>
#include <string.h>

typedef struct Fixture Fixture;
struct Fixture {
	Broker *broker;
	Context *child;
	NodeTable *nodes;
	gboolean stopped;
};

static void
on_stopped(void *data)
{
	((Fixture *)data)->stopped = TRUE;
}

static void
on_stopping(void *data)
{
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
	const BrokerHooks hooks = { NULL, on_stopping, on_stopped, fixture };
	g_autoptr(GError) error = NULL;

	fixture->broker = broker_new(&broker_default_options, &hooks, &error);
	g_assert_no_error(error);
	fixture->child = context_make(broker_root(fixture->broker), "child", &error);
	g_assert_no_error(error);
	fixture->nodes = node_table_new(broker_root(fixture->broker), &files_context_row);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
	node_table_free(fixture->nodes);
	broker_shutdown(fixture->broker);
	while (!fixture->stopped)
		g_main_context_iteration(NULL, TRUE);
	broker_free(fixture->broker);
	poller_done();
}

/* The root is there from the start and is never forgotten. */
static void
test_root(Fixture *fixture, gconstpointer data)
{
	Node *root = node_find(fixture->nodes, FUSE_ROOT_ID);

	g_assert_nonnull(root);
	g_assert_true(root->context == broker_root(fixture->broker));
	node_forget(fixture->nodes, FUSE_ROOT_ID, 1000);
	g_assert_true(node_find(fixture->nodes, FUSE_ROOT_ID) == root);
	g_assert_null(node_find(fixture->nodes, 0));
	g_assert_null(node_find(fixture->nodes, 2));
}

/* Lookups of a directory or a stream share a node until the kernel forgets the last; then the
 * number is gone. */
static void
test_shared(Fixture *fixture, gconstpointer data)
{
	static const char *const names[] = {
		"stdout", "stderr", "wait", "log", "events", "children"
	};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		const FileRow *row = files_find(&files_context_row, names[i]);
		guint64 id;
		Node *node;

		g_assert_null(node_known(fixture->nodes, fixture->child, row));
		node = node_take(fixture->nodes, fixture->child, row);
		id = node->id;
		g_assert_true(node_take(fixture->nodes, fixture->child, row) == node);
		g_assert_true(node_known(fixture->nodes, fixture->child, row) == node);
		g_assert_false(node_take(fixture->nodes, broker_root(fixture->broker), row) ==
			       node);
		node_forget(fixture->nodes, id, 1);
		g_assert_nonnull(node_find(fixture->nodes, id));
		node_forget(fixture->nodes, id, 1);
		g_assert_null(node_find(fixture->nodes, id));
		g_assert_null(node_known(fixture->nodes, fixture->child, row));
		g_assert_cmpuint(node_take(fixture->nodes, fixture->child, row)->id, >, id);
	}
}

/* Before any run the outputs are already those of the first. */
static void
test_versions(Fixture *fixture, gconstpointer data)
{
	const FileRow *output = files_find(&files_context_row, "stdout");
	const FileRow *log = files_find(&files_context_row, "log");

	g_assert_cmpuint(context_output_number(fixture->child), ==, 1);
	g_assert_cmpuint(files_version(fixture->child, output), ==, 1);
	g_assert_cmpuint(files_version(fixture->child, log), ==, 0);
	g_assert_cmpuint(node_take(fixture->nodes, fixture->child, output)->inode, ==,
			 files_inode(fixture->child, output));
}

/* Each lookup of a file that is written, or of a text, is another node of the same inode. */
static void
test_fresh(Fixture *fixture, gconstpointer data)
{
	static const char *const names[] = { "ctl", "stdin", "signal", "status", "error" };

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		const FileRow *row = files_find(&files_context_row, names[i]);
		Node *one = node_take(fixture->nodes, fixture->child, row);
		Node *two = node_take(fixture->nodes, fixture->child, row);

		guint64 id = one->id;

		g_assert_cmpuint(id, !=, two->id);
		g_assert_true((one->text != NULL) == (row->text != NULL));
		node_forget(fixture->nodes, id, 1);
		g_assert_null(node_find(fixture->nodes, id));
		g_assert_true(node_find(fixture->nodes, two->id) == two);
	}
}

/* A text stays as it was at its lookup. */
static void
test_text(Fixture *fixture, gconstpointer data)
{
	const FileRow *row = files_find(&files_context_row, "status");
	Node *before = node_take(fixture->nodes, broker_root(fixture->broker), row);
	g_autoptr(GBytes) text = g_bytes_ref(before->text);

	context_make(broker_root(fixture->broker), "another", NULL);
	Node *after = node_take(fixture->nodes, broker_root(fixture->broker), row);
	g_assert_true(before->text == text);
	g_assert_false(g_bytes_equal(after->text, text));
}

/* A node holds its context, which may be removed meanwhile; a new one of that name is another
 * file. */
static void
test_removed(Fixture *fixture, gconstpointer data)
{
	Context *root = broker_root(fixture->broker);
	Node *node = node_take(fixture->nodes, fixture->child, &files_context_row);
	ino_t inode = files_inode(fixture->child, &files_context_row);

	g_assert_true(context_remove(root, "child", NULL));
	g_assert_true(context_removed(node->context));
	Context *next = context_make(root, "child", NULL);
	g_assert_true(node_take(fixture->nodes, next, &files_context_row) != node);
	g_assert_cmpuint(files_inode(next, &files_context_row), !=, inode);
	node_forget(fixture->nodes, node->id, 1);
}

/* Each row of @directory is found by its name, and has a number of its own in @context. */
static void
check_rows(GHashTable *seen, const Context *context, const FileRow *directory)
{
	const FileRow *row;

	for (guint i = 0; (row = files_row(directory, i)) != NULL; i++) {
		g_assert_true(files_find(directory, row->name) == row);
		g_assert_true(g_hash_table_add(seen, GSIZE_TO_POINTER(files_inode(context, row))));
	}
}

/* No two files have one inode number. */
static void
test_inodes(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_direct_hash, g_direct_equal);
	Context *contexts[] = { broker_root(fixture->broker), fixture->child };

	for (guint i = 0; i < G_N_ELEMENTS(contexts); i++) {
		g_assert_true(g_hash_table_add(
			seen, GSIZE_TO_POINTER(files_inode(contexts[i], &files_context_row))));
		check_rows(seen, contexts[i], &files_context_row);
		check_rows(seen, contexts[i], files_find(&files_context_row, "all"));
	}
	g_assert_null(files_find(&files_context_row, "nosuch"));
	g_assert_null(files_find(files_children(), "ctl"));
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*test)(Fixture *fixture, gconstpointer data);
	} tests[] = {
		{ "/node/root", test_root },	     { "/node/shared", test_shared },
		{ "/node/fresh", test_fresh },	     { "/node/text", test_text },
		{ "/node/removed", test_removed },   { "/node/inodes", test_inodes },
		{ "/node/versions", test_versions },
	};

	g_test_init(&argc, &argv, NULL);
	/* What a broker says about its agent at the end is tested elsewhere. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
	return g_test_run();
}
