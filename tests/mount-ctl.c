/* ctl: the grammar as shells and programs really write it, outcomes and who gets them, what is
 * dropped, and what happens to a write that waits (rows R19 to R30; the settings' own values are
 * in mount-settings.c).
 *
 * Two things make a verb wait here for as long as a test wants. HANG begins a second mitofs,
 * stops it, and leads the next commands' working directory into it, so that their execve does
 * not come; FREE lets it go. AGENT finds the process that starts the commands, which can be
 * stopped, so that everything that asks it waits. */
#include "tests/mount.h"

#include <signal.h>

#define HANG                                                                                  \
	"mkdir $T/m; $MITOFS -f $T/m 2> /dev/null & second=$!; until [ -e $T/m/ctl ]; do :; " \
	"done\n"                                                                              \
	"echo \"cwd $T/m/children/x\" > $M/ctl; kill -STOP $second\n"
#define FREE "kill -CONT $second; kill $second; wait $second\n"
#define AGENT                                                                                \
	"echo 'exec sh -c \"echo $PPID\"' > $M/ctl; read -r agent < $M/stdout; read -r x < " \
	"$M/wait; echo reset > $M/ctl\n"
#define UNTIL(pattern, file) "until grep -q '" pattern "' " file "; do :; done\n"
/* What went wrong last, without its time. */
#define LAST "tail -n 1 error | cut -d' ' -f 3-"
/* One write(2) each, on one open file; prints what they returned. */
#define PYTHON                                                                   \
	"import os, errno, signal, subprocess, sys, threading\n"                 \
	"os.chdir(os.environ['M'])\n"                                            \
	"def write(fd, data):\n"                                                 \
	"    try: return os.write(fd, data.encode('latin-1'))\n"                 \
	"    except OSError as error: return errno.errorcode[error.errno]\n"     \
	"def writes(*all, flags=0):\n"                                           \
	"    fd = os.open('ctl', os.O_WRONLY | flags)\n"                         \
	"    print(*[write(fd, data) for data in all])\n"                        \
	"    os.close(fd)\n"                                                     \
	"def read(file): return open(file, encoding='latin-1').read()\n"         \
	"def errors(): return [line.split(' ', 2)[2].rstrip('\\n') for line in " \
	"read('error').splitlines()]\n"                                          \
	"def status(key): return dict(line.split(' ', 1) for line in "           \
	"read('status').splitlines())[key]\n"

/* clang-format off */
static const ShCase cases[] = {
	/* R19 */
	{
		.path = "/mount/ctl/R19/unknown-verb",
		.shells = "all",
		.script = "cd $M; tail -n +2 status | grep -v usec > $T/before; for v in frobnicate EXEC 'exec2 true' \"'exec true'\" \"''\" 'async nosuch' 'async async exec true' -a; do try write ctl \"$v\\n\"; done | sort | uniq -c | tr -s ' '\n"
			  "try write ctl 'x\\033[2J\\377 y\\n'; cut -d' ' -f 2- error; tail -n +2 status | grep -v usec | diff $T/before - | grep '^[<>]' | grep -v bytes; true",
		.regex = " 8 EOPNOTSUPP\nEOPNOTSUPP\n1 EOPNOTSUPP frobnicate: unknown command \"frobnicate\"\n.*9 EOPNOTSUPP x\\\\x1b\\[2J\\\\xff: unknown command [^\n\\033]*\n([^\n]*\n)*",
		.code = 0,
	},
	{
		.path = "/mount/ctl/R19/arguments",
		.shells = "bash",
		.script = "cd $M; mkdir children/a; cd children/a; for v in exec sh 'async sh' 'login x' 'again x' 'eof x' 'stop 1' 'kill 9' close 'close stdin' 'close stdout stderr' 'cancel x' 'reset x' 'destroy x' 'shutdown now' connect 'disconnect x' 'defaults x' 'async' 'async exec' 'connect nosuch' 'connect local x'; do [ \"$(try write ctl \"$v\\n\")\" = EINVAL ] || echo \"$v: $(try write ctl \"$v\\n\")\"; done\n"
			  "grep -E '^(state|run|place) ' status; try write ctl \"exec ''\\n\"; " LAST,
		.output = "place /\nstate idle\nrun -\nENOENT\nENOENT exec: the name of the command is empty\n",
	},
	{
		.path = "/mount/ctl/R19/quotes",
		.shells = "all",
		.script = "cd $M; exec 3< events; for v in \"exec touch $T/x '\" \"exec touch $T/x \\\"a\" \"exec touch $T/x \\$'\"; do\n"
			  "	echo \"$v\" > ctl; read -r time path what verb error <&3; echo $what $verb $error; " LAST "\n"
			  "done; grep ^run status; ls $T",
		.output = "failed verb=ctl error=EINVAL\nEINVAL ctl: unfinished command dropped\nfailed verb=ctl error=EINVAL\nEINVAL ctl: unfinished command dropped\n"
			  "failed verb=ctl error=EINVAL\nEINVAL ctl: unfinished command dropped\nrun -\n",
	},
	/* R20 */
	{
		.path = "/mount/ctl/R20/numbers-change-nothing",
		.shells = "all",
		.script = "cd $M; echo 'grace 7' > ctl; for n in -1 x 0x10 1e3 7h 99999999999999999999999 '' ' ' 1,5 NaN; do try write ctl \"grace '$n'\\n\"; done | sort | uniq -c | tr -s ' '; tail -n +3 ctl",
		.output = " 10 EINVAL\ngrace 7\n",
	},
	/* R21: commands of one write run in order until one fails; the failed one is answered to
	 * who comes again. */
	{
		.path = "/mount/ctl/R21/partial-result",
		.shells = "python3",
		.script = PYTHON
			  "a, b, bad, d = 'umask 0001\\n', 'nice 2\\n', 'exec nosuch\\n', 'fanout 4\\n'\n"
			  "writes(a + b + bad + d, bad + d)\n"
			  "print(read('ctl').splitlines()[2:], status('run'), len(errors()))\n"
			  "writes('defaults\\n' + bad, bad, bad)\n"
			  "print(status('run'), len(errors()))\n"
			  "writes('umask 0002\\n' + bad + d, d, bad)\n"
			  "print(read('ctl').splitlines()[2:], status('run'), len(errors()))\n"
			  "writes(bad + d, d)\n"
			  "writes(a + b + d)\n"
			  "print(read('ctl').splitlines()[2:], status('run'), len(errors()))\n",
		.output = "18 ENOENT\n['umask 0001', 'nice 2'] 1 1\n9 ENOENT ENOENT\n3 3\n11 9 ENOENT\n['umask 0002', 'fanout 4'] 5 5\n"
			  "ENOENT 9\n27\n['umask 0001', 'nice 2', 'fanout 4'] 6 6\n",
	},
	/* What is bad may be the grammar, and begin in the write before. */
	{
		.path = "/mount/ctl/R21/partial-result-of-tails",
		.shells = "python3",
		.script = PYTHON
			  "writes('umask 0001\\nexec no', 'such\\nfanout 2\\n', 'fanout 3\\n')\n"
			  "print(read('ctl').splitlines()[2:], status('run'))\n"
			  "writes('umask 0002\\nexec a\\0b\\nfanout 4\\n', 'exec a\\0b\\nfanout 4\\n', 'fanout 5\\n')\n"
			  "writes('umask 0003\\nexec a\\r\\nfanout 6\\n', 'fanout 7\\n')\n"
			  "print(read('ctl').splitlines()[2:], status('run'), len(errors()))\n",
		.output = "18 ENOENT 9\n['umask 0001', 'fanout 3'] 1\n11 EINVAL 9\n11 9\n['umask 0003', 'fanout 7'] 1 3\n",
	},
	{
		.path = "/mount/ctl/R21/programs",
		.shells = "all",
		.script = "cd $M; printf 'umask 0001\\nexec nosuch\\numask 0002\\n' > $T/f; n=0\n"
			  "for c in \"/bin/cat $T/f\" \"/bin/dd if=$T/f\" \"/usr/bin/tee -a $T/null\" \"/bin/sed -n p\" \"/usr/bin/awk 1\" \"/usr/bin/head -n 9\" \"/usr/bin/printf umask\\\\0401\\\\nexec\\\\040nosuch\\\\numask\\\\0402\\\\n\"; do\n"
			  "	$c > ctl < $T/f 2> $T/err && echo no failure: $c; grep -q 'No such file' $T/err || cat $T/err; n=$((n + 1))\n"
			  "	[ \"$(grep -E '^(umask|run|code) ' ctl status)\" = \"ctl:umask 0001\nstatus:run $n\nstatus:code 127\" ] || { echo $c; grep . ctl status; }; echo defaults > ctl\n"
			  "done; wc -l < error",
		.output = "7\n",
	},
	/* bash goes on with the next line, dash and busybox end there. */
	{
		.path = "/mount/ctl/R21/shells",
		.shells = "all",
		.script = "cd $M; printf 'umask 0001\\nexec nosuch\\numask 0002\\n' > ctl; echo $? $(grep -E '^(umask|run) ' ctl status) $(wc -l < error)",
		.regex = "1 ctl:umask 000[12] status:run 1 1\n",
		.errors = "",
	},
	/* R22 */
	{
		.path = "/mount/ctl/R22/no-newline",
		.shells = "all",
		.script = "cd $M; exec 3< events; printf 'exec echo tail' > ctl; read -r time path what rest <&3; echo $what $rest | sed 's/pid=.*/pid/'; cat stdout; cat wait > /dev/null\n"
			  "printf %s 'umask 0011' > ctl; until grep -q umask ctl; do :; done\n"
			  "printf 'exec nosuch' > ctl; read -r time path what rest <&3; read -r time path what rest <&3; until grep -q nosuch error; do :; done; cut -d' ' -f 3-5 error",
		.output = "started run=1 pid\ntail\nENOENT exec: \"nosuch\"\n",
	},
	{
		.path = "/mount/ctl/R22/unfinished-dropped",
		.shells = "python3",
		.script = PYTHON
			  "events = open('events')\n"
			  "for parts in (['exec ', 'echo x'], ['umask 0\\nexec echo x'], ['exec echo ' + 'x' * 4086], [\"exec echo 'x\"], ['exec echo x', ' \\n', 'exec echo y'], ['exec echo x\\\\']):\n"
			  "    writes(*parts)\n"
			  "    while 'failed' not in events.readline(): pass\n"
			  "    print(errors()[-1], status('run'))\n",
		.output = "5 6\nEINVAL ctl: unfinished command dropped -\n19\nEINVAL ctl: unfinished command dropped -\n4096\nEINVAL ctl: unfinished command dropped -\n12\nEINVAL ctl: unfinished command dropped -\n"
			  "11 2 11\nEINVAL ctl: unfinished command dropped 1\n12\nEINVAL ctl: unfinished command dropped 1\n",
	},
	/* A long one without its newline runs when it came whole. */
	{
		.path = "/mount/ctl/R22/no-newline-length",
		.shells = "python3",
		.script = PYTHON
			  "events = open('events')\n"
			  "writes('exec echo ' + 'x' * 4085)\n"
			  "while 'started' not in events.readline(): pass\n"
			  "print(len(read('stdout')))\n",
		.output = "4095\n4086\n",
	},
	/* A writer that is killed has not said what it wanted. */
	{
		.path = "/mount/ctl/R22/killed-writer",
		.shells = "bash",
		.script = "cd $M; exec 3< events; mkfifo $T/p; cat $T/p > ctl & p=$!; exec 4> $T/p; printf 'exec touch ' >&4; printf '%s' $T/x >&4; kill -KILL $p; wait $p 2> /dev/null; exec 4>&-\n"
			  "mkfifo $T/q; (exec python3 -c 'import os, signal; os.write(1, b\"exec touch a b\"); os.write(1, b\" c\"); os.kill(os.getpid(), 9)' > ctl); read -r time path what rest <&3; echo $what $rest; ls $T | tr '\\n' ' '; grep ^run status",
		.output = "failed verb=ctl error=EINVAL\np q run -\n",
		.errors = "",
	},
	{
		.path = "/mount/ctl/R22/blank-and-comment",
		.shells = "all",
		.script = "cd $M; { echo; echo '   '; printf '\\t \\n\\n\\n'; echo '# exec touch $T/x'; echo '  # \"open quote'; echo \"exec echo a # 'b\"; } > ctl; cat stdout wait | cut -d' ' -f1-3\n"
			  "printf '# no newline' > ctl; printf '   ' > ctl; printf '' > ctl; : > ctl; true > ctl; echo 'exec echo a#b \"#\" \\#' > ctl; cat stdout; cat error",
		.output = "a\n0 exit 0\na#b # #\n",
	},
	{
		.path = "/mount/ctl/R22/carriage-return",
		.shells = "all",
		.script = "cd $M; printf 'exec echo a\\r\\nexec echo b\\r\\n' > $T/dos; /bin/cat $T/dos > ctl 2> $T/err; grep -c 'Invalid argument' $T/err; grep ^run status; " LAST " | cut -c1-61; wc -l < error\n"
			  "try write ctl 'sh echo a\\r\\n'; try write ctl 'exec echo a\\rb\\n' > /dev/null; od -An -c stdout | tr -s ' '; echo \"exec echo \\$'a\\\\r'\" > ctl; od -An -c stdout | tr -s ' '",
		.output = "1\nrun -\nEINVAL ctl: a carriage return before the newline: the lines e\n1\nEINVAL\n a \\r b \\n\n a \\r \\n\n",
	},
	{
		.path = "/mount/ctl/R22/byte-order-mark",
		.shells = "bash",
		.script = "cd $M; try write ctl '\\357\\273\\277exec echo a\\n'; " LAST "; grep ^run status",
		.regex = "EOPNOTSUPP\nEOPNOTSUPP [^\n]*\nrun -\n",
	},
	/* R23 */
	{
		.path = "/mount/ctl/R23/nul",
		.shells = "python3",
		.script = PYTHON
			  "t = os.environ['T']\n"
			  "writes('exec touch %s/x\\0y\\n' % t, '\\0\\n', '\\0', 'exec touch \\0', '\\n', 'sh touch %s/x\\0\\n' % t, \"exec touch %s/x$'\\\\0y'\\n\" % t, \"exec touch $'%s/x\\\\x00'\\n\" % t, \"exec touch '%s/x\\0'\\n\" % t, '# \\0\\n', 'umask 0\\0000\\n')\n"
			  "print(os.listdir(t), status('run'), set(errors()))\n"
			  "writes('exec echo ok\\n')\n"
			  "print(read('stdout'), read('ctl').splitlines()[2:])\n",
		.output = "EINVAL EINVAL EINVAL 12 1 EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL\n[] - {'EINVAL ctl: a NUL byte in the command'}\n13\nok\n []\n",
	},
	/* R24 */
	{
		.path = "/mount/ctl/R24/longest",
		.shells = "python3",
		.script = PYTHON
			  "most = 128 * 1024\n"
			  "def command(size): return 'exec printf %s ' + 'x' * 60000 + ' ' + 'y' * (size - 15 - 60000 - 1) + '\\n'\n"
			  "writes(command(most))\n"
			  "print(len(read('stdout')), errors())\n"
			  "writes(command(most + 1), 'umask 0001\\n')\n"
			  "print(status('run'), errors()[-1])\n"
			  "writes('fanout 3\\n' + command(3 << 20), command(3 << 20), 'exec echo after\\n')\n"
			  "print(status('run'), read('ctl').splitlines()[2:])\n"
			  "read('stdout')\n"
			  "whole = command(most)\n"
			  "read('wait')\n"
			  "writes(*[whole[at:at + 5000] for at in range(0, len(whole), 5000)])\n"
			  "print(len(read('stdout')), status('run'))\n"
			  "whole = command(most + 5000)\n"
			  "read('wait')\n"
			  "writes(*[whole[at:at + 65536] for at in range(0, len(whole), 65536)], 'exec echo end\\n')\n"
			  "print(read('stdout'), status('run'))\n",
		.regex = "131073\n131056 \\[\\]\nE2BIG 11\n1 E2BIG ctl: the command is longer than 131072 bytes\n9 E2BIG 16\n.*",
		.setup = {.seconds = 60},
	},
	{
		.path = "/mount/ctl/R24/many-words",
		.shells = "python3",
		.script = PYTHON
			  "writes('exec sh -c ' + \"'echo $#'\" + ' x' * 60000 + '\\n')\n"
			  "print(read('stdout'))\n"
			  "read('wait')\n"
			  "writes('exec true ' + 'x ' * 1000000 + '\\n')\n"
			  "print(errors()[-1], status('run'))\n",
		.output = "120021\n59999\n\nE2BIG\nE2BIG ctl: the command is longer than 131072 bytes 1\n",
	},
	/* Each setting is short enough, and all together are more than a command may have. */
	{
		.path = "/mount/ctl/R24/environment",
		.shells = "python3",
		.script = PYTHON
			  "writes('exec echo before\\n')\n"
			  "read('wait')\n"
			  "writes(*['env V%d=%s\\n' % (i, 'x' * 100000) for i in range(20)])\n"
			  "writes('exec true\\n')\n"
			  "print(errors()[-1], status('state'), read('stdout'))\n"
			  "writes('clearenv\\n', 'exec env\\n')\n"
			  "print(read('stdout'))\n",
		.regex = "17\n100008( 10000[89]){19}\nE2BIG\nE2BIG exec: [^\n]* exited before\n\n9 9\n\n",
	},
	{
		.path = "/mount/ctl/R24/long-from-shells",
		.shells = "all",
		.script = "cd $M; x=$(printf '%060000d' 0); echo \"exec printf %s $x $x\" > ctl; cat stdout | wc -c; cat wait > /dev/null; echo \"exec printf %s $x $x $x\" > ctl; echo $?; grep ^run status; " LAST,
		.regex = "120000\n[12]\nrun 1\nE2BIG ctl: [^\n]*\n",
		.errors = "rror",
	},
	/* R25: a write is no message. */
	{
		.path = "/mount/ctl/R25/byte-by-byte",
		.shells = "python3",
		.script = PYTHON
			  "text = \"# a comment\\nexec printf '[%s]' a'b c'd \\\"x\\\\\\\"y\\\" $'\\\\x41\\\\n\\\\'' \\\\\\ne \\\\ f\\n\"\n"
			  "fd = os.open('ctl', os.O_WRONLY)\n"
			  "for c in text: assert write(fd, c) == 1\n"
			  "print(read('stdout'), status('run'))\n"
			  "read('wait')\n"
			  "for size in (2, 3, 7):\n"
			  "    for at in range(0, len(text), size): assert write(fd, text[at:at + size]) == len(text[at:at + size])\n"
			  "    print(read('stdout'), status('run'))\n"
			  "    read('wait')\n",
		.output = "[ab cd][x\"y][A\n'][e][ f] 1\n[ab cd][x\"y][A\n'][e][ f] 2\n[ab cd][x\"y][A\n'][e][ f] 3\n[ab cd][x\"y][A\n'][e][ f] 4\n",
	},
	{
		.path = "/mount/ctl/R25/big-files",
		.shells = "all",
		.script = "cd $M; /usr/bin/seq -f 'env V%06.0f=0123456789012345678901234567890123456789' 1500 > $T/f; for c in 'cat' 'dd bs=1000' 'dd bs=4096' 'tee $T/null' 'busybox cat' 'sed -n p'; do echo defaults > ctl; eval \"$c\" < $T/f > ctl 2> /dev/null; tail -n +3 ctl | cmp - $T/f && echo $c; done; cat error",
		.output = "cat\ndd bs=1000\ndd bs=4096\ntee $T/null\nbusybox cat\nsed -n p\n",
	},
	{
		.path = "/mount/ctl/R25/one-open-file",
		.shells = "all",
		.script = "cd $M; exec 3> ctl; echo 'umask 0005' >&3; printf 'fan' >&3; echo 'umask 0006' > ctl; printf 'out ' >&3; grep -E 'umask|fanout' ctl; echo 5 >&3; exec 3>&-; tail -n +3 ctl; { echo 'exec \\'; echo 'echo \\'; echo 'a b'; } > ctl; cat stdout",
		.output = "umask 0006\numask 0006\nfanout 5\na b\n",
	},
	/* R26 */
	{
		.path = "/mount/ctl/R26/writers-race",
		.shells = "bash",
		.script = "cd $M; for i in $(seq 20); do try write ctl 'exec sleep 1000\\n' > $T/$i & done; wait; sort $T/* | uniq -c | tr -s ' '; grep -E '^(run|state) ' status; wc -l < error",
		.output = " 1 16\n 19 EBUSY\nstate running\nrun 1\n19\n",
	},
	{
		.path = "/mount/ctl/R26/each-command-whole",
		.shells = "all",
		.script = "cd $M; x=$(printf '%05000d' 0); for i in 1 2 3 4 5 6 7 8 9; do for s in bash dash 'busybox sh'; do n=$i${s%% *}; $s -c \"echo 'env V$n=$x$n' > ctl\" & done; done; wait; cat error\n"
			  "for i in 1 2 3 4 5 6 7 8 9; do for s in bash dash busybox; do echo \"env V$i$s=$x$i$s\"; done; done | sort > $T/all; tail -n +3 ctl | sort | cmp - $T/all && echo whole",
		.output = "whole\n",
	},
	/* R27 */
	{
		.path = "/mount/ctl/R27/run-twice",
		.shells = "all",
		.script = "cd $M; echo 'exec cat' > ctl; for v in 'exec true' 'sh true' login again reset disconnect 'connect local'; do try write ctl \"$v\\n\"; done | sort | uniq -c | tr -s ' '; " LAST "; echo text > stdin; cat stdout wait | cut -d' ' -f1-3; grep ^run status",
		.output = " 5 EBUSY\n 2 EPERM\nEPERM connect: the mount's root is this machine\ntext\n0 exit 0\nrun 1\n",
	},
	{
		.path = "/mount/ctl/R27/nothing-yet",
		.shells = "bash",
		.script = "cd $M; for v in again stop kill cancel 'close stdout' 'close stderr'; do try write ctl \"$v\\n\"; done | sort | uniq -c | tr -s ' '; try write ctl 'reset\\n'; mkdir children/a; try write children/a/ctl 'disconnect\\n'; grep -E '^(run|state) ' status; cat wait stdout",
		.output = " 6 ESRCH\n6\nENOTCONN\nstate idle\nrun -\n",
	},
	{
		.path = "/mount/ctl/R27/lost-place",
		.shells = "all",
		.script = "cd $M; mkdir children/a; echo 'connect local' > children/a/ctl; echo 'exec sh -c \"echo $PPID\"' > children/a/ctl; read -r agent < children/a/stdout; exec 3< children/a/events; cat children/a/wait > /dev/null; kill -KILL $agent\n"
			  "until read -r time path what rest <&3 && [ \"$what\" = lost ]; do :; done; cd children/a; for v in 'exec true' 'sh true' again login; do try write ctl \"$v\\n\"; done; " LAST " | cut -d: -f 1-3; grep -E '^(state|run|code) ' status; echo 'umask 0001' > ctl; tail -n +3 ctl; echo disconnect > ctl; echo 'exec echo back' > ctl; cat stdout",
		.output = "ENOTCONN\nENOTCONN\nENOTCONN\nENOTCONN\nENOTCONN login: no link: link lost\nstate lost\nrun 1\ncode 0\numask 0001\nasync connect local\nback\n",
	},
	/* An ended command's output may be read to its end a little before its exit is known:
	 * then the next one waits for it. */
	{
		.path = "/mount/ctl/R27/streams-ended-first",
		.shells = "bash",
		.script = "cd $M; for i in $(seq 100); do echo \"exec echo $i\" > ctl || break; cat stdout stderr; done | cmp - <(seq 100); echo 'sh exec >&- 2>&-; exec sleep 1000' > ctl; cat stdout stderr; try write ctl 'exec true\\n'; grep ^run status",
		.output = "EBUSY\nrun 101\n",
	},
	/* The grammar against bash's: every word that it quotes, in whichever way, comes back. */
	{
		.path = "/mount/ctl/grammar/words-as-bash-quotes-them",
		.shells = "python3",
		.script = PYTHON
			  "import random, shlex\n"
			  "random.seed(7)\n"
			  "special = list(' \\t\\n\\'\"\\\\$`#*?[]{}()<>|&;~!=%\\r\\x01\\x1b\\x7f\\xff\\xc3\\xa9ab01nx')\n"
			  "words = [''.join(random.choices(special, k=random.randint(0, 12))) for i in range(400)]\n"
			  "def percent_q(words):\n"
			  "    script = 'for w; do printf \"%q \" \"$w\"; done'\n"
			  "    return subprocess.run(['bash', '-c', script, '-'] + [w.encode('latin-1') for w in words], stdout=subprocess.PIPE).stdout.decode('latin-1')\n"
			  "def double(word): return '\"' + ''.join('\\\\' + c if c in '\"\\\\$`' else c for c in word) + '\"'\n"
			  "def backslash(word): return ''.join(\"'\\n'\" if c == '\\n' else '\\\\' + c for c in word) or \"''\"\n"
			  "for quoted in (percent_q(words), ' '.join(map(shlex.quote, words)), ' '.join(map(double, words)), '\\t'.join(map(backslash, words))):\n"
			  "    fd = os.open('ctl', os.O_WRONLY)\n"
			  "    text = \"exec printf '%s\\\\0' \" + quoted + '\\n'\n"
			  "    assert write(fd, text) == len(text.encode('latin-1')), errors()[-1]\n"
			  "    os.close(fd)\n"
			  "    got = open('stdout', 'rb').read().decode('latin-1').split('\\0')[:-1]\n"
			  "    assert got == words, [pair for pair in zip(got, words) if pair[0] != pair[1]][:3]\n"
			  "    read('wait')\n"
			  "print('same')\n",
		.output = "same\n",
	},
	{
		.path = "/mount/ctl/grammar/escapes-as-in-bash",
		.shells = "bash",
		.script = "cd $M; words=\"\\$'\\\\a\\\\b\\\\e\\\\E\\\\f\\\\n\\\\r\\\\t\\\\v\\\\\\\\\\\\'\\\\\\\"\\\\?' \\$'\\\\101\\\\1\\\\0101x' \\$'\\\\x41g\\\\x4\\\\xff' \\$'\\\\u00e9\\\\u41 \\\\U0001F600' \\$'\\\\z\\\\8' a\\$'b'c \\$ \\$x a\\$ \\\"\\$'x'\\\" \\\"a\\\\z\\\\\\\"\\\\\\$\\\"\"\n"
			  "x=; eval \"printf '[%s]' ${words/\\$x/\\\\\\$x}\" > $T/bash; echo \"exec printf [%s] $words\" > ctl; cmp stdout $T/bash && wc -c < stdout",
		.regex = "\\d\\d+\n",
	},
	{
		.path = "/mount/ctl/grammar/newlines-in-quotes",
		.shells = "all",
		.script = "cd $M; { echo \"exec printf '[%s]' 'a\"; echo \"\"; echo \"b'\" '\"c'; echo 'd\" \"e\\'; echo 'f\" g\\'; echo 'h \\'; echo '# a comment\\'; echo 'fanout 5'; } > ctl; cat stdout; grep ^argv status; grep fanout ctl",
		.output = "[a\n\nb][c\nd][ef][gh]argv printf '[%s]' $'a\\n\\nb' $'c\\nd' ef gh\nfanout 5\n",
	},
	/* Behind sh the line is the shell's. */
	{
		.path = "/mount/ctl/grammar/sh",
		.shells = "all",
		.script = "cd $M; echo 'shell /bin/sh' > ctl; for line in \"echo 'a  b'  \\\"c\\\" # d\" \"echo it\\\\'s\" 'echo $((6 * 7)) | tr 4 5' \"  printf '%s.' # x\" \"printf '%s' 'a\"; do echo \"sh $line\" > ctl; cat stdout; echo; read -r code rest < wait; echo $code; done\n"
			  "grep ^argv status; printf 'sh\\techo tab\\nasync sh echo \"#\" # x\\n' > ctl; cat wait > /dev/null; cat stdout; try write ctl 'sh \\n'; cat wait | cut -d' ' -f 1-3; try write ctl ' async  sh echo a\\\\\\n'; cat wait > /dev/null; cat stdout",
		.regex = "a  b c\n\n0\nit's\n\n0\n52\n\n0\n\\.\n0\n\n2\nargv /bin/sh -c 'printf [^\n]*\n.*",
		.errors = "",
	},
	/* async and O_NONBLOCK: accepted; the outcome shows elsewhere. */
	{
		.path = "/mount/ctl/async/returns-at-once",
		.shells = "all",
		.script = "cd $M; " HANG "exec 3< events; echo 'async exec echo ran' > ctl; echo $?; grep ^state status; try write ctl 'async umask 0005\\n'; try write ctl 'fanout 5\\n' nonblock; grep -cE '^(umask|fanout) ' ctl\n"
			  "try write ctl 'async nosuch\\n'; try write ctl 'nosuch\\n' nonblock; " FREE
			  "until read -r time path what verb error <&3 && [ \"$verb\" = verb=exec ]; do :; done; until grep -q fanout ctl; do :; done; grep -E '^(umask|fanout) ' ctl; grep -E '^(state|code|why) ' status; grep -c 'exec: cwd' error",
		.regex = "0\nstate starting\n17\n9\n0\nEOPNOTSUPP\nEOPNOTSUPP\numask 0005\nfanout 5\nstate exited\ncode 126\nwhy exec (ENOENT|ENOTCONN|ECONNABORTED)\n1\n",
		.errors = "",
	},
	{
		.path = "/mount/ctl/async/several",
		.shells = "bash",
		.script = "cd $M; printf 'async umask 0001\\nasync exec echo a\\n' > ctl; cat wait > /dev/null; cat stdout; try write ctl 'async exec nosuch\\nasync umask 0002\\n'; until grep -q 'umask 0002' ctl; do :; done; cut -d' ' -f 3-5 error",
		.output = "a\n35\nENOENT exec: \"nosuch\"\n",
	},
	/* Verbs of a context wait for those before them, and not for those of other contexts;
	 * control verbs wait for none. */
	{
		.path = "/mount/ctl/queue/order",
		.shells = "bash",
		.script = "cd $M; mkdir children/a; " HANG "try write ctl 'exec true\\n' > $T/1 & p=$!; try parked $p; for v in 'env A=1' 'env A=2' 'unenv A' 'env B=1' 'cwd /' 'clearenv' 'env C=1' 'exec env'; do try write ctl \"async $v\\n\" > /dev/null; done\n"
			  "try write ctl 'exec echo busy\\n' > $T/2 & q=$!; try parked $q; tail -n +4 ctl; try write ctl 'eof\\n'; try write ctl 'close stdout\\n'; echo 'exec echo other' > children/a/ctl; cat children/a/stdout\n"
			  "kill -STOP $p; wait $q; kill -CONT $p; wait $p; cat $T/1 stdout; tail -n +3 ctl; " FREE,
		.output = "4\nESRCH\nother\nEINTR\nC=1\ncwd /\nclearenv\nenv C=1\n",
		.errors = "",
		.code = 0,
	},
	{
		.path = "/mount/ctl/queue/cancel",
		.shells = "all",
		.script = "cd $M; " HANG "try write ctl 'exec true\\n' > $T/1 & p=$!; try parked $p; try write ctl 'umask 0001\\n' > $T/2 & q=$!; try parked $q; try write ctl 'async exec true\\n'; try write ctl 'cancel\\n'; wait $p; wait $q; cat $T/1 $T/2; tail -n +4 ctl\n"
			  "grep ^state status; try write ctl 'cancel\\n'; echo 'cwd /' > ctl; echo 'exec echo next' > ctl; cat stdout; cut -d' ' -f 3,4 error; " FREE,
		.output = "16\n7\nECANCELED\nECANCELED\nstate exited\nESRCH\nnext\nECANCELED umask:\nECANCELED exec:\nECANCELED exec:\nESRCH cancel:\n",
		.errors = "",
		.code = 0,
	},
	/* An exec behind an async connect waits for it, and is run there. */
	{
		.path = "/mount/ctl/queue/exec-behind-connect",
		.shells = "all",
		.script = "cd $M; mkdir children/a; printf 'async connect local\\nexec sh -c \"echo $PPID\"\\n' > children/a/ctl; read -r there < children/a/stdout; cat children/a/wait > /dev/null; " AGENT "[ $there != $agent ] && grep ^place children/a/status; printf 'async disconnect\\nexec sh -c \"echo $PPID\"\\n' > children/a/ctl; read -r there < children/a/stdout; [ $there = $agent ] && grep ^place children/a/status",
		.output = "place /a\nplace /\n",
	},
	/* rmdir is refused while something is pending, destroy ends it. */
	{
		.path = "/mount/ctl/queue/destroy",
		.shells = "bash",
		.script = "cd $M; mkdir children/a; " HANG "echo \"cwd $T/m/children/x\" > children/a/ctl; echo 'grace 0' > children/a/ctl; cd children/a; try write ctl 'exec true\\n' > $T/1 & p=$!; try parked $p; try write ctl 'umask 0\\n' > $T/2 & q=$!; try parked $q; cd ../..\n"
			  "try rmdir children/a; echo destroy > children/a/ctl; ls children; wait $p $q; cat $T/1 $T/2; " FREE,
		.output = "EBUSY\nECANCELED\nECANCELED\n",
		.errors = "",
	},
	/* A signal that the caller catches in passing. */
	{
		.path = "/mount/ctl/interrupt/child-of-the-shell",
		.shells = "all",
		.script = "cd $M; " AGENT "kill -STOP $agent; sleep 1000 & p=$!; me=$$\n"
			  "(try parked $me; kill $p; while [ -d /proc/$p ] && ! grep -q '^State:.Z' /proc/$p/status; do :; done\n"
			  "cat status status status > /dev/null; try parked $me; kill -CONT $agent) &\n"
			  "echo 'exec echo once' > ctl; echo $?; cat stdout; grep ^run status; cat error",
		.output = "0\nonce\nrun 2\n",
		.errors = "",
	},
	{
		.path = "/mount/ctl/interrupt/passing-signals",
		.shells = "python3",
		.script = PYTHON
			  "writes('exec sh -c \"echo $PPID\"\\n')\n"
			  "agent = int(read('stdout'))\n"
			  "read('wait')\n"
			  "class Stop(Exception): pass\n"
			  "def passing(number, frame): pass\n"
			  "def ending(number, frame): raise Stop\n"
			  "for number in (signal.SIGWINCH, signal.SIGCHLD, signal.SIGCONT, signal.SIGUSR1, signal.SIGURG, signal.SIGIO): signal.signal(number, passing)\n"
			  "for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGTSTP): signal.signal(number, ending)\n"
			  "me = os.getpid()\n"
			  "def pending(): return [int(l.split()[1], 16) for l in read('/proc/%d/status' % me).splitlines() if l.startswith('ShdPnd')][0]\n"
			  "def attempt(text, *numbers):\n"
			  "    # A process outside sends them one after the other while this one is blocked in its write.\n"
			  "    os.kill(agent, signal.SIGSTOP)\n"
			  "    helper = subprocess.Popen(['python3', '-c', '''import os, sys, subprocess\n"
			  "me, agent = int(sys.argv[1]), int(sys.argv[2])\n"
			  "def parked(): subprocess.run(['try', 'parked', str(me)])\n"
			  "def pending(number): return any(int(l.split()[1], 16) >> (number - 1) & 1 for l in open('/proc/%d/status' % me) if l.startswith('ShdPnd'))\n"
			  "parked()\n"
			  "for number in map(int, sys.argv[4:]):\n"
			  "    os.kill(me, number)\n"
			  "    while sys.argv[3] == 'stays' and not pending(number): pass\n"
			  "    open('status').read()\n"
			  "if sys.argv[3] == 'stays':\n"
			  "    parked()\n"
			  "    os.kill(agent, 18)\n"
			  "''', str(me), str(agent), 'ends' if signal.getsignal(numbers[-1]) == ending else 'stays'] + [str(int(n)) for n in numbers])\n"
			  "    fd = os.open('ctl', os.O_WRONLY)\n"
			  "    try: result = os.write(fd, text.encode())\n"
			  "    except Stop: result = 'interrupted'\n"
			  "    os.kill(agent, signal.SIGCONT)\n"
			  "    os.close(fd)\n"
			  "    helper.wait()\n"
			  "    print(result)\n"
			  "for number in (signal.SIGWINCH, signal.SIGUSR1, signal.SIGCONT, signal.SIGIO):\n"
			  "    attempt('exec echo %d\\n' % number, number)\n"
			  "    print(read('stdout').strip())\n"
			  "    read('wait')\n"
			  "before = int(status('run'))\n"
			  "for numbers in ([signal.SIGTSTP], [signal.SIGQUIT], [signal.SIGWINCH, signal.SIGINT]):\n"
			  "    attempt('exec sleep 1000\\n', *numbers)\n"
			  "    while status('state') in ('starting', 'running'): pass\n"
			  "print(status('state'), int(status('run')) - before, [e.split(' ')[0] for e in errors()])\n"
			  "attempt('exec echo next\\n', signal.SIGURG)\n"
			  "print(read('stdout'))\n",
		.output = "24\n13\n28\n13\n10\n13\n18\n13\n29\ninterrupted\ninterrupted\ninterrupted\n"
			  "exited 3 ['ECANCELED', 'ECANCELED', 'ECANCELED']\n15\nnext\n\n",
		.setup = {.seconds = 60},
	},
	/* The one that waits is interrupted behind others of its write: those are done, and the
	 * rest is not tried again. */
	{
		.path = "/mount/ctl/interrupt/behind-others",
		.shells = "bash",
		.script = "cd $M; " HANG "/usr/bin/printf 'umask 0003\\nexec true\\nfanout 3\\n' > ctl 2> $T/err & p=$!; try parked $p; kill -STOP $p; until grep -q ECANCELED error; do :; done; kill -CONT $p; wait $p; echo $?; cat $T/err; tail -n +4 ctl; wc -l < error; " FREE,
		.output = "1\n/usr/bin/printf: write error: Interrupted system call\numask 0003\n1\n",
		.errors = "",
	},
	/* Ctrl-C at the terminals of interactive shells, and a background job that ends
	 * meanwhile. */
	{
		.path = "/mount/ctl/interrupt/interactive",
		.shells = "python3",
		.script = PYTHON
			  "import pty, re, time\n"
			  "writes('exec sh -c \"echo $PPID\"\\n')\n"
			  "agent = int(read('stdout'))\n"
			  "read('wait')\n"
			  "def wait_for(fd, pattern):\n"
			  "    text = b''\n"
			  "    while not re.search(pattern, text): text += os.read(fd, 4096)\n"
			  "    return text\n"
			  "for shell in (['bash', '--norc', '--noprofile', '--noediting', '-i'], ['dash', '-i'], ['busybox', 'sh', '-i']):\n"
			  "    pid, fd = pty.fork()\n"
			  "    if pid == 0:\n"
			  "        os.environ.update(PS1='>', PS2='', ENV='')\n"
			  "        os.execvp(shell[0], shell)\n"
			  "    def type(text): os.write(fd, text.encode())\n"
			  "    wait_for(fd, b'>')\n"
			  "    before = int(status('run'))\n"
			  "    os.kill(agent, signal.SIGSTOP)\n"
			  "    type('sleep 1000 & echo \"exec echo \"$((40 + 2)) > ctl; echo rc=$?\\n')\n"
			  "    subprocess.run(['try', 'parked', str(pid)])\n"
			  "    child = [int(c) for c in read('/proc/%d/task/%d/children' % (pid, pid)).split()]\n"
			  "    os.kill(child[0], signal.SIGKILL)\n"
			  "    while 'zombie' not in read('/proc/%d/status' % child[0]): pass\n"
			  "    for i in range(3): status('state')\n"
			  "    subprocess.run(['try', 'parked', str(pid)])\n"
			  "    os.kill(agent, signal.SIGCONT)\n"
			  "    print(re.search(b'rc=\\\\d+', wait_for(fd, b'rc=\\\\d+\\r\\n')).group().decode(), read('stdout').strip(), int(status('run')) - before)\n"
			  "    read('wait')\n"
			  "    os.kill(agent, signal.SIGSTOP)\n"
			  "    type('echo exec sleep 1000 > ctl\\n')\n"
			  "    subprocess.run(['try', 'parked', str(pid)])\n"
			  "    type('\\x03')\n"
			  "    type('echo rc=$((6 * 7))\\n')\n"
			  "    wait_for(fd, b'rc=42')\n"
			  "    os.kill(agent, signal.SIGCONT)\n"
			  "    while status('state') != 'exited': pass\n"
			  "    print(status('code'), errors()[-1].split(' ')[0], len(errors()))\n"
			  "    writes('exec echo next\\n')\n"
			  "    print(read('stdout').strip())\n"
			  "    read('wait')\n"
			  "    os.close(fd)\n"
			  "    os.kill(pid, signal.SIGKILL)\n"
			  "    os.waitpid(pid, 0)\n",
		.output = "24\nrc=0 42 1\n126 ECANCELED 1\n15\nnext\nrc=0 42 1\n126 ECANCELED 2\n15\nnext\nrc=0 42 1\n126 ECANCELED 3\n15\nnext\n",
		.setup = {.seconds = 60},
	},
	/* kill and stop reach a command that is not executed yet. */
	{
		.path = "/mount/ctl/interrupt/kill-while-starting",
		.shells = "bash",
		.script = "cd $M; " HANG "for v in kill stop; do try write ctl 'exec echo ran\\n' > $T/1 & p=$!; try parked $p; echo $v > ctl; wait $p; cut -d' ' -f 1-3 wait; cat stdout; done; " FREE,
		.regex = "137 signal KILL\n(143 signal TERM|137 signal KILL)\n",
		.errors = "",
	},
	/* R30: what ctl says of itself. */
	{
		.path = "/mount/ctl/R30/reading",
		.shells = "all",
		.script = "cd $M; id=$(sed -n 's/^id //p' status); [ \"$(cat ctl)\" = \"# $id - idle\ndefaults\" ] && echo root; mkdir \"children/a b\"; echo 'exec cat' > 'children/a b/ctl'; sed \"s/$(sed -n 's/^id //p' 'children/a b/status')/ID/\" 'children/a b/ctl'; stat -c %s ctl | grep -x $(wc -c < ctl) > /dev/null && echo sized",
		.output = "root\n# ID a b running\ndefaults\nsized\n",
	},
};
/* clang-format on */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGKILL };

/* Interrupt an exec whose child hangs before its execve: the writer ends, the child too, and the
 * next command runs. */
static void
interrupt_hung_exec(Mount *mount)
{
	mount_expect(mount, "dash", HANG "echo $second > $T/second\n", "", 0);
	for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
		pid_t pid =
			mount_start(mount, "dash", "exec try write $M/ctl 'exec touch ran\\n'", -1);
		process_parked(pid);
		kill(pid, signals[i]);
		g_assert_cmpint(mount_wait(pid), ==, 128 + signals[i]);
		mount_expect(mount, "dash",
			     "cd $M; until grep -q '^state exited' status; do :; done; grep -E "
			     "'^(code|why) ' status\n"
			     "mkdir children/a; echo 'cwd /' > children/a/ctl; echo 'exec echo "
			     "next' > children/a/ctl; cat children/a/stdout; "
			     "read -r x < children/a/wait; rmdir children/a",
			     "code 126\nwhy exec ECANCELED\nnext\n", 0);
	}
	mount_expect(mount, "dash",
		     "read -r second < $T/second; kill -CONT $second; kill $second; while [ -d "
		     "/proc/$second ] && ! grep -q '^State:.Z' /proc/$second/status; do :; done",
		     "", 0);
}

/* Interrupt a verb behind one that waits: it is gone from the queue at once, and the first goes
 * on. */
static void
interrupt_queued(Mount *mount)
{
	mount_expect(mount, "dash", AGENT "echo $agent > $T/agent; kill -STOP $agent", "", 0);
	pid_t first = mount_start(mount, "dash", "exec try write $M/ctl 'exec echo first\\n'", -1);
	process_parked(first);
	for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
		pid_t pid = mount_start(mount, "dash", "exec try write $M/ctl 'umask 0005\\n'", -1);
		process_parked(pid);
		kill(pid, signals[i]);
		g_assert_cmpint(mount_wait(pid), ==, 128 + signals[i]);
	}
	mount_expect(mount, "dash",
		     "grep ^state $M/status; read -r agent < $T/agent; kill -CONT $agent",
		     "state starting\n", 0);
	g_assert_cmpint(mount_wait(first), ==, 0);
	mount_expect(mount, "dash",
		     "cd $M; cat stdout; grep -c ^umask ctl; cut -d' ' -f 3,4 error | sort -u",
		     "first\n0\nECANCELED umask:\n", 0);
}

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	mount_test_add("/mount/ctl/interrupt/hung-exec", interrupt_hung_exec, NULL);
	mount_test_add("/mount/ctl/interrupt/queued", interrupt_queued, NULL);
	return mount_test_run();
}
