/* The real agent, driven frame by frame.
 *
 * Every test runs four times: the agent as this build's compiler made it (so that sanitizers and
 * valgrind see it) and the static image that is shipped, each over a socketpair and over pipes.
 * MITOFS_AGENT_HOST and MITOFS_AGENT_IMAGE name them. With MITOFS_AGENT_FOREIGN, ARCH=FILE, it
 * is that image for another architecture instead, which runs under qemu-user's emulation where
 * this kernel does not execute it. The test program is a child subreaper: what an agent should
 * have killed and did not would become its child, and peer_free() would wait for it in vain. */
#include "pty/autofd.h"
#include "tests/agent-peer.h"
#include "tests/residue.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

typedef struct {
	const char *program;
	const char *runner; /* the qemu that executes a foreign one */
	gboolean socket;
} Kind;

#define ARGV(...) ((char *[]){ __VA_ARGS__, NULL })

/* A child in the background that prints its pid when nothing catches signals in it any more:
 * between a shell's fork and its exec a signal is lost to the traps of its parent. */
#define SLEEPER "sh -c 'echo $$; exec sleep 1000' & "

/* Read @count pids, one a line, from the stdout of @channel. */
static void
read_pids(AgentPeer *peer, guint32 channel, pid_t *pids, guint count)
{
	g_autofree char *text = peer_read_lines(peer, channel, count);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; i < count; i++) {
		pids[i] = (pid_t)g_ascii_strtoll(lines[i], NULL, 10);
		g_assert_cmpint(pids[i], >, 0);
	}
}

/* Wait for FAILED, and compare its stage and errno; its text, which the caller frees. */
static char *
expect_failed(AgentPeer *peer, guint32 channel, enum spawn_stage stage, const char *error)
{
	g_autoptr(PeerFrame) frame = peer_expect(peer, channel, WIRE_FAILED);
	struct wire_frame raw = { channel, WIRE_FAILED, (guint32)frame->length, frame->payload };
	struct wire_in in;
	const char *text;

	wire_in_init(&in, &raw);
	g_assert_cmpint(wire_get_u8(&in), ==, stage);
	g_assert_cmpstr(peer_errno(&in), ==, error);
	(void)wire_get_u8(&in);
	(void)wire_get_u32(&in);
	text = wire_get_string(&in);
	g_assert_cmpint(wire_in_finish(&in), ==, 0);
	return g_strdup(text);
}

static void
send_empty(AgentPeer *peer, guint32 channel, enum wire_type type)
{
	wire_begin(peer_out(peer), channel, type);
	g_assert_cmpint(wire_end(peer_out(peer)), ==, 0);
	peer_send(peer);
}

static void
test_hello(AgentPeer *peer)
{
	g_autofree char *comm = NULL, *path = g_strdup_printf("/proc/%d/comm", peer_worker(peer));
	g_autofree char *cmdline = NULL,
			*cmdline_path = g_strdup_printf("/proc/%d/cmdline", peer_watcher(peer));

	g_assert_true(g_file_get_contents(path, &comm, NULL, NULL));
	if (!residue_valgrind())
		g_assert_cmpstr(comm, ==, "ctx-agent\n");
	g_assert_true(g_file_get_contents(cmdline_path, &cmdline, NULL, NULL));
	if (!residue_valgrind())
		g_assert_cmpstr(cmdline, ==, "ctx-agent");
}

static void
test_run(AgentPeer *peer)
{
	g_autofree char *out = NULL, *err = NULL;

	peer_sh(peer, 1, "echo out; echo err >&2; exit 3");
	out = peer_read_all(peer, 1, WIRE_STDOUT, NULL);
	err = peer_read_all(peer, 1, WIRE_STDERR, NULL);
	g_assert_cmpstr(out, ==, "out\n");
	g_assert_cmpstr(err, ==, "err\n");
	peer_expect_exit(peer, 1, 3);
	send_empty(peer, 1, WIRE_FORGET);
	peer_ping(peer);
}

static void
test_many(AgentPeer *peer)
{
	for (guint32 channel = 1; channel <= 50; channel++)
		peer_sh(peer, channel, "read line; exit $line");
	for (guint32 channel = 50; channel >= 1; channel--) {
		g_autofree char *line = g_strdup_printf("%u\n", channel);
		peer_data(peer, channel, line, strlen(line));
		peer_expect_exit(peer, channel, (int)channel);
	}
}

static void
test_killed(AgentPeer *peer)
{
	peer_sh(peer, 1, "kill -SEGV $$");
	peer_expect_signalled(peer, 1, "SEGV");
}

static void
test_failed(AgentPeer *peer)
{
	g_autofree char *text = NULL, *cwd = NULL;
	struct wire_spawn spawn;

	peer_spawn_init(&spawn, ARGV("nosuch"));
	spawn.spec.set_env = ARGV("PATH=/nonexistent");
	peer_spawn(peer, 1, &spawn);
	text = expect_failed(peer, 1, SPAWN_EXEC, "ENOENT");
	g_assert_cmpstr(text, ==, "/nonexistent");
	peer_spawn_init(&spawn, ARGV("true"));
	spawn.spec.cwd = "/nonexistent";
	peer_spawn(peer, 2, &spawn);
	cwd = expect_failed(peer, 2, SPAWN_CWD, "ENOENT");
	g_assert_cmpstr(cwd, ==, "");
	peer_data(peer, 2, "late", 4); /* the channel is gone: dropped */
	peer_ping(peer);
	g_assert_cmpstr(peer_sweep(peer, 0), ==, "");
}

/* A descriptor limit that the agent hits: FAILED names it. */
static void
test_failed_limit(AgentPeer *peer)
{
	struct rlimit none = { 0, 0 }, before;
	struct wire_spawn spawn;
	g_autofree char *text = NULL;

	if (prlimit(peer_worker(peer), RLIMIT_NOFILE, NULL, &before) < 0 || residue_valgrind()) {
		g_test_skip("the worker's limits cannot be set here");
		return;
	}
	none.rlim_max = before.rlim_max;
	g_assert_no_errno(prlimit(peer_worker(peer), RLIMIT_NOFILE, &none, NULL));
	peer_spawn_init(&spawn, ARGV("true"));
	peer_spawn(peer, 1, &spawn);
	text = expect_failed(peer, 1, SPAWN_STDIO, "EMFILE");
	g_assert_nonnull(strstr(text, "RLIMIT_NOFILE is 0"));
	g_assert_no_errno(prlimit(peer_worker(peer), RLIMIT_NOFILE, &before, NULL));
	peer_sh(peer, 2, "exit 4");
	peer_expect_exit(peer, 2, 4);
}

/* Put a SPAWN of @argv with this PATH into what is sent next. */
static void
spawn_put(AgentPeer *peer, guint32 channel, char **argv, char *path)
{
	struct wire_spawn spawn;

	peer_spawn_init(&spawn, argv);
	spawn.spec.set_env = ARGV(path);
	wire_begin(peer_out(peer), channel, WIRE_SPAWN);
	wire_put_spawn(peer_out(peer), &spawn);
	g_assert_cmpint(wire_end(peer_out(peer)), ==, 0);
}

/* Many starts under way at once, of which every other one fails in a search of PATH: each has
 * the outcome of what it was asked for. */
static void
test_started_side_by_side(AgentPeer *peer)
{
	for (guint32 channel = 1; channel <= 60; channel += 2) {
		g_autofree char *name = g_strdup_printf("nosuch-%u", channel);
		g_autofree char *path = g_strdup_printf("PATH=/%u:/usr/bin:/bin", channel);

		spawn_put(peer, channel, ARGV(name), path);
		spawn_put(peer, channel + 1, ARGV("printenv", "PATH"), path);
	}
	peer_send(peer);
	for (guint32 channel = 1; channel <= 60; channel += 2) {
		g_autofree char *printed = g_strdup_printf("/%u:/usr/bin:/bin\n", channel);
		g_autofree char *told = g_strdup_printf("/%u:/usr/bin:/bin", channel);
		g_autofree char *text = expect_failed(peer, channel, SPAWN_EXEC, "ENOENT");
		g_autofree char *out = peer_read_all(peer, channel + 1, WIRE_STDOUT, NULL);

		g_assert_cmpstr(text, ==, told);
		g_assert_cmpstr(out, ==, printed);
	}
}

/* A file that somebody has leased: who opens or executes it waits until the lease is given back.
 * The descriptor, or -1 where there are no leases. */
static int
program_leased(const char *path)
{
	int fd;

	g_assert_true(g_file_set_contents(path, "#!/bin/sh\nexit 7\n", -1, NULL));
	g_assert_no_errno(chmod(path, 0700));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	g_assert_no_errno(fd);
	signal(SIGIO, SIG_IGN); /* it tells that somebody waits */
	if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A start that hangs in its execve holds up no other, and can be cancelled. */
static void
test_started_beside_hanging(AgentPeer *peer)
{
	g_autofree char *directory = g_dir_make_tmp("mitofs-test-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "leased", NULL);
	int lease = program_leased(path);
	struct wire_spawn spawn;

	for (guint32 channel = 1; channel <= 2 && lease >= 0; channel++) {
		peer_spawn_init(&spawn, ARGV(path));
		spawn.group = channel;
		peer_spawn(peer, channel, &spawn);
	}
	for (guint32 channel = 3; channel <= 10; channel++) {
		peer_sh(peer, channel, "exit 3");
		peer_expect_exit(peer, channel, 3);
	}
	if (lease >= 0) {
		g_assert_false(peer_has(peer, 1, WIRE_STARTED));
		g_assert_false(peer_has(peer, 2, WIRE_STARTED));
		send_empty(peer, 1, WIRE_CANCEL);
		g_free(expect_failed(peer, 1, SPAWN_EXEC, "ECANCELED"));
		close(lease);
		peer_expect_exit(peer, 2, 7);
	} else {
		g_test_skip("there are no leases here");
	}
	g_unlink(path);
	g_rmdir(directory);
}

static void
test_stdin(AgentPeer *peer)
{
	g_autofree char *out = NULL;

	peer_sh(peer, 1, "cat");
	peer_data(peer, 1, "one", 3);
	peer_data(peer, 1, "two", 3);
	peer_end(peer, 1);
	out = peer_read_all(peer, 1, WIRE_STDOUT, NULL);
	g_assert_cmpstr(out, ==, "onetwo");
	peer_expect_exit(peer, 1, 0);
}

/* Sent before STARTED. */
static void
test_stdin_early(AgentPeer *peer)
{
	g_autofree char *out = NULL;
	struct wire_spawn spawn;

	peer_spawn_init(&spawn, ARGV("cat"));
	peer_spawn(peer, 1, &spawn);
	peer_data(peer, 1, "early", 5);
	peer_end(peer, 1);
	out = peer_read_all(peer, 1, WIRE_STDOUT, NULL);
	g_assert_cmpstr(out, ==, "early");
}

/* What the agent has given back of stdin's credit, as far as it has come; waits for some if
 * @wait. */
static guint32
credit_take(AgentPeer *peer, guint32 channel, gboolean wait)
{
	guint32 total = 0;

	while ((wait && !total) || peer_has(peer, channel, WIRE_CREDIT)) {
		g_autoptr(PeerFrame) frame = peer_expect(peer, channel, WIRE_CREDIT);
		guint32 bytes;

		g_assert_cmpint(frame->payload[0], ==, WIRE_STDIN);
		memcpy(&bytes, frame->payload + 1, 4);
		total += GUINT32_FROM_LE(bytes);
	}
	return total;
}

/* As much stdin as there is credit, which grows with use, through cat and back. */
static void
test_stdin_credit(AgentPeer *peer)
{
	const gsize size = 6 * 1024 * 1024;
	g_autofree char *bytes = g_malloc(size), *out = NULL;
	guint32 credit = WIRE_CREDIT_START, largest = 0;
	gsize sent = 0, got;

	for (gsize i = 0; i < size; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	peer_sh(peer, 1, "exec cat > /dev/null");
	while (sent < size) {
		gsize part = MIN(MIN(credit, size - sent), 64 * 1024);

		peer_data(peer, 1, bytes + sent, part);
		sent += part;
		credit -= (guint32)part;
		if (!credit)
			credit = credit_take(peer, 1, sent < size);
		largest = MAX(largest, credit);
	}
	peer_end(peer, 1);
	peer_expect_exit(peer, 1, 0);
	g_assert_cmpuint(largest, >=, 2 * WIRE_CREDIT_START);
	g_assert_cmpuint(largest, <=, WIRE_CREDIT_MAX);
	out = peer_read_all(peer, 1, WIRE_STDOUT, &got);
	g_assert_nonnull(out);
	g_assert_cmpuint(got, ==, 0);
}

/* Much stdin to a slow reader, all the way through and back, byte for byte. */
static void
test_stdin_buffered(AgentPeer *peer)
{
	g_autofree char *bytes = g_malloc(WIRE_CREDIT_START), *out = NULL;
	gsize got;

	for (gsize i = 0; i < WIRE_CREDIT_START; i++)
		bytes[i] = (char)(i * 13 + i / 1021);
	peer_sh(peer, 1, "echo ready; kill -STOP $$; exec cat");
	g_free(peer_read_lines(peer, 1, 1));
	g_autoptr(PeerFrame) stopped = peer_expect(peer, 1, WIRE_STATE);
	g_assert_cmpint(stopped->payload[0], ==, 1);
	peer_data(peer, 1, bytes,
		  WIRE_CREDIT_START); /* a pipe's worth: all is in the pipe or the agent */
	peer_end(peer, 1);
	peer_ping(peer);
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_LEADER, "CONT"), ==, "");
	out = peer_read_all(peer, 1, WIRE_STDOUT, &got);
	g_assert_cmpmem(out, got, bytes, WIRE_CREDIT_START);
	peer_expect_exit(peer, 1, 0);
}

static void
test_stdin_closed(AgentPeer *peer)
{
	g_autoptr(PeerFrame) closed = NULL;

	peer_sh(peer, 1, "exec <&-; echo closed; exec sleep 1000");
	g_free(peer_read_lines(peer, 1, 1));
	closed = peer_expect(peer, 1, WIRE_CLOSE);
	g_assert_cmpint(closed->payload[0], ==, WIRE_STDIN);
	peer_data(peer, 1, "dropped", 7);
	for (guint i = 0; i < 10; i++) { /* credit comes back though nothing is read */
		static const char bytes[WIRE_CREDIT_START / 2];
		peer_data(peer, 1, bytes, sizeof(bytes));
		credit_take(peer, 1, TRUE);
	}
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_LEADER, "KILL"), ==, "");
	peer_expect_signalled(peer, 1, "KILL");
}

/* Without credit nothing comes, and the command waits. */
static void
test_output_credit(AgentPeer *peer)
{
	gsize total = 0;

	peer_sh(peer, 1, "exec dd if=/dev/zero bs=1024 count=1024 2>/dev/null");
	while (total < WIRE_CREDIT_START) {
		g_autoptr(PeerFrame) frame = peer_expect(peer, 1, WIRE_DATA);
		total += frame->length - 1;
	}
	g_assert_cmpuint(total, ==, WIRE_CREDIT_START);
	g_assert_false(peer_has(peer, 1, WIRE_DATA));
	g_assert_false(peer_has(peer, 1, WIRE_EXIT));
	peer_credit(peer, 1, WIRE_STDOUT, 1000);
	while (total < WIRE_CREDIT_START + 1000) {
		g_autoptr(PeerFrame) frame = peer_expect(peer, 1, WIRE_DATA);
		total += frame->length - 1;
	}
	g_assert_cmpuint(total, ==, WIRE_CREDIT_START + 1000);
	g_assert_false(peer_has(peer, 1, WIRE_DATA));
	peer_credit(peer, 1, WIRE_STDOUT, 2 * 1024 * 1024);
	while (total < 1024 * 1024) {
		g_autoptr(PeerFrame) frame = peer_expect(peer, 1, WIRE_DATA);
		total += frame->length - 1;
	}
	g_assert_cmpuint(total, ==, 1024 * 1024);
	peer_expect_exit(peer, 1, 0);
	g_free(peer_read_all(peer, 1, WIRE_STDOUT, NULL));
}

/* Many streams at once, with much credit and a slow reader: all bytes arrive. */
static void
test_output_bulk(AgentPeer *peer)
{
	const guint runs = 8;
	const gsize size = 4 * 1024 * 1024;

	for (guint32 channel = 1; channel <= runs; channel++) {
		g_autofree char *script =
			g_strdup_printf("head -c %" G_GSIZE_FORMAT " /dev/zero", size);
		peer_sh(peer, channel, script);
		peer_credit(peer, channel, WIRE_STDOUT, 7 * 1024 * 1024);
	}
	for (guint32 channel = 1; channel <= runs; channel++) {
		gsize got;

		g_free(peer_read_all(peer, channel, WIRE_STDOUT, &got));
		g_assert_cmpuint(got, ==, size);
		peer_expect_exit(peer, channel, 0);
	}
}

static void
test_output_close(AgentPeer *peer)
{
	peer_sh(peer, 1, "exec yes");
	g_free(peer_read_lines(peer, 1, 1));
	peer_close(peer, 1, WIRE_STDOUT);
	g_free(peer_read_all(peer, 1, WIRE_STDOUT, NULL));
	peer_expect_signalled(peer, 1, "PIPE");
	peer_close(peer, 1, WIRE_STDOUT); /* again: dropped */
	peer_ping(peer);
}

/* The end of the command and of its output are independent. */
static void
test_exit_before_end(AgentPeer *peer)
{
	pid_t holder;

	peer_sh(peer, 1, SLEEPER "exit 5");
	read_pids(peer, 1, &holder, 1);
	peer_expect_exit(peer, 1, 5);
	g_assert_false(peer_has(peer, 1, WIRE_END));
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_LEADER, "TERM"), ==, "ESRCH");
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_GROUP, "0"), ==, "");
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_GROUP, "TERM"), ==, "");
	g_free(peer_read_all(peer, 1, WIRE_STDOUT, NULL));
	peer_wait_gone(holder);
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_GROUP, "0"), ==, "ESRCH");
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_TREE, "0"), ==, "ESRCH");
}

static void
test_end_before_exit(AgentPeer *peer)
{
	peer_sh(peer, 1, "exec sleep 1000 >&- 2>&-");
	g_free(peer_read_all(peer, 1, WIRE_STDOUT, NULL));
	g_free(peer_read_all(peer, 1, WIRE_STDERR, NULL));
	g_assert_false(peer_has(peer, 1, WIRE_EXIT));
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_GROUP, "SIGINT"), ==, "");
	peer_expect_signalled(peer, 1, "INT");
}

static void
test_signal_targets(AgentPeer *peer)
{
	pid_t pids[2];

	/* the shell outlives TERM, its child does not */
	peer_sh(peer, 1,
		"trap 'echo caught' TERM; trap '' HUP; echo $$; " SLEEPER
		"wait; wait; kill $!; exit 9");
	read_pids(peer, 1, pids, 2);
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_LEADER, "TERM"), ==, "");
	g_free(peer_read_lines(peer, 1, 1));
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_GROUP, "term"), ==, "");
	peer_wait_gone(pids[1]);
	peer_expect_exit(peer, 1, 9);
}

static void
test_signal_errors(AgentPeer *peer)
{
	peer_sh(peer, 1, "exec sleep 1000");
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_GROUP, "NOSUCH"), ==, "EINVAL");
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_GROUP, ""), ==, "EINVAL");
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_LEADER, "0"), ==, "");
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_TREE, "0"), ==, "");
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_TREE, "RTMIN+1"), ==, "");
	peer_expect_signalled(peer, 1, "RTMIN+1");
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_TREE, "KILL"), ==, "ESRCH");
}

/* A grandchild in its own session, without environment, whose parent is gone. */
#define DAEMON \
	"env -i PATH=\"$PATH\" setsid -f sh -c '(trap \"\" TERM HUP; echo $$; exec sleep 1000) &'"

static void
test_signal_tree(AgentPeer *peer)
{
	pid_t pids[2];

	peer_sh(peer, 1,
		"echo $$; env -i PATH=\"$PATH\" setsid -f sh -c 'echo $$; exec sleep 1000'; exec "
		"sleep 1000");
	read_pids(peer, 1, pids, 2);
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_GROUP, "KILL"), ==, "");
	peer_expect_signalled(peer, 1, "KILL");
	g_assert_cmpint(kill(pids[1], 0), ==, 0);
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_TREE, "KILL"), ==, "");
	peer_wait_gone(pids[1]);
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_TREE, "0"), ==, "ESRCH");
}

static void
test_state(AgentPeer *peer)
{
	g_autoptr(PeerFrame) stopped = NULL, continued = NULL;

	peer_sh(peer, 1, "exec sleep 1000");
	peer_signal(peer, 1, WIRE_TARGET_LEADER, "STOP");
	stopped = peer_expect(peer, 1, WIRE_STATE);
	g_assert_cmpint(stopped->payload[0], ==, 1);
	peer_signal(peer, 1, WIRE_TARGET_LEADER, "CONT");
	continued = peer_expect(peer, 1, WIRE_STATE);
	g_assert_cmpint(continued->payload[0], ==, 0);
	peer_signal(peer, 1, WIRE_TARGET_LEADER, "STOP");
	g_assert_cmpstr(peer_stop(peer, 1, 10000), ==, ""); /* with CONT */
	peer_expect_signalled(peer, 1, "TERM");
}

static void
test_stop_polite(AgentPeer *peer)
{
	pid_t sleeper;

	peer_sh(peer, 1, "trap 'exit 6' TERM; " SLEEPER "wait");
	read_pids(peer, 1, &sleeper, 1);
	g_assert_cmpstr(peer_stop(peer, 1, 60000), ==, "");
	peer_expect_exit(peer, 1, 6);
	peer_wait_gone(sleeper);
	g_assert_cmpstr(peer_stop(peer, 1, 60000), ==, "ESRCH");
}

static void
test_stop_ladder(AgentPeer *peer)
{
	pid_t pids[2];

	peer_sh(peer, 1,
		"trap '' TERM; echo $$; (exec setsid sh -c 'trap \"\" TERM; echo $$; sleep 1000; "
		":'); :");
	read_pids(peer, 1, pids, 2);
	g_assert_cmpstr(peer_stop(peer, 1, 50), ==, "");
	peer_expect_signalled(peer, 1, "KILL");
	peer_wait_gone(pids[1]);
	g_autoptr(PeerFrame) log = peer_expect(peer, 1, WIRE_LOG);
	g_assert_nonnull(memmem(log->payload, log->length, "did not end", 11));
}

/* KILL comes though the broker has forgotten the run. */
static void
test_stop_forgotten(AgentPeer *peer)
{
	pid_t pids[1];

	peer_sh(peer, 1, "trap '' TERM; echo $$; while :; do sleep 1; done");
	read_pids(peer, 1, pids, 1);
	g_assert_cmpstr(peer_stop(peer, 1, 50), ==, "");
	send_empty(peer, 1, WIRE_FORGET);
	peer_wait_gone(pids[0]);
	peer_ping(peer);
	g_assert_false(peer_has(peer, 1, WIRE_EXIT));
}

static void
test_set(AgentPeer *peer)
{
	pid_t pids[2];
	g_autofree char *oom_path = NULL, *oom = NULL;

	peer_sh(peer, 1,
		"echo $$; "
		"setsid -f sh -c 'echo $$; exec sleep 1000'; exec sleep 1000");
	read_pids(peer, 1, pids, 2);
	g_assert_cmpstr(peer_set(peer, 1, "nice", "11"), ==, "");
	for (guint i = 0; i < 2; i++)
		g_assert_cmpint(getpriority(PRIO_PROCESS, (id_t)pids[i]), ==, 11);
	g_assert_cmpstr(peer_set(peer, 1, "oom", "123"), ==, "");
	oom_path = g_strdup_printf("/proc/%d/oom_score_adj", pids[1]);
	g_assert_true(g_file_get_contents(oom_path, &oom, NULL, NULL));
	g_assert_cmpstr(oom, ==, "123\n");
	g_assert_cmpstr(peer_set(peer, 1, "affinity", "0"), ==, "");
	g_assert_cmpstr(peer_set(peer, 1, "affinity", "1023"), ==, "EINVAL");
	g_assert_cmpstr(peer_set(peer, 1, "affinity", "x"), ==, "EINVAL");
	g_assert_cmpstr(peer_set(peer, 1, "nice", "20"), ==, "EINVAL");
	g_assert_cmpstr(peer_set(peer, 1, "nosuch", "1"), ==, "EINVAL");
	g_assert_cmpstr(peer_stop(peer, 1, 0), ==, "");
	peer_expect_signalled(peer, 1, "TERM");
	g_assert_cmpstr(peer_sweep(peer, 1), ==, "");
	peer_wait_gone(pids[1]);
	g_assert_cmpstr(peer_set(peer, 1, "nice", "12"), ==, "ESRCH");
}

/* SPAWN sh -c @script on a terminal. */
static void
spawn_terminal(AgentPeer *peer, guint32 channel, const char *script, gboolean hand_over)
{
	struct wire_spawn spawn;

	peer_spawn_init(&spawn, ARGV((char *)"sh", (char *)"-c", (char *)script));
	spawn.spec.pty = true;
	spawn.spec.columns = 132;
	spawn.spec.rows = 43;
	spawn.hand_over = hand_over;
	peer_spawn(peer, channel, &spawn);
}

static void
test_terminal(AgentPeer *peer)
{
	g_autofree char *size = NULL, *resized = NULL, *rest = NULL;

	spawn_terminal(peer, 1,
		       "stty -echo -opost; trap 'stty size' WINCH; stty size; sleep 1000 & wait; "
		       "wait; exit 8",
		       FALSE);
	size = peer_read_lines(peer, 1, 1);
	g_assert_cmpstr(size, ==, "43 132\n");
	g_assert_cmpstr(peer_winsize(peer, 1, 90, 30), ==, "");
	resized = peer_read_lines(peer, 1, 1);
	g_assert_cmpstr(resized, ==, "30 90\n");
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_TREE, "KILL"), ==, "");
	rest = peer_read_all(peer, 1, WIRE_STDOUT, NULL);
	g_assert_cmpstr(rest, ==, "");
	peer_expect_signalled(peer, 1, "KILL");
}

static void
test_terminal_eof(AgentPeer *peer)
{
	g_autofree char *out = NULL;

	spawn_terminal(peer, 1, "stty -echo -opost; echo ready; cat; echo again; cat; exit 2",
		       FALSE);
	g_free(peer_read_lines(peer, 1, 1));
	peer_data(peer, 1, "one\n", 4);
	peer_end(peer, 1);
	g_free(peer_read_lines(peer, 1, 2)); /* one, again */
	peer_data(peer, 1, "two\n", 4);	     /* END ended nothing */
	peer_end(peer, 1);
	out = peer_read_all(peer, 1, WIRE_STDOUT, NULL);
	g_assert_cmpstr(out, ==, "two\n");
	peer_expect_exit(peer, 1, 2);
	g_assert_false(peer_has(peer, 1, WIRE_END)); /* no stderr, no end of it */
}

/* The group that a signal goes to is the terminal's foreground group, not the shell's. */
static void
test_terminal_foreground(AgentPeer *peer)
{
	g_autofree char *line = NULL;

	spawn_terminal(
		peer, 1,
		"set -m; stty -opost; sh -c 'echo $$; exec sleep 1000'; echo code $?; exit 0",
		FALSE);
	g_free(peer_read_lines(peer, 1, 1));
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_GROUP, "KILL"), ==, "");
	line = peer_read_all(peer, 1, WIRE_STDOUT, NULL);
	g_assert_nonnull(strstr(line, "code 137"));
	peer_expect_exit(peer, 1, 0);
}

static void
test_winsize_no_terminal(AgentPeer *peer)
{
	peer_sh(peer, 1, "exec cat");
	g_assert_cmpstr(peer_winsize(peer, 1, 80, 24), ==, "ENOTTY");
}

static void
test_cancel_late(AgentPeer *peer)
{
	peer_sh(peer, 1, "exec cat");
	send_empty(peer, 1, WIRE_CANCEL); /* it was answered already */
	g_assert_cmpstr(peer_signal(peer, 1, WIRE_TARGET_LEADER, "0"), ==, "");
}

/* SPAWN and CANCEL in one write: the agent has both before it can see what became of the child. */
static void
test_cancel(AgentPeer *peer)
{
	struct wire_spawn spawn;

	peer_spawn_init(&spawn, ARGV("sleep", "1000"));
	wire_begin(peer_out(peer), 1, WIRE_SPAWN);
	wire_put_spawn(peer_out(peer), &spawn);
	g_assert_cmpint(wire_end(peer_out(peer)), ==, 0);
	send_empty(peer, 1, WIRE_CANCEL);
	g_free(expect_failed(peer, 1, SPAWN_EXEC, "ECANCELED"));
	g_assert_false(peer_has(peer, 1, WIRE_STARTED));
	g_assert_false(peer_has(peer, 1, WIRE_EXIT));
	g_assert_cmpstr(peer_sweep(peer, 0), ==, "");
}

static void
test_forget_running(AgentPeer *peer)
{
	pid_t pid = peer_sh(peer, 1, "exec sleep 1000");

	send_empty(peer, 1, WIRE_FORGET);
	peer_ping(peer);
	g_assert_cmpint(kill(pid, 0), ==, 0);
	peer_data(peer, 1, "late", 4);
	peer_ping(peer);
	g_assert_cmpstr(peer_sweep(peer, 1), ==, "");
	peer_wait_gone(pid);
}

static void
test_sweep(AgentPeer *peer)
{
	pid_t first[2], other;

	peer_sh(peer, 1, "echo $$; " DAEMON "; exec sleep 1000");
	read_pids(peer, 1, first, 2);
	other = peer_sh(peer, 2, "exec sleep 1000");
	g_assert_cmpstr(peer_sweep(peer, 1), ==, "");
	peer_expect_signalled(peer, 1, "KILL");
	g_free(peer_read_all(peer, 1, WIRE_STDOUT, NULL)); /* the daemon held it */
	g_assert_cmpint(kill(other, 0), ==, 0);
	g_assert_cmpstr(peer_sweep(peer, 99), ==, "");
}

static void
test_usage(AgentPeer *peer)
{
	g_autoptr(PeerFrame) usage = NULL;
	guint64 user, peak;

	peer_sh(peer, 1, "while :; do :; done");
	usage = peer_expect(peer, 1, WIRE_USAGE);
	g_assert_cmpuint(usage->length, ==, 24);
	memcpy(&user, usage->payload, 8);
	memcpy(&peak, usage->payload + 16, 8);
	g_assert_cmpuint(GUINT64_FROM_LE(user), >, 0);
	g_assert_cmpuint(GUINT64_FROM_LE(user), <, 60 * G_USEC_PER_SEC);
	g_assert_cmpuint(GUINT64_FROM_LE(peak), >, 64 * 1024);
}

static void
test_shutdown(AgentPeer *peer)
{
	pid_t pids[2];

	peer_sh(peer, 1, "trap 'exit 5' TERM; echo $$; " SLEEPER "wait");
	read_pids(peer, 1, pids, 2);
	wire_begin(peer_out(peer), 0, WIRE_SHUTDOWN);
	wire_put_u32(peer_out(peer), 60000);
	g_assert_cmpint(wire_end(peer_out(peer)), ==, 0);
	peer_send(peer);
	peer_expect_exit(peer, 1, 5);
	g_assert_null(peer_get(
		peer, 0, WIRE_HELLO)); /* the link ends, and so does the agent, long before 60 s */
	peer_wait(peer);
}

static void
test_shutdown_stubborn(AgentPeer *peer)
{
	pid_t pids[2];
	struct wire_spawn spawn;

	peer_sh(peer, 1, "trap '' TERM; echo $$; " DAEMON "; while :; do sleep 1000; done");
	read_pids(peer, 1, pids, 2);
	wire_begin(peer_out(peer), 0, WIRE_SHUTDOWN);
	wire_put_u32(peer_out(peer), 100);
	g_assert_cmpint(wire_end(peer_out(peer)), ==, 0);
	peer_send(peer);
	peer_spawn_init(&spawn, ARGV("true"));
	peer_spawn(peer, 2, &spawn);
	g_free(expect_failed(peer, 2, SPAWN_FORK, "ESHUTDOWN"));
	peer_expect_signalled(peer, 1, "KILL");
	peer_wait(peer);
	peer_wait_gone(pids[1]);
}

static void
test_link_end(AgentPeer *peer)
{
	pid_t pids[4];
	struct wire_spawn spawn;

	/* what has a grace of 100 ms gets no more, and ignores TERM */
	peer_spawn_init(&spawn, ARGV("sh", "-c",
				     "trap '' TERM HUP; echo $$; " DAEMON
				     "; while :; do sleep 1000; done"));
	spawn.grace_ms = 100;
	peer_spawn(peer, 1, &spawn);
	read_pids(peer, 1, pids, 2);
	peer_sh(peer, 2, "echo $$; setsid -f sh -c 'echo $$; exec sleep 1000'; exec sleep 1000");
	read_pids(peer, 2, pids + 2, 2);
	peer_hang_up(peer);
	g_assert_cmpint(peer_wait(peer), ==, 0);
	for (guint i = 0; i < 4; i++)
		peer_wait_gone(pids[i]);
}

static void
test_term(AgentPeer *peer)
{
	pid_t pid = peer_sh(peer, 1, "exec sleep 1000");

	kill(peer_watcher(peer), SIGTERM);
	peer_expect_signalled(peer, 1, "TERM");
	g_assert_cmpint(peer_wait(peer), ==, 0);
	peer_wait_gone(pid);
}

/* Trees that only KILL ends, daemons among them. */
static void
stubborn_start(AgentPeer *peer, pid_t pids[2])
{
	peer_sh(peer, 1, "trap '' TERM HUP; echo $$; " DAEMON "; while :; do sleep 1000; done");
	read_pids(peer, 1, pids, 2);
}

static void
test_worker_killed(AgentPeer *peer)
{
	pid_t pids[2];
	int status;

	stubborn_start(peer, pids);
	kill(peer_worker(peer), SIGKILL);
	status = peer_wait(peer);
	g_assert_true(WIFEXITED(status));
	peer_wait_gone(pids[0]);
	peer_wait_gone(pids[1]);
}

static void
test_watcher_killed(AgentPeer *peer)
{
	pid_t pids[2];

	stubborn_start(peer, pids);
	kill(peer_watcher(peer), SIGKILL);
	peer_wait(peer);
	peer_wait_gone(peer_worker(peer));
	peer_wait_gone(pids[0]);
	peer_wait_gone(pids[1]);
}

/* A nested agent of which both processes are killed at once: what it started and what daemonised
 * there goes too. */
static void
test_nested_killed(AgentPeer *peer)
{
	const char *program = g_getenv("MITOFS_TEST_PROGRAM");
	struct wire_spawn spawn;
	g_autoptr(PeerFrame) started = NULL;
	pid_t watcher;

	peer_spawn_init(&spawn, ARGV("ctx-agent"));
	spawn.spec.file = program;
	peer_spawn(peer, 1, &spawn);
	started = peer_expect(peer, 1, WIRE_STARTED);
	memcpy(&watcher, started->payload, 4);
	{
		/* the nested link's bytes are DATA of channel 1 */
		struct wire_out nested = { .limit = 100000 };
		struct wire_spawn inner;
		g_autoptr(PeerFrame) hello = peer_expect(peer, 1, WIRE_DATA);
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		struct wire_frame frame = { 0 };
		struct wire_hello who;
		struct wire_in in;
		size_t used;
		const char *text;
		pid_t worker, pids[2];

		g_assert_cmpint(
			wire_frame_find(hello->payload + 1, hello->length - 1, &frame, &used), ==,
			1);
		wire_in_init(&in, &frame);
		g_assert_cmpint(wire_get_hello(&in, &who), ==, 0);
		free(who.signals);
		worker = (pid_t)who.pid;
		peer_spawn_init(&inner, ARGV("sh", "-c", "echo $$; " DAEMON "; exec sleep 1000"));
		wire_begin(&nested, 1, WIRE_SPAWN);
		wire_put_spawn(&nested, &inner);
		g_assert_cmpint(wire_end(&nested), ==, 0);
		peer_data(peer, 1, nested.data, nested.size);
		wire_out_done(&nested);
		/* STARTED, then DATA with the two pids, in as many pieces as they come */
		for (guint lines = 0; lines < 2;) {
			g_autoptr(PeerFrame) data = peer_expect(peer, 1, WIRE_DATA);
			gsize at = 0;

			g_byte_array_append(bytes, data->payload + 1, (guint)data->length - 1);
			lines = 0;
			while (wire_frame_find(bytes->data + at, bytes->len - at, &frame, &used) ==
			       1) {
				at += used;
				if (frame.type != WIRE_DATA)
					continue;
				text = (const char *)frame.payload + 1;
				for (guint32 i = 0; i < frame.length - 1; i++) {
					if (i == 0 || text[i - 1] == '\n')
						pids[MIN(lines, 1)] =
							(pid_t)g_ascii_strtoll(text + i, NULL, 10);
					lines += text[i] == '\n';
				}
			}
		}
		kill(watcher, SIGSTOP); /* so that neither can clean up after the other */
		kill(worker, SIGSTOP);
		kill(worker, SIGKILL);
		kill(watcher, SIGKILL);
		peer_expect_signalled(peer, 1, "KILL");
		peer_wait_gone(pids[0]);
		peer_wait_gone(pids[1]);
	}
}

static void
test_flood(AgentPeer *peer)
{
	/* many requests before one answer is read */
	for (guint32 i = 0; i < 1000; i++) {
		wire_begin(peer_out(peer), 0, WIRE_PING);
		wire_put_u32(peer_out(peer), i);
		g_assert_cmpint(wire_end(peer_out(peer)), ==, 0);
	}
	peer_send(peer);
	for (guint32 i = 0; i < 1000; i++) {
		g_autoptr(PeerFrame) pong = peer_expect(peer, 0, WIRE_PONG);
		guint32 serial;

		memcpy(&serial, pong->payload, 4);
		g_assert_cmpuint(GUINT32_FROM_LE(serial), ==, i);
	}
}

static void
test_split_frames(AgentPeer *peer)
{
	wire_begin(peer_out(peer), 0, WIRE_PING);
	wire_put_u32(peer_out(peer), 77);
	g_assert_cmpint(wire_end(peer_out(peer)), ==, 0);
	for (gsize i = 0; i < peer_out(peer)->size; i++)
		peer_send_raw(peer, peer_out(peer)->data + i, 1);
	wire_out_consume(peer_out(peer), peer_out(peer)->size);
	g_autoptr(PeerFrame) pong = peer_expect(peer, 0, WIRE_PONG);
	g_assert_cmpint(pong->payload[0], ==, 77);
}

/* A handed-over stream, or its absence over pipes. */
static void
test_hand_over(AgentPeer *peer, gboolean socket)
{
	g_autoptr(PeerFrame) started = NULL;
	struct wire_spawn spawn;
	char text[16];

	peer_spawn_init(&spawn, ARGV("sh", "-c", "cat; echo err >&2; exit 3"));
	spawn.hand_over = true;
	peer_spawn(peer, 1, &spawn);
	started = peer_expect(peer, 1, WIRE_STARTED);
	g_assert_cmpint(started->payload[4], ==, socket ? 7 : 0);
	g_assert_cmpuint(started->fd_count, ==, socket ? 3 : 0);
	if (!socket) {
		g_autofree char *out = NULL;
		peer_data(peer, 1, "in", 2);
		peer_end(peer, 1);
		out = peer_read_all(peer, 1, WIRE_STDOUT, NULL);
		g_assert_cmpstr(out, ==, "in");
		peer_expect_exit(peer, 1, 3);
		return;
	}
	for (guint i = 0; i < 3; i++)
		g_assert_cmpint(fcntl(started->fds[i], F_GETFL) & O_NONBLOCK, ==, O_NONBLOCK);
	g_assert_cmpint(write(started->fds[0], "in", 2), ==, 2);
	autofd_clear(&started->fds[0]); /* end of input: the agent holds no copy */
	peer_expect_exit(peer, 1, 3);
	g_assert_cmpint(read(started->fds[1], text, sizeof(text)), ==, 2);
	g_assert_cmpmem(text, 2, "in", 2);
	g_assert_cmpint(read(started->fds[1], text, sizeof(text)), ==, 0);
	g_assert_cmpint(read(started->fds[2], text, sizeof(text)), ==, 4);
	g_assert_cmpint(read(started->fds[2], text, sizeof(text)), ==, 0);
	peer_ping(peer);
	g_assert_false(peer_has(peer, 1, WIRE_END));
}

/* Several STARTED in one batch: each has its own descriptors. */
static void
test_hand_over_many(AgentPeer *peer, gboolean socket)
{
	struct wire_spawn spawn;

	if (!socket)
		return;
	for (guint32 channel = 1; channel <= 20; channel++) {
		g_autofree char *script = g_strdup_printf("echo %u", channel);

		peer_spawn_init(&spawn, ARGV("sh", "-c", script));
		spawn.hand_over = true;
		peer_spawn(peer, channel, &spawn);
	}
	for (guint32 channel = 1; channel <= 20; channel++) {
		g_autoptr(PeerFrame) started = peer_expect(peer, channel, WIRE_STARTED);
		char text[16] = "";

		peer_expect_exit(peer, channel, 0);
		g_assert_cmpint(read(started->fds[1], text, sizeof(text) - 1), >, 0);
		g_assert_cmpint(atoi(text), ==, channel);
	}
}

static void
test_hand_over_terminal(AgentPeer *peer, gboolean socket)
{
	g_autoptr(PeerFrame) started = NULL;
	struct winsize size;
	char text[64] = "";
	struct pollfd ready = { .events = POLLIN };

	if (!socket)
		return;
	spawn_terminal(peer, 1, "stty -echo; echo ready; cat; exit 4", TRUE);
	started = peer_expect(peer, 1, WIRE_STARTED);
	g_assert_cmpint(started->payload[4], ==, 3);
	g_assert_cmpuint(started->fd_count, ==, 1);
	ready.fd = started->fds[0];
	g_assert_cmpint(poll(&ready, 1, PEER_DEADLINE_MS), ==, 1);
	g_assert_cmpint(read(started->fds[0], text, sizeof(text) - 1), ==, 7);
	g_assert_cmpstr(text, ==, "ready\r\n");
	g_assert_cmpstr(peer_winsize(peer, 1, 100, 20), ==, "");
	g_assert_no_errno(ioctl(started->fds[0], TIOCGWINSZ, &size));
	g_assert_cmpint(size.ws_col, ==, 100);
	g_assert_cmpint(write(started->fds[0], "\4", 1), ==, 1);
	peer_expect_exit(peer, 1, 4);
}

/* Frames that end the link, and the agent with status 2. */
static const struct {
	const char *name;
	guint32 channel;
	guint8 type;
	const char *payload;
	guint length;
} malformed[] = {
	{ "wrong-direction", 1, WIRE_STARTED, "", 0 },
	{ "hello", 0, WIRE_HELLO, "", 0 },
	{ "unknown-type", 0, 200, "", 0 },
	{ "never-opened", 77, WIRE_FORGET, "", 0 },
	{ "spawn-on-link", 0, WIRE_SPAWN, "", 0 },
	{ "spawn-cut", 2, WIRE_SPAWN, "\1\0\0\0x", 5 },
	{ "spawn-again", 1, WIRE_SPAWN, "", 0 },
	{ "link-frame-on-channel", 1, WIRE_PING, "\0\0\0\0", 4 },
	{ "channel-frame-on-link", 0, WIRE_END, "\0", 1 },
	{ "ping-cut", 0, WIRE_PING, "\0\0\0", 3 },
	{ "ping-long", 0, WIRE_PING, "\0\0\0\0\0", 5 },
	{ "end-of-stdout", 1, WIRE_END, "\1", 1 },
	{ "data-to-stdout", 1, WIRE_DATA, "\1x", 2 },
	{ "credit-for-stdin", 1, WIRE_CREDIT, "\0\1\0\0\0", 5 },
	{ "credit-too-much", 1, WIRE_CREDIT, "\1\0\0\200\0", 5 },
	{ "close-of-stdin", 1, WIRE_CLOSE, "\0", 1 },
	{ "close-of-stream-3", 1, WIRE_CLOSE, "\3", 1 },
	{ "signal-target", 1, WIRE_SIGNAL,
	  "\0\0\0\0\3\1\0\0\0"
	  "0",
	  11 },
};

static void
test_malformed(AgentPeer *peer)
{
	pid_t pid = peer_sh(peer, 1, "exec sleep 1000");
	guint i = (guint)g_ascii_strtoull(g_getenv("MITOFS_TEST_CASE"), NULL, 10);
	guint8 header[WIRE_HEADER] = { (guint8)malformed[i].channel,
				       0,
				       0,
				       0,
				       (guint8)malformed[i].length,
				       0,
				       0,
				       0,
				       malformed[i].type };
	int status;

	peer_send_raw(peer, header, sizeof(header));
	peer_send_raw(peer, malformed[i].payload, malformed[i].length);
	g_autoptr(PeerFrame) log = peer_expect(peer, 0, WIRE_LOG);
	g_assert_cmpint(log->payload[0], ==, WIRE_ERROR);
	status = peer_wait(peer);
	g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
	peer_wait_gone(pid);
}

/* More stdin than there is credit. */
static void
test_malformed_credit(AgentPeer *peer)
{
	static const char bytes[WIRE_CREDIT_START + 1];

	peer_sh(peer, 1, "exec sleep 1000");
	peer_data(peer, 1, bytes, sizeof(bytes));
	peer_wait(peer);
}

static const struct {
	const char *path;
	void (*run)(AgentPeer *peer);
	int status; /* of the agent's exit */
} tests[] = {
	{ "hello", test_hello, 0 },
	{ "run", test_run, 0 },
	{ "run/many", test_many, 0 },
	{ "run/killed", test_killed, 0 },
	{ "failed", test_failed, 0 },
	{ "failed/limit", test_failed_limit, 0 },
	{ "started/side-by-side", test_started_side_by_side, 0 },
	{ "started/beside-hanging", test_started_beside_hanging, 0 },
	{ "stdin", test_stdin, 0 },
	{ "stdin/early", test_stdin_early, 0 },
	{ "stdin/credit", test_stdin_credit, 0 },
	{ "stdin/buffered", test_stdin_buffered, 0 },
	{ "stdin/closed", test_stdin_closed, 0 },
	{ "output/credit", test_output_credit, 0 },
	{ "output/bulk", test_output_bulk, 0 },
	{ "output/close", test_output_close, 0 },
	{ "exit/before-end", test_exit_before_end, 0 },
	{ "exit/after-end", test_end_before_exit, 0 },
	{ "signal/targets", test_signal_targets, 0 },
	{ "signal/errors", test_signal_errors, 0 },
	{ "signal/tree", test_signal_tree, 0 },
	{ "state", test_state, 0 },
	{ "stop/polite", test_stop_polite, 0 },
	{ "stop/ladder", test_stop_ladder, 0 },
	{ "stop/forgotten", test_stop_forgotten, 0 },
	{ "set", test_set, 0 },
	{ "terminal", test_terminal, 0 },
	{ "terminal/eof", test_terminal_eof, 0 },
	{ "terminal/foreground", test_terminal_foreground, 0 },
	{ "winsize/no-terminal", test_winsize_no_terminal, 0 },
	{ "cancel", test_cancel, 0 },
	{ "cancel/late", test_cancel_late, 0 },
	{ "forget/running", test_forget_running, 0 },
	{ "sweep", test_sweep, 0 },
	{ "usage", test_usage, 0 },
	{ "flood", test_flood, 0 },
	{ "split-frames", test_split_frames, 0 },
	{ "nested/killed", test_nested_killed, 0 },
	{ "shutdown", test_shutdown, 0 },
	{ "shutdown/stubborn", test_shutdown_stubborn, 0 },
	{ "end/link", test_link_end, 0 },
	{ "end/term", test_term, 0 },
	{ "end/worker-killed", test_worker_killed, 128 + SIGKILL },
	{ "end/watcher-killed", test_watcher_killed, 128 + SIGKILL },
	{ "malformed/over-credit", test_malformed_credit, 2 },
};

/* A test of one of the tables with one kind of agent. */
typedef struct {
	Kind kind;
	void (*run)(AgentPeer *peer);
	void (*run_kind)(AgentPeer *peer, gboolean socket);
	int status;
	guint number; /* of a malformed frame */
} Case;

static void
case_run(gconstpointer data)
{
	const Case *test = data;
	g_autofree char *number = g_strdup_printf("%u", test->number);
	AgentPeer *peer;

	g_setenv("MITOFS_TEST_CASE", number, TRUE);
	g_setenv("MITOFS_TEST_PROGRAM", test->kind.program, TRUE);
	peer = peer_new(test->kind.program, test->kind.runner, test->kind.socket);
	if (test->run)
		test->run(peer);
	else
		test->run_kind(peer, test->kind.socket);
	peer_free(peer, test->status);
}

/* Add @test as /agent/KIND/@path; it is freed with the test. */
static void
case_add(const char *kind, const char *path, Case test)
{
	g_autofree char *full = g_strdup_printf("/agent/%s/%s/%s", kind,
						test.kind.socket ? "socket" : "pipes", path);

	g_test_add_data_func_full(full, g_memdup2(&test, sizeof(test)), case_run, g_free);
}

/* What emulation cannot show: it has a command line and a comm of its own, dies of a limit of 0
 * descriptors, executes no foreign program by itself, and knows no child subreapers. */
static gboolean
path_is_emulated(const char *path)
{
	static const char *const natives[] = { "hello", "failed/limit", "nested/killed",
					       "end/watcher-killed", NULL };

	return !g_strv_contains(natives, path);
}

/* Every test for one agent. */
static void
kind_add(const char *kind, const char *program, const char *runner)
{
	for (int socket = 0; socket < 2; socket++) {
		const Kind how = { program, runner, socket };

		for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
			if (!runner || path_is_emulated(tests[i].path))
				case_add(kind, tests[i].path,
					 (Case){ how, tests[i].run, NULL, tests[i].status, 0 });
		case_add(kind, "hand-over", (Case){ how, NULL, test_hand_over, 0, 0 });
		case_add(kind, "hand-over/many", (Case){ how, NULL, test_hand_over_many, 0, 0 });
		case_add(kind, "hand-over/terminal",
			 (Case){ how, NULL, test_hand_over_terminal, 0, 0 });
		for (guint i = 0; i < G_N_ELEMENTS(malformed); i++) {
			g_autofree char *path = g_strdup_printf("malformed/%s", malformed[i].name);
			case_add(kind, path, (Case){ how, test_malformed, NULL, 2, i });
		}
	}
}

/* The agent that the environment variable @name has. */
static void
kind_add_from(const char *kind, const char *name)
{
	const char *program = g_getenv(name);

	if (!program)
		g_error("%s is not set", name);
	kind_add(kind, program, NULL);
}

/* Whether this kernel executes @program by itself, as many do with i386's. */
static gboolean
program_is_native(const char *program)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		close(STDIN_FILENO); /* without a link it ends at once */
		execl(program, "ctx-agent", (char *)NULL);
		_exit(126);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 126;
}

static void
case_skip(gconstpointer reason)
{
	g_test_skip(reason);
}

/* The qemu for @arch, for g_free(), or NULL. */
static char *
runner_find(const char *arch)
{
	const char *name = !strcmp(arch, "armhf") ? "arm" : arch;
	g_autofree char *program = g_strdup_printf("qemu-%s-static", name);

	return g_find_program_in_path(program);
}

/* The agent for another architecture, @word being ARCH=FILE, if it was built and can be run. */
static void
foreign_add(const char *word)
{
	g_auto(GStrv) parts = g_strsplit(word, "=", 2);
	const char *arch = parts[0], *program = g_intern_string(parts[1]);
	g_autofree char *path = g_strdup_printf("/agent/%s", arch), *found = runner_find(arch);

	if (!*program)
		g_test_add_data_func(path, "not built: see scripts/foreign", case_skip);
	else if (program_is_native(program))
		kind_add(arch, program, NULL);
	else if (!found)
		g_test_add_data_func(path, "no qemu-user-static", case_skip);
	else
		kind_add(arch, program, g_intern_string(found));
}

int
main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	g_test_init(&argc, &argv, NULL);
	if (g_getenv("MITOFS_AGENT_FOREIGN")) {
		foreign_add(g_getenv("MITOFS_AGENT_FOREIGN"));
	} else {
		kind_add_from("host", "MITOFS_AGENT_HOST");
		kind_add_from("image", "MITOFS_AGENT_IMAGE");
	}
	return residue_run();
}
