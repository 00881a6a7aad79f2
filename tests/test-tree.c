/* Finding every process that a command started, however it detached. */
#include "pty/spawn.h"
#include "pty/tree.h"
#include "tests/residue.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define DEADLINE_MS 20000

static const struct spawn_place place = { .home = "/" };

/* A number for tags that another run of this test does not use at the same time. */
static uint32_t
own_agent(void)
{
	return (uint32_t)getpid() & 0x7fff;
}

/* A script that was started, and the pipe that its processes write to and hold open. */
typedef struct {
	pid_t pid;
	int output;
	uint64_t tag;
} Tree;

/* Start @script with @tag, and read @lines pids from it. */
static Tree
tree_start(const char *script, uint64_t tag, pid_t *pids, guint lines)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };
	struct spawn_spec spec = { .file = "sh",
				   .argv = argv,
				   .cwd = "/",
				   .umask = SPAWN_KEEP,
				   .nice = SPAWN_KEEP,
				   .oom = SPAWN_KEEP,
				   .affinity = "",
				   .tag = tag };
	Tree tree = { .tag = tag };
	int ends[2], failure_fd;

	g_assert_no_errno(pipe2(ends, O_CLOEXEC));
	g_assert_cmpint(spawn_start(&spec, &place, (int[]){ ends[1], ends[1], ends[1] }, &tree.pid,
				    &failure_fd),
			==, 0);
	close(failure_fd);
	close(ends[1]);
	tree.output = ends[0];
	for (guint i = 0; i < lines; i++) {
		GString *line = g_string_new(NULL);
		char byte;

		while (read(tree.output, &byte, 1) == 1 && byte != '\n')
			g_string_append_c(line, byte);
		pids[i] = (pid_t)g_ascii_strtoll(line->str, NULL, 10);
		g_assert_cmpint(pids[i], >, 0);
		g_string_free(line, TRUE);
	}
	return tree;
}

/* Wait until all of @tree's processes have closed their output, reap them, and close. */
static void
tree_finish(Tree *tree)
{
	struct pollfd ready = { .fd = tree->output, .events = POLLIN };
	char bytes[256];

	do
		g_assert_cmpint(poll(&ready, 1, DEADLINE_MS), ==, 1);
	while (read(tree->output, bytes, sizeof(bytes)) > 0);
	close(tree->output);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
}

static void
pid_collect(pid_t pid, void *data)
{
	g_array_append_val((GArray *)data, pid);
}

/* Compare the processes of @query with @count of @pids, both sorted. */
static void
assert_walk(const struct tree_query *query, const pid_t *pids, guint count)
{
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(pid_t));

	g_assert_cmpint(tree_walk(query, pid_collect, found), ==, count);
	g_assert_cmpuint(found->len, ==, count);
	for (guint i = 0; i < count; i++) {
		gboolean listed = FALSE;

		for (guint j = 0; j < count; j++)
			listed |= g_array_index(found, pid_t, j) == pids[i];
		g_assert_true(listed);
	}
}

static void
test_tag(void)
{
	uint64_t tag = tree_tag(0x7fff, 0x3ffffff, 0x1fffff);

	g_assert_cmpuint(tag >> 62, ==, 1);
	g_assert_cmpuint(tag, ==, G_GUINT64_CONSTANT(0x7fffffffffffffff));
	g_assert_cmpuint(tree_tag(0, 0, 0), ==, G_GUINT64_CONSTANT(1) << 62);
	g_assert_cmpuint(tree_tag(0x8001, 0, 0), ==, tree_tag(1, 0, 0));
	g_assert_cmpuint(tree_tag(5, 6, 7) & TREE_MASK_GROUP, ==, tree_tag(5, 6, 0));
	g_assert_cmpuint(tree_tag(5, 6, 7) & TREE_MASK_AGENT, ==, tree_tag(5, 0, 0));
}

static void
test_tag_of(void)
{
	pid_t pid;
	uint64_t tag;
	Tree tree = tree_start("echo $$; exec sleep 1000", tree_tag(1, 2, 3), &pid, 1);

	g_assert_cmpint(tree_tag_of(pid, &tag), ==, 0);
	g_assert_cmpuint(tag, ==, tree_tag(1, 2, 3));
	g_assert_cmpint(tree_tag_of(getpid(), &tag), ==, -ENODATA);
	kill(pid, SIGKILL);
	tree_finish(&tree);
	g_assert_cmpint(tree_tag_of(pid, &tag), ==, -ESRCH);
}

static void
test_descendants(void)
{
	pid_t pids[3];
	Tree tree = tree_start("echo $$; (sh -c 'echo $PPID; echo $$; exec sleep 1000'; :); :", 0,
			       pids, 3);
	struct tree_query query = { .leader = tree.pid };

	g_assert_cmpint(pids[0], ==, tree.pid);
	assert_walk(&query, pids, 3);
	query.below_only = true;
	assert_walk(&query, pids + 1, 2);
	query.spare = pids[2];
	assert_walk(&query, pids + 1, 1);
	query = (struct tree_query){ .leader = tree.pid, .parent = pids[1] };
	assert_walk(&query, pids + 2, 1);
	query = (struct tree_query){ .leader = tree.pid, .group = tree.pid };
	assert_walk(&query, pids, 3);
	query.group = getpid();
	assert_walk(&query, NULL, 0);
	query = (struct tree_query){ .leader = tree.pid };
	g_assert_cmpint(tree_kill(&query, 0), ==, 3);
	g_assert_cmpint(tree_kill(&query, SIGKILL), ==, 3);
	tree_finish(&tree);
	g_assert_cmpint(tree_kill(&query, 0), ==, 0);
}

/* Its own session, no environment, another parent: only the tag is left. */
#define DAEMON "env -i PATH=\"$PATH\" setsid -f sh -c 'echo $$; exec sleep 1000'"

static void
test_daemon(void)
{
	uint64_t tag = tree_tag(own_agent(), 5, 9);
	pid_t pids[2];
	Tree tree = tree_start(DAEMON "; echo $$; exec sleep 1000", tag, pids, 2);
	struct tree_query query = { .leader = tree.pid, .tag = tag, .mask = TREE_MASK_RUN };

	assert_walk(&query, pids, 2);
	query.leader = 0;
	assert_walk(&query, pids, 2);
	query.tag = tree_tag(own_agent(), 5, 10);
	assert_walk(&query, NULL, 0);
	query.mask = TREE_MASK_GROUP;
	assert_walk(&query, pids, 2);
	query.tag = tree_tag(own_agent(), 6, 0);
	assert_walk(&query, NULL, 0);
	query.mask = TREE_MASK_AGENT;
	assert_walk(&query, pids, 2);
	g_assert_cmpint(tree_kill(&query, SIGKILL), ==, 2);
	tree_finish(&tree);
}

/* TERM reaches a stopped process only with CONT. */
static void
test_stopped(void)
{
	pid_t pid;
	Tree tree = tree_start("echo $$; kill -STOP $$; exec sleep 1000", 0, &pid, 1);
	struct tree_query query = { .leader = pid };
	int status;

	g_assert_cmpint(waitpid(pid, &status, WUNTRACED), ==, pid);
	g_assert_true(WIFSTOPPED(status));
	g_assert_cmpint(tree_kill(&query, SIGTERM), ==, 1);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_cmpint(WTERMSIG(status), ==, SIGTERM);
	tree_finish(&tree);
}

static void
test_zombie(void)
{
	pid_t pid = fork();
	struct tree_query query = { .leader = pid };
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	g_assert_no_errno(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	assert_walk(&query, NULL, 0);
	g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
}

/* A tree that forks as fast as it can is killed whole. */
static void
test_forking(void)
{
	uint64_t tag = tree_tag(own_agent(), 1, 1);
	pid_t pid;
	Tree tree = tree_start("ulimit -u unlimited 2>/dev/null; echo $$;"
			       "while :; do (setsid -f sleep 1000) & done",
			       tag, &pid, 1);
	struct tree_query query = { .leader = pid, .tag = tag, .mask = TREE_MASK_RUN };

	g_assert_cmpint(tree_kill(&query, SIGKILL), >=, 1);
	tree_finish(&tree);
	g_assert_cmpint(tree_walk(&query, NULL, NULL), ==, 0);
}

static void
test_self(void)
{
	struct tree_query query = { .leader = getpid() };

	assert_walk(&query, NULL, 0);
	g_assert_cmpint(tree_kill(&query, SIGKILL), ==, 0);
}

static void
test_refused(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) { /* as nobody, who may not signal its parent */
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(77);
		_exit(tree_kill(&(struct tree_query){ .leader = getppid() }, 0) == -EPERM ? 0 : 1);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	if (WEXITSTATUS(status) == 77)
		g_test_skip("only root can become somebody else");
	else
		g_assert_cmpint(status, ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	g_test_add_func("/tree/tag", test_tag);
	g_test_add_func("/tree/tag-of", test_tag_of);
	g_test_add_func("/tree/descendants", test_descendants);
	g_test_add_func("/tree/daemon", test_daemon);
	g_test_add_func("/tree/stopped", test_stopped);
	g_test_add_func("/tree/zombie", test_zombie);
	g_test_add_func("/tree/forking", test_forking);
	g_test_add_func("/tree/self", test_self);
	g_test_add_func("/tree/refused", test_refused);
	return residue_run();
}
