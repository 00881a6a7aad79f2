/* A real broker for unit tests: its local agent, contexts, and commands that are waited for.
 *
 * world_start() begins a test, world_end() frees the broker and reaps whatever it left: the
 * agents and what they ran. In between a test says lines of ctl with say(), reads outputs to
 * their end, and looks at the texts. Contexts log through GLib, which test programs take for a
 * failure when it is a warning, so what they log is dropped. A header only, since each unit test
 * is one program. */
#ifndef MITOFS_TESTS_WORLD_H
#define MITOFS_TESTS_WORLD_H

#include "broker/broker.h"
#include "broker/command.h"
#include "broker/error.h"
#include "tests/unit.h"

#include <string.h>

static Broker *world;
static Context *root;

/* What contexts log is theirs; everything else is GLib's or the test's. */
static inline GLogWriterOutput
world_log(GLogLevelFlags level, const GLogField *fields, gsize count, void *data)
{
	for (gsize i = 0; i < count; i++) {
		if (strcmp(fields[i].key, "MITOFS_CONTEXT") == 0)
			return G_LOG_WRITER_HANDLED;
	}
	return g_log_writer_default(level, fields, count, data);
}

/* A broker of @options, or of the usual ones. */
static inline void
world_start(const BrokerOptions *options, const BrokerHooks *hooks)
{
	g_autoptr(GError) error = NULL;

	world = broker_new(options != NULL ? options : &broker_default_options, hooks, &error);
	g_assert_no_error(error);
	root = broker_root(world);
}

/* The end of it and of all that it started. */
static inline void
world_end(void)
{
	broker_free(g_steal_pointer(&world));
	while (waitpid(-1, NULL, 0) > 0)
		;
	unit_settle();
}

/* A child of @parent. */
static inline Context *
make(Context *parent, const char *name)
{
	g_autoptr(GError) error = NULL;
	Context *child = context_make(parent, name, &error);

	g_assert_no_error(error);
	return child;
}

/* The outcome of a line of ctl. */
typedef struct Outcome Outcome;
struct Outcome {
	gboolean done;
	int code; /* errno, 0 for success */
	Command *command;
	char text[256];
};

static inline void
outcome_set(Outcome *outcome, const GError *error)
{
	outcome->done = TRUE;
	outcome->command = NULL;
	outcome->code = error != NULL ? error->code : 0;
	g_strlcpy(outcome->text, error != NULL ? error->message : "", sizeof outcome->text);
}

static inline void
outcome_on_done(const GError *error, void *data)
{
	outcome_set(data, error);
}

/* The words of a line; what follows `sh` is one. */
static inline GStrv
words_of(const char *line)
{
	const char *shell = g_str_has_prefix(line, "async sh ") ? line + 9
			    : g_str_has_prefix(line, "sh ")	? line + 3
								: NULL;
	g_autoptr(GError) error = NULL;
	GStrv words = NULL;

	if (shell != NULL) {
		g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

		if (line[0] == 'a')
			g_strv_builder_add(builder, "async");
		g_strv_builder_add_many(builder, "sh", shell, NULL);
		return g_strv_builder_end(builder);
	}
	g_shell_parse_argv(line, NULL, &words, &error);
	g_assert_no_error(error);
	return words;
}

/* Say @line to @context; @outcome follows, or is there. */
static inline void
submit(Context *context, const char *line, Outcome *outcome)
{
	g_autoptr(GError) error = NULL;

	*outcome = (Outcome){ 0 };
	outcome->command =
		command_submit(context, words_of(line), FALSE, outcome_on_done, outcome, &error);
	if (outcome->command == NULL && !outcome->done)
		outcome_set(outcome, error);
}

/* Say @line and wait for its outcome: 0 or an errno. */
static inline int
try_say(Context *context, const char *line)
{
	Outcome outcome;

	submit(context, line, &outcome);
	unit_until(outcome.done);
	return outcome.code;
}

/* The same for one that must succeed. */
static inline void
say(Context *context, const char *line)
{
	Outcome outcome;

	submit(context, line, &outcome);
	unit_until(outcome.done);
	if (outcome.code != 0)
		g_error("%s: %s", line, outcome.text);
}

/* All of @stream from its start, up to its end of file. */
static inline char *
stream_text(Stream *stream)
{
	StreamReader *reader = stream_reader_new(stream);
	GString *text = g_string_new(NULL);
	struct iovec iov[2];
	gssize got;
	int count;

	for (;;) {
		unit_until((got = stream_reader_look(reader, text->len, 65536, iov, &count)) !=
			   -EAGAIN);
		if (got <= 0)
			break;
		guint64 offset = text->len;

		for (int i = 0; i < count; i++)
			g_string_append_len(text, iov[i].iov_base, (gssize)iov[i].iov_len);
		stream_reader_consume(reader, offset, (gsize)got);
	}
	g_assert_cmpint(got, ==, 0);
	stream_reader_free(reader);
	return g_string_free(text, FALSE);
}

/* stdout (1) or stderr (2) of what runs in @context, to its end. */
static inline char *
output_text(Context *context, int which)
{
	return stream_text(context_output(context, which));
}

/* Wait for the end of the run, and compare what `wait` says up to "run=". */
static inline void
expect_wait(Context *context, const char *wanted)
{
	g_autoptr(GString) text = g_string_new(NULL);

	unit_until(run_ended(context_run(context)));
	run_wait_text(context_run(context), text);
	char *run = strstr(text->str, " run=");
	g_assert_nonnull(run);
	*run = '\0';
	g_assert_cmpstr(text->str, ==, wanted);
}

/* Run @line in @context to its end, and compare its stdout. */
static inline void
expect_run(Context *context, const char *line, const char *wanted)
{
	say(context, line);
	g_autofree char *text = output_text(context, 1);
	g_assert_cmpstr(text, ==, wanted);
	unit_until(run_ended(context_run(context)));
}

/* The value of @key in `status`. */
static inline char *
status_of(Context *context, const char *key)
{
	g_autoptr(GString) text = g_string_new("\n");
	g_autofree char *start = g_strdup_printf("\n%s ", key);

	context_status_text(context, text);
	const char *at = strstr(text->str, start);
	g_assert_nonnull(at);
	at += strlen(start);
	return g_strndup(at, strcspn(at, "\n"));
}

/* That value must be @wanted. */
static inline void
expect_status(Context *context, const char *key, const char *wanted)
{
	g_autofree char *value = status_of(context, key);

	g_assert_cmpstr(value, ==, wanted);
}

/* Whether that value is @wanted. */
static inline gboolean
status_is(Context *context, const char *key, const char *wanted)
{
	g_autofree char *value = status_of(context, key);

	return strcmp(value, wanted) == 0;
}

/* The last line of `error`, without its time and number. */
static inline char *
last_error(Context *context)
{
	g_autoptr(GString) text = g_string_new(NULL);

	context_error_text(context, text);
	g_strchomp(text->str);
	const char *line = strrchr(text->str, '\n');
	g_auto(GStrv) words = g_strsplit(line != NULL ? line + 1 : text->str, " ", 3);
	return g_strdup(g_strv_length(words) == 3 ? words[2] : "");
}

/* main() of a unit test with a broker. */
static inline int
world_main(int argc, char **argv, const UnitTest *tests, gsize count)
{
	g_log_set_writer_func(world_log, NULL, NULL);
	return unit_main(argc, argv, tests, count);
}

#endif
