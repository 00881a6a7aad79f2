/* Places: connecting to a second and a third agent of this machine, what runs there, and how
 * links are lost.
 *
 * The local agent hands the streams of its commands over as descriptors. An agent that `connect
 * local` starts is reached through pipes of that kind, and its own commands' streams come in
 * frames; one that is connected from there has even its link in frames of the other. So the same
 * commands are run at all three depths. A link is lost by a command that kills its parent, the
 * agent. */
#include "tests/world.h"

#include "broker/context-private.h"
#include "broker/place.h"

#define DEPTHS 3
#define KIB 1024

/* Contexts at each depth, the last below the one before: /, /p and /p/p. */
static void
make_depths(Context *contexts[DEPTHS])
{
	contexts[0] = root;
	for (guint i = 1; i < DEPTHS; i++) {
		contexts[i] = make(contexts[i - 1], "p");
		say(contexts[i], "connect local");
	}
}

/* A place of its own: what status says of it, and that commands run there. */
static void
connect_local(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	expect_status(a, "place", "/");
	say(a, "connect local");
	expect_status(a, "place", "/a");
	expect_status(a, "method", "local");
	expect_status(a, "link", "up");
	expect_status(a, "state", "idle");
	g_autofree char *user = status_of(root, "user");
	expect_status(a, "user", user);
	expect_run(a, "exec echo there", "there\n");
	Context *b = make(a, "b");
	expect_status(b, "place", "/a");
	expect_run(b, "exec echo below", "below\n");
	g_autoptr(GString) ctl = g_string_new(NULL);
	context_ctl_text(a, ctl);
	g_assert_true(g_str_has_suffix(ctl->str, "\nasync connect local\n"));
	g_assert_cmpint(try_say(a, "connect local"), ==, ENOTEMPTY);
	g_assert_cmpint(try_say(a, "disconnect"), ==, ENOTEMPTY);
	g_assert_true(context_remove(a, "b", NULL));
	say(a, "connect local");
	expect_run(a, "exec echo again", "again\n");
	say(a, "disconnect");
	expect_status(a, "place", "/");
	expect_run(a, "exec echo here", "here\n");
	world_end();
}

/* A connect in flight: what comes behind it waits, and it can be taken back. */
static void
connect_queue(void)
{
	Outcome connect, exec;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	submit(a, "async connect local", &connect);
	g_assert_true(connect.done);
	submit(a, "exec echo x", &exec);
	g_assert_false(exec.done);
	expect_status(a, "link", "connecting");
	unit_until(exec.done);
	g_assert_cmpint(exec.code, ==, 0);
	expect_status(a, "link", "up");
	g_autofree char *text = output_text(a, 1);
	g_assert_cmpstr(text, ==, "x\n");
	unit_until(run_ended(context_run(a)));
	submit(a, "connect local", &connect);
	submit(a, "exec true", &exec);
	command_cancel(connect.command);
	unit_until(connect.done && exec.done);
	g_assert_cmpint(connect.code, ==, ECANCELED);
	g_assert_cmpint(exec.code, ==, ENOTCONN);
	expect_status(a, "link", "lost");
	expect_status(a, "state", "lost");
	submit(a, "connect local", &connect);
	say(a, "cancel");
	unit_until(connect.done);
	g_assert_cmpint(connect.code, ==, ECANCELED);
	say(a, "connect local");
	expect_run(a, "exec echo y", "y\n");
	world_end();
}

/* No agent within its time. */
static void
connect_timeout(void)
{
	Outcome outcome;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "connect-timeout 0.001");
	submit(a, "connect local", &outcome);
	while (!outcome.done)
		unit_turn(G_MAXINT64, "");
	if (outcome.code != 0) {
		g_assert_cmpint(outcome.code, ==, ETIMEDOUT);
		expect_status(a, "link", "lost");
	}
	world_end();
}

/* The same commands at every depth. */
static void
depth_commands(void)
{
	Context *contexts[DEPTHS];

	world_start(NULL, NULL);
	make_depths(contexts);
	for (guint i = 0; i < DEPTHS; i++) {
		Context *a = make(contexts[i], "x");

		expect_run(a, "sh echo out; echo err >&2; exit 3", "out\n");
		g_autofree char *err = output_text(a, 2);
		g_assert_cmpstr(err, ==, "err\n");
		expect_wait(a, "3 exit 3");
		g_assert_cmpint(try_say(a, "exec nosuch"), ==, ENOENT);
		expect_wait(a, "127 exec ENOENT");
		say(a, "exec sleep 1000");
		g_assert_cmpint(try_say(a, "cwd /"), ==, EBUSY);
		say(a, "nice 7");
		say(a, "stop");
		expect_wait(a, "143 signal TERM");
		say(a, "pty on");
		expect_run(a, "sh test -t 0 && echo tty", "tty\r\n");
		say(a, "exec cat");
		InputWriter *writer = input_writer_new(context_input(a), FALSE);
		gssize result;
		g_assert_null(input_write(writer, "line\n", 5, FALSE, NULL, NULL, &result));
		say(a, "eof");
		g_autofree char *text = output_text(a, 1);
		g_assert_cmpstr(text, ==, "line\r\nline\r\n");
		expect_wait(a, "0 exit 0");
		input_writer_free(writer);
	}
	world_end();
}

/* The byte at @offset. */
static guint8
byte_at(guint64 offset)
{
	return (guint8)((offset * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)) >> 56);
}

static void
count_up(gssize result, void *data)
{
	*(gssize *)data = result;
}

/* Megabytes go through `cat` and come back in order, through a small retain, by one write that
 * waits. */
static void
depth_bulk(void)
{
	const gsize size = 2 * KIB * KIB + 77;
	g_autofree guint8 *bytes = g_malloc(size);
	Context *contexts[DEPTHS];

	for (gsize i = 0; i < size; i++)
		bytes[i] = byte_at(i);
	world_start(NULL, NULL);
	make_depths(contexts);
	for (guint depth = 0; depth < DEPTHS; depth++) {
		Context *a = make(contexts[depth], "x");
		gssize written = -1, result, got;
		struct iovec iov[2];
		guint64 at = 0;
		int count;

		say(a, "retain 100000");
		say(a, "exec cat");
		InputWriter *writer = input_writer_new(context_input(a), TRUE);
		g_assert_nonnull(
			input_write(writer, bytes, size, FALSE, count_up, &written, &result));
		input_writer_free(writer);
		StreamReader *reader = stream_reader_new(context_output(a, 1));
		for (;;) {
			unit_until((got = stream_reader_look(reader, at, 50000, iov, &count)) !=
				   -EAGAIN);
			if (got <= 0)
				break;
			for (int i = 0; i < count; i++) {
				g_assert_cmpint(memcmp(iov[i].iov_base, bytes + at, iov[i].iov_len),
						==, 0);
				at += iov[i].iov_len;
			}
			stream_reader_consume(reader, at - (guint64)got, (gsize)got);
		}
		g_assert_cmpint(got, ==, 0);
		g_assert_cmpuint(at, ==, size);
		g_assert_cmpint(written, ==, (gssize)size);
		stream_reader_free(reader);
		expect_wait(a, "0 exit 0");
	}
	world_end();
}

/* Without a reader a command is held back at `retain` at every depth; one that was replaced is
 * drained to its end. */
static void
depth_held_back(void)
{
	Context *contexts[DEPTHS];

	world_start(NULL, NULL);
	make_depths(contexts);
	for (guint depth = 0; depth < DEPTHS; depth++) {
		Context *a = make(contexts[depth], "x");

		say(a, "retain 100000");
		say(a, "sh head -c 3000000 /dev/zero & exit 5");
		expect_wait(a, "5 exit 5");
		g_autoptr(Stream) stream = stream_ref(context_output(a, 1));
		unit_until(stream_blocked(stream));
		unit_settle();
		g_assert_cmpuint(stream_start(stream), ==, 0);
		g_assert_cmpuint(stream_size(stream), <=, 100000 + WIRE_CREDIT_START);
		expect_run(a, "exec echo next", "next\n");
		unit_until(stream_ended(stream));
		g_assert_cmpuint(stream_size(stream), ==, 3000000);
	}
	world_end();
}

/* Many at once on one link: each gets all of its input and its end, none is forgotten. */
static void
depth_many(void)
{
	const gsize size = 200000;
	g_autofree char *bytes = g_strnfill(size, 'm');
	Context *contexts[DEPTHS];

	world_start(NULL, NULL);
	make_depths(contexts);
	for (guint depth = 0; depth < DEPTHS; depth++) {
		Context *all[12];
		gssize written[12], result;

		for (guint i = 0; i < 12; i++) {
			g_autofree char *name = g_strdup_printf("m%u", i);

			all[i] = make(contexts[depth], name);
			say(all[i], "exec wc -c");
		}
		for (guint i = 0; i < 12; i++) {
			InputWriter *writer = input_writer_new(context_input(all[i]), TRUE);

			written[i] = -1;
			if (input_write(writer, bytes, size, FALSE, count_up, &written[i],
					&result) == NULL)
				written[i] = result;
			input_writer_free(writer);
		}
		for (guint i = 0; i < 12; i++) {
			g_autofree char *text = output_text(all[i], 1);

			g_assert_cmpstr(text, ==, "200000\n");
			g_assert_cmpint(written[i], ==, (gssize)size);
			expect_wait(all[i], "0 exit 0");
		}
	}
	world_end();
}

/* Run a command in @context that kills its agent once it was told to, so that its start is known
 * before. */
static void
kill_agent(Context *context)
{
	gssize result;

	say(context, "sh read line; kill -KILL $PPID; exec sleep 1000");
	InputWriter *writer = input_writer_new(context_input(context), FALSE);
	g_assert_null(input_write(writer, "\n", 1, FALSE, NULL, NULL, &result));
	g_assert_cmpint(result, ==, 1);
	input_writer_free(writer);
}

/* A link that is lost: who runs, who waits and who writes is told; the context can be connected
 * anew. */
static void
lost_place(void)
{
	Outcome outcome;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "connect local");
	Context *b = make(a, "b");
	Context *c = make(a, "c");
	say(c, "connect local");
	say(b, "exec sleep 1000");
	say(c, "exec sleep 1000");
	InputWriter *writer = input_writer_new(context_input(b), FALSE);
	g_autoptr(Stream) output = stream_ref(context_output(b, 1));
	kill_agent(a);
	expect_wait(a, "255 lost ECONNRESET");
	expect_wait(b, "255 lost ECONNRESET");
	expect_wait(c, "255 lost ECONNRESET");
	unit_until(status_is(c, "link", "lost"));
	expect_status(a, "state", "lost");
	expect_status(b, "state", "lost");
	g_assert_true(stream_ended(output));
	gssize result;
	g_assert_null(input_write(writer, "x", 1, FALSE, NULL, NULL, &result));
	g_assert_cmpint(result, ==, -ECONNRESET);
	input_writer_free(writer);
	submit(b, "exec true", &outcome);
	unit_until(outcome.done);
	g_assert_cmpint(outcome.code, ==, ENOTCONN);
	g_assert_nonnull(strstr(outcome.text, "link lost: the agent is gone"));
	g_assert_cmpint(try_say(b, "kill"), ==, ESRCH);
	expect_status(root, "link", "up");
	say(a, "connect local");
	expect_run(b, "exec echo back", "back\n");
	expect_status(c, "link", "lost");
	say(c, "connect local");
	expect_run(c, "exec echo back", "back\n");
	world_end();
}

/* An exec that was in flight when its link went is answered, and the next run has an input of
 * its own. */
static void
lost_in_start(void)
{
	Outcome outcome;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "connect local");
	say(a, "sh echo $PPID");
	g_autofree char *agent = output_text(a, 1);
	pid_t pid = (pid_t)g_ascii_strtoll(agent, NULL, 10);
	expect_wait(a, "0 exit 0");
	say(a, "reset");
	kill(pid, SIGSTOP);
	submit(a, "exec cat", &outcome);
	InputWriter *writer = input_writer_new(context_input(a), TRUE);
	unit_settle();
	kill(pid, SIGKILL);
	unit_until(outcome.done);
	g_assert_cmpint(outcome.code, ==, ECONNRESET);
	expect_wait(a, "255 lost ECONNRESET");
	input_writer_free(writer);
	say(a, "connect local");
	say(a, "exec cat");
	input_writer_free(input_writer_new(context_input(a), TRUE));
	g_autofree char *text = output_text(a, 1);
	g_assert_cmpstr(text, ==, "");
	expect_wait(a, "0 exit 0");
	world_end();
}

/* The local agent: everything is lost with it, and it is started again. */
static void
lost_local(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	Context *b = make(root, "b");
	say(b, "connect local");
	say(a, "exec sleep 1000");
	say(b, "exec sleep 1000");
	kill_agent(root);
	expect_wait(root, "255 lost ECONNRESET");
	expect_wait(a, "255 lost ECONNRESET");
	expect_wait(b, "255 lost ECONNRESET");
	g_assert_cmpint(try_say(a, "exec true"), ==, ENOTCONN);
	unit_until(status_is(root, "link", "up"));
	expect_run(a, "exec echo back", "back\n");
	expect_status(b, "link", "lost");
	say(b, "connect local");
	expect_run(b, "exec echo back", "back\n");
	world_end();
}

/* A context with a place of its own is removed in any state of its link, which goes behind it. */
static void
removed_place(void)
{
	Outcome outcome;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "connect local");
	expect_run(a, "exec true", "");
	g_assert_true(context_remove(root, "a", NULL));
	Context *b = make(root, "b");
	submit(b, "connect local", &outcome);
	g_assert_true(context_remove(root, "b", NULL));
	unit_until(outcome.done);
	g_assert_cmpint(outcome.code, ==, ECANCELED);
	Context *c = make(root, "c");
	say(c, "connect local");
	say(make(c, "d"), "exec sleep 1000");
	say(c, "destroy");
	g_assert_null(context_child(root, "c"));
	expect_run(root, "exec echo alive", "alive\n");
	world_end();
}

/* What an ended command left in its pipe is still read when its agent has gone. */
static void
lost_behind_end(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "retain 4096");
	say(a, "exec head -c 50000 /dev/zero");
	expect_wait(a, "0 exit 0");
	g_autoptr(Stream) stream = stream_ref(context_output(a, 1));
	unit_until(stream_blocked(stream));
	kill_agent(root);
	unit_until(status_is(root, "link", "lost"));
	expect_wait(a, "0 exit 0");
	StreamReader *reader = stream_reader_new(stream);
	struct iovec iov[2];
	guint64 at = 0;
	gssize got;
	int count;
	for (;;) {
		unit_until((got = stream_reader_look(reader, at, 10000, iov, &count)) != -EAGAIN);
		if (got <= 0)
			break;
		stream_reader_consume(reader, at, (gsize)got);
		at += (guint64)got;
	}
	g_assert_cmpint(got, ==, 0);
	g_assert_cmpuint(at, ==, 50000);
	stream_reader_free(reader);
	world_end();
}

static const UnitTest tests[] = {
	{ "/place/connect/local", connect_local },
	{ "/place/connect/queue", connect_queue },
	{ "/place/connect/timeout", connect_timeout },
	{ "/place/depth/commands", depth_commands },
	{ "/place/depth/bulk", depth_bulk },
	{ "/place/depth/held-back", depth_held_back },
	{ "/place/depth/many", depth_many },
	{ "/place/lost/place", lost_place },
	{ "/place/lost/in-start", lost_in_start },
	{ "/place/lost/local", lost_local },
	{ "/place/lost/behind-end", lost_behind_end },
	{ "/place/removed", removed_place },
};

int
main(int argc, char **argv)
{
	return world_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
