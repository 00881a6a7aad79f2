/* Clients: what the end of one means, at whatever byte it comes, and its questions.
 *
 * The peer is this program itself, with --peer N: it reads the line of the first stage and says N
 * bytes of what a first stage and an agent say. */
#include "tests/world.h"

#include "broker/context-private.h"
#include "broker/prompt.h"
#include "broker/wire.h"

#include <stdlib.h>

#define MARKER_SIZE 32
#define LINE_SIZE 4096

/* A client that asks at its terminal until the answer is `right`, then leads to a shell. */
#define ASKER                                                                    \
	"connect command /bin/sh -c 'stty -echo </dev/tty; while :; do "         \
	"printf \"Password: \" >/dev/tty; read -r p </dev/tty; echo >/dev/tty; " \
	"[ \"$p\" = right ] && exec /bin/sh; echo Sorry >/dev/tty; done'"

/* All that the peer has to say. Caller frees. */
static GByteArray *
talk_new(const char *marker)
{
	static const struct wire_signal signals[] = { { 15, "TERM" } };
	struct wire_hello hello = { .version = WIRE_VERSION,
				    .home = "/",
				    .release = "6.1",
				    .sysname = "Linux",
				    .machine = "x86_64",
				    .host = "far",
				    .user = "bob",
				    .shell = "/bin/sh",
				    .signals = (struct wire_signal *)signals,
				    .signal_count = 1 };
	struct wire_out out = { .limit = 10000 };
	GByteArray *talk = g_byte_array_new();
	g_autofree char *text = g_strdup_printf(
		"welcome\n%s Linux x86_64 z\n99\n%s no /tmp\n%s ok\n", marker, marker, marker);

	wire_begin(&out, 0, WIRE_HELLO);
	wire_put_hello(&out, &hello);
	g_assert_cmpint(wire_end(&out), ==, 0);
	g_byte_array_append(talk, (guint8 *)text, (guint)strlen(text));
	g_byte_array_append(talk, out.data, (guint)out.size);
	wire_out_done(&out);
	return talk;
}

/* Be the peer. */
static int
peer_main(const char *count)
{
	char line[LINE_SIZE] = "";
	gsize used = 0, size = strtoul(count, NULL, 10);

	while (used + 1 < sizeof line && (used == 0 || line[used - 1] != '\n') &&
	       read(STDIN_FILENO, line + used, 1) == 1)
		used++;
	const char *marker = strstr(line, "T=");
	if (marker == NULL)
		return 1;
	g_autofree char *copy = g_strndup(marker + 2, MARKER_SIZE);
	g_autoptr(GByteArray) talk = talk_new(copy);
	return write(STDOUT_FILENO, talk->data, size) == (gssize)size ? 0 : 1;
}

/* A link that ends behind any byte before HELLO is one failure with a name, never a crash or a wait. */
static void
cut_everywhere(void)
{
	static const char *const names[] = { "eof", "no-shell", NULL };
	g_autofree char *marker = g_strnfill(MARKER_SIZE, 'm');
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autoptr(GByteArray) talk = talk_new(marker);

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	for (guint size = 0; size < talk->len; size++) {
		g_autofree char *line = g_strdup_printf("connect command %s --peer %u", self, size);
		Outcome outcome;

		submit(a, line, &outcome);
		unit_until(outcome.done);
		g_assert_cmpint(outcome.code, !=, 0);
		g_autofree char *failure = status_of(a, "failure");
		if (!g_strv_contains(names, failure))
			g_error("%u bytes: %s: %s", size, failure, outcome.text);
		expect_status(a, "link", "lost");
	}
	g_autofree char *whole = g_strdup_printf("connect command %s --peer %u", self, talk->len);
	say(a, whole);
	unit_until(status_is(a, "link", "lost"));
	world_end();
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
	if (argc == 3 && strcmp(argv[1], "--peer") == 0)
		return peer_main(argv[2]);
	return world_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
