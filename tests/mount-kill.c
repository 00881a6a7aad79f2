/* kill -9 of everything that is ours (R94, R96, T57, T87).
 *
 * The broker under load, its mount's watcher, the local agent's two processes one by one and
 * together, the agent of `connect local`, and what pkill(1) would hit by name or by mountpoint:
 * never is a process left, a daemonised one included, nor a mount; whoever waits is told; the
 * next start works, also over a stale mount of ours, while the mounts of others are refused.
 * Behind each test the harness looks for what is left, and waits for it no longer than ten
 * seconds. */
#include "tests/agents.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* All kinds of commands, and work for the broker: a flood, an input that is fed, terminals,
 * daemons, nested agents. Prints the pids of the daemons. */
#define LOAD                                                                                      \
	"cd $M; echo 'grace 0.3' > ctl; mkdir children/a children/b children/c children/d "       \
	"children/c/children/e\n"                                                                 \
	"echo 'connect local' > children/c/ctl; echo 'connect local' > "                          \
	"children/c/children/e/ctl\n"                                                             \
	"echo 'pty on' > children/b/ctl\n"                                                        \
	"printf '%s\\n' 'trap \"\" TERM HUP INT; exec > /dev/null 2>&1 < /dev/null' 'echo $$ >> " \
	"$T/daemons' "                                                                            \
	"'while :; do sleep 1; done' > $T/daemon\n"                                               \
	"for c in . children/b children/c children/c/children/e; do\n"                            \
	"	echo 'sh (setsid sh $T/daemon &); (setsid -f env -i T=$T PATH=$PATH sh "                \
	"$T/daemon); echo ready; trap \"\" TERM; while :; do sleep 1; done' > $c/ctl\n"           \
	"	head -n 1 $c/stdout | grep -q ready\n"                                                  \
	"done\n"                                                                                  \
	"echo 'exec yes' > children/a/ctl; echo 'exec cat' > children/d/ctl\n"                    \
	"until [ \"$(wc -l < $T/daemons)\" = 8 ]; do :; done 2> /dev/null\n"

/* Readers and writers that keep the broker busy, and clients that wait. */
#define CLIENTS                                                                                   \
	"cd $M/children; p=\n"                                                                    \
	"w() { out=$T/$1; shift; \"$@\" > $out 2>&1 & p=\"$p $!\"; }\n"                           \
	"cat a/stdout > /dev/null 2>&1 & cat /dev/zero > d/stdin 2> /dev/null & cat d/stdout > "  \
	"/dev/null 2>&1 &\n"                                                                      \
	"w 1-wait try read ../wait 100; w 2-stdout try read c/stdout 100 6; w 3-stderr try read " \
	"c/stderr 100\n"                                                                          \
	"w 4-events try read c/events 100\n"                                                      \
	"w 5-stdin bash -c 'exec cat /dev/zero >> b/stdin'\n"                                     \
	"try parked $p; cd $T; echo ready; wait; grep -L -E "                                     \
	"'ENOTCONN|ECONNABORTED|connect|abort' ?-*"

/* How many of the daemons of LOAD live. */
static guint
daemons_left(Mount *mount)
{
	g_autofree char *text = scratch_text(mount, "daemons");
	g_auto(GStrv) pids = g_strsplit(g_strchomp(text), "\n", -1);
	guint count = 0;
	for (gsize i = 0; pids[i] != NULL && *pids[i] != '\0'; i++)
		count += kill((pid_t)atoi(pids[i]), 0) == 0;
	return count;
}

/* Whether the mountpoint is in the mount table. */
static gboolean
is_mounted(Mount *mount)
{
	g_autofree char *point = mount_path(mount, "");
	g_autofree char *entry = g_strdup_printf(" %s ", point);
	g_autofree char *table = NULL;
	g_assert_true(g_file_get_contents("/proc/self/mountinfo", &table, NULL, NULL));
	return strstr(table, entry) != NULL;
}

static gboolean
is_unmounted(void *mount)
{
	return !is_mounted(mount);
}

/* A second mitofs on the same place, which works, and ends. */
static void
start_again(Mount *mount, const char *errors)
{
	g_autoptr(ShResult) result = mount_sh(
		mount, "bash",
		"$MITOFS $M || exit; echo 'exec echo alive' > $M/ctl; cat $M/stdout\n"
		"echo shutdown > $M/ctl; while grep -q \" $M \" /proc/self/mountinfo; do :; done");
	g_assert_cmpstr(result->errors, ==, errors);
	g_assert_cmpstr(result->output, ==, "alive\n");
	g_assert_cmpint(result->code, ==, 0);
}

/* The broker, with everything that there can be below it and before it. */
static void
broker_under_load(Mount *mount)
{
	mount_expect(mount, "bash", LOAD, "", 0);
	Background clients = background_start(mount, "bash", CLIENTS);
	g_assert_cmpuint(daemons_left(mount), ==, 8);
	mount_end(mount, SIGKILL, SIGKILL);
	background_expect(&clients, "", 0);
	mount_until(is_unmounted, mount);
	start_again(mount, "");
}

/* The broker again and again, and the next one at once: whether or not the watcher was quicker. */
static void
broker_restart(Mount *mount)
{
	g_autofree char *script = g_strdup_printf(
		"p=%d; for i in 1 2 3 4 5 6; do\n"
		"	until $MITOFS $M 2> $T/error; do grep -q \"by pid $p\\$\" $T/error || { "
		"echo $i $p; cat $T/error; exit 1; }; done\n"
		"	echo 'exec sleep 1000' > $M/ctl\n"
		"	p=$($MITOFS $M 2>&1 | sed -n 's/.*by pid \\([0-9]*\\)$/\\1/p')\n"
		"	[ $i = 6 ] || kill -KILL $p\n"
		"done\n"
		"mkdir $M/children/last; ls $M/children; echo shutdown > $M/ctl",
		(int)mount_pid(mount));
	mount_end(mount, SIGKILL, SIGKILL);
	mount_expect(mount, "bash", script, "last\n", 0);
	mount_until(is_unmounted, mount);
}

/* The mount's watcher: the mount lives on without, and ends in order. */
static void
watcher(Mount *mount)
{
	pid_t pid = child_named(mount_pid(mount), MOUNT_WATCHER_NAME);
	g_assert_cmpint(pid, >, 0);
	g_assert_no_errno(kill(pid, SIGKILL));
	mount_expect(mount, "dash", "cd $M; echo 'exec echo alive' > ctl; cat stdout", "alive\n",
		     0);
	mount_end(mount, SIGTERM, 0);
}

/* The watcher and the broker: the mount is stale, and the next start clears it. */
static void
watcher_and_broker(Mount *mount)
{
	g_autofree char *point = mount_path(mount, "");
	g_autofree char *cleared = g_strdup_printf(
		"mitofs: %s: cleared the stale mount of a broker that died\n", point);
	mount_expect(mount, "bash", LOAD, "", 0);
	g_assert_no_errno(kill(child_named(mount_pid(mount), MOUNT_WATCHER_NAME), SIGKILL));
	mount_end(mount, SIGKILL, SIGKILL);
	g_assert_true(is_mounted(mount));
	mount_expect(mount, "dash", "try open $M/ctl rdonly", "ENOTCONN\n", 0);
	start_again(mount, cleared);
}

/* Whether no daemon of LOAD lives. */
static gboolean
no_daemons(void *mount)
{
	return daemons_left(mount) == 0;
}

/* End processes of the local agent: all its runs are lost, those below it too, and nothing of
 * them stays; who waits is told; then there is an agent again. */
static void
local_agent(Mount *mount, gboolean kill_watcher, gboolean kill_worker)
{
	pid_t watcher_pid = agent_watcher(mount_pid(mount)),
	      worker_pid = agent_worker(mount_pid(mount));
	g_assert_cmpint(worker_pid, >, 0);
	mount_expect(mount, "bash", LOAD, "", 0);
	Background clients = background_start(
		mount, "bash",
		"cd $M/children; p=\n"
		"w() { out=$T/$1; shift; \"$@\" > $out 2>&1 & p=\"$p $!\"; }\n"
		"cat ../events > $T/events & events=$!\n"
		"w 1-wait cut -d' ' -f1-3 ../wait; w 2-wait cut -d' ' -f1-3 c/children/e/wait\n"
		"w 3-stdout cat c/stdout; w 4-stdin bash -c 'exec cat /dev/zero >> b/stdin'\n"
		"w 5-stderr try read c/stderr 100\n"
		"try parked $p $events; cd $T; echo ready; wait $p; grep '' ?-*; cd $M\n"
		"until grep -q ' / connected ' $T/events; do :; done; kill $events\n"
		"try write children/c/ctl 'exec true\\n'\n"
		"sed -n 's/^link //p' status children/c/status children/c/children/e/status\n"
		"echo 'exec echo alive' > ctl; cat stdout\n"
		"echo 'connect local' > children/c/ctl; echo 'exec echo alive' > children/c/ctl; "
		"cat children/c/stdout");
	if (kill_watcher)
		g_assert_no_errno(kill(watcher_pid, SIGKILL));
	if (kill_worker)
		kill(worker_pid, SIGKILL); /* or it has gone after its watcher already */
	background_expect(
		&clients,
		"1-wait:255 lost ECONNRESET\n2-wait:255 lost ECONNRESET\n3-stdout:ready\n"
		"3-stdout:cat: c/stdout: Connection reset by peer\n"
		"4-stdin:cat: write error: Connection reset by peer\n5-stderr:ECONNRESET\n"
		"ENOTCONN\nup\nlost\nlost\nalive\nalive\n",
		0);
	mount_until(no_daemons, mount);
	mount_expect(mount, "dash", "rm $T/daemons", "", 0);
}

static void
agent_worker_killed(Mount *mount)
{
	local_agent(mount, FALSE, TRUE);
}

static void
agent_watcher_killed(Mount *mount)
{
	local_agent(mount, TRUE, FALSE);
}

static void
agent_both_killed(Mount *mount)
{
	local_agent(mount, TRUE, TRUE);
}

/* The agent of one context: that is lost, with what is below it and what it had left in the
 * background; all else goes on. One whose watcher is gone kills what it runs, and may come to say
 * so. */
static void
hop(Mount *mount, gboolean kill_watcher, gboolean kill_worker)
{
	mount_expect(mount, "bash",
		     LOAD "cd $M/children; mkdir near; echo 'exec cat' > near/ctl; cat ../events > "
			  "$T/events & try parked $!",
		     "", 0);
	pid_t root = agent_worker(mount_pid(mount));
	pid_t watcher_pid = agent_watcher(root), worker_pid = agent_worker(root);
	g_assert_cmpint(worker_pid, >, 0);
	if (kill_watcher)
		g_assert_no_errno(kill(watcher_pid, SIGKILL));
	if (kill_worker)
		kill(worker_pid, SIGKILL); /* or it has gone after its watcher already */
	mount_expect(
		mount, "bash",
		"cd $M/children; cut -d' ' -f1-3 c/wait c/children/e/wait | sed 's/^137 signal "
		"KILL$/255 lost ECONNRESET/'\n"
		"for c in .. . c c/children/e; do grep -h '^link' $c/status 2> /dev/null; done\n"
		"grep -h ^state ../status near/status b/status\n"
		"echo alive > near/stdin; cat near/stdout\n"
		"try write c/ctl 'exec true\\n'; echo 'connect local' > c/ctl; echo 'exec echo "
		"again' > c/ctl; cat c/stdout",
		"255 lost ECONNRESET\n255 lost ECONNRESET\nlink up\nlink lost\nlink lost\n"
		"state running\nstate running\nstate running\nalive\nENOTCONN\nagain\n",
		0);
}

/* Whether only the daemons of the root and of b are left: four. */
static gboolean
hop_daemons_gone(void *mount)
{
	return daemons_left(mount) == 4;
}

static void
hop_worker(Mount *mount)
{
	hop(mount, FALSE, TRUE);
	mount_until(hop_daemons_gone, mount);
}

static void
hop_watcher(Mount *mount)
{
	hop(mount, TRUE, FALSE);
	mount_until(hop_daemons_gone, mount);
}

static void
hop_both(Mount *mount)
{
	hop(mount, TRUE, TRUE);
	mount_until(hop_daemons_gone, mount);
}

/* Everything of ours at one blow but the commands: the last resort of somebody who is angry. */
static void
all_of_ours(Mount *mount)
{
	mount_expect(mount, "bash", LOAD, "", 0);
	pid_t broker = mount_pid(mount);
	pid_t pids[] = { agent_worker(broker), agent_watcher(broker) };
	for (gsize i = 0; i < G_N_ELEMENTS(pids); i++)
		g_assert_no_errno(kill(pids[i], SIGKILL));
	mount_end(mount, SIGKILL, SIGKILL);
}

/* pkill -9 -f MOUNTPOINT. */
static void
pkill_mountpoint(Mount *mount)
{
	mount_expect(mount, "bash", LOAD, "", 0);
	mount_expect(mount, "dash", "pgrep -f \"$M\" | wc -l; pkill -KILL -f \"$M\"", "1\n", 0);
	mount_end(mount, 0, SIGKILL);
	mount_until(is_unmounted, mount);
	start_again(mount, "");
}

/* pkill -9 mitofs: what it would hit of this test's processes (there are others on this
 * machine). */
static void
pkill_name(Mount *mount)
{
	mount_expect(mount, "bash", LOAD, "", 0);
	mount_expect(mount, "dash",
		     "for p in $(pgrep mitofs); do\n"
		     "	grep -z -q \"^MITOFS_TEST=$MITOFS_TEST\\$\" /proc/$p/environ 2> /dev/null "
		     "|| continue\n"
		     "	echo hit; kill -KILL $p\n"
		     "done",
		     "hit\n", 0);
	mount_end(mount, 0, SIGKILL);
	mount_until(is_unmounted, mount);
}

/* While it starts: each time a little later. */
static void
while_starting(Mount *mount)
{
	mount_expect(mount, "bash",
		     "for i in $(seq 0 12); do\n"
		     "	$MITOFS -f $M 2> /dev/null & p=$!; for ((j = 0; j < i * i * 400; j++)); do "
		     ":; done\n"
		     "	kill -KILL $p; wait $p 2> /dev/null\n"
		     "done\n"
		     "$MITOFS $M 2> /dev/null && ls $M | grep -cx ctl && echo shutdown > $M/ctl\n"
		     "while grep -q \" $M \" /proc/self/mountinfo; do :; done",
		     "1\n", 0);
}

/* mount(2), whose name is taken where there is a Mount. */
static void
attach_unserved(const char *point, const char *type, const char *options)
{
	g_assert_no_errno(mount("somebody", point, type, MS_NOSUID | MS_NODEV, options));
}

/* Mount a FUSE filesystem of @type that nobody serves; its descriptor, or -1 when @stale: then
 * that is closed. */
static int
mount_unserved(Mount *mount, const char *type, gboolean stale)
{
	g_autofree char *point = mount_path(mount, "");
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	g_assert_cmpint(fd, >=, 0);
	g_autofree char *options = g_strdup_printf("fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	attach_unserved(point, type, options);
	if (!stale)
		return fd;
	close(fd);
	return -1;
}

/* Mounts of others, stale or not, and one of ours that lives but does not answer, are refused at
 * once and left alone. */
static void
foreign(Mount *mount, const char *type, gboolean stale, const char *error)
{
	g_autofree char *point = mount_path(mount, "");
	g_autofree char *expected = g_strdup_printf("mitofs: %s: %s\n1\n", point, error);
	int fd = mount_unserved(mount, type, stale);
	mount_expect(mount, "dash", "timeout 20 $MITOFS $M 2>&1; echo $?", expected, 0);
	g_assert_true(is_mounted(mount));
	if (fd >= 0)
		close(fd);
	g_assert_no_errno(umount2(point, MNT_DETACH));
}

static void
foreign_stale(Mount *mount)
{
	foreign(mount, "fuse.other", TRUE, "a fuse.other filesystem is mounted there");
}

static void
foreign_living(Mount *mount)
{
	foreign(mount, "fuse.other", FALSE, "a fuse.other filesystem is mounted there");
}

static void
foreign_plain(Mount *mount)
{
	foreign(mount, "fuse", TRUE, "a fuse filesystem is mounted there");
}

/* A stale mount of ours is cleared. */
static void
ours_stale(Mount *mount)
{
	g_autofree char *point = mount_path(mount, "");
	g_autofree char *line = g_strdup_printf(
		"mitofs: %s: cleared the stale mount of a broker that died\n", point);
	mount_unserved(mount, "fuse.mitofs", TRUE);
	start_again(mount, line);
	g_assert_false(is_mounted(mount));
}

/* rmdir takes along what earlier runs have left in the background, of any place. */
static const ShCase cases[] = {
	{
		.path = "/mount/kill/T87/rmdir",
		.shells = "bash",
		.script = "cd $M/children; mkdir a b; echo 'connect local' > b/ctl; H=\"trap : "
			  "TERM\"\n"
			  "for c in a b; do\n"
			  "	echo \"sh setsid -f sh -c '$H; echo \\$\\$; exec >&- 2>&-; while "
			  ":; do sleep 1; done'\" > $c/ctl\n"
			  "	read -r p < $c/stdout; read -r rc rest < $c/wait; kill -0 $p && "
			  "echo $rc\n"
			  "	rmdir $c; while kill -0 $p 2> /dev/null; do :; done\n"
			  "	H=:\n"
			  "done; ls",
		.output = "0\n0\n",
	},
	{
		.path = "/mount/kill/T87/destroy",
		.shells = "bash",
		.script = "cd $M/children; mkdir a a/children/b; echo 'connect local' > a/ctl\n"
			  "echo 'exec sleep 1000' > a/ctl; echo 'sh setsid -f sleep 1000; echo; "
			  "exec sleep 1000' > a/children/b/ctl\n"
			  "cat a/wait > $T/wait & w=$!; try parked $w; read -r l < "
			  "a/children/b/stdout\n"
			  "echo destroy > a/ctl; wait $w; cut -d' ' -f1-3 $T/wait; ls",
		.output = "143 signal TERM\n",
	},
};

int
main(int argc, char **argv)
{
	static const MountSetup alone = { .unmounted = TRUE };
	mount_test_init(&argc, &argv);
	mount_test_add("/mount/kill/R96/T57/T87/broker-under-load", broker_under_load, NULL);
	mount_test_add("/mount/kill/R96/broker-restart", broker_restart, NULL);
	mount_test_add("/mount/kill/R96/while-starting", while_starting, &alone);
	mount_test_add("/mount/kill/R96/watcher", watcher, NULL);
	mount_test_add("/mount/kill/R96/watcher-and-broker", watcher_and_broker, NULL);
	mount_test_add("/mount/kill/R96/all-of-ours", all_of_ours, NULL);
	mount_test_add("/mount/kill/R96/pkill-mountpoint", pkill_mountpoint, NULL);
	mount_test_add("/mount/kill/R96/pkill-name", pkill_name, NULL);
	mount_test_add("/mount/kill/R96/ours-stale", ours_stale, &alone);
	mount_test_add("/mount/kill/R96/foreign-stale", foreign_stale, &alone);
	mount_test_add("/mount/kill/R96/foreign-living", foreign_living, &alone);
	mount_test_add("/mount/kill/R96/foreign-plain", foreign_plain, &alone);
	mount_test_add("/mount/kill/R94/T53/agent-worker", agent_worker_killed, NULL);
	mount_test_add("/mount/kill/R94/T53/agent-watcher", agent_watcher_killed, NULL);
	mount_test_add("/mount/kill/R94/T53/agent-both", agent_both_killed, NULL);
	mount_test_add("/mount/kill/T87/hop-worker", hop_worker, NULL);
	mount_test_add("/mount/kill/T87/hop-watcher", hop_watcher, NULL);
	mount_test_add("/mount/kill/T87/hop-both", hop_both, NULL);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	return mount_test_run();
}
