/* Starting one command: every setting applied, every failure told with its stage. */
#include "pty/autofd.h"
#include "pty/environment.h"
#include "pty/errname.h"
#include "pty/exitcode.h"
#include "pty/pty.h"
#include "pty/spawn.h"
#include "pty/tree.h"
#include "tests/residue.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define DEADLINE_MS 20000

static const struct spawn_place place = { .home = "/" };

/* What became of a command. */
typedef struct {
	gboolean failed;
	struct spawn_failure failure;
	char *output; /* of stdout and stderr */
	int code;     /* as a shell tells it */
} Outcome;

static void
outcome_clear(Outcome *outcome)
{
	g_free(outcome->output);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

static void
spec_init(struct spawn_spec *spec, char **argv)
{
	*spec = (struct spawn_spec){ .file = argv[0],
				     .argv = argv,
				     .cwd = "/",
				     .umask = SPAWN_KEEP,
				     .nice = SPAWN_KEEP,
				     .oom = SPAWN_KEEP,
				     .affinity = "" };
}

/* Everything from @fd up to its end. */
static char *
read_all(int fd)
{
	GString *text = g_string_new(NULL);
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char bytes[4096];
	ssize_t got;

	do {
		g_assert_cmpint(poll(&ready, 1, DEADLINE_MS), ==, 1);
		got = read(fd, bytes, sizeof(bytes));
		if (got > 0)
			g_string_append_len(text, bytes, got);
	} while (got > 0);
	return g_string_free(text, FALSE);
}

/* Wait for the failure pipe @fd, which is closed. */
static void
failure_read(int fd, Outcome *ret)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t got;

	g_assert_cmpint(poll(&ready, 1, DEADLINE_MS), ==, 1);
	got = read(fd, &ret->failure, sizeof(ret->failure));
	g_assert_true(got == 0 || got == sizeof(ret->failure));
	ret->failed = got > 0;
	close(fd);
}

/* Run @spec in @where to its end. */
static Outcome
run_in(const struct spawn_spec *spec, const struct spawn_place *where)
{
	Outcome outcome = { 0 };
	int ends[2], stdio[3], failure_fd, status;
	pid_t pid;

	g_assert_no_errno(pipe2(ends, O_CLOEXEC));
	stdio[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	stdio[1] = stdio[2] = ends[1];
	g_assert_cmpint(spawn_start(spec, where, stdio, &pid, &failure_fd), ==, 0);
	g_assert_cmpint(fcntl(failure_fd, F_GETFD), ==, FD_CLOEXEC);
	g_assert_cmpint(fcntl(failure_fd, F_GETFL) & O_NONBLOCK, ==, O_NONBLOCK);
	close(stdio[0]);
	close(ends[1]);
	failure_read(failure_fd, &outcome);
	outcome.output = read_all(ends[0]);
	close(ends[0]);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	outcome.code = exit_code_shell(exit_code_from_status(status));
	return outcome;
}

static Outcome
run(const struct spawn_spec *spec)
{
	return run_in(spec, &place);
}

/* Run @spec, and compare its exit code and the errno of its failure (0: it had none). */
static void
assert_outcome(const struct spawn_spec *spec, int code, int error)
{
	g_auto(Outcome) outcome = run(spec);

	g_assert_cmpint(outcome.code, ==, code);
	g_assert_cmpint(outcome.failure.error, ==, error);
}

/* Run @spec, and compare what it prints. */
static void
assert_prints(const struct spawn_spec *spec, const char *expected)
{
	g_auto(Outcome) outcome = run(spec);

	g_assert_false(outcome.failed);
	g_assert_cmpstr(outcome.output, ==, expected);
	g_assert_cmpint(outcome.code, ==, 0);
}

/* Run @spec, and compare how it fails, in numbers and in words. */
static void
assert_fails(const struct spawn_spec *spec, enum spawn_stage stage, int error, const char *text)
{
	g_auto(Outcome) outcome = run(spec);
	char got[512];

	g_assert_true(outcome.failed);
	g_assert_cmpstr(spawn_stage_name((enum spawn_stage)outcome.failure.stage), ==,
			spawn_stage_name(stage));
	g_assert_cmpint(outcome.failure.error, ==, error);
	g_assert_cmpint(outcome.code, ==, 127);
	spawn_failure_text(spec, &outcome.failure, got, sizeof(got));
	g_assert_cmpstr(got, ==, text);
}

#define ARGV(...) ((char *[]){ __VA_ARGS__, NULL })
#define SH(script) ARGV((char *)"sh", (char *)"-c", (char *)(script))

static void
test_run(void)
{
	struct spawn_spec spec;

	spec_init(&spec, SH("echo out; echo err >&2"));
	assert_prints(&spec, "out\nerr\n");
	spec_init(&spec, ARGV("/bin/sh", "-c", "exit 7"));
	assert_outcome(&spec, 7, 0);
}

static void
test_argv(void)
{
	struct spawn_spec spec;

	spec_init(&spec, ARGV("other name", "-c", "echo \"$0|$1|$2\"", "", "a b", "*"));
	spec.file = "/bin/sh";
	assert_prints(&spec, "|a b|*\n");
}

static void
test_session(void)
{
	struct spawn_spec spec;

	/* pid, group and session are one */
	spec_init(&spec, SH("read pid name state parent group session rest < /proc/$$/stat;"
			    "test $pid = $group && test $pid = $session && echo leader"));
	assert_prints(&spec, "leader\n");
}

static void
test_signals(void)
{
	struct spawn_spec spec;
	sigset_t blocked;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	spec_init(&spec, ARGV("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"));
	assert_prints(&spec, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
}

static void
test_descriptors(void)
{
	struct spawn_spec spec;
	int leaky = open("/dev/null", O_RDONLY); /* not close-on-exec */

	spec_init(&spec, SH("for fd in 0 1 2 3 4 5 6 7 8 9 10 11 12; do test -e /proc/$$/fd/$fd && "
			    "echo $fd; done;"
			    "grep flags /proc/$$/fdinfo/1"));
	assert_prints(
		&spec,
		"0\n1\n2\nflags:\t01\n"); /* O_WRONLY and nothing else: blocking, as far as 1 goes */
	close(leaky);
}

/* stdio that stands crosswise among 0 to 2. */
static void
test_descriptors_crossed(void)
{
	struct spawn_spec spec;
	int status, ends[2];
	pid_t middle;

	g_assert_no_errno(pipe(ends));
	middle = fork();
	if (middle == 0) {
		int failure_fd, code, child_status;
		pid_t pid;

		spec_init(&spec, SH("read word; echo out:$word; echo err >&2"));
		/* 1 is its stdin, 2 its stdout, 0 its stderr */
		int input[2];
		if (pipe(input) < 0 || write(input[1], "word\n", 5) != 5)
			_exit(1);
		dup2(ends[1], 2);
		dup2(ends[1], 0);
		dup2(input[0], 1);
		if (spawn_start(&spec, &place, (int[]){ 1, 2, 0 }, &pid, &failure_fd) < 0)
			_exit(2);
		code = waitpid(pid, &child_status, 0) == pid ? child_status : 3;
		_exit(code != 0);
	}
	close(ends[1]);
	{
		g_autofree char *output = read_all(ends[0]);
		g_assert_cmpstr(output, ==, "out:word\nerr\n");
	}
	close(ends[0]);
	g_assert_cmpint(waitpid(middle, &status, 0), ==, middle);
	g_assert_cmpint(status, ==, 0);
}

static void
test_path(void)
{
	g_autofree char *directory = g_dir_make_tmp("mitofs-test-XXXXXX", NULL);
	g_autofree char *plain = g_build_filename(directory, "plain", NULL);
	g_autofree char *script = g_build_filename(directory, "script", NULL);
	g_autofree char *path =
		g_strdup_printf("PATH=/nonexistent:/dev/null:%s:/usr/bin:/bin", directory);
	g_autofree char *only = g_strdup_printf("PATH=%s:/nonexistent", directory);
	g_autofree char *not_found = NULL;
	struct spawn_spec spec;

	g_assert_true(g_file_set_contents(plain, "echo no\n", -1, NULL));
	g_assert_true(g_file_set_contents(script, "echo no\n", -1, NULL));
	g_assert_cmpint(g_chmod(plain, 0644), ==, 0);
	g_assert_cmpint(g_chmod(script, 0755), ==, 0);

	spec_init(&spec, ARGV("true"));
	spec.set_env = ARGV(path);
	assert_prints(&spec, "");
	spec_init(&spec, ARGV("plain"));
	spec.set_env = ARGV(path);
	assert_fails(&spec, SPAWN_EXEC, EACCES, "\"plain\": " ERRNO_WORDS);
	spec_init(&spec, ARGV("script"));
	spec.set_env = ARGV(path);
	assert_fails(&spec, SPAWN_EXEC, ENOEXEC, "\"script\": " ERRNO_WORDS);
	spec_init(&spec, ARGV("nosuch"));
	spec.set_env = ARGV(only);
	not_found = g_strdup_printf("\"nosuch\" not found in %s", only);
	assert_fails(&spec, SPAWN_EXEC, ENOENT, not_found);
	g_assert_cmpint(g_remove(plain) | g_remove(script) | g_rmdir(directory), ==, 0);
}

static void
test_path_unset(void)
{
	struct spawn_spec spec;

	spec_init(&spec, ARGV("nosuch"));
	spec.unset_env = ARGV("PATH");
	assert_fails(&spec, SPAWN_EXEC, ENOENT,
		     "\"nosuch\" not found in PATH=/usr/local/bin:/usr/bin:/bin");
	spec_init(&spec, ARGV("env"));
	spec.clear_env = true;
	assert_prints(&spec, "");
}

static void
test_exec_errors(void)
{
	g_autofree char *huge = g_strnfill(1024 * 1024, 'x');
	struct spawn_spec spec;

	spec_init(&spec, ARGV("/nonexistent/x"));
	assert_fails(&spec, SPAWN_EXEC, ENOENT, "\"/nonexistent/x\": " ERRNO_WORDS);
	spec_init(&spec, ARGV("/"));
	assert_fails(&spec, SPAWN_EXEC, EACCES, "\"/\": " ERRNO_WORDS);
	spec_init(&spec, ARGV(""));
	assert_outcome(&spec, 127, ENOENT);
	spec_init(&spec, ARGV("true", huge));
	if (!residue_valgrind())
		assert_fails(&spec, SPAWN_EXEC, E2BIG, "\"true\": " ERRNO_WORDS);
}

static void
test_preexec(void)
{
	struct spawn_spec spec;

	spec_init(&spec, ARGV("env", "WORD=chain", "sh", "-c", "echo $WORD"));
	spec.preexec = true;
	assert_prints(&spec, "chain\n");
	spec_init(&spec, ARGV("/nonexistent/chain", "true"));
	spec.preexec = true;
	assert_fails(&spec, SPAWN_PREEXEC, ENOENT, "preexec \"/nonexistent/chain\": " ERRNO_WORDS);
}

static void
test_environment(void)
{
	struct spawn_spec spec;

	g_setenv("MITOFS_TEST_A", "inherited", TRUE);
	g_setenv("MITOFS_TEST_AB", "longer", TRUE);
	spec_init(&spec, SH("echo \"$MITOFS_TEST_A|$MITOFS_TEST_AB|$B|$C\""));
	assert_prints(&spec, "inherited|longer||\n");
	spec.set_env = ARGV("B=first", "MITOFS_TEST_A=own", "C=", "B=last=best");
	assert_prints(&spec, "own|longer|last=best|\n");
	spec.set_env = NULL;
	spec.unset_env = ARGV("MITOFS_TEST_A", "NOSUCH");
	assert_prints(&spec, "|longer||\n");
	spec_init(&spec, ARGV("/usr/bin/env"));
	spec.clear_env = true;
	spec.set_env = ARGV("A=1", "B=2", "A=3");
	assert_prints(&spec, "B=2\nA=3\n");
	g_unsetenv("MITOFS_TEST_A");
	g_unsetenv("MITOFS_TEST_AB");
}

static void
test_cwd(void)
{
	g_autofree char *home = g_dir_make_tmp("mitofs-test-XXXXXX", NULL);
	g_autofree char *sub = g_build_filename(home, "sub", NULL);
	g_autofree char *at_home = g_strdup_printf("%s\n", home),
			*at_sub = g_strdup_printf("%s\n", sub);
	const struct spawn_place where = { .home = home };
	const struct {
		const char *cwd, *printed;
	} cases[] = { { "", at_home },	    { "~", at_home },	 { "~/", at_home },
		      { "~//sub", at_sub }, { "~/sub", at_sub }, { "sub", at_sub },
		      { "/", "/\n" },	    { NULL, at_home },	 { "./sub/..", at_home } };

	g_assert_cmpint(g_mkdir(sub, 0700), ==, 0);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(Outcome) outcome = { 0 };
		struct spawn_spec spec;

		spec_init(&spec, ARGV("/bin/pwd", "-P"));
		spec.cwd = cases[i].cwd;
		outcome = run_in(&spec, &where);
		g_assert_cmpstr(outcome.output, ==, cases[i].printed);
	}
	g_assert_cmpint(g_rmdir(sub) | g_rmdir(home), ==, 0);
}

static void
test_cwd_errors(void)
{
	g_autofree char *deep = g_strnfill(PATH_MAX, 'x');
	struct spawn_spec spec;

	spec_init(&spec, ARGV("true"));
	spec.cwd = "/nonexistent/x";
	assert_fails(&spec, SPAWN_CWD, ENOENT, "cwd \"/nonexistent/x\": " ERRNO_WORDS);
	spec.cwd = "/dev/null";
	assert_fails(&spec, SPAWN_CWD, ENOTDIR, "cwd \"/dev/null\": " ERRNO_WORDS);
	spec.cwd = deep;
	assert_outcome(&spec, 127, ENAMETOOLONG);
}

static void
test_umask(void)
{
	struct spawn_spec spec;

	spec_init(&spec, SH("umask"));
	spec.umask = 0027;
	assert_prints(&spec, "0027\n");
	spec.umask = 0;
	assert_prints(&spec, "0000\n");
}

static void
test_nice(void)
{
	g_autofree char *kept = g_strdup_printf("%d\n", getpriority(PRIO_PROCESS, 0));
	struct spawn_spec spec;

	spec_init(&spec, ARGV("nice"));
	assert_prints(&spec, kept);
	spec.nice = 19;
	assert_prints(&spec, "19\n");
}

static void
test_oom(void)
{
	struct spawn_spec spec;

	spec_init(&spec, ARGV("cat", "/proc/self/oom_score_adj"));
	spec.oom = 321;
	assert_prints(&spec, "321\n");
	spec.oom = 2000;
	assert_fails(&spec, SPAWN_OOM, EINVAL, "oom 2000: " ERRNO_WORDS);
}

/* The agent is not dumpable; its child may set its own oom_score_adj all the same, and is
 * dumpable again. */
static void
test_oom_undumpable(void)
{
	struct spawn_spec spec;

	prctl(PR_SET_DUMPABLE, 0);
	spec_init(&spec, SH("cat /proc/$$/oom_score_adj; stat -c %u /proc/$$/environ"));
	spec.oom = 100;
	if (getuid() == 0)
		assert_prints(&spec, "100\n0\n");
	prctl(PR_SET_DUMPABLE, 1);
}

static void
test_affinity(void)
{
	struct spawn_spec spec;
	cpu_set_t set;
	int cpu = 0;
	char list[16];

	g_assert_no_errno(sched_getaffinity(0, sizeof(set), &set));
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	g_snprintf(list, sizeof(list), "%d", cpu);
	spec_init(&spec, SH("grep Cpus_allowed_list /proc/self/status | cut -f2"));
	spec.affinity = list;
	{
		g_autofree char *expected = g_strdup_printf("%d\n", cpu);
		assert_prints(&spec, expected);
	}
	spec.affinity = "1023";
	assert_fails(&spec, SPAWN_AFFINITY, EINVAL, "affinity 1023: " ERRNO_WORDS);
}

static void
test_rlimits(void)
{
	const struct rlimit_setting settings[] = { { "core", 0, 0, false },
						   { "msgqueue", 99, 123, true } };
	struct spawn_spec spec;
	struct rlimit limit;

	g_assert_no_errno(getrlimit(RLIMIT_MSGQUEUE, &limit));
	spec_init(&spec,
		  SH("ulimit -c; grep msgqueue /proc/self/limits | tr -s ' ' | cut -d' ' -f4,5"));
	spec.rlimits = settings;
	spec.rlimit_count = 2;
	assert_prints(&spec, "0\n99 123\n");
}

static void
test_rlimits_error(void)
{
	struct rlimit_setting settings[] = { { "core", 0, 0, false }, { "msgqueue", 0, 0, false } };
	g_autofree char *text = NULL;
	struct spawn_spec spec;
	struct rlimit limit;

	g_assert_no_errno(getrlimit(RLIMIT_MSGQUEUE, &limit));
	settings[1].soft = limit.rlim_max + 1;
	spec_init(&spec, ARGV("true"));
	spec.rlimits = settings;
	spec.rlimit_count = 2;
	text = g_strdup_printf("rlimit msgqueue %" G_GUINT64_FORMAT
			       ": above the hard limit %" G_GUINT64_FORMAT,
			       (guint64)limit.rlim_max + 1, (guint64)limit.rlim_max);
	assert_fails(&spec, SPAWN_RLIMIT, EINVAL, text);
}

/* A command gets the descriptor limit that there was before the agent raised its own. */
static void
test_nofile_before(void)
{
	const struct spawn_place where = { .home = "/", .nofile_soft = 77 };
	struct spawn_spec spec;
	g_auto(Outcome) outcome = { 0 };

	spec_init(&spec, SH("ulimit -n"));
	outcome = run_in(&spec, &where);
	if (!residue_valgrind())
		g_assert_cmpstr(outcome.output, ==, "77\n");
}

static void
test_tag(void)
{
	g_autofree char *expected = NULL;
	struct spawn_spec spec;

	spec_init(&spec,
		  SH("grep 'realtime timeout' /proc/self/limits | tr -s ' ' | cut -d' ' -f4"));
	spec.tag = tree_tag(1, 2, 3);
	expected = g_strdup_printf("%" G_GUINT64_FORMAT "\n", spec.tag);
	assert_prints(&spec, expected);
}

static void
test_terminal(void)
{
	struct spawn_spec spec;
	struct pty pty;
	int failure_fd, status;
	g_autofree char *output = NULL;
	g_auto(Outcome) outcome = { 0 };
	pid_t pid;

	g_assert_cmpint(pty_open(&pty, 100, 30), ==, 0);
	spec_init(&spec, SH("stty -opost; test -t 0 && test -t 1 && test -t 2 && stty size; echo "
			    "$TERM > /dev/tty"));
	spec.pty = true;
	spec.unset_env = ARGV("TERM");
	g_assert_cmpint(spawn_start(&spec, &place, (int[]){ pty.slave, pty.slave, pty.slave }, &pid,
				    &failure_fd),
			==, 0);
	close(pty.slave);
	failure_read(failure_fd, &outcome);
	g_assert_false(outcome.failed);
	output = read_all(pty.master); /* EIO at its end */
	g_assert_cmpstr(output, ==, "30 100\nxterm-256color\n");
	close(pty.master);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
}

static void
test_terminal_error(void)
{
	struct spawn_spec spec;

	spec_init(&spec, ARGV("true"));
	spec.pty = true; /* but stdin is /dev/null */
	assert_fails(&spec, SPAWN_TERMINAL, ENOTTY, "terminal: " ERRNO_WORDS);
}

/* The command of a parent that dies dies too. */
static void
test_parent_dies(void)
{
	int ends[2];
	pid_t middle = -1, child;
	g_autofree char *output = NULL;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	g_assert_no_errno(pipe(ends));
	middle = fork();
	if (middle == 0) {
		struct spawn_spec spec;
		int failure_fd;
		char byte;

		spec_init(&spec, ARGV("sleep", "1000"));
		if (spawn_start(&spec, &place, (int[]){ ends[0], ends[1], ends[1] }, &child,
				&failure_fd) < 0)
			_exit(1);
		fcntl(failure_fd, F_SETFL, 0);
		if (read(failure_fd, &byte, 1) != 0)
			_exit(1);
		_exit(0);
	}
	close(ends[1]);
	output = read_all(ends[0]); /* ends when the sleeper is dead */
	g_assert_cmpstr(output, ==, "");
	close(ends[0]);
	g_assert_cmpint(waitpid(middle, NULL, 0), ==, middle);
	g_assert_cmpint(waitpid(-1, NULL, 0), >, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void
test_stage_names(void)
{
	g_assert_cmpstr(spawn_stage_name(SPAWN_FORK), ==, "fork");
	g_assert_cmpstr(spawn_stage_name(SPAWN_EXEC), ==, "exec");
	g_assert_cmpstr(spawn_stage_name((enum spawn_stage)99), ==, "spawn");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/spawn/run", test_run);
	g_test_add_func("/spawn/argv", test_argv);
	g_test_add_func("/spawn/session", test_session);
	g_test_add_func("/spawn/signals", test_signals);
	g_test_add_func("/spawn/descriptors", test_descriptors);
	g_test_add_func("/spawn/descriptors/crossed", test_descriptors_crossed);
	g_test_add_func("/spawn/path", test_path);
	g_test_add_func("/spawn/path/unset", test_path_unset);
	g_test_add_func("/spawn/exec/errors", test_exec_errors);
	g_test_add_func("/spawn/preexec", test_preexec);
	g_test_add_func("/spawn/environment", test_environment);
	g_test_add_func("/spawn/cwd", test_cwd);
	g_test_add_func("/spawn/cwd/errors", test_cwd_errors);
	g_test_add_func("/spawn/umask", test_umask);
	g_test_add_func("/spawn/nice", test_nice);
	g_test_add_func("/spawn/oom", test_oom);
	g_test_add_func("/spawn/oom/undumpable", test_oom_undumpable);
	g_test_add_func("/spawn/affinity", test_affinity);
	g_test_add_func("/spawn/rlimits", test_rlimits);
	g_test_add_func("/spawn/rlimits/error", test_rlimits_error);
	g_test_add_func("/spawn/rlimits/nofile-before", test_nofile_before);
	g_test_add_func("/spawn/tag", test_tag);
	g_test_add_func("/spawn/terminal", test_terminal);
	g_test_add_func("/spawn/terminal/error", test_terminal_error);
	g_test_add_func("/spawn/parent-dies", test_parent_dies);
	g_test_add_func("/spawn/stage-names", test_stage_names);
	return residue_run();
}
