/* Pipes: what a run writes goes to another context's stdin too.
 *
 * Real commands at the local place: `cat` and `cksum` show what arrived. The end of the one is
 * the end of the other's input unless -a was said, the slower end sets the pace, and no way may
 * lead back to where it began, however long it is. The path is checked when it is set and looked
 * up again at each run. */
#include "tests/world.h"

/* What one writes is what the other reads, with the end of it. */
static void
pipe_plain(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	Context *b = make(root, "b");
	say(b, "exec cat");
	say(a, "pipe /b");
	say(a, "exec echo hello");
	g_autofree char *text = output_text(b, 1);
	g_assert_cmpstr(text, ==, "hello\n");
	expect_wait(b, "0 exit 0");
	g_autofree char *own = output_text(a, 1);
	g_assert_cmpstr(own, ==, "hello\n");
	unit_until(run_ended(context_run(a)));
	world_end();
}

/* Megabytes, through small limits, at the pace of the slower end. */
static void
pipe_large(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	Context *b = make(root, "b");
	say(a, "retain 64K");
	say(a, "pipe /b");
	say(b, "exec cksum");
	say(a, "exec head -c 5000000 /dev/zero");
	g_autofree char *text = output_text(b, 1);
	expect_run(root, "sh head -c 5000000 /dev/zero | cksum", text);
	expect_status(a, "stdout", "5000000");
	unit_until(run_ended(context_run(a)));
	world_end();
}

/* With -a the input stays open for the next run. */
static void
pipe_append(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	Context *b = make(root, "b");
	say(b, "exec cat");
	say(a, "pipe -a /b");
	expect_run(a, "exec echo one", "one\n");
	expect_run(a, "exec echo two", "two\n");
	unit_until(stream_size(context_output(b, 1)) == 8);
	g_assert_false(stream_ended(context_output(b, 1)));
	say(b, "eof");
	g_autofree char *text = output_text(b, 1);
	g_assert_cmpstr(text, ==, "one\ntwo\n");
	world_end();
}

/* No way may lead back to its start; a setting may change while a run goes on. */
static void
pipe_cycles(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	Context *b = make(root, "b");
	Context *c = make(b, "c");
	g_assert_cmpint(try_say(a, "pipe /a"), ==, ELOOP);
	say(a, "pipe /b");
	say(b, "pipe /b/c");
	g_assert_cmpint(try_say(c, "pipe /a"), ==, ELOOP);
	g_assert_cmpint(try_say(c, "pipe /b"), ==, ELOOP);
	say(b, "pipe");
	say(c, "pipe /a");
	say(c, "pipe /b");
	say(b, "exec cat");
	say(a, "pipe");
	say(c, "pipe");
	say(a, "sh echo x; exec sleep 1000");
	say(a, "pipe /b");
	unit_until(stream_size(context_output(b, 1)) == 2);
	say(a, "pipe");
	expect_wait(b, "0 exit 0");
	world_end();
}

/* Its target is gone by the time of the run: that is said, and the run goes on. */
static void
pipe_no_target(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	make(root, "b");
	say(a, "pipe /b");
	g_assert_true(context_remove(root, "b", NULL));
	expect_run(a, "exec echo x", "x\n");
	g_autofree char *line = last_error(a);
	g_assert_true(g_str_has_prefix(line, "ENOENT pipe: "));
	Context *b = make(root, "b");
	say(b, "exec true");
	expect_wait(b, "0 exit 0");
	expect_run(a, "exec head -c 300000 /dev/zero", "");
	expect_status(a, "stdout", "300000");
	world_end();
}

static const UnitTest tests[] = {
	{ "/pipe/plain", pipe_plain },	       { "/pipe/large", pipe_large },
	{ "/pipe/append", pipe_append },       { "/pipe/cycles", pipe_cycles },
	{ "/pipe/no-target", pipe_no_target },
};

int
main(int argc, char **argv)
{
	return world_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
