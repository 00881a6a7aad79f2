/* Contexts: the tree with its names and caps, removal, the texts of the files, and the broker's
 * end.
 *
 * Each test has a real broker with its local agent; commands are run only where a context must
 * be busy for what is tested. What ctl's verbs do is in test-command.c, places are in
 * test-place.c. */
#include "tests/world.h"

#include "broker/context-private.h"

static const struct {
	const char *name;
	int code;
} names[] = {
	{ "web1", 0 },	       { "a b", 0 },	  { "x-.", 0 },	      { "\xff\xfe", 0 },
	{ "back\\slash", 0 },  { "", EINVAL },	  { ".", EINVAL },    { "..", EINVAL },
	{ ".hidden", EINVAL }, { "-n", EINVAL },  { "a\nb", EINVAL }, { "a\x1f", EINVAL },
	{ "a\x7f", EINVAL },   { "a/b", EINVAL }, { "web1", EEXIST },
};

/* Which names may be, and that a refusal is recorded above. */
static void
tree_names(void)
{
	g_autofree char *longest = g_strnfill(255, 'n');
	g_autofree char *longer = g_strnfill(256, 'n');
	g_autoptr(GError) error = NULL;

	world_start(NULL, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) wrong = NULL;
		Context *child = context_make(root, names[i].name, &wrong);

		g_assert_cmpint(wrong != NULL ? wrong->code : 0, ==, names[i].code);
		g_assert_true((child != NULL) == (wrong == NULL));
		if (child != NULL)
			g_assert_true(context_child(root, names[i].name) == child);
		if (names[i].code == EEXIST) {
			g_autofree char *line = last_error(root);

			g_assert_cmpstr(line, ==, "EEXIST mkdir: \"web1\" exists");
		}
	}
	make(root, longest);
	g_assert_null(context_make(root, longer, &error));
	g_assert_error(error, MITOFS_ERROR, ENAMETOOLONG);
	world_end();
}

/* Each cap is named when it is reached, and a removal makes room. */
static void
tree_caps(void)
{
	BrokerOptions options = broker_default_options;
	g_autoptr(GError) children = NULL;
	g_autoptr(GError) contexts = NULL;
	g_autoptr(GError) depth = NULL;

	options.max_children = 2;
	options.max_contexts = 5;
	options.max_depth = 2;
	world_start(&options, NULL);
	Context *a = make(root, "a");
	make(root, "b");
	g_assert_null(context_make(root, "c", &children));
	g_assert_error(children, MITOFS_ERROR, EDQUOT);
	g_assert_nonnull(strstr(children->message, "max_children=2"));
	Context *below = make(a, "a");
	g_assert_null(context_make(below, "a", &depth));
	g_assert_error(depth, MITOFS_ERROR, ELOOP);
	g_assert_nonnull(strstr(depth->message, "max_depth=2"));
	make(a, "b");
	g_assert_null(context_make(context_child(root, "b"), "a", &contexts));
	g_assert_error(contexts, MITOFS_ERROR, EDQUOT);
	g_assert_nonnull(strstr(contexts->message, "max_contexts=5"));
	g_assert_true(context_remove(a, "b", NULL));
	make(context_child(root, "b"), "a");
	world_end();
}

/* Serials only grow, and children come in their order, whatever goes meanwhile. */
static void
tree_serials(void)
{
	guint64 last = 0;
	guint count = 0;

	world_start(NULL, NULL);
	g_assert_cmpuint(context_serial(root), ==, 1);
	g_assert_null(context_child_after(root, 0));
	for (guint i = 0; i < 50; i++) {
		g_autofree char *name = g_strdup_printf("%u", (i * 37) % 50);

		make(root, name);
	}
	for (guint i = 0; i < 50; i += 3) {
		g_autofree char *name = g_strdup_printf("%u", i);

		g_assert_true(context_remove(root, name, NULL));
	}
	for (Context *child = context_child_after(root, 0); child != NULL;
	     child = context_child_after(root, last)) {
		g_assert_cmpuint(context_serial(child), >, last);
		last = context_serial(child);
		count++;
	}
	g_assert_cmpuint(count, ==, 33);
	g_assert_cmpuint(context_child_count(root), ==, 33);
	g_assert_cmpuint(context_serial(make(root, "0")), >, last);
	world_end();
}

/* A renamed context is the same one under another name. */
static void
tree_rename(void)
{
	g_autoptr(GError) exists = NULL;
	g_autoptr(GError) missing = NULL;
	g_autoptr(GError) bad = NULL;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	Context *below = make(a, "below");
	make(root, "b");
	g_assert_false(context_rename(root, "a", "b", &exists));
	g_assert_error(exists, MITOFS_ERROR, EEXIST);
	g_assert_false(context_rename(root, "x", "y", &missing));
	g_assert_error(missing, MITOFS_ERROR, ENOENT);
	g_assert_false(context_rename(root, "a", "-x", &bad));
	g_assert_error(bad, MITOFS_ERROR, EINVAL);
	g_autofree char *id = status_of(a, "id");
	g_assert_true(context_rename(root, "a", "c", NULL));
	g_assert_null(context_child(root, "a"));
	g_assert_true(context_child(root, "c") == a);
	expect_status(a, "id", id);
	g_autofree char *path = context_path(below);
	g_assert_cmpstr(path, ==, "/c/below");
	make(root, "a");
	g_assert_true(context_remove(a, "below", NULL));
	g_assert_true(context_remove(root, "c", NULL));
	world_end();
}

/* A path as status prints it leads back to its context. */
static void
tree_find(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a b");
	Context *wild = make(a, "\xff\\n");
	Context *plain = make(a, "\\x41");
	g_autofree char *shown = status_of(wild, "path");
	g_assert_cmpstr(shown, ==, "/a b/\\xff\\\\n");
	g_assert_true(context_find(world, shown) == wild);
	g_assert_true(context_find(world, "/a b/\xff\\n") == wild);
	g_assert_true(context_find(world, "/a b/\\x41") == plain);
	g_assert_true(context_find(world, "/a b/\\\\x41") == plain);
	g_assert_true(context_find(world, "/a b/") == a);
	g_assert_true(context_find(world, "/") == root);
	g_assert_null(context_find(world, "/a"));
	g_assert_null(context_find(world, "/a b/A"));
	world_end();
}

/* A context goes only without a command and children; who holds it still may, and finds nothing
 * to do with it. */
static void
tree_remove(void)
{
	g_autoptr(GError) busy = NULL;
	g_autoptr(GError) full = NULL;
	g_autoptr(GError) missing = NULL;
	g_autoptr(GError) gone = NULL;

	world_start(NULL, NULL);
	g_autoptr(Context) a = context_ref(make(root, "a"));
	make(a, "b");
	g_assert_false(context_remove(root, "a", &full));
	g_assert_error(full, MITOFS_ERROR, ENOTEMPTY);
	g_assert_true(context_remove(a, "b", NULL));
	say(a, "sh echo kept; exec sleep 1000");
	g_assert_false(context_remove(root, "a", &busy));
	g_assert_error(busy, MITOFS_ERROR, EBUSY);
	g_autoptr(Stream) output = stream_ref(context_output(a, 1));
	unit_until(stream_size(output) == 5);
	say(a, "kill");
	expect_wait(a, "137 signal KILL");
	g_assert_true(context_remove(root, "a", NULL));
	g_assert_false(context_remove(root, "a", &missing));
	g_assert_error(missing, MITOFS_ERROR, ENOENT);
	g_assert_true(context_removed(a));
	g_assert_null(context_parent(a));
	g_assert_null(context_make(a, "c", &gone));
	g_assert_error(gone, MITOFS_ERROR, ENOENT);
	g_assert_cmpint(try_say(a, "exec true"), ==, ENOENT);
	g_assert_cmpint(try_say(a, "cwd /"), ==, ENOENT);
	g_autofree char *text = stream_text(output);
	g_assert_cmpstr(text, ==, "kept\n");
	g_autoptr(GString) status = g_string_new(NULL);
	context_status_text(a, status);
	context_ctl_text(a, status);
	context_signal_text(a, status);
	world_end();
}

/* A child begins with its parent's settings, and goes its own way. */
static void
tree_inherit(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "cwd /tmp");
	say(a, "env A=1");
	Context *b = make(a, "b");
	say(a, "env A=2");
	say(b, "umask 077");
	g_autoptr(GString) ctl_a = g_string_new(NULL);
	g_autoptr(GString) ctl_b = g_string_new(NULL);
	context_ctl_text(a, ctl_a);
	context_ctl_text(b, ctl_b);
	g_assert_true(g_str_has_suffix(ctl_a->str, " a idle\ndefaults\ncwd /tmp\nenv A=2\n"));
	g_assert_true(
		g_str_has_suffix(ctl_b->str, " b idle\ndefaults\ncwd /tmp\nenv A=1\numask 0077\n"));
	world_end();
}

/* The keys of status, all of them, before anything ran. */
static void
text_status(void)
{
	static const char *const keys[] = {
		"id",
		"name",
		"path",
		"place",
		"method",
		"host",
		"user",
		"arch",
		"link",
		"phase",
		"failure",
		"state",
		"run",
		"pid",
		"argv",
		"started",
		"ended",
		"code",
		"why",
		"stdin",
		"stdout",
		"stdout.dropped",
		"stdout.blocked",
		"stderr",
		"stderr.dropped",
		"stderr.blocked",
		"cpu.user_usec",
		"cpu.system_usec",
		"mem.peak",
		"children",
		"rtt_usec",
		"bytes.sent",
		"bytes.received",
		"agent.bytes",
	};
	g_autoptr(GString) idle = g_string_new(NULL);
	g_autoptr(GString) ran = g_string_new(NULL);

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	context_status_text(a, idle);
	expect_run(a, "exec printf 'x y'", "x y");
	context_status_text(a, ran);
	for (guint round = 0; round < 2; round++) {
		g_auto(GStrv) lines = g_strsplit(round == 0 ? idle->str : ran->str, "\n", -1);

		g_assert_cmpuint(g_strv_length(lines), ==, G_N_ELEMENTS(keys) + 1);
		for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
			g_auto(GStrv) words = g_strsplit(lines[i], " ", 2);

			g_assert_cmpstr(words[0], ==, keys[i]);
			g_assert_cmpstr(words[1], !=, "");
		}
	}
	expect_status(a, "state", "exited");
	expect_status(a, "argv", "printf 'x y'");
	expect_status(a, "why", "exit 0");
	expect_status(a, "stdout", "3");
	expect_status(a, "place", "/");
	expect_status(a, "link", "up");
	expect_status(root, "children", "1");
	expect_status(root, "state", "idle");
	world_end();
}

/* The signals of the place. */
static void
text_signal(void)
{
	g_autoptr(GString) text = g_string_new("\n");

	world_start(NULL, NULL);
	context_signal_text(root, text);
	g_assert_nonnull(strstr(text->str, "\n9 KILL\n"));
	g_assert_nonnull(strstr(text->str, "\n15 TERM\n"));
	world_end();
}

/* Destroy. */

typedef struct Removal Removal;
struct Removal {
	guint times;
	char *name;
	Context *parent;
	void *token;
};

static void
on_removed(Context *parent, const char *name, void *token, void *data)
{
	Removal *removal = data;

	removal->times++;
	removal->name = g_strdup(name);
	removal->parent = parent;
	removal->token = token;
}

/* All below is stopped and goes; the answer waits until the name is gone everywhere. */
static void
destroy_tree(void)
{
	Removal removal = { 0 };
	const BrokerHooks hooks = { .removed = on_removed, .data = &removal };
	Outcome outcome;

	world_start(NULL, &hooks);
	g_autoptr(Context) a = context_ref(make(root, "a"));
	g_autoptr(Context) b = context_ref(make(a, "b"));
	say(a, "exec sleep 1000");
	say(b, "exec sleep 1000");
	g_autoptr(Run) run = run_ref(context_run(b));
	submit(a, "destroy", &outcome);
	g_assert_false(outcome.done);
	g_assert_cmpint(try_say(a, "exec true"), ==, ENOENT);
	g_assert_null(context_make(b, "c", NULL));
	unit_until(removal.times > 0);
	g_assert_cmpstr(removal.name, ==, "a");
	g_assert_true(removal.parent == root);
	g_assert_null(context_child(root, "a"));
	g_assert_true(context_removed(a));
	g_assert_true(context_removed(b));
	g_assert_true(run_ended(run));
	unit_settle();
	g_assert_false(outcome.done);
	broker_removed(removal.token);
	unit_until(outcome.done);
	g_assert_cmpint(outcome.code, ==, 0);
	g_assert_cmpuint(removal.times, ==, 1);
	g_free(removal.name);
	world_end();
}

/* Without a hook and without a command it is done at once; twice is refused; who waits no more
 * is answered. */
static void
destroy_kinds(void)
{
	Outcome outcome, second;

	world_start(NULL, NULL);
	make(root, "a");
	say(context_child(root, "a"), "destroy");
	g_assert_null(context_child(root, "a"));
	g_assert_cmpint(try_say(root, "destroy"), ==, EPERM);
	Context *b = make(root, "b");
	say(b, "exec sleep 1000");
	submit(b, "destroy", &outcome);
	submit(b, "destroy", &second);
	g_assert_true(second.done);
	g_assert_cmpint(second.code, ==, EBUSY);
	command_cancel(outcome.command);
	g_assert_false(outcome.done);
	unit_until(outcome.done);
	g_assert_cmpint(outcome.code, ==, ECANCELED);
	unit_until(context_child(root, "b") == NULL);
	world_end();
}

/* The end. */

static GString *hooks_called;

static void
on_stopping(void *data)
{
	g_string_append(hooks_called, "stopping ");
}

static void
on_stopped(void *data)
{
	g_string_append(hooks_called, "stopped ");
}

/* Who waits is answered first, commands get their signal, and the last hook comes when the
 * agents are gone. */
static void
shutdown_order(void)
{
	const BrokerHooks hooks = { .stopping = on_stopping, .stopped = on_stopped };
	g_autoptr(GError) error = NULL;

	hooks_called = g_string_new(NULL);
	world_start(NULL, &hooks);
	Context *a = make(root, "a");
	Context *b = make(root, "b");
	say(a, "sh trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 1000 & wait; done");
	unit_until(stream_size(context_output(a, 1)) == 6);
	say(b, "exec sleep 1000");
	say(root, "shutdown");
	unit_until(hooks_called->len > 0);
	g_assert_cmpstr(hooks_called->str, ==, "stopping ");
	g_assert_true(broker_stopping(world));
	g_assert_cmpint(try_say(a, "exec true"), ==, ESHUTDOWN);
	g_assert_null(context_make(root, "c", &error));
	g_assert_error(error, MITOFS_ERROR, ESHUTDOWN);
	unit_until(strcmp(hooks_called->str, "stopping stopped ") == 0);
	expect_wait(a, "3 exit 3");
	expect_wait(b, "143 signal TERM");
	g_autofree char *text = output_text(a, 1);
	g_assert_cmpstr(text, ==, "ready\nbye\n");
	world_end();
	g_string_free(hooks_called, TRUE);
}

/* A second shutdown waits for nobody. */
static void
shutdown_forced(void)
{
	const BrokerHooks hooks = { .stopping = on_stopping, .stopped = on_stopped };
	gint64 began = g_get_monotonic_time();

	hooks_called = g_string_new(NULL);
	world_start(NULL, &hooks);
	Context *a = make(root, "a");
	say(a, "grace 60");
	say(a, "sh trap '' TERM; echo ready; while :; do sleep 1000; done");
	unit_until(stream_size(context_output(a, 1)) == 6);
	broker_shutdown(world);
	broker_shutdown(world);
	broker_shutdown(world);
	unit_until(strcmp(hooks_called->str, "stopping stopped ") == 0);
	g_assert_cmpint(g_get_monotonic_time() - began, <, 3 * G_USEC_PER_SEC);
	world_end();
	g_string_free(hooks_called, TRUE);
}

/* Freed without a shutdown: commands that wait are answered, everything is killed. */
static void
shutdown_none(void)
{
	Outcome outcome, second;

	world_start(NULL, NULL);
	g_autoptr(Context) a = context_ref(make(root, "a"));
	say(make(root, "b"), "exec sleep 1000");
	say(root, "exec sleep 1000");
	submit(a, "exec sleep 1000", &outcome);
	submit(a, "cwd /", &second);
	g_assert_false(outcome.done);
	world_end();
	g_assert_true(outcome.done);
	g_assert_cmpint(outcome.code, ==, ECANCELED);
	g_assert_cmpint(second.code, ==, ECANCELED);
}

static const UnitTest tests[] = {
	{ "/context/tree/names", tree_names },
	{ "/context/tree/caps", tree_caps },
	{ "/context/tree/serials", tree_serials },
	{ "/context/tree/rename", tree_rename },
	{ "/context/tree/find", tree_find },
	{ "/context/tree/remove", tree_remove },
	{ "/context/tree/inherit", tree_inherit },
	{ "/context/text/status", text_status },
	{ "/context/text/signal", text_signal },
	{ "/context/destroy/tree", destroy_tree },
	{ "/context/destroy/kinds", destroy_kinds },
	{ "/context/shutdown/order", shutdown_order },
	{ "/context/shutdown/forced", shutdown_forced },
	{ "/context/shutdown/none", shutdown_none },
};

int
main(int argc, char **argv)
{
	return world_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
