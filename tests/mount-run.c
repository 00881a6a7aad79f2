/* Runs: starting a command, every byte of short ones, what they leave behind, what a command
 * finds itself in, and the verbs that start and end commands (rows R50 to R55, R58 to R61; cases
 * T01, T08, T29, T60, T81, T94).
 *
 * The scripts learn pids from the commands themselves, through FIFOs in $T, and see a process
 * gone by `tail --pid`, which takes a zombie for alive. */
#include "tests/mount.h"

#include <unistd.h>

/* Make $T/daemons, a script that leaves two processes outside of its session, one of them
 * without its environment; they write their pids into the FIFO $T/pids, which is open as 3. */
#define DAEMONS                                                                               \
	"cd $M; mkfifo $T/pids; exec 3<> $T/pids; cat > $T/daemons <<END\n"                   \
	"exec > /dev/null 2>&1\n"                                                             \
	"setsid -f sh -c 'echo \\$\\$ > $T/pids; exec sleep 1000'\n"                          \
	"env -i /bin/sh -c '(setsid /bin/sh -c \"echo \\\\$\\\\$ > $T/pids; exec /bin/sleep " \
	"1000\" &) &'\n"                                                                      \
	"END\n"

/* Wait until the process is gone, and reaped. */
#define GONE "gone() { for p; do tail -s .01 --pid=$p -f /dev/null; done; echo gone; }\n"

/* clang-format off */
static const ShCase cases[] = {
	/* R50: all that a short command wrote is there when `wait` has its end. */
	{
		.path = "/mount/run/R50/short-runs",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'])\n"
			  "ctl = os.open('ctl', os.O_WRONLY)\n"
			  "def text(f):\n"
			  "    with open(f, 'rb') as file: return file.read()\n"
			  "short = 0\n"
			  "for i in range(800):\n"
			  "    os.write(ctl, b'exec echo %d\\n' % i)\n"
			  "    if i % 3 == 0: assert text('wait').startswith(b'0 exit 0 run=%d ' % (i + 1))\n"
			  "    short += text('stdout') != b'%d\\n' % i\n"
			  "    if i % 10 == 0: assert text('stderr') == b''\n"
			  "print(short)",
		.output = "0\n",
		.setup = {.seconds = 60},
	},
	{
		.path = "/mount/run/R50/eight-at-once",
		.shells = "python3",
		.script = "import os, threading\n"
			  "os.chdir(os.environ['M'])\n"
			  "short = []\n"
			  "def text(f):\n"
			  "    with open(f, 'rb') as file: return file.read()\n"
			  "def work(k):\n"
			  "    c = 'children/c%d/' % k\n"
			  "    os.mkdir(c)\n"
			  "    ctl = os.open(c + 'ctl', os.O_WRONLY)\n"
			  "    for i in range(100):\n"
			  "        os.write(ctl, b'sh echo o%d; echo e%d >&2; exit %d\\n' % (i, i, i % 7))\n"
			  "        end = text(c + 'wait')\n"
			  "        if not end.startswith(b'%d exit %d run=%d ' % (i % 7, i % 7, i + 1)): short.append(end)\n"
			  "        for f, b in (('stdout', b'o%d\\n' % i), ('stderr', b'e%d\\n' % i)):\n"
			  "            if text(c + f) != b: short.append((k, i, f))\n"
			  "threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]\n"
			  "for t in threads: t.start()\n"
			  "for t in threads: t.join()\n"
			  "print(short)",
		.output = "[]\n",
		.setup = {.seconds = 60},
	},
	{
		.path = "/mount/run/R50/last-bytes",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'])\n"
			  "def text(f):\n"
			  "    with open(f, 'rb') as file: return file.read()\n"
			  "for i, size in enumerate((0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 500000, 1048577, 3000000)):\n"
			  "    for j in range(4):\n"
			  "        open('ctl', 'w').write('exec head -c %d /dev/zero\\n' % size)\n"
			  "        text('wait')\n"
			  "        data = text('stdout')\n"
			  "        assert data == bytes(size), (size, len(data))\n"
			  "        assert os.stat('stdout').st_size == size or (size == 0 and os.stat('stdout').st_size == 0)",
		.output = "",
	},
	{
		.path = "/mount/run/T94/last-line-without-newline",
		.shells = "all",
		.script = "cd $M; printf '%s\\n' 'exec printf a\\\\nb' > ctl; cat wait > $T/w; cat stdout; echo; echo 'exec true' > ctl; cat stdout",
		.output = "a\nb\n",
	},
	/* What a cat that begins with sendfile(2) or splice(2) prints must not depend on a size
	 * that somebody saw before. */
	{
		.path = "/mount/run/R50/L8/size-seen-earlier",
		.shells = "busybox",
		.script = "cd $M; stat -c %s stdout wait; for i in 1 2 3; do echo \"exec echo $i\" > ctl; cat stdout; cat wait | cut -c 1-8; echo 'exec true' > ctl; cat wait > $T/w; stat -c %s stdout; done",
		.output = "0\n0\n1\n0 exit 0\n0\n2\n0 exit 0\n0\n3\n0 exit 0\n0\n",
	},
	/* R51: a grandchild that holds stdout. */
	{
		.path = "/mount/run/R51/wait-does-not-hang",
		.shells = "bash",
		.script = GONE "cd $M; mkfifo $T/pids; echo \"sh sleep 1000 & echo \\$! > $T/pids; echo text; exit 3\" > ctl\n"
			  "read p < $T/pids; read rc why arg rest < wait; echo $rc $why $arg\n"
			  "grep -E '^(state|code) ' status; read line < stdout; echo $line\n"
			  "cat stdout > $T/out & c=$!; try parked $c\n"
			  "kill $p; wait $c; cat $T/out; gone $p",
		.output = "3 exit 3\nstate exited\ncode 3\ntext\ntext\ngone\n",
	},
	{
		.path = "/mount/run/R51/close",
		.shells = "bash",
		.script = GONE "cd $M; mkfifo $T/pids $T/go\n"
			  "echo \"sh sh -c 'echo \\$\\$ > $T/pids; read x < $T/go; exec yes' & echo text\" > ctl\n"
			  "read p < $T/pids; cat wait > $T/wait\n"
			  "cat stdout > $T/out & a=$!; cat stderr > $T/err & b=$!; try parked $a $b\n"
			  "echo 'close stdout' > ctl; wait $a; cat $T/out\n"
			  "echo 'close stderr' > ctl; wait $b; cat $T/err\n"
			  "echo > $T/go; gone $p; stat -c %s stdout",
		.output = "text\ngone\n5\n",
	},
	{
		.path = "/mount/run/R51/next-run-beside-it",
		.shells = "bash",
		.script = "cd $M; mkfifo $T/go\n"
			  "echo \"sh (read x < $T/go; echo late) & echo early\" > ctl; cat wait > $T/wait\n"
			  "exec 3< stdout; read x <&3; echo $x; cat <&3 > $T/old & p=$!; try parked $p\n"
			  "echo 'exec echo new' > ctl; cat stdout; echo > $T/go; wait $p; cat $T/old; cat stdout",
		.output = "early\nnew\nlate\nnew\n",
	},
	/* A holder that nobody reads must not be held up by the run after its own. */
	{
		.path = "/mount/run/R51/old-output-is-drained",
		.shells = "bash",
		.script = "cd $M; mkfifo $T/go $T/done\n"
			  "echo \"sh (read x < $T/go; head -c 3000000 /dev/zero; echo done > $T/done) & echo early\" > ctl\n"
			  "cat wait > $T/wait; echo 'exec echo new' > ctl; cat stdout\n"
			  "echo > $T/go; cat $T/done; cat stdout",
		.output = "new\ndone\nnew\n",
	},
	/* R52: whatever a command has detached ends with it. */
	{
		.path = "/mount/run/R52/kill",
		.shells = "bash",
		.script = DAEMONS GONE "echo \"sh sh $T/daemons; exec sleep 1000\" > ctl; read a <&3; read b <&3\n"
			  "echo kill > ctl; read rc why x < wait; echo $rc $why; gone $a $b",
		.output = "137 signal\ngone\n",
		.errors = "",
	},
	{
		.path = "/mount/run/R52/kill-when-the-leader-is-gone",
		.shells = "bash",
		.script = DAEMONS GONE "echo \"exec sh $T/daemons\" > ctl; read a <&3; read b <&3\n"
			  "read rc why x < wait; echo $rc $why; kill -0 $a && kill -0 $b && echo alive\n"
			  "echo kill > ctl; gone $a $b; echo kill > ctl; grep -o 'ESRCH kill' error",
		.output = "0 exit\nalive\ngone\nESRCH kill\n",
		.errors = "No such process",
		.code = 0,
	},
	{
		.path = "/mount/run/R52/stop",
		.shells = "bash",
		.script = DAEMONS GONE "echo \"sh sh $T/daemons; exec sleep 1000\" > ctl; read a <&3; read b <&3\n"
			  "echo stop > ctl; read rc why arg x < wait; echo $rc $why $arg; gone $a $b",
		.output = "143 signal TERM\ngone\n",
	},
	{
		.path = "/mount/run/R52/rmdir",
		.shells = "bash",
		.script = DAEMONS GONE "cd children; mkdir c; echo \"exec sh $T/daemons\" > c/ctl; read a <&3; read b <&3\n"
			  "cat c/wait > $T/w; kill -0 $a && kill -0 $b && rmdir c && ls; gone $a $b",
		.output = "gone\n",
	},
	{
		.path = "/mount/run/R52/rmdir-after-many-runs",
		.shells = "bash",
		.script = DAEMONS GONE "cd children; mkdir c; for i in 1 2 3; do\n"
			  "	echo \"exec sh $T/daemons\" > c/ctl; read a <&3; read b <&3; all=\"$all $a $b\"; cat c/wait > $T/w\n"
			  "done\n"
			  "echo reset > c/ctl; kill -0 $all && rmdir c; gone $all",
		.output = "gone\n",
	},
	{
		.path = "/mount/run/R52/destroy",
		.shells = "bash",
		.script = DAEMONS GONE "mkdir children/c children/c/children/d; cd children\n"
			  "echo \"sh sh $T/daemons; exec sleep 1000\" > c/ctl; read a <&3; read b <&3\n"
			  "echo \"exec sh $T/daemons\" > c/children/d/ctl; read e <&3; read f <&3; cat c/children/d/wait > $T/w\n"
			  "echo destroy > c/ctl; ls; gone $a $b $e $f",
		.output = "gone\n",
	},
	{
		.path = "/mount/run/R52/siblings-are-spared",
		.shells = "bash",
		.script = DAEMONS GONE "cd children; mkdir c d\n"
			  "for i in c d; do echo \"exec sh $T/daemons\" > $i/ctl; read a <&3; read b <&3; eval $i=\"'$a $b'\"; cat $i/wait > $T/w; done\n"
			  "rmdir c; gone $c; kill -0 $d && echo alive; echo kill > d/ctl; gone $d",
		.output = "gone\nalive\ngone\n",
	},
	/* R53, T08: a command that cannot be executed never was. */
	{
		.path = "/mount/run/R53/exec",
		.shells = "bash",
		.script = "cd $M; echo '#!/no/such/interpreter' > $T/script; printf '\\1\\2\\3\\4' > $T/noexec; : > $T/plain; ln -s loop $T/loop\n"
			  "chmod +x $T/script $T/noexec $T/loop 2> /dev/null\n"
			  "for c in nosuch /no/such /etc $T/plain $T/noexec $T/script $T/plain/x $T/loop \"''\" ''; do\n"
			  "	try write ctl \"exec $c\\n\"; read -r rc why arg rest < wait; echo $rc $why $arg\n"
			  "done; grep -E '^(state|run|code|why) ' status",
		.output = "ENOENT\n127 exec ENOENT\nENOENT\n127 exec ENOENT\nEACCES\n126 exec EACCES\nEACCES\n126 exec EACCES\n"
			  "ENOEXEC\n126 exec ENOEXEC\nENOENT\n127 exec ENOENT\nENOTDIR\n126 exec ENOTDIR\nELOOP\n126 exec ELOOP\n"
			  "ENOENT\n126 exec ELOOP\nEINVAL\n126 exec ELOOP\n"
			  "state exited\nrun 8\ncode 126\nwhy exec ELOOP\n",
	},
	{
		.path = "/mount/run/R53/keeps-output-and-input",
		.shells = "all",
		.script = "cd $M; echo 'exec echo first' > ctl; cat wait > $T/w; echo reset > ctl; echo 'exec echo first' > ctl; cat wait > $T/w\n"
			  "try write ctl 'exec nosuch\\n'; cat stdout; read -r rc rest < wait; echo $rc\n"
			  "echo reset > ctl; echo input > stdin; try write ctl 'exec nosuch\\n'; try write ctl 'exec cat\\n'; cat stdout",
		.output = "ENOENT\nfirst\n127\nENOENT\n9\ninput\n",
	},
	{
		.path = "/mount/run/T08/names-the-command",
		.shells = "bash",
		.script = "cd $M; try write ctl 'exec nosuch-program x\\n'; grep -c 'ENOENT exec: \"nosuch-program\" .*PATH=' error\n"
			  "try write ctl 'exec /no/such/program\\n'; grep -c 'ENOENT exec: .*/no/such/program' error",
		.output = "ENOENT\n1\nENOENT\n1\n",
	},
	/* R54, T60: ways to end. */
	{
		.path = "/mount/run/R54/ends",
		.shells = "all",
		.script = "cd $M; for c in true false 'sh exit 255' 'sh kill -KILL $$' 'sh kill -TERM $$' 'sh ulimit -c 0; kill -SEGV $$'; do\n"
			  "	case $c in sh*) ;; *) c=\"exec $c\";; esac\n"
			  "	printf '%s\\n' \"$c\" > ctl; read -r rc why arg rest < wait; echo $rc $why $arg\n"
			  "done",
		.output = "0 exit 0\n1 exit 1\n255 exit 255\n137 signal KILL\n143 signal TERM\n139 signal SEGV\n",
	},
	/* R55: children of commands that nobody waits for, and many ends at once. */
	{
		.path = "/mount/run/R55/no-zombies",
		.shells = "python3",
		.script = "import os, re, select\n"
			  "os.chdir(os.environ['M'])\n"
			  "def text(f):\n"
			  "    with open(f, 'rb') as file: return file.read()\n"
			  "ctl = os.open('ctl', os.O_WRONLY)\n"
			  "os.write(ctl, b'sh echo $PPID\\n')\n"
			  "worker = int(text('stdout'))\n"
			  "watcher = int(text('/proc/%d/stat' % worker).rpartition(b')')[2].split()[1])\n"
			  "for i in range(40):\n"
			  "    os.write(ctl, b'sh for i in 1 2 3; do (setsid -f true; true &) > /dev/null 2>&1; done; exit 3\\n')\n"
			  "    assert text('wait').startswith(b'3 exit 3 run=%d ' % (i + 2))\n"
			  "def zombies():\n"
			  "    below, states = {}, {}\n"
			  "    for p in filter(str.isdigit, os.listdir('/proc')):\n"
			  "        try: fields = text('/proc/%s/stat' % p).rpartition(b')')[2].split()\n"
			  "        except OSError: continue\n"
			  "        if int(fields[1]) in (worker, watcher) and fields[0] == b'Z': yield p\n"
			  "while list(zombies()): select.select([], [], [], 0.01)\n"
			  "print('none')",
		.output = "none\n",
	},
	{
		.path = "/mount/run/R55/many-ends-at-once",
		.shells = "bash",
		.script = "cd $M/children; mkdir c{1..40}; mkfifo $T/go; for c in *; do echo \"sh read x < $T/go; exit 7\" > $c/ctl; done\n"
			  "cat */wait > $T/ends & p=$!; exec 3<> $T/go; yes | head -40 >&3; wait $p\n"
			  "cut -d ' ' -f 1-4 $T/ends | sort | uniq -c | tr -s ' '",
		.output = " 40 7 exit 7 run=1\n",
	},
	{
		.path = "/mount/run/R55/many-kills-at-once",
		.shells = "bash",
		.script = "cd $M/children; mkdir c{1..40}; for c in *; do echo 'exec sleep 1000' > $c/ctl; done\n"
			  "kill -KILL $(sed -n 's/^pid //p' */status); cat */wait | cut -d ' ' -f 1-4 | sort | uniq -c | tr -s ' '",
		.output = " 40 137 signal KILL run=1\n",
	},
	/* R60: the command's ends block, and are its own. */
	{
		.path = "/mount/run/R60/blocking",
		.shells = "bash",
		.script = "cd $M; echo 'exec python3 -c \"import fcntl, os; print([fcntl.fcntl(i, fcntl.F_GETFL) & os.O_NONBLOCK for i in (0, 1, 2)])\"' > ctl; cat stdout\n"
			  "mkdir children/c; echo 'connect local' > children/c/ctl; cat ctl > /dev/null\n"
			  "echo 'exec python3 -c \"import fcntl, os; print([fcntl.fcntl(i, fcntl.F_GETFL) & os.O_NONBLOCK for i in (0, 1, 2)])\"' > children/c/ctl; cat children/c/stdout",
		.output = "[0, 0, 0]\n[0, 0, 0]\n",
	},
	{
		.path = "/mount/run/R60/made-nonblocking-by-the-command",
		.shells = "bash",
		.script = "cd $M; mkfifo $T/go; cat > $T/p.py <<'END'\n"
			  "import os, select\n"
			  "for fd in (0, 1, 2): os.set_blocking(fd, False)\n"
			  "data, got = bytes(range(256)) * 8192, b''\n"
			  "while data:\n"
			  "    select.select([], [1], [])\n"
			  "    data = data[os.write(1, data[:65536]):]\n"
			  "while True:\n"
			  "    select.select([0], [], [])\n"
			  "    part = os.read(0, 65536)\n"
			  "    if not part: break\n"
			  "    got += part\n"
			  "os.write(2, b'%d\\n' % len(got))\n"
			  "END\n"
			  "echo \"exec python3 $T/p.py\" > ctl; cat stdout | wc -c & head -c 300000 /dev/zero > stdin; wait $!; cat stderr",
		.output = "2097152\n300000\n",
	},
	/* T29: one large write. */
	{
		.path = "/mount/run/T29/one-write",
		.shells = "bash",
		.script = "cd $M; for place in true 'connect local'; do mkdir children/c; echo \"async $place\" 2> /dev/null > children/c/ctl\n"
			  "	for f in 1 2; do\n"
			  "		echo \"exec python3 -c 'import os, sys; n = os.write($f, bytes(1 << 20)); os.write(3 - $f, b\\\"%d\\\" % n)'\" > children/c/ctl\n"
			  "		cat children/c/stdout | wc -c; cat children/c/stderr | wc -c\n"
			  "	done; cat children/c/wait > $T/w; rmdir children/c\n"
			  "done",
		.output = "1048576\n7\n7\n1048576\n1048576\n7\n7\n1048576\n",
	},
	/* R61: what a command finds itself in. */
	{
		.path = "/mount/run/R61/descriptors",
		.shells = "bash",
		.script = "cd $M; exec 5< /dev/null 6> $T/x; printf 'exec dash -c %q\\n' 'for i in $(seq 0 1100); do [ ! -e /proc/$$/fd/$i ] || echo $i; done' > $T/fds\n"
			  "cat $T/fds > ctl; cat stdout; mkdir children/c; echo 'connect local' > children/c/ctl; cat $T/fds > children/c/ctl; cat children/c/stdout\n"
			  "echo 'pty on' > children/c/ctl; cat $T/fds > children/c/ctl; cat children/c/stdout",
		.output = "0\n1\n2\n0\n1\n2\n0\r\n1\r\n2\r\n",
	},
	{
		.path = "/mount/run/R61/signals-session-limits",
		.shells = "bash",
		.script = "cd $M; echo 'exec cat /proc/self/status' > ctl; grep -E '^(Sig|Shd)[^Q]*:' stdout | cut -f 2 | sort | uniq -c | tr -s ' \\t'\n"
			  "echo 'exec cat /proc/self/limits' > ctl; diff <(cat stdout) /proc/self/limits | grep -v realtime.timeout | grep '^[<>]'\n"
			  "echo 'exec cat /proc/self/stat' > ctl; read pid name state ppid pgrp session tty rest < stdout; echo $((pid - pgrp)) $((pid - session)) $tty\n"
			  "grep -cx \"pid $pid\" status; echo 'sh umask' > ctl; [ $(cat stdout) = $(umask) ]; echo $?\n"
			  "echo 'exec pwd' > ctl; [ $(cat stdout) = $(eval echo ~$(id -un)) ]; echo $?",
		.output = " 5 0000000000000000\n0 0 0\n1\n0\n0\n",
	},
	/* The same where mitofs itself was started with other things in the way. */
	{
		.path = "/mount/run/R61/hostile-start",
		.shells = "bash",
		.script = "(trap '' USR1 INT HUP PIPE CHLD; umask 027; exec 5< /dev/null 8> $T/x; exec $MITOFS $M < /dev/null > $T/start 2>&1); cd $M\n"
			  "echo 'exec cat /proc/self/status' > ctl; grep -E '^(Sig|Shd)[^Q]*:' stdout | cut -f 2 | sort | uniq -c | tr -s ' \\t'\n"
			  "printf 'exec dash -c %q\\n' 'for i in $(seq 0 1100); do [ ! -e /proc/$$/fd/$i ] || echo $i; done; umask' > ctl\n"
			  "cat stdout; cd /; echo shutdown > $M/ctl; until ! grep -q \" $M \" /proc/mounts; do :; done",
		.output = " 5 0000000000000000\n0\n1\n2\n0027\n",
		.setup = {.unmounted = TRUE},
	},
	/* T01: who is whose child. T81: the environment is the mount's, the directory the user's
	 * home. */
	{
		.path = "/mount/run/T01/T65/pids",
		.shells = "bash",
		.script = "cd $M; echo 'sh echo $$ $PPID; read x' > ctl; read -r pid parent < stdout; [ $pid != $parent ] && cat /proc/$parent/comm\n"
			  "grep -cx \"pid $pid\" status; read -r a b c d e < /proc/$parent/stat; cat /proc/$d/comm; read -r a b c d e < /proc/$d/stat; cat /proc/$d/comm\n"
			  "echo x > stdin; read -r rc rest < wait; echo $rc",
		.output = "ctx-agent\n1\nctx-agent\nmitofs\n0\n",
	},
	{
		.path = "/mount/run/T81/environment",
		.shells = "bash",
		.script = "cd $M; echo 'exec env' > ctl; diff <(sort stdout) <(env | sort) | grep '^[<>]' | grep -vE '^. (PWD|OLDPWD|SHLVL|_)='; echo 'exec pwd' > ctl; [ $(cat stdout) = $(eval echo ~$(id -un)) ] && echo home",
		.output = "home\n",
	},
	/* The verbs. */
	{
		.path = "/mount/run/verbs/exec-quoting",
		.shells = "bash",
		.script = "cd $M; printf 'exec printf %%s\\\\\\\\n %q %q %q %q\\n' 'a b' $'x\\ny' \"it's \\\"q\\\"\" $'\\xff#' > ctl; cat stdout",
		.output = "a b\nx\ny\nit's \"q\"\n\377#\n",
	},
	{
		.path = "/mount/run/verbs/sh",
		.shells = "all",
		.script = "cd $M; printf '%s\\n' 'sh echo \"a  b\" '\\''c'\\'' # d; x=1; echo $((x + 1)) | cat' 'sh echo $0 >&2; x=2; echo $x' > $T/s\n"
			  "while IFS= read -r line; do printf '%s\\n' \"$line\" > ctl; cat stdout; cat wait > $T/w; done < $T/s\n"
			  "echo 'shell /bin/dash' > ctl; echo 'sh echo $0' > ctl; cat stdout; grep '^argv' status",
		.output = "a  b c\n2\n/bin/dash\nargv /bin/dash -c 'echo $0'\n",
	},
	{
		.path = "/mount/run/verbs/login",
		.shells = "bash",
		.script = "cd $M; printf 'shell /bin/dash\\nlogin\\n' > ctl; echo 'echo \"<$0>\"; tty; exit 3' >> stdin; cat stdout > $T/out\n"
			  "grep -o '<-dash>' $T/out; grep -o '/dev/pts/[0-9]*' $T/out | sed 's/[0-9]*$//'; read -r rc rest < wait; echo $rc\n"
			  "echo again > ctl; echo 'exit 4' >> stdin; read -r rc rest < wait; echo $rc; sed 1d ctl",
		.output = "<-dash>\n/dev/pts/\n3\n4\ndefaults\nshell /bin/dash\n",
	},
	{
		.path = "/mount/run/verbs/again",
		.shells = "all",
		.script = "cd $M; try write ctl 'again\\n'; echo 'sh echo x >> $HOME/again; wc -l < $HOME/again; exit 3' > ctl\n"
			  "for i in 1 2 3; do cat stdout; read -r rc rest < wait; echo $rc; echo again > ctl; done; grep '^run' status; cat wait > $T/w\n"
			  "try write ctl 'exec nosuch\\n'; try write ctl 'again\\n'; grep '^run' status; echo reset > ctl; try write ctl 'again\\n'",
		.output = "ESRCH\n1\n3\n2\n3\n3\n3\nrun 4\nENOENT\nENOENT\nrun 6\nESRCH\n",
	},
	{
		.path = "/mount/run/verbs/reset",
		.shells = "all",
		.script = "cd $M; echo 'winsize 100 30' > ctl; echo reset > ctl; echo 'sh echo out; exec sleep 1000' > ctl; read -r x < stdout; try write ctl 'reset\\n'\n"
			  "echo kill > ctl; cat stdout; cat wait > $T/w; echo reset > ctl; cat stdout stderr wait; grep -E '^(state|run|pid|argv|code|why|stdout) ' status; cat ctl | sed 1d\n"
			  "stat -c %s stdout; echo in > stdin; echo 'exec cat' > ctl; cat stdout; cut -d ' ' -f 4 wait",
		.output = "EBUSY\nout\nstate idle\nrun -\npid -\nargv -\ncode -\nwhy -\nstdout 0\ndefaults\nwinsize 100 30\n0\nin\nrun=2\n",
	},
	{
		.path = "/mount/run/verbs/eof",
		.shells = "all",
		.script = "cd $M; echo 'exec wc -c' > ctl; printf abc >> stdin; echo eof > ctl; cat stdout; cat wait > $T/w; try write ctl 'eof\\n'\n"
			  "try write stdin x; grep -c 'EPIPE eof: ' error; echo reset > ctl; printf ab >> stdin; echo eof > ctl; echo 'exec wc -c' > ctl; cat stdout",
		.output = "3\nEPIPE\nEPIPE\n1\n2\n",
	},
	{
		.path = "/mount/run/verbs/nothing-to-end",
		.shells = "all",
		.script = "cd $M; for v in stop kill cancel; do try write ctl \"$v\\n\"; done; try write ctl 'close stdout\\n'; try write ctl 'close stdin\\n'\n"
			  "echo 'exec true' > ctl; cat wait > $T/w; for v in stop kill cancel; do try write ctl \"$v\\n\"; done; read -r rc why arg run rest < wait; echo $rc $why $arg $run",
		.output = "ESRCH\nESRCH\nESRCH\nESRCH\nEINVAL\nESRCH\nESRCH\nESRCH\n0 exit 0 run=1\n",
	},
	{
		.path = "/mount/run/verbs/R33/close",
		.shells = "bash",
		.script = "cd $M; echo 'exec yes' > ctl; head -2 stdout; echo 'close stdout' > ctl; read -r rc why arg rest < wait; echo $rc $why $arg\n"
			  "echo 'sh yes >&2' > ctl; echo 'close stdout' > ctl; head -1 stderr; grep ^state status; echo 'close stderr' > ctl; cat wait | wc -l",
		.output = "y\ny\n141 signal PIPE\ny\nstate running\n1\n",
	},
	/* R58: TERM reaches what is stopped, and KILL what does not heed it, after `grace`. */
	{
		.path = "/mount/run/R58/stop-while-stopped",
		.shells = "bash",
		.script = "cd $M; echo 'exec sleep 1000' > ctl; echo STOP > signal; until grep -qx 'state stopped' status; do :; done\n"
			  "echo stop > ctl; read -r rc why arg rest < wait; echo $rc $why $arg",
		.output = "143 signal TERM\n",
	},
	{
		.path = "/mount/run/verbs/T59/grace",
		.shells = "bash",
		.script = "cd $M; echo 'grace 0.3' > ctl; cat > $T/p.py <<'END'\n"
			  "import signal\n"
			  "signal.signal(signal.SIGTERM, lambda *a: print('term', flush=True))\n"
			  "print('ready', flush=True)\n"
			  "while True: signal.pause()\n"
			  "END\n"
			  "echo \"exec python3 $T/p.py\" > ctl; read x < stdout; echo stop > ctl\n"
			  "read -r rc why arg run rest < wait; echo $rc $why $arg; cat stdout\n"
			  "printf 'timeout 2\\nagain\\n' > ctl; read -r rc why arg run real rest < wait; echo $rc $why $arg; awk 'BEGIN { print (substr(ARGV[1], 6) >= 2.2) }' $real",
		.output = "137 signal KILL\nready\nterm\n124 timeout 2\n1\n",
	},
	{
		.path = "/mount/run/verbs/timeout",
		.shells = "all",
		.script = "cd $M; printf 'timeout 0.2\\nexec sleep 1000\\n' > ctl; read -r rc why arg rest < wait; echo $rc $why $arg\n"
			  "printf 'timeout none\\nsh echo x; exec sleep 1000\\n' > ctl; read -r x < stdout; echo 'timeout 0.1' > ctl; read -r rc why arg rest < wait; echo $rc $why $arg\n"
			  "echo 'timeout 30' > ctl; echo 'exec sh -c \"exit 5\"' > ctl; read -r rc why arg rest < wait; echo $rc $why $arg",
		.output = "124 timeout 0.2\n124 timeout 0.1\n5 exit 5\n",
	},
	{
		.path = "/mount/run/verbs/onclose",
		.shells = "bash",
		.script = "cd $M; for mode in hup kill; do\n"
			  "	printf 'onclose %s\\nsh sleep 1000 & echo $!; wait; exec sleep 1000\\n' $mode > ctl; read -r p < stdout\n"
			  "	exec 3>> stdin 4>> stdin; exec 3>&- 5>&4 4>&-; grep ^state status; exec 5>&-; read -r rc why arg rest < wait; echo $rc $why $arg\n"
			  "	tail -s .01 --pid=$p -f /dev/null\n"
			  "done; printf 'onclose none\\nexec sleep 1000\\n' > ctl; echo x > stdin; until grep -qx 'stdin ended' status; do :; done; grep ^state status",
		.output = "state running\n129 signal HUP\nstate running\n137 signal KILL\nstate running\n",
	},
	{
		.path = "/mount/run/verbs/busy",
		.shells = "bash",
		.script = "cd $M; echo 'exec sleep 1000' > ctl; for v in 'exec true' 'sh true' login again reset 'cwd /' defaults 'disconnect' 'connect local'; do try write ctl \"$v\\n\"; done\n"
			  "grep -c 'EBUSY exec: a command runs (run 1, running)' error; grep '^run' status",
		.output = "EBUSY\nEBUSY\nEBUSY\nEBUSY\nEBUSY\nEBUSY\nEBUSY\nEPERM\nEPERM\n1\nrun 1\n",
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
