/* What is told of a context: its `error`, its `log`, and events.
 *
 * A failure is one line in `error`, of which the last 64 are kept, and one in the log; a log
 * line goes to the context and to all above it, as the level allows; events go to whoever had
 * opened them by then, of his own subtree only. Whatever stands in a line is escaped, so that a
 * line stays one. */
#include "tests/world.h"

#include "broker/context-private.h"

/* `error` keeps the last failures in one line each, and can be cleared. */
static void
log_error(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) wrong = g_error_new(MITOFS_ERROR, EACCES, "no\nway \x1b");

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	g_assert_cmpint(try_say(a, "nosuch\nverb"), ==, EOPNOTSUPP);
	context_fail(a, "x\ny", wrong);
	g_autofree char *line = last_error(a);
	g_assert_cmpstr(line, ==, "EACCES x\\ny: no\\nway \\x1b");
	for (guint i = 0; i < 100; i++)
		context_fail(a, "again", wrong);
	context_error_text(a, text);
	guint lines = 0;
	for (const char *at = text->str; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	g_assert_cmpuint(lines, ==, 64);
	g_assert_nonnull(strstr(text->str, " 102 EACCES again: "));
	context_error_clear(a);
	g_string_truncate(text, 0);
	context_error_text(a, text);
	g_assert_cmpstr(text->str, ==, "");
	world_end();
}

/* What is in @stream from its oldest byte on, without waiting. */
static char *
stream_now(Stream *stream)
{
	StreamReader *reader = stream_reader_new(stream);
	struct iovec iov[2];
	int count;
	gssize got = stream_reader_look(reader, 0, 1000000, iov, &count);
	GString *text = g_string_new(NULL);

	for (int i = 0; got > 0 && i < count; i++)
		g_string_append_len(text, iov[i].iov_base, (gssize)iov[i].iov_len);
	stream_reader_free(reader);
	return g_string_free(text, FALSE);
}

/* A log line goes to the context and to all above it; the level decides. */
static void
log_levels(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	Context *b = make(a, "b");
	context_logf(b, WIRE_INFO, "one\ntwo %d", 3);
	context_logf(b, WIRE_DEBUG, "quiet");
	say(b, "loglevel debug");
	context_logf(b, WIRE_DEBUG, "loud");
	g_autofree char *at_b = stream_now(context_log(b));
	g_autofree char *at_a = stream_now(context_log(a));
	g_autofree char *at_root = stream_now(context_log(root));
	g_assert_nonnull(strstr(at_b, " info /a/b: one\\ntwo 3\n"));
	g_assert_nonnull(strstr(at_a, " info /a/b: one\\ntwo 3\n"));
	g_assert_nonnull(strstr(at_root, " debug /a/b: loud\n"));
	g_assert_null(strstr(at_root, "quiet"));
	world_end();
}

/* The WHATs of @text's lines about @path, with blanks between them. */
static char *
events_about(const char *text, const char *path)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *whats = g_string_new(NULL);

	for (guint i = 0; lines[i] != NULL; i++) {
		g_auto(GStrv) words = g_strsplit(lines[i], " ", -1);

		if (g_strv_length(words) >= 3 && strcmp(words[1], path) == 0)
			g_string_append_printf(whats, "%s%s", whats->len > 0 ? " " : "", words[2]);
	}
	return g_string_free(whats, FALSE);
}

/* Events come from the open on, of the subtree only, and end with the close. */
static void
log_events(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	Stream *all = context_events_open(root);
	Stream *below = context_events_open(a);
	g_autoptr(Stream) held = stream_ref(below);
	Context *b = make(a, "b");
	expect_run(b, "exec true", "");
	g_assert_cmpint(try_say(b, "exec /nosuch"), ==, ENOENT);
	g_assert_true(context_rename(a, "b", "c", NULL));
	g_assert_true(context_remove(a, "c", NULL));
	make(root, "d");
	g_autofree char *text = stream_now(all);
	g_autofree char *of_b = events_about(text, "/a/b");
	g_autofree char *of_c = events_about(text, "/a/c");
	g_autofree char *of_d = events_about(text, "/d");
	g_assert_cmpstr(of_b, ==, "created started exited exited failed renamed");
	g_assert_cmpstr(of_c, ==, "removed");
	g_assert_cmpstr(of_d, ==, "created");
	g_autofree char *narrow = stream_now(below);
	g_autofree char *not_d = events_about(narrow, "/d");
	g_assert_cmpstr(not_d, ==, "");
	context_events_close(a, below);
	g_assert_true(stream_ended(held));
	context_events_close(root, all);
	world_end();
}

static const UnitTest tests[] = {
	{ "/log/error", log_error },
	{ "/log/levels", log_levels },
	{ "/log/events", log_events },
};

int
main(int argc, char **argv)
{
	return world_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
