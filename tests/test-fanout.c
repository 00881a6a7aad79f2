/* The spreading of one command over all children: how many are on their way at a time, what one
 * that fails does to the others and to the parent's `error`, and what a cancel leaves behind. */
#include "tests/world.h"

#include "broker/context-private.h"
#include "broker/fanout.h"

#define CHILDREN 10

static Context *children[CHILDREN];

/* A world with a root that has children c0 to c9. */
static void
start(void)
{
	world_start(NULL, NULL);
	for (int i = 0; i < CHILDREN; i++) {
		g_autofree char *name = g_strdup_printf("c%d", i);

		children[i] = make(root, name);
	}
}

/* Say @line to all children; @outcome follows, or is there. */
static void
submit_all(const char *line, gboolean async, Outcome *outcome)
{
	g_autoptr(GError) error = NULL;

	*outcome = (Outcome){ 0 };
	outcome->command =
		fanout_submit(root, words_of(line), async, outcome_on_done, outcome, &error);
	if (outcome->command == NULL && !outcome->done)
		outcome_set(outcome, error);
}

/* The same, waiting for its outcome: 0 or an errno. */
static int
say_all(const char *line)
{
	Outcome outcome;

	submit_all(line, FALSE, &outcome);
	unit_until(outcome.done);
	return outcome.code;
}

/* Lines of the parent's `error`. */
static guint
error_lines(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	guint lines = 0;

	context_error_text(root, text);
	for (const char *at = text->str; *at != '\0'; at++)
		lines += *at == '\n';
	return lines;
}

/* How many children have a command on its way. */
static guint
on_their_way(void)
{
	guint count = 0;

	for (int i = 0; i < CHILDREN; i++)
		count += children[i]->commands != NULL && children[i]->commands->length > 0;
	return count;
}

/* How many have had a run. */
static guint
runs(void)
{
	guint count = 0;

	for (int i = 0; i < CHILDREN; i++)
		count += context_run(children[i]) != NULL;
	return count;
}

/* It is waited for until all have accepted; each has it once. */
static void
fanout_all(void)
{
	start();
	g_assert_cmpint(say_all("umask 027"), ==, 0);
	g_assert_cmpint(say_all("exec echo x"), ==, 0);
	for (int i = 0; i < CHILDREN; i++) {
		g_autofree char *text = output_text(children[i], 1);

		g_assert_cmpstr(text, ==, "x\n");
		expect_status(children[i], "run", "1");
		expect_wait(children[i], "0 exit 0");
		g_assert_cmpint(children[i]->settings->umask, ==, 027);
	}
	g_assert_cmpint(root->settings->umask, !=, 027);
	g_assert_null(context_run(root));
	g_assert_cmpuint(error_lines(), ==, 0);
	world_end();
}

/* Of none, all have accepted. */
static void
fanout_none(void)
{
	world_start(NULL, NULL);
	g_assert_cmpint(say_all("exec true"), ==, 0);
	g_assert_null(context_run(root));
	world_end();
}

/* Not more than `fanout` at a time, and all in the end. */
static void
fanout_limit(void)
{
	Outcome outcome;
	guint most = 0;

	start();
	say(root, "fanout 3");
	submit_all("exec true", FALSE, &outcome);
	g_assert_cmpuint(on_their_way(), ==, 3);
	g_assert_cmpuint(runs(), ==, 3);
	while (!outcome.done) {
		guint now = on_their_way();

		most = MAX(most, now);
		unit_turn(G_MAXINT64, "");
	}
	g_assert_cmpuint(most, ==, 3);
	g_assert_cmpint(outcome.code, ==, 0);
	for (int i = 0; i < CHILDREN; i++)
		expect_wait(children[i], "0 exit 0");
	world_end();
}

/* One that fails holds back no other, and has one line. */
static void
fanout_failed(void)
{
	start();
	say(root, "fanout 1");
	say(children[4], "exec sleep 1000");
	g_assert_cmpint(say_all("exec true"), ==, EIO);
	g_assert_cmpuint(error_lines(), ==, 1);
	g_autofree char *line = last_error(root);
	g_assert_true(g_str_has_prefix(line, "EBUSY exec: c4: a command runs"));
	for (int i = 0; i < CHILDREN; i++) {
		if (i != 4)
			expect_wait(children[i], "0 exit 0");
	}
	say(children[4], "kill");
	expect_wait(children[4], "137 signal KILL");
	context_error_clear(root);
	g_assert_cmpint(say_all("exec nosuch"), ==, EIO);
	g_assert_cmpuint(error_lines(), ==, CHILDREN);
	world_end();
}

/* What no context could take reaches none, and is one failure with its own errno. */
static void
fanout_bad_words(void)
{
	start();
	g_assert_cmpint(say_all("frobnicate"), ==, EOPNOTSUPP);
	g_assert_cmpint(say_all("exec"), ==, EINVAL);
	g_assert_cmpint(say_all("signal TERM"), ==, EOPNOTSUPP);
	g_assert_cmpuint(error_lines(), ==, 3);
	g_autoptr(GString) text = g_string_new(NULL);
	context_error_text(children[0], text);
	g_assert_cmpstr(text->str, ==, "");
	world_end();
}

/* With `async`, or when it is asked for, nobody waits; it is done all the same. */
static void
fanout_async(void)
{
	Outcome outcome;

	start();
	say(root, "fanout 2");
	submit_all("async exec true", FALSE, &outcome);
	g_assert_true(outcome.done);
	g_assert_cmpint(outcome.code, ==, 0);
	unit_until(runs() == CHILDREN);
	submit_all("exec nosuch", TRUE, &outcome);
	g_assert_true(outcome.done);
	g_assert_cmpint(outcome.code, ==, 0);
	unit_until(error_lines() == CHILDREN);
	world_end();
}

/* A cancel takes back what is on its way and begins no more. */
static void
fanout_cancel(void)
{
	Outcome outcome;

	start();
	say(root, "fanout 3");
	submit_all("exec sleep 1000", FALSE, &outcome);
	g_assert_cmpuint(runs(), ==, 3);
	command_cancel(outcome.command);
	g_assert_false(outcome.done);
	unit_until(outcome.done);
	g_assert_cmpint(outcome.code, ==, ECANCELED);
	g_assert_cmpuint(runs(), ==, 3);
	for (int i = 0; i < 3; i++)
		unit_until(run_ended(context_run(children[i])));
	g_autofree char *line = last_error(root);
	g_assert_cmpstr(line, ==, "ECANCELED exec: cancelled");
	g_assert_cmpuint(error_lines(), ==, 1);
	world_end();
}

/* A signal goes to each that has somebody to take it. */
static void
fanout_signals(void)
{
	Outcome outcome = { 0 };

	start();
	for (int i = 1; i < CHILDREN; i++)
		say(children[i], "exec sleep 1000");
	outcome.command = fanout_signal(root, "TERM leader", outcome_on_done, &outcome, NULL);
	unit_until(outcome.done);
	g_assert_cmpint(outcome.code, ==, EIO);
	for (int i = 1; i < CHILDREN; i++)
		expect_wait(children[i], "143 signal TERM");
	g_assert_cmpuint(error_lines(), ==, 1);
	g_autofree char *line = last_error(root);
	g_assert_true(g_str_has_prefix(line, "ESRCH signal: c0: "));
	world_end();
}

/* All of them may go by it, while it goes on. */
static void
fanout_destroy(void)
{
	start();
	say(children[3], "exec sleep 1000");
	make(children[5], "below");
	g_assert_cmpint(say_all("destroy"), ==, 0);
	g_assert_cmpuint(context_child_count(root), ==, 0);
	world_end();
}

static const UnitTest tests[] = {
	{ "/fanout/all", fanout_all },
	{ "/fanout/none", fanout_none },
	{ "/fanout/limit", fanout_limit },
	{ "/fanout/failed", fanout_failed },
	{ "/fanout/bad-words", fanout_bad_words },
	{ "/fanout/async", fanout_async },
	{ "/fanout/cancel", fanout_cancel },
	{ "/fanout/signals", fanout_signals },
	{ "/fanout/destroy", fanout_destroy },
};

int
main(int argc, char **argv)
{
	return world_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
