/* What is told of contexts: `log`, the broker's stderr, and bytes that somebody else has chosen.
 *
 * Lines go to the context they are about and to all above it, with their time, level and path;
 * agents' lines too (T83, T84, T85). Each context has its level. A log keeps its last 64 KiB and
 * never makes a reader wait (R118), and the broker does not care where its own lines go (R100).
 * Names and arguments cannot forge a line, and nothing that reads these files on a terminal
 * sends it a control byte (R37, R38, R114, R115); no context ever has the user's terminal
 * (R116). */
#include "tests/agents.h"

#include <signal.h>
#include <sys/resource.h>

/* Without the time in front. */
#define CUT " | cut -d' ' -f 2-"
/* What has no business in a text: control bytes, C1 controls and bidirectional ones as UTF-8,
 * and bytes that are none. */
#define BAD_BYTES                                                                               \
	"bad() { LC_ALL=C grep -c -a -P "                                                       \
	"'[\\x00-\\x08\\x0b-\\x1f\\x7f]|\\xc2[\\x80-\\x9f]|\\xe2\\x80[\\xaa-\\xae]|\\xe2\\x81[" \
	"\\xa6-\\xa9]|\\xff' \"$@\"; }\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/log/T84/level-path-text", .shells = "all",
		.script = "cd $M; mkdir children/a; echo 'exec sh -c \"exit 3\"' > children/a/ctl; read -r l < children/a/wait\n"
			  "(echo 'exec nosuch' > children/a/ctl) 2> /dev/null; cat children/a/log | sed 's/pid [0-9]*/PID/; s/=.*//'\n"
			  "grep -c -E '^[0-9]+\\.[0-9]+ (error|warning|info|debug) /[^ ]*: ' log; wc -l < log",
		.regex = "[0-9.]+ info /a: run 1: PID: sh -c 'exit 3'\n[0-9.]+ info /a: run 1: 3 exit 3\n"
			 "([0-9.]+ info /a: run 2: 127 exec ENOENT\n[0-9.]+ warning /a: exec: ENOENT \"nosuch\" not found in PATH\n"
			 "|[0-9.]+ warning /a: exec: ENOENT \"nosuch\" not found in PATH\n[0-9.]+ info /a: run 2: 127 exec ENOENT\n)5\n5\n",
	},
	{
		.path = "/mount/log/T85/first-line", .shells = "bash",
		.script = "cd $M; mkdir children/a; echo 'connect local' > children/a/ctl; mkdir children/a/children/b\n"
			  "echo 'connect local' > children/a/children/b/ctl\n"
			  "for c in . children/a children/a/children/b; do head -n 1 $c/log" CUT "| sed \"s|$(id -un)@$(uname -n), Linux $(uname -m)|HERE|\"; done",
		.output = "info /: connected to HERE\ninfo /a: connected to HERE\ninfo /a/b: connected to HERE\n",
	},
	{
		/* A warning that an agent has before there is a mount, and one that is started
		 * through another. */
		.path = "/mount/log/T83/T85/start-up-warning", .shells = "bash",
		.setup = {.unmounted = TRUE},
		.script = "sed 's|^\\(root:.*:\\)[^:]*$|\\1/no/such/shell|' /etc/passwd > $T/passwd; mount --bind $T/passwd /etc/passwd\n"
			  "env -u SHELL $MITOFS $M; cd $M; mkdir children/a; echo 'connect local' > children/a/ctl\n"
			  "for c in . children/a; do grep -h warning $c/log" CUT "; done | sed 's/ of root at [^:]*/ of USER at HOST/' | sort | uniq -c\n"
			  "echo 'sh echo $0' > ctl; cat stdout; cd /; fusermount3 -u $M; umount /etc/passwd",
		.output = "      1 warning /: no shell in the passwd entry or $SHELL of USER at HOST: /bin/sh is used\n"
			  "      2 warning /a: no shell in the passwd entry or $SHELL of USER at HOST: /bin/sh is used\n/bin/sh\n",
	},
	{
		.path = "/mount/log/parents-not-siblings", .shells = "all",
		.script = "cd $M; mkdir children/a children/b children/a/children/c; echo 'exec true' > children/a/children/c/ctl\n"
			  "read -r l < children/a/children/c/wait\n"
			  "for c in . children/a children/a/children/c children/b; do grep -c '/a/c: run 1: 0 exit 0' $c/log; done\n"
			  "rmdir children/a/children/c; grep -c /a/c log",
		.output = "1\n1\n1\n0\n2\n",
	},
	{
		.path = "/mount/log/agents-lines", .shells = "bash",
		.script = "cd $M; mkdir children/a children/b; echo 'connect local' > children/b/ctl\n"
			  "for c in a b; do\n"
			  "	echo 'grace 0.1' > children/$c/ctl; echo 'sh trap \"\" TERM; echo; while :; do sleep 1; done' > children/$c/ctl\n"
			  "	read -r l < children/$c/stdout; echo stop > children/$c/ctl; read -r l < children/$c/wait\n"
			  "	cat children/$c/log log | grep -o \"info /$c: agent: [0-9] process.*\" | sed 's/[0-9] process[es]*/N/' | sort | uniq -c\n"
			  "done",
		.output = "      2 info /a: agent: N did not end within the grace and got KILL\n"
			  "      2 info /b: agent: N did not end within the grace and got KILL\n",
	},
	{
		.path = "/mount/log/levels", .shells = "all",
		.script = "cd $M; f() { (echo 'exec nosuch' > $1/ctl) 2> /dev/null; echo 'exec true' > $1/ctl; read -r l < $1/wait; }\n"
			  "mkdir children/i; for l in error warning debug; do echo \"loglevel $l\" > ctl; mkdir children/$l; done; echo 'loglevel info' > ctl\n"
			  "for c in error warning i debug; do f children/$c; mkdir children/$c/children/x; f children/$c/children/x\n"
			  "cut -d' ' -f 2,3 children/$c/log | sort | uniq -c | tr -s ' '; grep loglevel children/$c/children/x/ctl; done",
		.output = "loglevel error\n 1 warning /warning/x:\n 1 warning /warning:\nloglevel warning\n"
			  " 3 info /i/x:\n 3 info /i:\n 1 warning /i/x:\n 1 warning /i:\n"
			  " 1 debug /debug/x:\n 1 debug /debug:\n 3 info /debug/x:\n 3 info /debug:\n 1 warning /debug/x:\n 1 warning /debug:\nloglevel debug\n",
	},
	{
		.path = "/mount/log/levels-while-running", .shells = "bash",
		.script = "cd $M; echo 'exec sleep 1000' > ctl; echo 'loglevel error' > ctl; echo kill > ctl; read -r l < wait; tail -n 1 log" CUT
			  " | sed 's/pid [0-9]*/PID/'; (echo 'loglevel loud' > ctl) 2> $T/e; grep -o 'loglevel:.*' error",
		.regex = "info /: run 1: PID: sleep 1000\nloglevel: .*loud.*\n",
	},
	{
		.path = "/mount/log/option/debug", .shells = "bash", .setup = {.arguments = "--log-level debug"},
		.script = "cd $M; mkdir children/a; grep loglevel ctl children/a/ctl; grep -c 'debug /a: created' log; echo defaults > ctl; grep -c loglevel ctl",
		.output = "ctl:loglevel debug\nchildren/a/ctl:loglevel debug\n1\n0\n", .code = 1,
	},
	{
		.path = "/mount/log/option/error", .shells = "bash", .setup = {.arguments = "--log-level=error"},
		.script = "cd $M; cat ctl | tail -n +2; try write ctl 'exec nosuch\\n'; cat log",
		.output = "defaults\nloglevel error\nENOENT\n",
	},
	{
		.path = "/mount/log/stderr/levels", .shells = "bash", .setup = {.unmounted = TRUE},
		.script = "for l in '' info warning error debug; do\n"
			  "	$MITOFS -f ${l:+--log-level $l} $M 2> $T/e & p=$!; until [ -e $M/ctl ]; do :; done\n"
			  "	try write $M/ctl 'exec nosuch\\n'; mkdir $M/children/a; kill $p; wait $p\n"
			  "	for w in INFO WARNING DEBUG; do grep -q mitofs-$w $T/e && echo $w; done\n"
			  "	grep -c '/: exec: ENOENT' $T/e\n"
			  "done",
		.output = "ENOENT\nWARNING\n1\nENOENT\nINFO\nWARNING\n1\nENOENT\nWARNING\n1\nENOENT\n0\nENOENT\nINFO\nWARNING\nDEBUG\n1\n",
	},
	{
		/* Broken, full, and never read: the broker goes on, and ends with 0. */
		.path = "/mount/log/R100/stderr", .shells = "bash", .setup = {.unmounted = TRUE},
		.script = "mkfifo $T/fifo; sleep 1000 3<> $T/fifo > /dev/null & s=$!; exec 4<> $T/fifo\n"
			  "for e in full closed stuck none; do\n"
			  "	case $e in\n"
			  "	full) $MITOFS -f $M 2> /dev/full & p=$!;;\n"
			  "	closed) $MITOFS -f $M 2> >(:) & p=$!;;\n"
			  "	stuck) $MITOFS -f $M 2> $T/fifo & p=$!;;\n"
			  "	none) $MITOFS -f $M 2>&- & p=$!;;\n"
			  "	esac\n"
			  "	until [ -e $M/ctl ]; do :; done; cd $M\n"
			  "	for ((i = 0; i < 900; i++)); do echo frobnicate > ctl; done 2> /dev/null\n"
			  "	[ $(wc -l < log) -gt 300 ] && echo 'exec echo alive' > ctl && cat stdout; cd /; kill $p; wait $p; echo $e $?\n"
			  "done; kill $s",
		.output = "alive\nfull 0\nalive\nclosed 0\nalive\nstuck 0\nalive\nnone 0\n", .errors = "",
	},
	{
		.path = "/mount/log/R118/ring", .shells = "bash",
		.script = "cd $M; mkdir children/a; printf -v l '%0230d' 0; for ((i = 0; i < 400; i++)); do echo v$i$l > children/a/ctl; done 2> /dev/null\n"
			  "for f in log children/a/log; do\n"
			  "	n=$(timeout 20 cat $f | wc -c); echo $? $((n <= 65536 && n > 64000)); stat -c %s $f | awk '{ print ($1 > 100000) }'\n"
			  "	tail -n 1 $f | grep -c 'unknown command .v399000'; tail -c 10 $f | wc -c; head -c 100 $f | wc -c\n"
			  "done",
		.output = "0 1\n1\n1\n10\n100\n0 1\n1\n1\n10\n100\n",
	},
	{
		.path = "/mount/log/R118/memory", .shells = "python3",
		.script = "import os, subprocess\n"
			  "os.chdir(os.environ['M'])\n"
			  "pid = subprocess.run(['pgrep', '-n', '-f', os.environ['MITOFS'] + ' .*' + os.environ['M']], capture_output=True, text=True).stdout.strip()\n"
			  "def rss(): return [int(l.split()[1]) for l in open('/proc/%s/status' % pid) if l.startswith('VmRSS')][0]\n"
			  "ctl = os.open('ctl', os.O_WRONLY)\n"
			  "def flood(n):\n"
			  "    for i in range(n):\n"
			  "        try: os.write(ctl, b'frobnicate ' + b'%d' % i * 100 + b'\\n')\n"
			  "        except OSError: pass\n"
			  "flood(2000); before = rss(); flood(8000); after = rss()\n"
			  "print('ASAN_OPTIONS' in os.environ or after - before < 1024 or (before, after), open('log').read().count('\\n') > 50, open('error').read().count('\\n'))",
		.output = "True True 64\n",
	},
	{
		/* To the end, and not beyond; tail -f goes on from there. */
		.path = "/mount/log/no-wait", .shells = "bash",
		.script = "cd $M; timeout 20 cat log | wc -l; timeout 20 busybox cat log | wc -l; timeout 20 dd if=log bs=7 status=none | wc -l\n"
			  "tail -s 0.05 -n 0 -f log > $T/out & t=$!; until [ -n \"$(ls -l /proc/$t/fd 2> /dev/null | grep log)\" ]; do :; done\n"
			  "until echo 'exec echo some' > ctl; grep -q 'echo some' $T/out; do read -r l < wait; done; kill $t; grep -c -v '^[0-9.]* info /: ' $T/out",
		.output = "1\n1\n1\n0\n", .code = 1,
	},
	{
		.path = "/mount/log/R38/names", .shells = "bash",
		.script = BAD_BYTES "cd $M; cat events > $T/events & e=$!; try parked $e\n"
			  "n=$'a\\xff\\xc2\\x9b \\xe2\\x80\\xae\\xc3\\xbc\\\\'; mkdir \"children/$n\" children/ctl children/stdin; cd \"children/$n\"\n"
			  "mkdir children/x; echo 'connect local' > ctl; (echo 'exec nosuch' > ctl) 2> /dev/null; mv ../ctl \"../2$n\"\n"
			  "(rmdir \"../$n\"; mkdir \"../$n\") 2> /dev/null; cd $M; until grep -q renamed $T/events; do :; done; kill $e\n"
			  "sed -n 's/^name //p;s/^path //p' \"children/$n/status\"; sed -n 's/^place //p' \"children/$n/children/x/status\"; head -n 1 \"children/$n/ctl\" | cut -d' ' -f 3-\n"
			  "grep -o 'EEXIST.*\\|ENOTEMPTY.*' error; cut -d' ' -f 2,3 $T/events | sort -u\n"
			  "for f in status ctl error log \"children/$n/status\" \"children/$n/ctl\" \"children/$n/error\" \"children/$n/log\" $T/events; do bad \"$f\"; done | sort -u",
		.output = "a\\xff\\xc2\\x9b \\xe2\\x80\\xaeü\\\\\n/a\\xff\\xc2\\x9b \\xe2\\x80\\xaeü\\\\\n/a\\xff\\xc2\\x9b \\xe2\\x80\\xaeü\\\\\na\\xff\\xc2\\x9b \\xe2\\x80\\xaeü\\\\ exited\n"
			  "ENOTEMPTY rmdir: \"a\\xff\\xc2\\x9b \\xe2\\x80\\xaeü\\\\\" has 1 children\n"
			  "/ failed\n/a\\xff\\xc2\\x9b \\xe2\\x80\\xaeü\\\\\n/a\\xff\\xc2\\x9b \\xe2\\x80\\xaeü\\\\/x\n/ctl created\n/ctl renamed\n/stdin created\n0\n",
	},
	{
		.path = "/mount/log/R37/control-bytes", .shells = "bash",
		.script = BAD_BYTES "cd $M/children; for n in '\\nx' 'a\\nbx' '\\033[31mx' 'a\\177x' '\\001x' '\\tx' 'a\\rx'; do try mkdir \"$n\"; done\n"
			  "mkdir ok; try rename ok $'o\\nk'; cd ..; wc -l < error; bad error log; cut -d' ' -f 3,4,5 error",
		.output = "EINVAL\nEINVAL\nEINVAL\nEINVAL\nEINVAL\nEINVAL\nEINVAL\nEINVAL\n8\nerror:0\nlog:0\n"
			  "EINVAL mkdir: \"\\nx\":\nEINVAL mkdir: \"a\\nbx\":\nEINVAL mkdir: \"\\x1b[31mx\":\nEINVAL mkdir: \"a\\x7fx\":\n"
			  "EINVAL mkdir: \"\\x01x\":\nEINVAL mkdir: \"\\x09x\":\nEINVAL mkdir: \"a\\x0dx\":\nEINVAL rename: \"o\\nk\":\n",
	},
	{
		.path = "/mount/log/R114/R115/arguments", .shells = "bash",
		.script = BAD_BYTES "cd $M; cat events > $T/events & e=$!; try parked $e; mkdir children/a; cd children/a\n"
			  "w=$'\\e]0;x\\a\\e[2J\\r1 error /: forged\\n1763830000.00 error /: forged\\n\\x9b31m\\xc2\\x9b31m\\xe2\\x80\\xae\\x7f\\xff'; q=$(printf %q \"$w\")\n"
			  "for v in 'exec' 'exec printf %s' frobnicate cwd 'env X' 'connect' 'preexec' 'shell' 'signal' 'pipe' 'async exec' 'loglevel' 'retain'; do\n"
			  "	printf '%s %s\\n' \"$v\" \"$q\" > ctl; done 2> /dev/null; printf %s \"$w\" > signal 2> /dev/null\n"
			  "preexec='preexec'; printf 'preexec\\ncwd %s\\nenv X=%s\\nexec true %s\\n' \"$q\" \"$q\" \"$q\" > ctl 2> /dev/null; read -r l < wait\n"
			  "for f in ctl status error log ../../log ../../error wait; do echo $f $(bad $f) $(grep -c '^1763830000' $f) $(grep -c '^1 error' $f); done\n"
			  "kill $e; bad $T/events; grep -c ^1763830000 $T/events; cat ctl > ../../ctl; diff <(tail -n +2 ctl) <(tail -n +2 ../../ctl)",
		.output = "ctl 0 0 0\nstatus 0 0 0\nerror 0 0 0\nlog 0 0 0\n../../log 0 0 0\n../../error 0 0 0\nwait 0 0 0\n0\n0\n",
	},
	{
		/* What a command writes is the command's: stdout is raw. */
		.path = "/mount/log/R114/stdout-is-raw", .shells = "bash",
		.script = "cd $M; printf '%s\\n' \"exec printf '\\\\033[31m\\\\233\\\\000\\\\377'\" > ctl; cat stdout | od -An -tx1",
		.output = " 1b 5b 33 31 6d 9b 00 ff\n",
	},
	{
		/* Started on a terminal, in the foreground and in the background: no command has
		 * it, nor any other, unless it has one of its own, which is another one. */
		.path = "/mount/log/R116/terminal", .shells = "python3", .setup = {.unmounted = TRUE},
		.script = "import os, pty, sys, fcntl, termios, time\n"
			  "M, B = os.environ['M'], os.environ['MITOFS']\n"
			  "probe = r'''\n"
			  "import fcntl, os, termios\n"
			  "def attempt(f):\n"
			  "    try: return f()\n"
			  "    except OSError as e: return e.strerror\n"
			  "print(attempt(lambda: os.open('/dev/tty', os.O_RDWR)))\n"
			  "print([attempt(lambda: fcntl.ioctl(fd, termios.TIOCSTI, b'x')) for fd in range(3)])\n"
			  "print(open('/proc/self/stat').read().rsplit(')')[1].split()[4], os.getsid(0) == os.getpid())\n"
			  "'''\n"
			  "open(os.environ['T'] + '/probe', 'w').write(probe)\n"
			  "def context(text, file='stdout'):\n"
			  "    with open(M + '/ctl', 'w') as f: f.write(text + '\\n')\n"
			  "    return open(M + '/' + file).read()\n"
			  "for words in (['-f'], []):\n"
			  "    pid, master = pty.fork()\n"
			  "    if pid == 0: os.execv(B, [B] + words + [M])\n"
			  "    while not os.path.exists(M + '/ctl'): time.sleep(0.01)\n"
			  "    print(context('exec python3 ' + os.environ['T'] + '/probe').strip())\n"
			  "    inner = context('pty on\\nexec tty').strip()\n"
			  "    outer = os.ptsname(master) if hasattr(os, 'ptsname') else os.readlink('/proc/%d/fd/0' % pid) if words else '/dev/pts/x'\n"
			  "    print(inner.startswith('/dev/pts/') and inner != outer)\n"
			  "    for p in os.listdir('/proc'):\n"
			  "        try: s = open('/proc/%s/stat' % p).read(); e = open('/proc/%s/environ' % p).read()\n"
			  "        except OSError: continue\n"
			  "        if 'MITOFS_TEST=' + os.environ['MITOFS_TEST'] in e and '(ctx-agent)' in s or '(mount-watcher)' in s and 'MITOFS_TEST=' + os.environ['MITOFS_TEST'] in e:\n"
			  "            assert s.rsplit(')')[1].split()[4] == '0', s\n"
			  "    open(M + '/ctl', 'w').write('shutdown\\n')\n"
			  "    try:\n"
			  "        while os.read(master, 1000): pass\n"
			  "    except OSError: pass\n"
			  "    os.waitpid(pid, 0); os.close(master)\n"
			  "    while os.path.exists(M + '/ctl'): time.sleep(0.01)\n",
		.output = "No such device or address\n['Inappropriate ioctl for device', 'Inappropriate ioctl for device', 'Inappropriate ioctl for device']\n0 True\nTrue\n"
			  "No such device or address\n['Inappropriate ioctl for device', 'Inappropriate ioctl for device', 'Inappropriate ioctl for device']\n0 True\nTrue\n",
	},
	{
		/* The terminal of a context dies with the broker's; that of the user hangs up,
		 * and the background mount stays. */
		.path = "/mount/log/R116/hang-up", .shells = "python3", .setup = {.unmounted = TRUE},
		.script = "import os, pty\n"
			  "M, B = os.environ['M'], os.environ['MITOFS']\n"
			  "pid, master = pty.fork()\n"
			  "if pid == 0: os.execv(B, [B, M])\n"
			  "os.waitpid(pid, 0); os.close(master)\n"
			  "open(M + '/ctl', 'w').write('exec echo alive\\n')\n"
			  "print(open(M + '/stdout').read().strip())\n"
			  "open(M + '/ctl', 'w').write('shutdown\\n')\n"
			  "while os.path.exists(M + '/ctl'): pass\n",
		.output = "alive\n",
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
