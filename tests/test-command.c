/* Commands: what the verbs of ctl do to one context, with real commands at the local place.
 *
 * The order of the queue, what may be said while a command runs, what a cancel leaves behind,
 * and the sentence of every refusal. To hold a command in its start, the agent's worker is
 * stopped for a moment: what is sent to it meanwhile waits in its socket. */
#include "tests/world.h"

#include "broker/context-private.h"
#include "broker/place.h"

#include <fcntl.h>
#include <sys/stat.h>

/* Exec. */

static const struct {
	const char *line, *wait, *out, *err;
} runs[] = {
	{ "exec true", "0 exit 0", "", "" },
	{ "exec false", "1 exit 1", "", "" },
	{ "exec echo 'a  b' c", "0 exit 0", "a  b c\n", "" },
	{ "exec sh -c 'exit 7'", "7 exit 7", "", "" },
	{ "sh echo out; echo err >&2; exit 3", "3 exit 3", "out\n", "err\n" },
	{ "sh echo $((1 + 1)) | cat", "0 exit 0", "2\n", "" },
	{ "sh kill -TERM $$", "143 signal TERM", "", "" },
	{ "sh kill -KILL $$", "137 signal KILL", "", "" },
};

/* Real commands: how they ended, and what they wrote. */
static void
exec_runs(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	for (gsize i = 0; i < G_N_ELEMENTS(runs); i++) {
		g_autofree char *number = g_strdup_printf("%u", (guint)i + 1);

		expect_run(a, runs[i].line, runs[i].out);
		g_autofree char *err = output_text(a, 2);
		g_assert_cmpstr(err, ==, runs[i].err);
		expect_wait(a, runs[i].wait);
		expect_status(a, "run", number);
	}
	world_end();
}

static const struct {
	const char *line;
	int code;
	const char *wait, *said;
} failures[] = {
	{ "exec nosuch-command", ENOENT, "127 exec ENOENT",
	  "\"nosuch-command\" not found in PATH=" },
	{ "exec /nosuch/command", ENOENT, "127 exec ENOENT", "/nosuch/command" },
	{ "exec /etc/passwd", EACCES, "126 exec EACCES", "/etc/passwd" },
	{ "exec /etc", EACCES, "126 exec EACCES", "/etc" },
};

/* A failed exec is a run with a sentence, keeps the earlier output, and leaves what is staged
 * for the next. */
static void
exec_failures(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	expect_run(a, "exec echo before", "before\n");
	for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
		Outcome outcome;

		submit(a, failures[i].line, &outcome);
		unit_until(outcome.done);
		g_assert_cmpint(outcome.code, ==, failures[i].code);
		g_assert_nonnull(strstr(outcome.text, failures[i].said));
		g_assert_nonnull(strstr(outcome.text, " on "));
		expect_wait(a, failures[i].wait);
		expect_status(a, "state", "exited");
		expect_status(a, "pid", "-");
		g_autofree char *text = output_text(a, 1);
		g_assert_cmpstr(text, ==, "before\n");
	}
	expect_status(a, "run", "5");
	g_assert_cmpint(try_say(a, "exec ''"), ==, ENOENT);
	expect_status(a, "run", "5");
	say(a, "cwd /nosuch");
	g_assert_cmpint(try_say(a, "exec true"), ==, ENOENT);
	expect_wait(a, "126 exec ENOENT");
	world_end();
}

/* `again` runs the last one; `login` runs the shell as a login shell on a terminal; `sh` the
 * shell that is set. */
static void
exec_shells(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	expect_run(a, "sh echo x", "x\n");
	say(a, "again");
	g_autofree char *text = output_text(a, 1);
	g_assert_cmpstr(text, ==, "x\n");
	expect_status(a, "run", "2");
	unit_until(run_ended(context_run(a)));
	say(a, "shell /bin/echo");
	expect_run(a, "sh what", "-c what\n");
	say(a, "shell /bin/bash");
	say(a, "login");
	expect_status(a, "argv", "/bin/bash");
	InputWriter *writer = input_writer_new(context_input(a), FALSE);
	const char line[] = "shopt -q login_shell && test -t 0 && exit 42\n";
	gssize result;
	g_assert_null(input_write(writer, line, strlen(line), FALSE, NULL, NULL, &result));
	expect_wait(a, "42 exit 42");
	input_writer_free(writer);
	world_end();
}

/* Settings reach the command. */
static void
exec_settings(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "cwd /tmp");
	say(a, "clearenv");
	say(a, "env PATH=/usr/bin:/bin");
	say(a, "env 'A=b c'");
	say(a, "umask 027");
	say(a, "nice 5");
	say(a, "rlimit nofile 33");
	expect_run(a, "sh pwd; echo $A; umask; nice; ulimit -n; env | grep -c '^[AP]'",
		   "/tmp\nb c\n0027\n5\n33\n3\n");
	say(a, "preexec env X=1 nice -n 2");
	expect_run(a, "sh echo $X; nice", "1\n7\n");
	say(a, "defaults");
	g_autoptr(GString) ctl = g_string_new(NULL);
	context_ctl_text(a, ctl);
	g_assert_true(g_str_has_suffix(ctl->str, " a exited\ndefaults\n"));
	world_end();
}

/* A terminal: its size, also while the command runs, and its output in stdout alone. */
static void
exec_terminal(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "pty on");
	say(a, "winsize 100 50");
	expect_run(a, "sh test -t 1 && stty size; echo e >&2", "50 100\r\ne\r\n");
	g_autofree char *err = output_text(a, 2);
	g_assert_cmpstr(err, ==, "");
	say(a, "sh trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done");
	unit_until(stream_size(context_output(a, 1)) == 7);
	say(a, "winsize 7 9");
	g_autofree char *text = output_text(a, 1);
	g_assert_cmpstr(text, ==, "ready\r\n9 7\r\n");
	unit_until(run_ended(context_run(a)));
	world_end();
}

/* What is staged is the next command's stdin; then the input is over until the next run. */
static void
exec_input(void)
{
	gssize result;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	InputWriter *writer = input_writer_new(context_input(a), TRUE);
	g_assert_null(input_write(writer, "staged ", 7, FALSE, NULL, NULL, &result));
	input_writer_free(writer);
	expect_run(a, "exec cat", "staged ");
	expect_wait(a, "0 exit 0");
	expect_status(a, "stdin", "closed");
	writer = input_writer_new(context_input(a), TRUE);
	g_assert_null(input_write(writer, "late", 4, FALSE, NULL, NULL, &result));
	g_assert_cmpint(result, ==, -EPIPE);
	input_writer_free(writer);
	g_assert_cmpint(try_say(a, "eof"), ==, EPIPE);
	say(a, "reset");
	expect_status(a, "run", "-");
	expect_status(a, "stdin", "open");
	writer = input_writer_new(context_input(a), FALSE);
	g_assert_null(input_write(writer, "more", 4, FALSE, NULL, NULL, &result));
	g_assert_cmpint(result, ==, 4);
	say(a, "exec cat");
	expect_status(a, "stdin", "open");
	say(a, "eof");
	g_autofree char *text = output_text(a, 1);
	g_assert_cmpstr(text, ==, "more");
	input_writer_free(writer);
	expect_status(a, "run", "2");
	world_end();
}

/* What the last close of stdin does. */
static void
exec_on_close(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "onclose hup");
	say(a, "exec sleep 1000");
	input_writer_free(input_writer_new(context_input(a), FALSE));
	expect_wait(a, "129 signal HUP");
	say(a, "onclose kill");
	say(a, "exec sleep 1000");
	input_writer_free(input_writer_new(context_input(a), TRUE));
	expect_wait(a, "137 signal KILL");
	say(a, "onclose none");
	say(a, "exec cat");
	input_writer_free(input_writer_new(context_input(a), TRUE));
	expect_wait(a, "0 exit 0");
	world_end();
}

/* Signals by name and number to each target; the verbs that stop and kill. */
static void
exec_signals(void)
{
	static const char *const texts[] = { "TERM", "15", "SIGTERM leader", "term  tree",
					     " TERM group " };
	g_autoptr(GError) error = NULL;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	g_assert_null(command_signal(a, "TERM", NULL, NULL, &error));
	g_assert_error(error, MITOFS_ERROR, ESRCH);
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		Outcome outcome = { 0 };
		g_autoptr(GError) wrong = NULL;

		say(a, "exec sleep 1000");
		outcome.command = command_signal(a, texts[i], outcome_on_done, &outcome, &wrong);
		g_assert_no_error(wrong);
		unit_until(outcome.done);
		g_assert_cmpint(outcome.code, ==, 0);
		expect_wait(a, "143 signal TERM");
	}
	say(a, "sh sleep 1000 & exec sleep 1000");
	Outcome probe = { 0 };
	g_clear_error(&error);
	command_signal(a, "0", outcome_on_done, &probe, &error);
	g_assert_no_error(error);
	unit_until(probe.done);
	g_assert_cmpint(probe.code, ==, 0);
	command_signal(a, "NOSUCH", NULL, NULL, &error);
	g_assert_error(error, MITOFS_ERROR, EINVAL);
	say(a, "stop");
	expect_wait(a, "143 signal TERM");
	unit_until(stream_ended(context_output(a, 1)));
	say(a, "grace 0");
	say(a, "sh trap '' TERM; echo; while :; do sleep 1000; done");
	unit_until(stream_size(context_output(a, 1)) == 1);
	say(a, "stop");
	expect_wait(a, "137 signal KILL");
	world_end();
}

/* A command that is stopped says so. */
static void
exec_stopped(void)
{
	Outcome outcome = { 0 };

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "exec sleep 1000");
	expect_status(a, "state", "running");
	command_signal(a, "STOP", outcome_on_done, &outcome, NULL);
	unit_until(status_is(a, "state", "stopped"));
	command_signal(a, "CONT", outcome_on_done, &outcome, NULL);
	unit_until(status_is(a, "state", "running"));
	say(a, "kill");
	expect_wait(a, "137 signal KILL");
	world_end();
}

/* The time is up: 124, whatever it was killed by; a limit set while it runs counts too. */
static void
exec_timeout(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "timeout 0.05");
	say(a, "exec sleep 1000");
	expect_wait(a, "124 timeout 0.05");
	say(a, "timeout none");
	say(a, "exec sleep 1000");
	say(a, "timeout 0.01");
	expect_wait(a, "124 timeout 0.01");
	world_end();
}

/* `close` cuts a stream that a lingering grandchild holds. */
static void
exec_close(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "sh sleep 1000 & echo $!");
	expect_wait(a, "0 exit 0");
	unit_until(stream_size(context_output(a, 1)) > 0);
	g_assert_false(stream_ended(context_output(a, 1)));
	say(a, "close stdout");
	g_autofree char *text = output_text(a, 1);
	g_assert_cmpint(kill((pid_t)g_ascii_strtoll(text, NULL, 10), 0), ==, 0);
	g_assert_false(stream_ended(context_output(a, 2)));
	say(a, "close stderr");
	g_assert_true(stream_ended(context_output(a, 2)));
	g_assert_true(context_remove(root, "a", NULL));
	world_end();
}

/* A lot of output, through a small retain, and the earlier run's reader that finishes its own. */
static void
exec_output(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "retain 64K");
	say(a, "exec seq 200000");
	StreamReader *reader = stream_reader_new(context_output(a, 1));
	struct iovec iov[2];
	guint64 at = 0, sum = 0;
	gssize got;
	int count;
	for (;;) {
		unit_until((got = stream_reader_look(reader, at, 30000, iov, &count)) != -EAGAIN);
		if (got <= 0)
			break;
		for (int i = 0; i < count; i++) {
			for (gsize j = 0; j < iov[i].iov_len; j++)
				sum += ((const guint8 *)iov[i].iov_base)[j] == '\n';
		}
		stream_reader_consume(reader, at, (gsize)got);
		at += (guint64)got;
	}
	g_assert_cmpint(got, ==, 0);
	g_assert_cmpuint(sum, ==, 200000);
	stream_reader_free(reader);
	expect_wait(a, "0 exit 0");
	say(a, "exec echo first");
	reader = stream_reader_new(context_output(a, 1));
	expect_wait(a, "0 exit 0");
	expect_run(a, "exec echo second", "second\n");
	g_autofree char *first = stream_text(stream_reader_stream(reader));
	g_assert_cmpstr(first, ==, "first\n");
	stream_reader_free(reader);
	world_end();
}

/* Errors. */

static const struct {
	const char *line;
	int code;
	const char *error; /* its line in `error` begins so */
} refusals[] = {
	{ "nosuch", EOPNOTSUPP, "EOPNOTSUPP nosuch: " },
	{ "EXEC true", EOPNOTSUPP, "EOPNOTSUPP EXEC: " },
	{ "exec", EINVAL, "EINVAL exec: usage: exec ARGV..." },
	{ "async", EINVAL, "EINVAL ctl: " },
	{ "async exec", EINVAL, "EINVAL exec: usage: exec ARGV..." },
	{ "eof x", EINVAL, "EINVAL eof: usage: eof" },
	{ "login now", EINVAL, "EINVAL login: usage: login" },
	{ "connect nosuch", EINVAL, "EINVAL connect: " },
	{ "connect local x", EINVAL, "EINVAL connect: " },
	{ "disconnect", ENOTCONN, "ENOTCONN disconnect: " },
	{ "again", ESRCH, "ESRCH again: " },
	{ "stop", ESRCH, "ESRCH stop: " },
	{ "kill", ESRCH, "ESRCH kill: " },
	{ "cancel", ESRCH, "ESRCH cancel: " },
	{ "close stdout", ESRCH, "ESRCH close: " },
	{ "close stdin", EINVAL, "EINVAL close: " },
	{ "shutdown", EPERM, "EPERM shutdown: " },
	{ "cwd", EINVAL, "EINVAL cwd: usage: cwd DIR" },
	{ "pty maybe", EINVAL, "EINVAL pty: \"maybe\" is not " },
	{ "retain 2G", EINVAL, "EINVAL retain: " },
	{ "pipe /nosuch", ENOENT, "ENOENT pipe: " },
	{ "members /a /nosuch", ENOENT, "ENOENT members: " },
	{ "pipe /a", ELOOP, "ELOOP pipe: " },
};

/* Each refusal has its errno and its line in `error`. */
static void
error_table(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		g_assert_cmpint(try_say(a, refusals[i].line), ==, refusals[i].code);
		g_autofree char *line = last_error(a);
		if (!g_str_has_prefix(line, refusals[i].error))
			g_error("%s: %s", refusals[i].line, line);
	}
	g_assert_cmpint(try_say(root, "connect local"), ==, EPERM);
	g_assert_cmpint(try_say(root, "disconnect"), ==, EPERM);
	g_assert_cmpint(try_say(root, "destroy"), ==, EPERM);
	world_end();
}

/* What may not be said while a command runs is EBUSY; what may, is done. */
static void
error_busy(void)
{
	static const char *const busy[] = { "exec true",     "sh true",	 "login",	  "again",
					    "connect local", "cwd /",	 "env A=1",	  "umask 0",
					    "pty on",	     "defaults", "rlimit core 0", "reset",
					    "preexec nice" };
	static const char *const fine[] = { "nice 7",	     "affinity 0",    "winsize 1 2",
					    "timeout 100",   "grace 1",	      "retain 1M",
					    "overflow drop", "eofmode close", "onclose hup",
					    "pipe",	     "members /a",    "loglevel info",
					    "fanout 3",	     "oom 500" };

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "exec sleep 1000");
	for (gsize i = 0; i < G_N_ELEMENTS(busy); i++) {
		if (try_say(a, busy[i]) != EBUSY)
			g_error("%s: not EBUSY", busy[i]);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(fine); i++)
		say(a, fine[i]);
	g_autofree char *pid = status_of(a, "pid");
	g_autofree char *path = g_strdup_printf("/proc/%s/oom_score_adj", pid);
	g_autofree char *oom = NULL;
	g_assert_true(g_file_get_contents(path, &oom, NULL, NULL));
	g_assert_cmpstr(oom, ==, "500\n");
	expect_status(a, "run", "1");
	world_end();
}

/* With its outputs closed a command is about to end: what needs that waits for it, but not for
 * long. */
static void
error_busy_waits(void)
{
	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "sh exec >&- 2>&-; sleep 0.05");
	unit_until(stream_ended(context_output(a, 1)) && stream_ended(context_output(a, 2)));
	g_assert_false(run_ended(context_run(a)));
	say(a, "cwd /");
	g_assert_true(run_ended(context_run(a)));
	say(a, "sh exec >&- 2>&-; sleep 0.05");
	unit_until(stream_ended(context_output(a, 1)) && stream_ended(context_output(a, 2)));
	expect_run(a, "exec echo next", "next\n");
	world_end();
}

/* The queue. */

/* The worker of the local agent: the child of our child. */
static pid_t
agent_worker(void)
{
	pid_t pid = getpid();

	for (int i = 0; i < 2; i++) {
		g_autofree char *path =
			g_strdup_printf("/proc/%d/task/%d/children", (int)pid, (int)pid);
		g_autofree char *text = NULL;

		g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
		pid = (pid_t)g_ascii_strtoll(text, NULL, 10);
		g_assert_cmpint(pid, >, 0);
	}
	return pid;
}

/* Stop the agent until agent_continue(), so that what it was asked is not answered. */
static void
agent_stop(void)
{
	pid_t pid = agent_worker();
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	g_autofree char *text = NULL;

	kill(pid, SIGSTOP);
	do {
		g_clear_pointer(&text, g_free);
		g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	} while (strstr(text, ") T ") == NULL);
}

static void
agent_continue(void)
{
	kill(agent_worker(), SIGCONT);
}

/* Commands are carried out in the order in which they came, async ones too. */
static void
queue_order(void)
{
	Outcome outcomes[6];
	static const char *const lines[] = {
		"async cwd /usr", "async env A=1", "async exec sh -c 'pwd; echo $A'",
		"async nice 3",	  "fanout 2",	   "eof"
	};

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	for (guint i = 0; i < 6; i++)
		submit(a, lines[i], &outcomes[i]);
	for (guint i = 0; i < 6; i++) {
		unit_until(outcomes[i].done);
		g_assert_cmpint(outcomes[i].code, ==, 0);
	}
	g_autofree char *text = output_text(a, 1);
	g_assert_cmpstr(text, ==, "/usr\n1\n");
	world_end();
}

/* Each waits for those before it; a failure is recorded and the next goes on. */
static void
queue_waits(void)
{
	Outcome first, second, third, quick;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	agent_stop();
	submit(a, "exec nosuch", &first);
	submit(a, "cwd /usr", &second);
	submit(a, "exec pwd", &third);
	unit_settle();
	g_assert_false(first.done || second.done || third.done);
	expect_status(a, "state", "starting");
	submit(a, "close stdin", &quick);
	g_assert_cmpint(quick.code, ==, EINVAL);
	agent_continue();
	unit_until(third.done);
	g_assert_cmpint(first.code, ==, ENOENT);
	g_assert_cmpint(second.code, ==, 0);
	g_assert_cmpint(third.code, ==, 0);
	g_autofree char *text = output_text(a, 1);
	g_assert_cmpstr(text, ==, "/usr\n");
	world_end();
}

/* Async is accepted at once, and its failure is in `error` only. */
static void
queue_async(void)
{
	Outcome outcome;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	agent_stop();
	submit(a, "async exec nosuch", &outcome);
	g_assert_true(outcome.done);
	g_assert_cmpint(outcome.code, ==, 0);
	agent_continue();
	expect_wait(a, "127 exec ENOENT");
	g_autofree char *line = last_error(a);
	g_assert_true(g_str_has_prefix(line, "ENOENT exec: \"nosuch\""));
	world_end();
}

/* One that is taken back before its turn never happens; one in its start is stopped; both are
 * answered later, once. */
static void
queue_cancel(void)
{
	Outcome first, second, third;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	agent_stop();
	submit(a, "exec sleep 1000", &first);
	submit(a, "cwd /usr", &second);
	submit(a, "umask 077", &third);
	command_cancel(second.command);
	g_assert_false(second.done);
	unit_until(second.done);
	g_assert_cmpint(second.code, ==, ECANCELED);
	unit_settle();
	command_cancel(first.command);
	unit_settle();
	g_assert_false(first.done || third.done);
	agent_continue();
	unit_until(third.done);
	g_assert_cmpint(first.code, ==, ECANCELED);
	g_assert_cmpint(third.code, ==, 0);
	expect_wait(a, "126 exec ECANCELED");
	g_autoptr(GString) ctl = g_string_new(NULL);
	context_ctl_text(a, ctl);
	g_assert_true(g_str_has_suffix(ctl->str, "defaults\numask 0077\n"));
	world_end();
}

/* The verb `cancel` takes back all that is pending. */
static void
queue_cancel_verb(void)
{
	Outcome first, second;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	agent_stop();
	submit(a, "exec sleep 1000", &first);
	submit(a, "exec true", &second);
	say(a, "cancel");
	agent_continue();
	unit_until(first.done && second.done);
	g_assert_cmpint(first.code, ==, ECANCELED);
	g_assert_cmpint(second.code, ==, ECANCELED);
	expect_status(a, "run", "1");
	g_assert_cmpint(try_say(a, "cancel"), ==, ESRCH);
	world_end();
}

/* What waits for an answer of the agent may be taken back as well. */
static void
queue_cancel_request(void)
{
	Outcome nice, kill_it, probe = { 0 };

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	say(a, "exec sleep 1000");
	agent_stop();
	submit(a, "nice 4", &nice);
	submit(a, "kill", &kill_it);
	probe.command = command_signal(a, "0", outcome_on_done, &probe, NULL);
	command_cancel(nice.command);
	command_cancel(kill_it.command);
	command_cancel(probe.command);
	unit_until(nice.done && kill_it.done && probe.done);
	g_assert_cmpint(nice.code, ==, ECANCELED);
	g_assert_cmpint(kill_it.code, ==, ECANCELED);
	g_assert_cmpint(probe.code, ==, ECANCELED);
	agent_continue();
	expect_wait(a, "137 signal KILL");
	world_end();
}

/* A signal that crosses a start that fails is answered. */
static void
queue_signal_failed_start(void)
{
	Outcome first, second;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	agent_stop();
	submit(a, "exec nosuch", &first);
	submit(a, "cancel", &second);
	Outcome killed;
	submit(a, "kill", &killed);
	agent_continue();
	unit_until(first.done && killed.done);
	g_assert_cmpint(first.code, ==, ECANCELED);
	g_assert_cmpint(killed.code, ==, ESRCH);
	world_end();
}

/* A removal answers what still waits. */
static void
queue_removed(void)
{
	Outcome first, second;

	world_start(NULL, NULL);
	Context *a = make(root, "a");
	agent_stop();
	submit(a, "exec sleep 1000", &first);
	submit(a, "cwd /", &second);
	context_drop(a);
	unit_until(first.done && second.done);
	g_assert_cmpint(first.code, ==, ECANCELED);
	g_assert_cmpint(second.code, ==, ECANCELED);
	agent_continue();
	world_end();
}

static const UnitTest tests[] = {
	{ "/command/exec/runs", exec_runs },
	{ "/command/exec/failures", exec_failures },
	{ "/command/exec/shells", exec_shells },
	{ "/command/exec/settings", exec_settings },
	{ "/command/exec/terminal", exec_terminal },
	{ "/command/exec/input", exec_input },
	{ "/command/exec/on-close", exec_on_close },
	{ "/command/exec/signals", exec_signals },
	{ "/command/exec/stopped", exec_stopped },
	{ "/command/exec/timeout", exec_timeout },
	{ "/command/exec/close", exec_close },
	{ "/command/exec/output", exec_output },
	{ "/command/error/table", error_table },
	{ "/command/error/busy", error_busy },
	{ "/command/error/busy-waits", error_busy_waits },
	{ "/command/queue/order", queue_order },
	{ "/command/queue/waits", queue_waits },
	{ "/command/queue/async", queue_async },
	{ "/command/queue/cancel", queue_cancel },
	{ "/command/queue/cancel-verb", queue_cancel_verb },
	{ "/command/queue/cancel-request", queue_cancel_request },
	{ "/command/queue/signal-failed-start", queue_signal_failed_start },
	{ "/command/queue/removed", queue_removed },
};

int
main(int argc, char **argv)
{
	return world_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
