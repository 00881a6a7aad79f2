/* Terminals: `pty on`, its size, its signals, job control in an interactive shell, its end, and
 * what is said when there is none to be had (rows R62, R101, R114 as far as it is about raw
 * bytes; cases T21 to T26, T96, T97).
 *
 * An interactive shell is driven by a small expect in python: type() appends to stdin, until()
 * reads stdout until a text has come. What is typed never contains the text that is waited for,
 * as a terminal echoes. */
#include "tests/mount.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* For python3. An interactive bash has no profile, no history, and a prompt that is easy to
 * find. */
#define EXPECT                                                                                     \
	"import os, sys\n"                                                                         \
	"os.chdir(os.environ['M'])\n"                                                              \
	"def text(f):\n"                                                                           \
	"    with open(f) as file: return file.read()\n"                                           \
	"def put(f, words):\n"                                                                     \
	"    with open(f, 'a') as file: file.write(words)\n"                                       \
	"def type(words): put('stdin', words)\n"                                                   \
	"def start(*commands):\n"                                                                  \
	"    global out, seen\n"                                                                   \
	"    for c in ('pty on',) + commands: put('ctl', c + '\\n')\n"                             \
	"    out, seen = os.open('stdout', os.O_RDONLY), ''\n"                                     \
	"def until(words):\n"                                                                      \
	"    global seen\n"                                                                        \
	"    while words not in seen:\n"                                                           \
	"        part = os.read(out, 65536).decode()\n"                                            \
	"        assert part, (words, seen)\n"                                                     \
	"        seen += part\n"                                                                   \
	"    before, _, seen = seen.partition(words)\n"                                            \
	"    return before\n"                                                                      \
	"def key(name):\n"                                                                         \
	"    for line in text('status').splitlines():\n"                                           \
	"        if line.split(' ', 1)[0] == name: return line.split(' ', 1)[1]\n"                 \
	"def end(): return ' '.join(text('wait').split()[:3])\n"                                   \
	"BASH = 'exec env PS1=<P>  HISTFILE= INPUTRC=/dev/null TERM=dumb bash --norc --noprofile " \
	"--noediting -i'\n"

/* CPU time of the broker and all below it, in clock ticks, before and after half a second in
 * which nothing happens. */
#define IDLE                                                                                     \
	"import select\n"                                                                        \
	"def ticks():\n"                                                                         \
	"    parents, stats = {BROKER}, {}\n"                                                    \
	"    for p in filter(str.isdigit, os.listdir('/proc')):\n"                               \
	"        try: stats[int(p)] = text('/proc/%s/stat' % p).rpartition(')')[2].split()\n"    \
	"        except OSError: pass\n"                                                         \
	"    more = True\n"                                                                      \
	"    while more:\n"                                                                      \
	"        more = {p for p, s in stats.items() if int(s[1]) in parents and p not in "      \
	"parents}\n"                                                                             \
	"        parents |= more\n"                                                              \
	"    return {p: int(stats[p][11]) + int(stats[p][12]) for p in parents if p in stats}\n" \
	"def idle():\n"                                                                          \
	"    before = ticks()\n"                                                                 \
	"    select.select([], [], [], 0.5)\n"                                                   \
	"    after = ticks()\n"                                                                  \
	"    return all(after[p] - before.get(p, 0) < 15 for p in after)\n"

/* The broker's pid: it is the parent of the parent of the agent's worker, which is $PPID of a
 * command. */
#define FIND_BROKER                                                           \
	"put('ctl', 'pty off\\nsh echo $PPID\\n')\n"                          \
	"BROKER = int(text('stdout'))\n"                                      \
	"for i in range(2): BROKER = int(text('/proc/%d/stat' % "             \
	"BROKER).rpartition(')')[2].split()[1])\n"                            \
	"assert 'mitofs' in text('/proc/%d/comm' % BROKER) or 'valgrind' in " \
	"text('/proc/%d/cmdline' % BROKER)\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/pty/T21/three-terminals",
		.shells = "all",
		.script = "cd $M; echo 'pty on' > ctl; echo 'sh for i in 0 1 2; do [ -t $i ] && echo $i; done; tty | tr 0-9 N; ls -l /proc/self/fd/0 | grep -c dev/pts; cat /proc/self/stat > '$T'/stat' > ctl\n"
			  "cat stdout; cat stderr; read pid name state ppid pgrp session tty foreground rest < $T/stat; [ $tty -ne 0 ] && [ $pgrp = $foreground ] && echo controlling",
		.output = "0\r\n1\r\n2\r\n/dev/pts/N\r\n1\r\ncontrolling\n",
	},
	{
		.path = "/mount/pty/T23/dev-tty",
		.shells = "all",
		.script = "cd $M; printf '%s\\n' 'pty on' 'sh echo to-tty > /dev/tty; read x < /dev/tty; echo \"<$x>\" >&2' > ctl; read -r x < stdout; echo typed >> stdin; cat stdout; stat -c %s stderr",
		.output = "to-tty\r\ntyped\r\n<typed>\r\n0\n",
	},
	{
		.path = "/mount/pty/T97/size",
		.shells = "all",
		.script = "cd $M; printf 'pty on\\nexec stty size\\n' > ctl; cat stdout wait | cut -c 1-8; printf 'winsize 132 43\\nexec stty size\\n' > ctl; cat stdout\n"
			  "mkdir children/c; echo 'exec stty size' > children/c/ctl; cat children/c/stdout; for v in '0 1' '1 65536' '80' 'a b' '80 24 1'; do try write ctl \"winsize $v\\n\"; done",
		.output = "24 80\r\n0 exit 0\n43 132\r\n43 132\r\nEINVAL\nEINVAL\nEINVAL\nEINVAL\nEINVAL\n",
	},
	{
		.path = "/mount/pty/T97/SIGWINCH",
		.shells = "python3",
		.script = EXPECT "put(os.environ['T'] + '/p.py', '''\n"
			  "import os, signal\n"
			  "def show(*a): print(*os.get_terminal_size(0), flush=True)\n"
			  "signal.signal(signal.SIGWINCH, show)\n"
			  "show()\n"
			  "while True: signal.pause()\n"
			  "''')\n"
			  "start('exec python3 ' + os.environ['T'] + '/p.py')\n"
			  "until('80 24\\r\\n')\n"
			  "for c, r in ((100, 50), (1, 1), (65535, 65535), (80, 24)):\n"
			  "    put('ctl', 'winsize %d %d\\n' % (c, r))\n"
			  "    print(repr(until('%d %d\\r\\n' % (c, r))))\n",
		.output = "''\n''\n''\n''\n",
	},
	{
		.path = "/mount/pty/T97/stty-setting-of-a-child",
		.shells = "bash",
		.script = "cd $M; printf 'pty on\\nsh stty raw -echo; echo ready; exec head -c 4\\n' > ctl; read x < stdout; printf '\\003\\004\\032\\n' >> stdin; cat wait | cut -c 1-8; tail -c 4 stdout | od -An -tx1",
		.output = "0 exit 0\n 03 04 1a 0a\n",
	},
	/* Ctrl-C, as a byte and as a signal. */
	{
		.path = "/mount/pty/T97/interrupt-by-byte",
		.shells = "all",
		.script = "cd $M; printf 'pty on\\nsh echo go; exec sleep 1000\\n' > ctl; read x < stdout; printf '\\003' >> stdin; cut -d ' ' -f 1-3 wait; cat stdout\n"
			  "printf 'sh stty intr ^X noflsh; echo go; exec sleep 1000\\n' > ctl; read x < stdout; printf '\\003' >> stdin; printf '\\030' >> stdin; cut -d ' ' -f 1-3 wait; cat stdout",
		.output = "130 signal INT\ngo\r\n^C130 signal INT\ngo\r\n^C^X",
	},
	{
		.path = "/mount/pty/T97/quit-by-byte",
		.shells = "bash",
		.script = "cd $M; printf 'rlimit core 0\\nshell /bin/dash\\npty on\\nsh echo go; exec sleep 1000\\n' > ctl; read x < stdout; printf '\\034' >> stdin; cut -d ' ' -f 1-3 wait",
		.output = "131 signal QUIT\n",
	},
	{
		.path = "/mount/pty/T97/job-control",
		.shells = "python3",
		.script = EXPECT "import glob\n"
			  "def stat(path):\n"
			  "    try: return open(path).read().rpartition(')')[::2]\n"
			  "    except OSError: return '', ''\n"
			  "def in_front(): # whether the terminal is sleep's: fg tells before it is\n"
			  "    all = [(name, words.split()) for name, words in map(stat, glob.glob('/proc/[0-9]*/stat'))]\n"
			  "    return any(name.endswith('(sleep') and w[4] != '0' and w[2] == w[5] for name, w in all)\n"
			  "start(BASH)\n"
			  "until('<P>')\n"
			  "type(\"sh -c 'echo g''o; exec sleep 1000'\\n\"); until('go\\r\\n')\n"
			  "type('\\x1a'); until('Stopped'); until('<P>'); print('stopped', key('state'))\n"
			  "type(\"bg; jobs; echo b''g-done\\n\"); print('Running' in until('bg-done'))\n"
			  "until('<P>'); type('fg\\n'); until('sleep 1000'); until('\\r\\n')\n"
			  "while not in_front(): pass\n"
			  "type('\\x03'); until('<P>'); type('echo \"[$?]\"\\n'); until('[130]')\n"
			  "until('<P>'); type(\"sleep 1000 & jobs; kill %1; wait; echo j''obs-done\\n\"); until('jobs-done')\n"
			  "until('<P>'); type('exit 5\\n'); print(end())",
		.output = "stopped running\nTrue\n5 exit 5\n",
	},
	{
		.path = "/mount/pty/T97/signals-go-to-the-foreground",
		.shells = "python3",
		.script = EXPECT "start(BASH)\n"
			  "until('<P>')\n"
			  "for s, n in (('INT', 130), ('2', 130), ('SIGTERM group', 143), ('KILL', 137)):\n"
			  "    type(\"sh -c 'echo g''o; exec sleep 1000'\\n\"); until('go\\r\\n')\n"
			  "    put('signal', s); until('<P>'); type('echo \"[$?]\"\\n'); until('[%d]' % n); until('<P>')\n"
			  "    print(s)\n"
			  "type(\"sh -c 'echo g''o; exec sleep 1000'\\n\"); until('go\\r\\n'); put('signal', 'TSTP'); until('Stopped'); until('<P>')\n"
			  "put('signal', 'KILL leader'); print(end())",
		.output = "INT\n2\nSIGTERM group\nKILL\n137 signal KILL\n",
	},
	{
		.path = "/mount/pty/T96/hang-up",
		.shells = "python3",
		.script = EXPECT "start(BASH)\n"
			  "until('<P>'); type(\"sh -c 'echo g''o $$; exec sleep 1000'\\n\"); until('go '); pid = until('\\r\\n')\n"
			  "put('ctl', 'stop\\n'); print(end().split()[1]); print(os.path.exists('/proc/' + pid))",
		.output = "signal\nFalse\n",
	},
	{
		.path = "/mount/pty/login",
		.shells = "python3",
		.script = EXPECT "put('ctl', 'shell /bin/bash\\nenv PS1=<P>\\nenv HOME=/\\nlogin\\n')\n"
			  "out, seen = os.open('stdout', os.O_RDONLY), ''\n"
			  "type(\"shopt -q login_shell && echo log''in; echo $0; case $- in *m*) echo j''obs;; esac\\n\"); until('login\\r\\n'); until('-bash\\r\\n'); until('jobs\\r\\n')\n"
			  "type('exit 9\\n'); print(end())",
		.output = "9 exit 9\n",
	},
	/* The end of input is a character, the user's own. */
	{
		.path = "/mount/pty/R62/eof-is-VEOF",
		.shells = "all",
		.script = "cd $M; printf 'pty on\\nexec cat\\n' > ctl; exec 3< stdout; echo one > stdin; read x <&3; read x <&3; echo two >> stdin; read x <&3; read x <&3; grep ^stdin status; echo eof > ctl; cut -d ' ' -f 1-3 wait; cat stdout\n"
			  "printf 'sh stty eof ^X; echo go; exec cat\\n' > ctl; read x < stdout; echo eof > ctl; cut -d ' ' -f 1-3 wait; cat stdout",
		.output = "stdin open\n0 exit 0\none\r\none\r\ntwo\r\ntwo\r\n0 exit 0\ngo\r\n",
	},
	{
		.path = "/mount/pty/R62/close-mode-is-no-end",
		.shells = "bash",
		.script = "cd $M; printf 'eofmode close\\npty on\\nsh read x; read y; echo \"<$x$y>\"\\n' > ctl; echo a > stdin; echo b > stdin; cut -d ' ' -f 1-3 wait; tail -n 1 stdout",
		.output = "0 exit 0\n<ab>\r\n",
	},
	{
		.path = "/mount/pty/R62/staged-input",
		.shells = "all",
		.script = "cd $M; echo staged > stdin; printf 'pty on\\nsh read x; echo \"<$x>\"\\n' > ctl; cut -d ' ' -f 1-3 wait; tail -n 1 stdout",
		.output = "0 exit 0\n<staged>\r\n",
	},
	/* EIO is the end, with every byte before it. */
	{
		.path = "/mount/pty/R62/last-bytes",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'])\n"
			  "ctl = os.open('ctl', os.O_WRONLY)\n"
			  "def text(f):\n"
			  "    with open(f, 'rb') as file: return file.read()\n"
			  "os.write(ctl, b'pty on\\n')\n"
			  "short = 0\n"
			  "for i in range(150):\n"
			  "    os.write(ctl, b'exec seq %d\\n' % (i * 20))\n"
			  "    if i % 2: assert text('wait').startswith(b'0 exit 0 ')\n"
			  "    short += text('stdout') != b''.join(b'%d\\r\\n' % n for n in range(1, i * 20 + 1))\n"
			  "os.write(ctl, b'sh stty raw; exec head -c 3000000 /dev/zero\\n')\n"
			  "assert text('wait').startswith(b'0 exit 0 ')\n"
			  "print(short, len(text('stdout')), os.stat('stdout').st_size)",
		.output = "0 3000000 3000000\n",
	},
	{
		.path = "/mount/pty/T26/hang-up-at-the-end",
		.shells = "python3",
		.script = EXPECT "import select\n"
			  "start('sh read x; echo text')\n"
			  "poll = select.poll(); poll.register(out, select.POLLIN)\n"
			  "print(poll.poll(0)); type('x\\n')\n"
			  "until('text\\r\\n'); print(text('wait')[:8], os.read(out, 10), [e & select.POLLHUP != 0 for f, e in poll.poll(5000)], os.pread(out, 3, 0))",
		.output = "[]\n0 exit 0 b'' [True] b'x\\r\\n'\n",
	},
	/* A daemon that still holds the terminal, and nobody else. */
	{
		.path = "/mount/pty/R62/no-spin-while-it-is-held",
		.shells = "python3",
		.script = EXPECT IDLE FIND_BROKER "fifo = os.environ['T'] + '/fifo'; os.mkfifo(fifo)\n"
			  "start('sh setsid -f sh -c \"echo > %s; exec sleep 1000\"; read x < %s; echo text' % (fifo, fifo)); until('text\\r\\n')\n"
			  "print(end(), key('state'), idle()); put('ctl', 'kill\\n'); print(os.read(out, 10))",
		.output = "0 exit 0 exited True\nb''\n",
	},
	{
		.path = "/mount/pty/R62/no-spin-after-the-end",
		.shells = "python3",
		.script = EXPECT IDLE FIND_BROKER "start('sh echo text'); until('text\\r\\n')\n"
			  "print(end(), os.read(out, 10), idle(), os.read(out, 10))",
		.output = "0 exit 0 b'' True b''\n",
	},
	/* Nobody holds the terminal any more, but the command lives: its stdin is not there to
	 * be written to for ever. */
	{
		.path = "/mount/pty/R62/no-spin-while-it-runs",
		.shells = "python3",
		.script = EXPECT IDLE FIND_BROKER "start('sh echo text; exec sleep 1000 < /dev/null > /dev/null 2>&1'); until('text\\r\\n')\n"
			  "keep = os.open('stdin', os.O_WRONLY | os.O_APPEND)\n"
			  "print(key('state'), idle()); put('signal', 'TERM leader'); print(end(), os.read(out, 10), idle())",
		.output = "running True\n143 signal TERM b'' True\n",
	},
	{
		.path = "/mount/pty/R62/blocked-output-does-not-spin",
		.shells = "python3",
		.script = EXPECT IDLE FIND_BROKER "put('ctl', 'retain 64K\\npty on\\nexec yes\\n')\n"
			  "while key('stdout.blocked') != '1': pass\n"
			  "print(idle(), 65536 <= int(key('stdout')) <= 1 << 20); put('ctl', 'kill\\n'); print(end())",
		.output = "True True\n137 signal KILL\n",
	},
	{
		.path = "/mount/pty/R60/made-nonblocking-by-the-command",
		.shells = "bash",
		.script = "cd $M; cat > $T/p.py <<'END'\n"
			  "import os, select\n"
			  "for fd in (0, 1, 2): os.set_blocking(fd, False)\n"
			  "data = b'0123456789abcde\\n' * 8192\n"
			  "while data:\n"
			  "    select.select([], [1], [])\n"
			  "    try: data = data[os.write(1, data[:4096]):]\n"
			  "    except BlockingIOError: pass\n"
			  "END\n"
			  "printf 'pty on\\nsh stty -onlcr; exec python3 %s/p.py\\n' $T > ctl; cat stdout | sort | uniq -c | tr -s ' '",
		.output = " 8192 0123456789abcde\n",
	},
	{
		.path = "/mount/pty/own-terminal",
		.shells = "bash",
		.script = "cd $M; mkdir children/{a,b}; for c in a b; do printf 'pty on\\nsh tty; read x\\n' > children/$c/ctl; done\n"
			  "read a < children/a/stdout; read b < children/b/stdout; [ \"$a\" != \"$b\" ] && echo two; for f in ctl stdin stdout; do try isatty children/a/$f 2>&1 | grep -v EACCES; done; echo kill > children/a/ctl; echo x >> children/b/stdin; cut -d ' ' -f 1-3 children/b/wait",
		.output = "two\nno\nno\n0 exit 0\n",
	},
	{
		.path = "/mount/pty/again-and-off",
		.shells = "bash",
		.script = "cd $M; printf 'pty on\\nsh tty > /dev/null && echo tty || echo none\\n' > ctl; cat stdout wait | cut -c 1-8; echo again > ctl; cat stdout; cat wait > $T/w; echo 'pty off' > ctl; echo again > ctl; cat stdout; try write ctl 'pty maybe\\n'",
		.output = "tty\r\n0 exit 0\ntty\r\nnone\nEINVAL\n",
	},
};

/* With mounts of their own in the test's mount namespace. */
static const ShCase root_cases[] = {
	{
		.path = "/mount/pty/R101/limit-of-the-devpts-mount",
		.shells = "bash",
		.script = "cd $M; trap 'cd /; umount -l /dev/pts' EXIT; mount -t devpts -o newinstance,max=2,ptmxmode=666 devpts /dev/pts\n"
			  "echo 'pty on' > ctl; mkdir children/{a,b,c}; cd children; for c in a b; do echo 'sh tty; read x' > $c/ctl; cat $c/stdout > /dev/null & read x < $c/stdout; done\n"
			  "try write c/ctl 'exec tty\\n'; grep -o 'ENOSPC exec: .*' c/error | sed 's/ on .*//'; cut -d ' ' -f 1-3 c/wait; echo 'pty off' > c/ctl; echo 'exec echo without' > c/ctl; cat c/stdout; echo 'pty on' > c/ctl\n"
			  "$(grep -o 'mount -o remount,max=[0-9]* /dev/pts' c/error); echo 'sh tty > /dev/null && echo with' > c/ctl; cat c/stdout; cat c/wait > $T/w\n"
			  "echo kill > a/ctl; echo kill > b/ctl; cat a/wait b/wait | cut -d ' ' -f 1",
		.output = "ENOSPC\nENOSPC exec: no pseudo terminal left: the devpts mount has max=2; raise it: mount -o remount,max=4 /dev/pts\n"
			  "126 exec ENOSPC\nwithout\nwith\r\n137\n137\n",
	},
	/* Terminals come back: none is lost with a run, a failed start, or a context. */
	{
		.path = "/mount/pty/R101/terminals-come-back",
		.shells = "bash",
		.script = "cd $M; trap 'cd /; umount -l /dev/pts' EXIT; mount -t devpts -o newinstance,max=1,ptmxmode=666 devpts /dev/pts\n"
			  "echo 'pty on' > ctl; for i in 1 2 3 4 5; do until echo 'exec tty' > ctl; do :; done 2> /dev/null; cat stdout; cat wait > $T/w; try write ctl 'exec nosuch\\n'; done | sort | uniq -c | tr -s ' ' | tr 0-9 N\n"
			  "mkdir children/c; echo 'exec sleep 1000' > children/c/ctl; echo destroy > children/c/ctl; until echo 'exec tty' > ctl; do :; done 2> /dev/null; cat wait | cut -d ' ' -f 1-3",
		.output = " N /dev/pts/N\r\n N ENOENT\n0 exit 0\n",
	},
	{
		.path = "/mount/pty/R101/no-devpts",
		.shells = "bash",
		.script = "cd $M; trap 'cd /; umount -l /dev/pts' EXIT; mount -t tmpfs tmpfs /dev/pts; echo 'pty on' > ctl; try write ctl 'exec tty\\n'; grep -o 'exec: .*' error | sed 's/ on [^ ]*$//'; cut -d ' ' -f 1,2 wait",
		.regex = "(ENODEV|ENOENT|ENXIO)\nexec: no pseudo terminals here: /dev/ptmx: [A-Z][a-z ]*; mount them: mount -t devpts devpts /dev/pts\n126 exec\n",
	},
	{
		.path = "/mount/pty/R101/no-descriptors",
		.shells = "bash",
		.script = "cd $M; echo 'sh echo $PPID' > ctl; w=$(cat stdout); cat wait > $T/w; old=$(prlimit --pid $w --nofile --noheadings -o SOFT,HARD | tr -s ' ' : | sed 's/^://; s/:$//')\n"
			  "prlimit --pid $w --nofile=3:; echo 'pty on' > ctl; try write ctl 'exec tty\\n'; grep -o 'EMFILE exec: .*' error | sed 's/ on [^ ]*$//'; grep ^link status\n"
			  "prlimit --pid $w --nofile=$old; echo 'exec true' > ctl; cut -d ' ' -f 1-3 wait",
		.output = "EMFILE\nEMFILE exec: no file descriptor left for a pseudo terminal: RLIMIT_NOFILE is 3; raise it: ulimit -Hn, or nofile in /etc/security/limits.conf\nlink up\n0 exit 0\n",
	},
};
/* clang-format on */

/* A devpts with @options on /dev/pts, or, to remount it, new options; its multiplexer stands on
 * /dev/ptmx too. 0, or -1 and errno. */
static int
mount_devpts(const char *options)
{
	gboolean again = g_str_has_prefix(options, "remount,");

	if (mount("devpts", "/dev/pts", "devpts", again ? MS_REMOUNT : 0,
		  strchr(options, ',') + 1) < 0)
		return -1;
	return again ? 0 : mount("/dev/pts/ptmx", "/dev/ptmx", NULL, MS_BIND, NULL);
}

/* An ordinary user may not open the multiplexer: say so, and what to do; doing it helps. */
static void
test_no_rights(Mount *mount)
{
	static const char try_it[] = "cd $M; echo 'pty on' > ctl; try write ctl 'exec tty\\n'\n"
				     "grep -o 'EACCES exec: .*' error | sed 's/ on [^ ]*$//'";
	g_autoptr(ShResult) without = NULL, with = NULL;

	g_assert_no_errno(mount_devpts("newinstance,ptmxmode=0000"));
	without = mount_sh(mount, "bash", try_it);
	g_assert_no_errno(mount_devpts("remount,ptmxmode=0666"));
	with = mount_sh(mount, "bash",
			"cd $M; : > error; echo 'exec tty' > ctl; cut -d ' ' -f 1-3 wait");
	umount2("/dev/ptmx", MNT_DETACH);
	umount2("/dev/pts", MNT_DETACH);
	g_assert_cmpstr(without->output, ==,
			"EACCES\n"
			"EACCES exec: no pseudo terminal: /dev/ptmx: Permission denied; give "
			"rights: mount -o "
			"remount,ptmxmode=666 /dev/pts\n");
	g_assert_cmpstr(with->output, ==, "0 exit 0\n");
}

static void
needs_root(void)
{
	g_test_skip("needs root");
}

int
main(int argc, char **argv)
{
	const MountSetup user = { .uid = 65534 };

	mount_test_init(&argc, &argv);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	if (geteuid() == 0)
		mount_test_add_cases(root_cases, G_N_ELEMENTS(root_cases));
	for (gsize i = 0; geteuid() != 0 && i < G_N_ELEMENTS(root_cases); i++)
		g_test_add_func(root_cases[i].path, needs_root);
	mount_test_add("/mount/pty/R101/no-rights", test_no_rights, &user);
	return mount_test_run();
}
