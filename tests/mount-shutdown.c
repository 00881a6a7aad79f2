/* The orderly end: by SIGTERM, SIGINT, SIGHUP, `shutdown` and umount (R95, R102).
 *
 * Whatever waits in the mount ends with ESHUTDOWN and the sentence that says so (T15, T54, R11),
 * and what is asked for during the end is refused at once (T67). Commands get TERM and their
 * grace, those that need KILL are named in the broker's last lines, a second signal forces. Each
 * test ends the broker by mount_end(); behind it the harness checks that it exited with 0 and
 * left no process and no mount. */
#include "tests/agents.h"

#include <errno.h>
#include <signal.h>

/* A command that says "ready", and on TERM takes a moment and leaves $T/NAME behind. */
#define POLITE(name)                               \
	"sh trap \"sleep 0.3; echo bye > $T/" name \
	"; exit 0\" TERM; echo ready; while :; do sleep 0.1; done"
/* A command that says "ready" and ignores TERM. */
#define STUBBORN "sh trap \"\" TERM; echo ready; while :; do sleep 0.1; done"
/* A command that says "ready", and that TERM ends, but later than its grace allows if nobody
 * forces it. */
#define SLOW                                                                                   \
	"sh trap \"echo got > $T/got; sleep 3; echo late > $T/late; exit\" TERM; echo ready; " \
	"while :; do sleep 0.1; done"

/* Start the shutdown, by a signal (0: by the verb), and wait for the broker's end. */
static void
end_by(Mount *mount, int signal)
{
	if (signal == 0)
		mount_expect(mount, "dash", "echo shutdown > $M/ctl", "", 0);
	mount_end(mount, signal, 0);
}

/* The last line that the broker has said. Caller frees. */
static char *
last_line(Mount *mount)
{
	g_autofree char *log = g_strchomp(mount_stderr(mount));
	const char *line = strrchr(log, '\n');
	return g_strdup(line != NULL ? line + 1 : log);
}

/* Fail unless the broker said @part, or if it did and @there is FALSE. */
static void
assert_said(Mount *mount, const char *part, gboolean there)
{
	g_autofree char *log = mount_stderr(mount);
	if ((strstr(log, part) != NULL) != there)
		g_error("\"%s\" %s in what the broker said:\n%s", part, there ? "is not" : "is",
			log);
}

/* Fail unless all of these commands have left their word. */
static void
assert_bye(Mount *mount, const char *names)
{
	for (; *names != '\0'; names++) {
		const char name[] = { *names, '\0' };
		g_autofree char *text = scratch_text(mount, name);
		if (strcmp(text, "bye\n") != 0)
			g_error("command %s had no TERM, or no grace", name);
	}
}

/* Commands of every kind, which all get TERM and their grace: on pipes, on a terminal, behind
 * another agent, a daemon. */
#define KINDS                                                                                     \
	"cd $M; mkdir children/a children/b children/c\n"                                         \
	"echo 'pty on' > children/b/ctl; echo 'connect local' > children/c/ctl\n"                 \
	"echo '" POLITE("a") "' > children/a/ctl; echo '" POLITE(                                 \
		"b") "' > children/b/ctl\n"                                                       \
		     "echo '" POLITE("c") "' > children/c/ctl\n"                                  \
					  "printf '%s\\n' 'trap \"sleep 0.3; echo bye > $T/d; "   \
					  "exit\" TERM; echo ready' "                             \
					  "'exec > /dev/null 2>&1; while :; do sleep 0.1; done' " \
					  "> $T/daemon\n"                                         \
					  "echo 'sh setsid sh $T/daemon & wait' > ctl\n"          \
					  "for f in children/[abc]/stdout stdout; do head -n 1 "  \
					  "$f | tr -d '\\r'; done"

static void
grace(Mount *mount, int signal)
{
	mount_expect(mount, "bash", KINDS, "ready\nready\nready\nready\n", 0);
	end_by(mount, signal);
	assert_bye(mount, "abcd");
	assert_said(mount, "KILL", FALSE);
	assert_said(mount, "killed", FALSE);
}

static void
grace_term(Mount *mount)
{
	grace(mount, SIGTERM);
}

static void
grace_int(Mount *mount)
{
	grace(mount, SIGINT);
}

static void
grace_hup(Mount *mount)
{
	grace(mount, SIGHUP);
}

static void
grace_verb(Mount *mount)
{
	grace(mount, 0);
}

/* umount is a shutdown too, with the mount gone first. */
static void
grace_umount(Mount *mount)
{
	mount_expect(mount, "bash", KINDS, "ready\nready\nready\nready\n", 0);
	mount_expect(mount, "dash", "fusermount3 -u $M && ls -A $M", "", 0);
	mount_end(mount, 0, 0);
	assert_bye(mount, "abcd");
	assert_said(mount, "KILL", FALSE);
}

/* Nothing runs: nothing is said that sounds like trouble. */
static void
idle(Mount *mount)
{
	end_by(mount, SIGTERM);
	assert_said(mount, "WARNING", FALSE);
}

/* Nothing runs, but a client that leads to a place takes a moment to end: it gets that. */
static void
client_grace(Mount *mount)
{
	mount_expect(mount, "dash",
		     "printf '%s\n' 'trap \"sleep 0.3; echo bye > $T/a; exit\" TERM' 'exec 3<&0' "
		     "'sh <&3 & while :; do sleep 0.1; done' > $T/client; cd $M/children; mkdir a\n"
		     "echo \"connect command sh $T/client\" > a/ctl",
		     "", 0);
	end_by(mount, SIGTERM);
	assert_bye(mount, "a");
	assert_said(mount, "KILL", FALSE);
}

/* A stopped command gets CONT behind TERM, so that it can end. */
static void
stopped_command(Mount *mount)
{
	mount_expect(
		mount, "bash",
		"cd $M; echo '" POLITE("a") "' > ctl; read -r line < stdout; echo STOP > signal\n"
					    "until grep -q '^state stopped' status; do :; done",
		"", 0);
	end_by(mount, SIGTERM);
	assert_bye(mount, "a");
}

/* Only the root can be shut down, and a try changes nothing. */
static void
not_the_root(Mount *mount)
{
	mount_expect(mount, "bash",
		     "cd $M; mkdir children/a; try write children/a/ctl 'shutdown\\n'; try write "
		     "ctl 'shutdown now\\n'\n"
		     "grep -o 'EPERM.*' children/a/error; echo 'exec echo alive' > ctl; cat stdout",
		     "EPERM\nEINVAL\nEPERM shutdown: only the mount's root shuts down\nalive\n", 0);
}

/* Everything that waits ends with ESHUTDOWN, while a command that takes its grace keeps the
 * mount up; the verb that was in flight says why. */
static void
waiters(Mount *mount, int signal)
{
	Background all = background_start(
		mount, "bash",
		"cd $M/children; mkdir a b c; echo 'grace 2' > c/ctl\n"
		"echo 'exec sleep 1000' > a/ctl; echo '" STUBBORN
		"' > c/ctl; read -r line < c/stdout\n"
		"echo 'sh exec >&- 2>&-; exec sleep 1000' > b/ctl; cat b/stdout b/stderr\n"
		"p=; w() { out=$T/$1; shift; \"$@\" > $out 2>&1 & p=\"$p $!\"; }\n"
		"w 1-wait try read a/wait 100; w 2-stdout try read a/stdout 100; w 3-stderr try "
		"read a/stderr 100\n"
		"w 4-events try read a/events 100; w 5-root try read ../events 100; w 6-ctl try "
		"write b/ctl 'exec true\\n'\n"
		"w 7-stdin bash -c 'exec cat /dev/zero >> a/stdin'; w 8-staged bash -c 'exec cat "
		"/dev/zero > ../stdin'\n"
		"try parked $p; cd $T; echo ready; wait\n"
		"grep '' ?-*; cut -d' ' -f 3- $M/children/b/error");
	if (signal != 0)
		end_by(mount, signal);
	else
		end_by(mount, 0);
	background_expect(
		&all,
		"1-wait:ESHUTDOWN\n2-stdout:ESHUTDOWN\n3-stderr:ESHUTDOWN\n4-events:ESHUTDOWN\n"
		"5-root:ESHUTDOWN\n6-ctl:ESHUTDOWN\n"
		"7-stdin:cat: write error: Cannot send after transport endpoint shutdown\n"
		"8-staged:cat: write error: Cannot send after transport endpoint shutdown\n"
		"ESHUTDOWN exec: connection cancelled: the broker is shutting down\n",
		0);
	assert_said(mount, "/b: exec: ESHUTDOWN connection cancelled: the broker is shutting down",
		    TRUE);
}

static void
waiters_term(Mount *mount)
{
	waiters(mount, SIGTERM);
}

static void
waiters_int(Mount *mount)
{
	waiters(mount, SIGINT);
}

static void
waiters_verb(Mount *mount)
{
	waiters(mount, 0);
}

/* A connect that is under way, since the agent that has to start the other one is stopped: its
 * write ends, and a stopped agent keeps nobody up. */
static void
connect_pending(Mount *mount)
{
	mount_expect(mount, "dash", "mkdir $M/children/a", "", 0);
	g_assert_no_errno(kill(agent_worker(mount_pid(mount)), SIGSTOP));
	Background connect =
		background_start(mount, "bash",
				 "try write $M/children/a/ctl 'connect local\\n' & try parked $!\n"
				 "echo ready; wait");
	end_by(mount, SIGTERM);
	background_expect(&connect, "ESHUTDOWN\n", 0);
	assert_said(mount,
		    "/a: connect: ESHUTDOWN connection cancelled: the broker is shutting down",
		    TRUE);
}

/* A second agent that is stopped while it has a command: both are ended all the same. */
static void
agent_stopped(Mount *mount)
{
	mount_expect(mount, "dash",
		     "cd $M; mkdir children/a; echo 'connect local' > children/a/ctl\n"
		     "echo 'grace 0.2' > children/a/ctl; echo 'exec sleep 1000' > children/a/ctl",
		     "", 0);
	pid_t worker = agent_worker(agent_worker(mount_pid(mount)));
	g_assert_cmpint(worker, >, 0);
	g_assert_no_errno(kill(worker, SIGSTOP));
	end_by(mount, SIGTERM);
}

/* Whether the shutdown has begun, as the broker's own log says. */
static gboolean
is_stopping(void *data)
{
	g_autofree char *log = mount_stderr(data);
	return strstr(log, "shutting down") != NULL;
}

/* What is asked for during the end is refused at once; what can be read still is. */
static void
refused(Mount *mount)
{
	mount_expect(mount, "bash",
		     "cd $M; mkdir children/a children/b; echo 'grace 2' > ctl; echo '" STUBBORN
		     "' > ctl; read -r line < stdout",
		     "", 0);
	g_assert_no_errno(kill(mount_pid(mount), SIGTERM));
	mount_until(is_stopping, mount);
	mount_expect(
		mount, "bash",
		"cd $M; for v in 'exec true' 'cwd /' 'connect local' 'async exec true' eof; do try "
		"write children/a/ctl \"$v\\n\"; done\n"
		"try mkdir children/c; try rmdir children/a; try rename children/a children/d\n"
		"try read wait 100; try read events 100; try read children/a/wait 100\n"
		"sed -n 's/^state //p' status; ls children; cut -d' ' -f 3,4 error",
		"ESHUTDOWN\nESHUTDOWN\nESHUTDOWN\nESHUTDOWN\nESHUTDOWN\nESHUTDOWN\nESHUTDOWN\nESHUT"
		"DOWN\nESHUTDOWN\n"
		"ESHUTDOWN\nrunning\na\nb\nESHUTDOWN mkdir:\nESHUTDOWN rmdir:\nESHUTDOWN rename:\n",
		0);
	mount_end(mount, 0, 0);
}

/* Files that are still open when it is over: every call fails at once. */
static void
open_files(Mount *mount)
{
	mount_expect(mount, "dash", "mkfifo $T/over", "", 0);
	Background holder = background_start(
		mount, "python3",
		"import os, errno, sys\n"
		"os.chdir(os.environ['M'])\n"
		"r = [os.open(f, os.O_RDONLY) for f in ('status', 'stdout', 'wait', 'log', "
		"'events')]\n"
		"w = [os.open(f, os.O_WRONLY) for f in ('ctl', 'stdin', 'signal')]\n"
		"print('ready', flush=True)\n"
		"with open(os.environ['T'] + '/over') as over: over.read()\n"
		"def call(f, *a):\n"
		"    try: print(f(*a))\n"
		"    except OSError as e: print(errno.errorcode[e.errno])\n"
		"for fd in r: call(os.read, fd, 10)\n"
		"for fd in w: call(os.write, fd, b'TERM\\n')\n"
		"call(os.listdir, '.')\n");
	end_by(mount, SIGTERM);
	mount_expect(mount, "dash", ": > $T/over", "", 0);
	background_expect(&holder,
			  "ENOTCONN\nENOTCONN\nENOTCONN\nENOTCONN\nENOTCONN\nENOTCONN\nENOTCONN\nEN"
			  "OTCONN\nENOTCONN\n",
			  0);
}

/* Polls that wait are woken by the end, and no notification is sent behind it. */
static void
polls(Mount *mount)
{
	Background poller = background_start(
		mount, "python3",
		"import os, select\n"
		"os.chdir(os.environ['M'])\n"
		"ctl = os.open('ctl', os.O_WRONLY); os.write(ctl, b'exec sleep 1000\\n'); "
		"os.close(ctl)\n"
		"polls = []\n"
		"for i in range(20):\n"
		"    for f in ('stdout', 'stderr', 'wait', 'events'):\n"
		"        p = select.poll(); p.register(os.open(f, os.O_RDONLY), select.POLLIN)\n"
		"        assert p.poll(0) == []\n"
		"        polls.append(p)\n"
		"print('ready', flush=True)\n"
		"print(sum(len(p.poll(20000)) for p in polls))\n");
	end_by(mount, SIGTERM);
	background_expect(&poller, "80\n", 0);
}

/* What did not end in its grace is named in the last lines: the command by its context and its
 * words, a daemon by its pid. */
static void
survivors(Mount *mount)
{
	g_autoptr(ShResult) result = mount_sh(
		mount, "bash",
		"cd $M; mkdir children/a children/b; echo 'grace 0.3' | tee children/a/ctl > ctl; "
		"echo 'grace 2' > children/b/ctl\n"
		"echo '" STUBBORN " # stubborn' > children/a/ctl; echo '" POLITE(
			"b") "' > children/b/ctl\n"
			     "printf '%s\\n' 'trap \"\" TERM; echo $$; exec > /dev/null 2>&1; "
			     "while :; do sleep 0.1; done' > $T/daemon\n"
			     "echo 'sh setsid sh $T/daemon &' > ctl\n"
			     "read -r line < children/a/stdout; read -r line < children/b/stdout; "
			     "head -n 1 stdout");
	g_assert_cmpint(result->code, ==, 0);
	g_autofree char *daemon = g_strdup_printf(" %s sh", g_strchomp(result->output));
	end_by(mount, SIGTERM);
	g_autofree char *line = last_line(mount);
	if (strstr(line, "/a: shutdown: run 1 had to be killed: ") == NULL ||
	    strstr(line, "# stubborn") == NULL)
		g_error("the last line is: %s", line);
	assert_said(mount, daemon, TRUE);
	assert_said(mount, "/b: shutdown:", FALSE);
}

/* Whether the command has TERM. */
static gboolean
has_term(void *data)
{
	g_autofree char *text = scratch_text(data, "got");
	return strcmp(text, "got\n") == 0;
}

/* A second signal ends the grace. */
static void
forced(Mount *mount, int first)
{
	mount_expect(mount, "bash",
		     "cd $M; mkdir children/a; echo 'connect local' > children/a/ctl\n"
		     "echo '" SLOW "' > ctl; echo '" STUBBORN "' > children/a/ctl\n"
		     "read -r line < stdout; read -r line < children/a/stdout",
		     "", 0);
	if (first != 0)
		g_assert_no_errno(kill(mount_pid(mount), first));
	else
		mount_expect(mount, "dash", "echo shutdown > $M/ctl", "", 0);
	mount_until(has_term, mount);
	mount_end(mount, first != 0 ? first : SIGTERM, 0);
	g_autofree char *late = scratch_text(mount, "late");
	g_assert_cmpstr(late, ==, "");
	assert_said(mount, "/: shutdown: run 1 had to be killed", TRUE);
	assert_said(mount, "/a: shutdown: run 1 had to be killed", TRUE);
}

static void
forced_term(Mount *mount)
{
	forced(mount, SIGTERM);
}

static void
forced_int(Mount *mount)
{
	forced(mount, SIGINT);
}

static void
forced_verb(Mount *mount)
{
	forced(mount, 0);
}

/* umount refuses while somebody is in there; a lazy one takes the mount away, and the broker
 * ends when the last one has left: until then that one is served. */
static void
umount_busy(Mount *mount)
{
	mount_expect(mount, "bash", "cd $M; echo '" POLITE("a") "' > ctl; read -r line < stdout",
		     "", 0);
	pid_t reader = mount_start(mount, "dash", "exec cat $M/wait", -1);
	process_parked(reader);
	mount_expect(mount, "dash",
		     "fusermount3 -u $M 2> $T/error; echo $?; grep -c busy $T/error; read -r key "
		     "rest < $M/status; echo $key",
		     "1\n1\nid\n", 0);
	mount_expect(mount, "dash",
		     "fusermount3 -u -z $M && ls -A $M; grep -c \" $M \" /proc/self/mountinfo",
		     "0\n", 1);
	process_parked(reader);
	g_assert_no_errno(kill(mount_pid(mount), 0));
	assert_said(mount, "shutting down", FALSE);
	g_assert_no_errno(kill(reader, SIGKILL));
	mount_end(mount, 0, 0);
	assert_bye(mount, "a");
}

/* Unmounted lazily, and then told to end: the reader that is still in there is told so. */
static void
umount_then_term(Mount *mount)
{
	Background reader = background_start(mount, "bash",
					     "echo 'exec sleep 1000' > $M/ctl; try read $M/wait "
					     "100 & try parked $!; echo ready; wait");
	mount_expect(mount, "dash", "fusermount3 -u -z $M", "", 0);
	end_by(mount, SIGTERM);
	background_expect(&reader, "ESHUTDOWN\n", 0);
}

/* With the line that says that it has begun. */
static const MountSetup talkative = { .arguments = "--log-level info" };

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	mount_test_add("/mount/shutdown/R95/term", grace_term, NULL);
	mount_test_add("/mount/shutdown/R95/int", grace_int, NULL);
	mount_test_add("/mount/shutdown/R95/hup", grace_hup, NULL);
	mount_test_add("/mount/shutdown/R95/verb", grace_verb, NULL);
	mount_test_add("/mount/shutdown/T87/umount", grace_umount, NULL);
	mount_test_add("/mount/shutdown/R95/idle", idle, NULL);
	mount_test_add("/mount/shutdown/R95/client", client_grace, NULL);
	mount_test_add("/mount/shutdown/R95/stopped-command", stopped_command, NULL);
	mount_test_add("/mount/shutdown/R95/not-the-root", not_the_root, NULL);
	mount_test_add("/mount/shutdown/R95/agent-stopped", agent_stopped, NULL);
	mount_test_add("/mount/shutdown/R95/survivors-named", survivors, NULL);
	mount_test_add("/mount/shutdown/R95/second-term", forced_term, NULL);
	mount_test_add("/mount/shutdown/R95/second-int", forced_int, NULL);
	mount_test_add("/mount/shutdown/R95/verb-then-term", forced_verb, NULL);
	mount_test_add("/mount/shutdown/T54/term", waiters_term, NULL);
	mount_test_add("/mount/shutdown/T54/int", waiters_int, NULL);
	mount_test_add("/mount/shutdown/T54/verb", waiters_verb, NULL);
	mount_test_add("/mount/shutdown/T15/connect-pending", connect_pending, NULL);
	mount_test_add("/mount/shutdown/T67/during", refused, &talkative);
	mount_test_add("/mount/shutdown/T67/behind", open_files, NULL);
	mount_test_add("/mount/shutdown/R11/polls", polls, NULL);
	mount_test_add("/mount/shutdown/R102/busy-then-lazy", umount_busy, NULL);
	mount_test_add("/mount/shutdown/R102/lazy-then-term", umount_then_term, NULL);
	return mount_test_run();
}
