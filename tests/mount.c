#include "tests/bed.h"
#include "tests/mount-fixture.h"
#include "tests/parked.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A name that tests use, and what it stands for. */
typedef struct ShellRow {
	const char *name;
	const char *argv[5]; /* the script follows */
} ShellRow;

static const ShellRow shells[] = {
	{ "bash", { "bash", "--norc", "--noprofile", "-c" } },
	{ "dash", { "dash", "-c" } },
	{ "busybox", { "busybox", "sh", "-c" } },
	{ "python3", { "python3", "-c" } },
};

/* A registered test. */
typedef struct Row {
	MountTest test;	       /* or */
	const ShCase *sh_case; /* in */
	char *shell;
	MountSetup setup;
} Row;

static const Row *running; /* in the body's process: its row */
static gboolean listing;   /* -l: no test is run */

static void
row_free(void *data)
{
	Row *row = data;
	g_free(row->shell);
	g_free(row);
}

void
sh_result_free(ShResult *result)
{
	if (result == NULL)
		return;
	g_free(result->output);
	g_free(result->errors);
	g_free(result);
}

char *
mount_path(const Mount *mount, const char *file)
{
	return *file != '\0' ? g_build_filename(mount->point, file, NULL) : g_strdup(mount->point);
}

const char *
mount_scratch(const Mount *mount)
{
	return mount->scratch;
}

pid_t
mount_pid(const Mount *mount)
{
	return mount->broker;
}

char *
mount_stderr(const Mount *mount)
{
	char *log = NULL;
	return g_file_get_contents(mount->log, &log, NULL, NULL) ? log : g_strdup("");
}

static const ShellRow *
shell_find(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(shells); i++)
		if (strcmp(shells[i].name, name) == 0)
			return &shells[i];
	g_error("no shell \"%s\"", name);
}

/* Fork and execute @script with its stdout and stderr on these descriptors. */
static pid_t
sh_start(Mount *mount, const char *shell, const char *script, int output, int errors)
{
	const ShellRow *row = shell_find(shell);
	const char *argv[G_N_ELEMENTS(row->argv) + 2] = { NULL };
	gsize words = 0;
	while (words < G_N_ELEMENTS(row->argv) && row->argv[words] != NULL) {
		argv[words] = row->argv[words];
		words++;
	}
	argv[words] = script;
	pid_t pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDONLY);
		if (dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0)
			_exit(125);
		syscall(SYS_close_range, 3, ~0U, 0);
		setsid();
		mount_exec(mount, (char **)argv);
	}
	return pid;
}

int
mount_wait(pid_t pid)
{
	int status = 0;
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Read what there is now; FALSE at the end. */
static gboolean
drain(int fd, GString *into)
{
	char buffer[65536];
	ssize_t got;
	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		g_string_append_len(into, buffer, got);
	return got < 0 && errno == EAGAIN;
}

/* Collect both pipes until the process has ended: background jobs of it may hold them open for
 * longer. */
static void
collect(pid_t pid, const int fds[2], GString *const texts[2])
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd polls[] = { { fds[0], POLLIN, 0 },
				  { fds[1], POLLIN, 0 },
				  { pidfd, POLLIN, 0 } };
	do {
		poll(polls, G_N_ELEMENTS(polls), -1);
		for (int i = 0; i < 2; i++)
			if (polls[i].fd >= 0 && !drain(fds[i], texts[i]))
				polls[i].fd = -1;
	} while (polls[2].revents == 0);
	for (int i = 0; i < 2; i++)
		drain(fds[i], texts[i]);
	close(pidfd);
}

ShResult *
mount_sh(Mount *mount, const char *shell, const char *script)
{
	int output[2], errors[2];
	g_assert_no_errno(pipe2(output, O_CLOEXEC));
	g_assert_no_errno(pipe2(errors, O_CLOEXEC));
	pid_t pid = sh_start(mount, shell, script, output[1], errors[1]);
	close(output[1]);
	close(errors[1]);
	const int fds[2] = { output[0], errors[0] };
	GString *const texts[2] = { g_string_new(NULL), g_string_new(NULL) };
	for (int i = 0; i < 2; i++)
		fcntl(fds[i], F_SETFL, O_NONBLOCK);
	collect(pid, fds, texts);
	ShResult *result = g_new0(ShResult, 1);
	result->code = mount_wait(pid);
	result->output = g_string_free(texts[0], FALSE);
	result->errors = g_string_free(texts[1], FALSE);
	close(fds[0]);
	close(fds[1]);
	return result;
}

void
mount_expect(Mount *mount, const char *shell, const char *script, const char *output, int code)
{
	g_autoptr(ShResult) result = mount_sh(mount, shell, script);
	if (result->code != code || strcmp(result->output, output) != 0)
		g_printerr("script: %s\nstderr: %s\n", script, result->errors);
	g_assert_cmpstr(result->output, ==, output);
	g_assert_cmpint(result->code, ==, code);
}

pid_t
mount_start(Mount *mount, const char *shell, const char *script, int output_fd)
{
	int fd = output_fd >= 0 ? output_fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid = sh_start(mount, shell, script, fd, fd);
	if (output_fd < 0)
		close(fd);
	return pid;
}

void
mount_until(gboolean (*condition)(void *data), void *data)
{
	while (!condition(data)) /* the body's deadline ends it */
		poll(NULL, 0, 2);
}

static gboolean
is_parked(void *data)
{
	pid_t pid = *(const pid_t *)data;
	g_autoptr(GPtrArray) below = process_below(pid, 0);
	for (guint i = 0; i <= below->len; i++) {
		pid_t one = i < below->len ? ((Process *)below->pdata[i])->pid : pid;
		if (parked_in_mount(one, NULL))
			return TRUE;
	}
	return FALSE;
}

void
process_parked(pid_t pid)
{
	mount_until(is_parked, &pid);
}

void
mount_end(Mount *mount, int signal, int status)
{
	mount->shared->ended = TRUE;
	mount->shared->status = status;
	if (signal != 0)
		g_assert_no_errno(kill(mount->broker, signal));
	struct pollfd ended = { mount->pidfd, POLLIN, 0 };
	g_assert_cmpint(poll(&ended, 1, -1), ==, 1);
}

/* What the body's process does: its stdout is not for us, who speak TAP there. */
static void G_GNUC_NORETURN
guard_child(Mount *mount, MountTest func)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(2, 1);
	func(mount);
	fflush(NULL);
	_exit(g_test_failed() ? 1 : 0);
}

gboolean
mount_guard(Mount *mount, const char *what, MountTest func, guint seconds)
{
	fflush(NULL);
	pid_t pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0)
		guard_child(mount, func);
	struct pollfd ended = { (int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0 };
	gboolean in_time = poll(&ended, 1, deadline_left(deadline_in(seconds))) > 0;
	close(ended.fd);
	if (!in_time) {
		mount_fail(mount, "%s: not done in %u s", what, seconds);
		mount_dump(mount);
		mount_continue(mount);
		g_autoptr(GPtrArray) below = process_below(getpid(), mount->broker);
		process_kill(below);
		if (!process_reap(mount->broker, deadline_in(5))) {
			mount_fail(mount, "%s: cannot be killed", what);
			mount_stuck(mount);
		}
		return FALSE;
	}
	int code = mount_wait(pid);
	if (code != 0)
		mount_fail(mount, "%s: exit code %d", what, code);
	return code == 0;
}

/* The body of a table's row. */
static void
case_body(Mount *mount)
{
	const ShCase *one = running->sh_case;
	g_autoptr(ShResult) result = mount_sh(mount, running->shell, one->script);
	const char *wrong = NULL;
	if (one->output != NULL && strcmp(result->output, one->output) != 0)
		wrong = "stdout";
	if (one->output == NULL && one->regex != NULL) {
		g_autofree char *pattern = g_strdup_printf("(?:%s)\\z", one->regex);
		if (!g_regex_match_simple(pattern, result->output, G_REGEX_DOTALL,
					  G_REGEX_MATCH_ANCHORED))
			wrong = "stdout";
	}
	if (one->errors == NULL ? *result->errors != '\0'
				: strstr(result->errors, one->errors) == NULL)
		wrong = "stderr";
	if (strstr(result->errors, "Function not implemented") != NULL)
		wrong = "stderr";
	if (result->code != one->code)
		wrong = "exit code";
	if (wrong == NULL)
		return;
	g_printerr("\n%s: wrong %s\nscript: %s\nexpected: code %d, stdout:\n%s\n  stderr with: %s\n"
		   "got: code %d, stdout:\n%s\n  stderr:\n%s\n",
		   g_test_get_path(), wrong, one->script, one->code,
		   one->output != NULL ? one->output : one->regex,
		   one->errors != NULL ? one->errors : "(empty)", result->code, result->output,
		   result->errors);
	g_test_fail();
}

static void
row_run(const void *data)
{
	running = data;
	if (bed_missing() != NULL) {
		g_test_skip(bed_missing());
		return;
	}
	if (running->setup.uid != 0 && geteuid() != 0) {
		g_test_skip("needs root");
		return;
	}
	guint seconds = running->setup.seconds != 0 ? running->setup.seconds : 30;
	Mount *mount = mount_new(&running->setup);
	if (!mount->failed)
		mount_guard(mount, "test", running->test, seconds);
	mount_free(mount);
}

/* Register @row, which is taken. GLib leaves out what has a part of that name. */
static void
row_add(const char *path, Row *row)
{
	g_assert_null(strstr(path, "/subprocess"));
	g_test_add_data_func_full(path, row, row_run, row_free);
}

void
mount_test_add(const char *path, MountTest test, const MountSetup *setup)
{
	Row *row = g_new0(Row, 1);
	row->test = test;
	if (setup != NULL)
		row->setup = *setup;
	row_add(path, row);
}

void
mount_test_add_cases(const ShCase *cases, gsize count)
{
	for (gsize i = 0; i < count; i++) {
		gboolean all = strcmp(cases[i].shells, "all") == 0;
		g_auto(GStrv) names =
			g_strsplit(all ? "bash dash busybox" : cases[i].shells, " ", 0);
		for (gsize n = 0; names[n] != NULL; n++) {
			Row *row = g_new0(Row, 1);
			row->test = case_body;
			row->sh_case = &cases[i];
			row->shell = g_strdup(names[n]);
			row->setup = cases[i].setup;
			g_autofree char *path =
				names[1] != NULL ? g_strdup_printf("%s/%s", cases[i].path, names[n])
						 : g_strdup(cases[i].path);
			row_add(path, row);
		}
	}
}

/* What stands before the script of a case that runs in a context of its own. */
static const char *
enter_context(const ShCase *one, gboolean linked)
{
	if (strcmp(one->shells, "python3") == 0)
		return linked ? "import os\n"
				"os.chdir(os.environ['M'] + '/children')\n"
				"os.mkdir('c')\n"
				"os.chdir('c')\n"
				"open('ctl', 'w').write('connect local\\n')\n"
			      : "import os\n"
				"os.chdir(os.environ['M'] + '/children')\n"
				"os.mkdir('c')\n"
				"os.chdir('c')\n";
	return linked ? "mkdir $M/children/c; cd $M/children/c; echo 'connect local' > ctl\n"
		      : "mkdir $M/children/c; cd $M/children/c\n";
}

void
mount_test_add_both(const ShCase *cases, gsize count)
{
	static const char *const ways[] = { "direct", "linked" };
	static GPtrArray *kept; /* what was made lives as long as the program */

	if (kept == NULL)
		kept = g_ptr_array_new();
	for (gsize i = 0; i < 2 * count; i++) {
		const ShCase *one = &cases[i / 2];
		ShCase *made = g_memdup2(one, sizeof(*one));
		made->path = g_strdup_printf("%s/%s", one->path, ways[i % 2]);
		made->script = g_strconcat(enter_context(one, i % 2 == 1), one->script, NULL);
		g_ptr_array_add(kept, made);
		mount_test_add_cases(made, 1);
	}
}

/* As root: a mount namespace of our own, which takes every mount with it when the last process
 * goes. With a bed, which sees the mount, it is the bed's. */
static void
isolate(void)
{
	if (!bed_enter() && geteuid() == 0) {
		g_assert_no_errno(unshare(CLONE_NEWNS));
		g_assert_no_errno(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	}
	g_assert_no_errno(prctl(PR_SET_CHILD_SUBREAPER, 1));
}

void
mount_test_init(int *argc, char ***argv)
{
	for (int i = 1; i < *argc; i++)
		listing |= strcmp((*argv)[i], "-l") == 0;
	g_test_init(argc, argv, NULL);
	if (g_getenv("MITOFS_BIN") == NULL || g_getenv("MITOFS_TRY") == NULL)
		g_error("MITOFS_BIN and MITOFS_TRY are not set: run it by meson test or "
			"scripts/test");
}

int
mount_test_run(void)
{
	if (!listing)
		isolate();
	return g_test_run();
}
