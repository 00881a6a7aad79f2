/* Clients: what the end of one means, at whatever byte it comes, and its questions. The clients are
 * shells that read the line of the first stage, and say what the test wants. */
#include "tests/world.h"

#include "broker/context-private.h"
#include "broker/prompt.h"
#include "broker/wire.h"

/* A client that asks at its terminal until the answer is `right`, then leads to a shell. */
#define ASKER                                                                    \
	"connect command /bin/sh -c 'stty -echo </dev/tty; while :; do "         \
	"printf \"Password: \" >/dev/tty; read -r p </dev/tty; echo >/dev/tty; " \
	"[ \"$p\" = right ] && exec /bin/sh; echo Sorry >/dev/tty; done'"

/* A client that says the first %u bytes of what a first stage and the agent whose HELLO is in the
 * file %s would say. */
#define PEER                                                                         \
	"connect command /bin/sh -c 'read -r l; t=${l#*T=}; t=${t%%%%;*}; { printf " \
	"\"welcome\\n%%s Linux x86_64 z\\n99\\n%%s no /tmp\\n%%s ok\\n\" $t $t $t; " \
	"cat %s; } | head -c %u'"
#define TALK_TEXT (8 + 48 + 3 + 41 + 36) /* bytes of it in front of HELLO */
#define AT_ONCE 8

/* HELLO in a file; how long it is. */
static guint
hello_write(const char *path)
{
	struct wire_signal signals[] = { { 15, "TERM" } };
	struct wire_hello hello = { .version = WIRE_VERSION,
				    .sysname = "Linux",
				    .release = "6.1",
				    .machine = "x86_64",
				    .host = "far",
				    .user = "bob",
				    .home = "/",
				    .shell = "/bin/sh",
				    .signals = signals,
				    .signal_count = 1 };
	struct wire_out out = { .limit = 10000 };
	g_autoptr(GError) error = NULL;

	wire_begin(&out, 0, WIRE_HELLO);
	wire_put_hello(&out, &hello);
	g_assert_cmpint(wire_end(&out), ==, 0);
	g_file_set_contents(path, (char *)out.data, (gssize)out.size, &error);
	g_assert_no_error(error);
	guint size = (guint)out.size;
	wire_out_done(&out);
	return size;
}

/* The connect whose link ended behind @size bytes has one failure with a name. */
static void
check_cut(Context *context, const Outcome *outcome, guint size)
{
	static const char *const names[] = { "eof", "no-shell", NULL };
	g_autofree char *failure = status_of(context, "failure");

	g_assert_cmpint(outcome->code, !=, 0);
	if (!g_strv_contains(names, failure))
		g_error("%u bytes: %s: %s", size, failure, outcome->text);
	expect_status(context, "link", "lost");
}

/* A link that ends behind any byte before HELLO is a failure, never a crash or a wait. */
static void
cut_everywhere(void)
{
	g_autofree char *path = g_strdup_printf("%s/client-hello-%d", g_get_tmp_dir(), getpid());
	guint size = TALK_TEXT + hello_write(path);
	Context *contexts[AT_ONCE];
	Outcome outcomes[AT_ONCE];

	world_start(NULL, NULL);
	for (guint i = 0; i < AT_ONCE; i++) {
		g_autofree char *name = g_strdup_printf("c%u", i);
		contexts[i] = make(root, name);
	}
	for (guint first = 0; first < size; first += AT_ONCE) {
		guint count = MIN(AT_ONCE, size - first);

		for (guint i = 0; i < count; i++) {
			g_autofree char *line = g_strdup_printf(PEER, path, first + i);
			submit(contexts[i], line, &outcomes[i]);
		}
		for (guint i = 0; i < count; i++) {
			unit_until(outcomes[i].done);
			check_cut(contexts[i], &outcomes[i], first + i);
		}
	}
	g_autofree char *whole = g_strdup_printf(PEER, path, size);
	say(contexts[0], whole);
	unit_until(status_is(contexts[0], "link", "lost"));
	world_end();
	g_assert_cmpint(unlink(path), ==, 0);
}

/* Clients that lead nowhere. */
static const struct {
	const char *connect;
	int code;
	const char *failure, *said;
} ends[] = {
	{ "connect command /nosuch", ENOENT, "no-client", "/nosuch" },
	{ "connect command true", ECONNABORTED, "eof", "exit code 0" },
	{ "connect command /bin/sh -c 'echo sorry >&2; exit 3'", ECONNABORTED, "eof",
	  "exit code 3: sorry" },
	{ "connect command /bin/sh -c 'echo menu; exit 3'", EPERM, "no-shell", "menu" },
	{ "connect command /bin/sh -c 'exit 127'", EPERM, "no-shell", "exit code 127" },
	{ "connect command /bin/sh -c 'echo no such program; exit 126'", EPERM, "no-shell",
	  "exit code 126: no such program" },
	{ "connect command /bin/sh -c 'kill -9 $$'", ECONNABORTED, "eof",
	  "the client ended: signal KILL" },
	{ "connect command /etc/passwd", EACCES, "eof", "/etc/passwd" },
};

static void
ends_table(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		Outcome outcome;

		submit(a, ends[i].connect, &outcome);
		unit_until(outcome.done);
		g_test_message("%s: %s", ends[i].connect, outcome.text);
		g_assert_cmpint(outcome.code, ==, ends[i].code);
		expect_status(a, "failure", ends[i].failure);
		g_assert_nonnull(strstr(outcome.text, ends[i].said));
	}
	world_end();
}

static void
answer(Context *context, const char *text)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(prompt_answer(context_prompt(context), text, strlen(text), &error));
	g_assert_no_error(error);
}

/* Answers in advance, for the first connect and for one that replaces a place; late ones. */
static void
asks_right(void)
{
	Outcome outcome;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	answer(a, "right\n");
	say(a, ASKER);
	answer(a, "right\n");
	say(a, ASKER);
	expect_run(a, "exec echo there", "there\n");
	submit(a, ASKER, &outcome);
	unit_until(status_is(a, "link", "prompting"));
	unit_settle();
	g_assert_cmpstr(prompt_question(context_prompt(a)), ==, "Password: \n");
	answer(a, "wrong\n");
	unit_until(prompt_question(context_prompt(a)) == NULL);
	unit_until(prompt_question(context_prompt(a)) != NULL);
	unit_settle();
	g_assert_cmpstr(prompt_question(context_prompt(a)), ==, "Sorry Password: \n");
	answer(a, "right\n");
	unit_until(outcome.done);
	g_assert_cmpint(outcome.code, ==, 0);
	world_end();
}

/* A wrong answer in advance is not followed by the next; without one it is the time that ends. */
static void
asks_wrong(void)
{
	Outcome outcome;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	answer(a, "wrong\nright\n");
	submit(a, ASKER, &outcome);
	unit_until(outcome.done);
	g_assert_cmpint(outcome.code, ==, EACCES);
	expect_status(a, "failure", "auth-failed");
	say(a, "connect-timeout 1");
	submit(a, ASKER, &outcome);
	unit_until(outcome.done);
	g_assert_cmpint(outcome.code, ==, EACCES);
	expect_status(a, "failure", "auth-required");
	g_assert_nonnull(strstr(outcome.text, "nobody answered: Password:"));
	g_assert_null(prompt_question(context_prompt(a)));
	world_end();
}

static const UnitTest tests[] = {
	{ "/client/cut/everywhere/R78/T12", cut_everywhere },
	{ "/client/ends/T06/T08/R72", ends_table },
	{ "/client/asks/right/T38/R65", asks_right },
	{ "/client/asks/wrong/T38/R65", asks_wrong },
};

int
main(int argc, char **argv)
{
	return world_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
