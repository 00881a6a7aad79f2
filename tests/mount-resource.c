/* What runs out, and what must not leak: descriptors, processes, memory, time; the environment
 * and the agent's image.
 *
 * R97: a broker and agents with few descriptors stay alive, say which limit it was, and recover.
 * R98: the same for a limit on processes. R99: what is too big for memory is one command's
 * failure. R105: a wall clock that jumps moves no timeout. R107: commands that flood and fork
 * keep nobody else from an answer. R111 and R117: a command sees nothing that was not there
 * before mitofs, and the agent is a sealed copy in memory. */
#include "tests/agents.h"

#include <fcntl.h>
#include <signal.h>

/* The pid of the broker that serves $M. */
#define BROKER "broker=$(pgrep -n -f \"^$MITOFS.*$M\")\n"
/* End a mitofs that the script has started. */
#define END "cd /; fusermount3 -u $M"
/* The user of the tests on limits: one of their own, since the kernel counts all processes of a
 * user. */
#define USER 1000

/* clang-format off */
static const ShCase cases[] = {
	{
		/* Far more commands than there are descriptors for in the broker: they run, and
		 * keep their streams apart. */
		.path = "/mount/resource/R97/few-in-the-broker", .shells = "bash",
		.setup = {.unmounted = TRUE, .seconds = 60},
		.script = "$MITOFS $M; " BROKER "prlimit --pid $broker --nofile=24:24; cd $M/children\n"
			  "for i in $(seq 30); do mkdir $i; echo 'exec cat' > $i/ctl || echo $i; done\n"
			  "for i in $(seq 30); do echo \"text $i\" > $i/stdin; done; for i in $(seq 30); do [ \"$(cat $i/stdout)\" = \"text $i\" ] || echo $i; done\n"
			  "echo 'pty on' > 7/ctl; echo 'exec sh -c \"tty > /dev/null && echo terminal\"' > 7/ctl; tr -d '\\r' < 7/stdout\n"
			  "echo 'connect local' > 8/ctl && echo 'exec seq 20000' > 8/ctl && md5sum < 8/stdout | cmp - <(seq 20000 | md5sum)\n"
			  "cut -d' ' -f1-3 */wait | sort | uniq -c; cat */error ../error; " END,
		.output = "terminal\n     30 0 exit 0\n",
	},
	{
		/* And where the agent has few too: the failure is the command's, says why, and
		 * goes when others have ended. */
		.path = "/mount/resource/R97/few-everywhere", .shells = "bash",
		.setup = {.unmounted = TRUE, .seconds = 60},
		.script = "prlimit --nofile=40:40 $MITOFS $M; cd $M/children; for i in $(seq 40); do mkdir $i; try write $i/ctl 'exec sleep 1000\\n'; done | sort | uniq -c | awk '{ print $2 }'\n"
			  "grep -h -o 'EMFILE exec: .*in the agent: RLIMIT_NOFILE is 40; raise it: [^;]*/limits.conf' */error | sort -u\n"
			  "n=$(grep -l 'state running' */status | wc -l); [ $n -ge 5 ] || echo $n; sed -n 's/^link //p' ../status\n"
			  "for i in $(seq 40); do try write $i/ctl 'kill\\n' > /dev/null; read -r l < $i/wait; done\n"
			  "for i in $(seq 40); do echo \"exec echo $i\" > $i/ctl && [ \"$(cat $i/stdout)\" = $i ] || echo failed $i; done; " END,
		.output = "16\nEMFILE\nEMFILE exec: no file descriptor left in the agent: RLIMIT_NOFILE is 40; raise it: nofile (hard) in /etc/security/limits.conf\nup\n",
	},
	{
		/* Too few to start at all: one line. */
		.path = "/mount/resource/R97/too-few", .shells = "bash", .setup = {.unmounted = TRUE},
		.script = "for n in 4 5 6 7 8 9 10 12 14 16 18 19; do\n"
			  "	for f in '' -f; do prlimit --nofile=$n:$n $MITOFS $f $M > $T/o 2>&1; echo $? $(sed \"s/ $n,/ N,/\" $T/o); done\n"
			  "done | uniq -c | tr -s ' '; ls -A $M",
		.output = " 24 1 mitofs: too few open files: RLIMIT_NOFILE is N, at least 20 are needed; raise it: nofile (hard) in /etc/security/limits.conf\n",
	},
	{
		/* A shortage ends by itself, and the loop does not spin meanwhile. */
		.path = "/mount/resource/R97/no-spin", .shells = "bash", .setup = {.unmounted = TRUE},
		.script = "prlimit --nofile=20:20 $MITOFS $M; " BROKER "cd $M/children; for i in $(seq 12); do mkdir $i; try write $i/ctl 'exec sleep 1000\\n'; done > /dev/null\n"
			  "agent=$(pgrep -P $broker ctx-agent); agent=$(pgrep -P $agent ctx-agent)\n"
			  "t() { cat /proc/$broker/stat /proc/$agent/stat | awk '{ n += $14 + $15 } END { print n }'; }\n"
			  "before=$(t); timeout 1 cat 1/wait; after=$(t); [ $((after - before)) -lt 30 ] && echo idle; " END,
		.output = "idle\n",
	},
	{
		/* Commands have the limit that the user had, not the one that mitofs has given
		 * itself. */
		.path = "/mount/resource/R97/commands-limit", .shells = "bash", .setup = {.unmounted = TRUE},
		.script = "ulimit -S -n 200; ulimit -H -n 4000; $MITOFS $M; " BROKER "grep '^Max open files' /proc/$broker/limits | tr -s ' ' | cut -d' ' -f 4,5\n"
			  "cd $M; mkdir children/a; echo 'connect local' > children/a/ctl\n"
			  "for c in . children/a; do echo 'sh ulimit -S -n; ulimit -H -n' > $c/ctl; cat $c/stdout; done; " END,
		.output = "4000 4000\n200\n4000\n200\n4000\n",
	},
	{
		.path = "/mount/resource/R98/processes", .shells = "bash",
		.setup = {.unmounted = TRUE, .uid = USER, .seconds = 60},
		.script = "n=$(ps -L -u $(id -u) -o pid= | wc -l); $MITOFS $M; " BROKER
			  "watcher=$(pgrep -P $broker ctx-agent); worker=$(pgrep -P $watcher ctx-agent); prlimit --pid $worker --nproc=$((n + 20)):\n"
			  "cd $M/children; for i in $(seq 40); do mkdir $i; try write $i/ctl 'exec sleep 1000\\n'; done | sort | uniq -c | awk '{ print $2 }'\n"
			  "grep -h -o 'EAGAIN exec: .*RLIMIT_NPROC is [0-9]*' */error | sed \"s/ $((n + 20))/ LIMIT/\" | sort -u; grep -h -c 'raise it: nproc' 40/error\n"
			  "cut -d' ' -f1-3 40/wait; sed -n 's/^link //p' ../status\n"
			  "for i in $(seq 40); do try write $i/ctl 'kill\\n' > /dev/null; read -r l < $i/wait; done\n"
			  "for i in 1 20 40; do echo \"exec echo $i\" > $i/ctl && cat $i/stdout; done; " END,
		.output = "16\nEAGAIN\nEAGAIN exec: no process left for this user: RLIMIT_NPROC is LIMIT\n1\n126 exec EAGAIN\nup\n1\n20\n40\n",
	},
	{
		/* The broker cannot fork at its start: one line. */
		.path = "/mount/resource/R98/start", .shells = "bash",
		.setup = {.unmounted = TRUE, .uid = USER},
		.script = "for f in '' -f; do prlimit --nproc=1:1 $MITOFS $f $M 2> $T/err; echo $?; grep ^mitofs: $T/err; done; ls -A $M",
		.output = "1\nmitofs: fork: Resource temporarily unavailable\n1\nmitofs: fork: Resource temporarily unavailable\n",
	},
	{
		/* An address space that the program does not fit into: the command's end,
		 * however the kernel puts it. */
		.path = "/mount/resource/R99/rlimit-as", .shells = "bash",
		.script = "cd $M; mkdir children/a; echo 'rlimit as 8192' > children/a/ctl; try write children/a/ctl 'exec true\\n'; cut -d' ' -f 2 children/a/wait\n"
			  "echo 'exec echo alive' > ctl; cat stdout; echo defaults > children/a/ctl; echo 'exec echo again' > children/a/ctl; cat children/a/stdout",
		.regex = "([0-9]+\nsignal|ENOMEM\nexec)\nalive\nagain\n",
	},
	{
		/* Commands and settings that are far too big are refused before anything is kept
		 * of them. */
		.path = "/mount/resource/R99/huge", .shells = "python3",
		.script = "import errno, os\n"
			  "os.chdir(os.environ['M'])\n"
			  "def write(b):\n"
			  "    fd = os.open('ctl', os.O_WRONLY)\n"
			  "    try:\n"
			  "        while b: b = b[os.write(fd, b):]\n"
			  "        return 'ok'\n"
			  "    except OSError as e: return errno.errorcode[e.errno]\n"
			  "    finally: os.close(fd)\n"
			  "print(write(b'exec echo ' + b'x' * (8 << 20)), write(b'exec true ' + b'a ' * 60000 + b'\\n'), write(b'retain 2G\\n'))\n"
			  "for i in range(30): write(b'env V%d=' % i + b'x' * 100000 + b'\\n')\n"
			  "print(write(b'exec true\\n'), write(b'defaults\\n'), write(b'exec echo alive\\n'), open('stdout').read())",
		.output = "E2BIG ok EINVAL\nE2BIG ok ok alive\n\n",
	},
	{
		/* The clock goes a year forward and two back while commands, graces and timeouts
		 * run. */
		.path = "/mount/resource/R105/clock-jumps", .shells = "bash", .setup = {.unmounted = TRUE},
		.script = "clock=$(dirname $(command -v try))/libclock.so; [ -e $clock ] || { echo no libclock.so; exit 1; }\n"
			  "CLOCK_FILE=$T/clock LD_PRELOAD=$clock ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 $MITOFS $M; cd $M; mkdir children/a children/b children/c\n"
			  "echo 'timeout 1000' > children/a/ctl; echo 'exec sleep 1000' > children/a/ctl; echo 'timeout 0.5' > children/b/ctl\n"
			  "echo 'connect local' > children/c/ctl; echo 'keepalive 0.1' > children/c/ctl; echo 'exec sleep 1000' > children/c/ctl\n"
			  "for jump in 31536000 -31536000; do\n"
			  "	echo $jump > $T/clock; echo 'exec true' > ctl; read -r l < wait; now=$(sed -n 's/^started \\([0-9]*\\).*/\\1/p' status)\n"
			  "	off=$((now - $(date +%s) - jump)); [ $off -gt -100 ] && [ $off -lt 100 ] && echo jumped\n"
			  "	echo 'exec sleep 1000' > children/b/ctl; cut -d' ' -f1-3 children/b/wait\n"
			  "	echo 'grace 0.2' > children/b/ctl; echo 'timeout none' > children/b/ctl; echo 'sh trap \"\" TERM; echo; while :; do sleep 1; done' > children/b/ctl\n"
			  "	read -r l < children/b/stdout; echo stop > children/b/ctl; cut -d' ' -f1-3 children/b/wait; echo 'timeout 0.5' > children/b/ctl\n"
			  "	sed -n 's/^state //p;s/^link //p' children/a/status children/c/status | tr '\\n' ' '; echo\n"
			  "	sed -n 's/.* real=\\([0-9.]*\\) .*/\\1/p' wait children/b/wait | awk '$1 < 0 || $1 > 100'\n"
			  "done; " END,
		.output = "jumped\n124 timeout 0.5\n137 signal KILL\nup running up running \njumped\n124 timeout 0.5\n137 signal KILL\nup running up running \n",
	},
	{
		/* Ten commands that fork, write and spin as fast as they can: others are
		 * answered, and one word ends each. */
		.path = "/mount/resource/R107/storm", .shells = "python3",
		.setup = {.seconds = 60},
		.script = "import os, time, subprocess\n"
			  "os.chdir(os.environ['M'] + '/children')\n"
			  "def ctl(c, text):\n"
			  "    with open(c + '/ctl', 'w') as f: f.write(text + '\\n')\n"
			  "cats = []\n"
			  "for i in range(8):\n"
			  "    c = 'x%d' % i; os.mkdir(c)\n"
			  "    ctl(c, ['exec yes', 'sh while :; do (:); done', 'exec sh -c \"yes >&2\"', 'sh for i in 1 2 3 4 5 6 7 8; do (while :; do setsid -f true; done) & done; wait'][i % 4])\n"
			  "    if i % 4 != 1: cats.append(subprocess.Popen(['cat', c + ('/stdout' if i % 4 == 0 else '/stderr')], stdout=subprocess.DEVNULL))\n"
			  "os.mkdir('calm'); ctl('calm', 'exec cat'); worst = 0\n"
			  "for i in range(30):\n"
			  "    start = time.monotonic()\n"
			  "    assert 'state running' in open('calm/status').read()\n"
			  "    assert 'x3' in os.listdir('.')\n"
			  "    worst = max(worst, time.monotonic() - start)\n"
			  "open('calm/stdin', 'w').write('text\\n'); print(open('calm/stdout').read().strip(), worst < 2 or worst)\n"
			  "for i in range(8): ctl('x%d' % i, 'kill')\n"
			  "for i in range(8): assert open('x%d/wait' % i).read().startswith('137 signal KILL'), i\n"
			  "for c in cats: c.wait()\n"
			  "for i in range(8): os.rmdir('x%d' % i)\n"
			  "print(os.listdir('.'))",
		.output = "text True\n['calm']\n",
	},
	{
		/* A bomb that grows until the limit says no, and one word that ends all of it. */
		.path = "/mount/resource/R107/fork-bomb", .shells = "bash",
		.setup = {.unmounted = TRUE, .uid = USER, .seconds = 60},
		.script = "n=$(ps -L -u $(id -u) -o pid= | wc -l); $MITOFS $M; cd $M; mkdir children/a; echo \"rlimit nproc $((n + 60))\" > children/a/ctl\n"
			  "printf '%s\\n' 'f() { f | f & wait; }' 'f 2> /dev/null' 'exec sleep 1000' > $T/bomb\n"
			  "echo \"exec bash $T/bomb\" > children/a/ctl; until [ $(ps -L -u $(id -u) -o pid= | wc -l) -gt $((n + 30)) ]; do :; done\n"
			  "for i in 1 2 3 4 5 6 7 8; do sed -n 's/^link //p' status; done | uniq -c | tr -s ' '; echo 'exec echo alive' > ctl; cat stdout\n"
			  "echo kill > children/a/ctl; cut -d' ' -f1-3 children/a/wait; rmdir children/a\n"
			  "while pgrep -u $(id -u) -f \"^bash $T/bomb\" > /dev/null; do :; done; " END,
		.output = " 8 up\nalive\n137 signal KILL\n", .errors = "",
	},
	{
		/* A command's environment is what mitofs was started with, to the byte; behind
		 * another agent too. */
		.path = "/mount/resource/R111/environment", .shells = "bash", .setup = {.unmounted = TRUE},
		.script = "env -0 > $T/mine; export ODD=$'a\\nb\\xff' EMPTY=; for f in '' -f; do\n"
			  "	env -0 -u _ -u OLDPWD -u SHLVL -u PWD | sort -z > $T/before; env -u _ -u OLDPWD -u SHLVL -u PWD $MITOFS $f $M 2> /dev/null & m=$!\n"
			  "	until [ -e $M/ctl ]; do :; done; mkdir $M/children/a; echo 'connect local' > $M/children/a/ctl\n"
			  "	for c in $M $M/children/a; do echo 'exec env -0' > $c/ctl; sort -z $c/stdout | cmp - $T/before && echo same; done\n"
			  "	echo 'clearenv' > $M/ctl; echo 'exec /usr/bin/env' > $M/ctl; cat $M/stdout | wc -c\n"
			  "	fusermount3 -u $M; wait $m; while pgrep -f \"^$MITOFS.*$M\" > /dev/null; do :; done\n"
			  "done",
		.output = "same\nsame\n0\nsame\nsame\n0\n",
	},
	{
		/* What passed through an agent is the user's, but not for other programs of the
		 * same user to read. */
		.path = "/mount/resource/R111/R93/agent-is-shut", .shells = "bash",
		.setup = {.uid = USER},
		.script = "cd $M; mkdir children/a; echo 'connect local' > children/a/ctl; " BROKER
			  "for p in $(pgrep -u $(id -u) ctx-agent); do\n"
			  "	tr '\\0' '\\n' 2> /dev/null < /proc/$p/environ | wc -l; ls /proc/$p/fd 2>&1 | grep -c denied; (: > /proc/$p/mem) 2>&1 | grep -c denied\n"
			  "done | sort | uniq -c",
		.regex = " *4 0\n *8 1\n", .errors = "",
	},
	{
		/* The image has no name on any disk, and nobody can write it; the second agent's
		 * is the same. */
		.path = "/mount/resource/R117/sealed", .shells = "python3",
		.script = "import fcntl, os\n"
			  "os.chdir(os.environ['M']); os.mkdir('children/a'); open('children/a/ctl', 'w').write('connect local\\n')\n"
			  "mark = b'MITOFS_TEST=' + os.environ['MITOFS_TEST'].encode()\n"
			  "for p in sorted(filter(str.isdigit, os.listdir('/proc')), key=int):\n"
			  "    try:\n"
			  "        if open('/proc/%s/comm' % p).read() != 'ctx-agent\\n' or mark not in open('/proc/%s/environ' % p, 'rb').read().split(b'\\0'): continue\n"
			  "    except OSError: continue\n"
			  "    exe = '/proc/%s/exe' % p; fd = os.open(exe, os.O_RDONLY)\n"
			  "    print(os.readlink(exe), fcntl.fcntl(fd, fcntl.F_GET_SEALS), os.fstat(fd).st_nlink, end=' ')\n"
			  "    for flags in (os.O_RDWR, os.O_WRONLY | os.O_TRUNC):\n"
			  "        try: os.write(os.open(exe, flags), b'x'); print('written', end=' ')\n"
			  "        except OSError as e: print(e.errno in (1, 13, 26), end=' ')\n"
			  "    maps = [l.split() for l in open('/proc/%s/maps' % p)]\n"
			  "    print(not [m for m in maps if len(m) > 5 and m[5].startswith('/') and not m[5].startswith('/memfd:')])",
		.output = "/memfd:ctx-agent (deleted) 15 0 True True True\n/memfd:ctx-agent (deleted) 15 0 True True True\n"
			  "/memfd:ctx-agent (deleted) 15 0 True True True\n/memfd:ctx-agent (deleted) 15 0 True True True\n",
	},
};
/* clang-format on */

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	return mount_test_run();
}
