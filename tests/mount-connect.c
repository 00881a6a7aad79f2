/* Places of their own: `connect local`, directly and below one another, so over frames and over
 * frames within frames. What a command does there (bytes, half-closes, signals, terminals,
 * exits) is as on the local place; what a lost link does to readers, writers, runs, children and
 * processes; and what connect and disconnect refuse (rows R81 to R83, R86 and R94 as far as a
 * local agent can show them; cases T44, T45, T48, T50, T53, T55, T56, T61, T62, T87, T88, T90,
 * T92, T93). */
#include "tests/mount.h"

/* Context n has a place of its own, and d, below it, another. */
#define PLACES                                                                               \
	"cd $M/children; mkdir n n/children/d; echo 'connect local' > n/ctl; echo 'connect " \
	"local' > n/children/d/ctl; d=n/children/d\n"

/* agent CONTEXT: sets $worker and $watcher, the agent's two processes, which the context's
 * command tells. parent PID: prints its parent. gone PID...: waits until they are gone, and
 * reaped. ends CONTEXT: its end. */
#define TOOLS                                                                                    \
	"parent() { sed 's/.*) . \\([0-9]*\\) .*/\\1/' /proc/$1/stat; }\n"                       \
	"agent() { echo 'sh echo $PPID' > $1/ctl; read worker < $1/stdout; cat $1/wait > $T/w; " \
	"watcher=$(parent $worker); }\n"                                                         \
	"gone() { for p; do tail -s .01 --pid=$p -f /dev/null; done; echo gone; }\n"             \
	"ends() { cut -d ' ' -f 1-3 $1/wait; }\n"

/* A command that leaves processes outside of its session, whose pids it writes to the FIFO that
 * is open as 3, and stays. */
#define DAEMONS                                                                                  \
	"echo 'grace 0.1' > $M/ctl; mkfifo $T/pids; exec 3<> $T/pids; cat > $T/daemons <<END\n"  \
	"setsid -f sh -c 'echo \\$\\$ > $T/pids; exec sleep 1000' > /dev/null 2>&1\n"            \
	"env -i /bin/sh -c '(setsid /bin/sh -c \"echo \\\\$\\\\$ > $T/pids; exec /bin/sleep "    \
	"1000\" > /dev/null 2>&1 &) &'\n"                                                        \
	"echo \\$\\$ > $T/pids; trap '' TERM; sleep 1000\n"                                      \
	"END\n"                                                                                  \
	"daemons() { echo \"exec sh $T/daemons\" > $1/ctl; read a <&3; read b <&3; read c <&3; " \
	"}\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/connect/own-agent",
		.shells = "bash",
		.script = TOOLS PLACES "agent ..; r=$worker; agent n; n=$worker; nw=$watcher; agent $d; dw=$watcher\n"
			  "[ $r != $n -a $n != $worker ] && echo three; [ $(parent $nw) = $r -a $(parent $dw) = $n ] && echo nested; cat /proc/$worker/comm\n"
			  "grep -hE '^(place|method|link|state) ' n/status $d/status; sed 1d n/ctl; mkdir n/children/e; agent n/children/e; [ $worker = $n ] && grep ^place n/children/e/status",
		.output = "three\nnested\nctx-agent\nplace /n\nmethod local\nlink up\nstate exited\nplace /n/d\nmethod local\nlink up\nstate exited\ndefaults\nasync connect local\nplace /n\n",
	},
	{
		.path = "/mount/connect/T44/ten-nested",
		.shells = "dash",
		.script = "cd $M; for i in 1 2 3 4 5 6 7 8 9 10; do mkdir children/c; cd children/c; echo 'connect local' > ctl; done; echo 'sh read x; echo \"deep $x\"' > ctl; echo text > stdin; cat stdout; grep -E '^(path|place) ' status",
		.output = "deep text\npath /c/c/c/c/c/c/c/c/c/c\nplace /c/c/c/c/c/c/c/c/c/c\n",
	},
	{
		.path = "/mount/connect/T92/depth-32",
		.shells = "bash",
		.script = "cd $M; for ((i = 0; i < 32; i++)); do mkdir children/c; cd children/c; echo 'connect local' > ctl || break; done; echo 'exec seq 20000' > ctl; cat stdout | cksum; seq 20000 | cksum\n"
			  "cd $M; for ((i = 1; i <= 32; i++)); do cd children/c; grep -cx 'link up' status; done | sort | uniq -c | tr -s ' '",
		.output = "3231941463 108894\n3231941463 108894\n 32 1\n",
		.setup = {.seconds = 60},
	},
	{
		.path = "/mount/connect/T45/ids",
		.shells = "bash",
		.script = PLACES "mkdir $d/children/{x,y}; find .. -name status -exec sed -n 's/^id //p' {} + | sort | uniq -d | wc -l; for c in n $d; do echo \"exec echo $c\" > $c/ctl; done; cat n/stdout $d/stdout",
		.output = "0\nn\nn/children/d\n",
	},
	/* T93: what is true of a command here is true of it there. */
	{
		.path = "/mount/connect/T93/exec",
		.shells = "all",
		.script = PLACES "for c in n $d; do echo 'sh cat; echo err >&2; exit 3' > $c/ctl; echo text > $c/stdin; cat $c/stdout $c/stderr; cut -d ' ' -f 1-4 $c/wait; try write $c/ctl 'exec nosuch\\n'; cut -d ' ' -f 1-3 $c/wait; grep -c 'ENOENT exec: \"nosuch\"' $c/error; done",
		.output = "text\nerr\n3 exit 3 run=1\nENOENT\n127 exec ENOENT\n1\ntext\nerr\n3 exit 3 run=1\nENOENT\n127 exec ENOENT\n1\n",
	},
	{
		.path = "/mount/connect/T93/settings",
		.shells = "bash",
		.script = PLACES "for c in n $d; do printf 'cwd /usr\\numask 027\\nenv \"A=b c\"\\nnice 5\\nrlimit nofile 77\\npreexec env B=c\\nexec sh -c \"pwd; umask; echo \\\\$A \\\\$B; nice; ulimit -n\"\\n' > $c/ctl; cat $c/stdout; done",
		.output = "/usr\n0027\nb c c\n5\n77\n/usr\n0027\nb c c\n5\n77\n",
	},
	{
		.path = "/mount/connect/short-runs",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'] + '/children')\n"
			  "def text(f):\n"
			  "    with open(f, 'rb') as file: return file.read()\n"
			  "short = 0\n"
			  "for c in ('n/', 'n/children/d/'):\n"
			  "    os.mkdir(c)\n"
			  "    ctl = os.open(c + 'ctl', os.O_WRONLY)\n"
			  "    os.write(ctl, b'connect local\\n')\n"
			  "    for i in range(150):\n"
			  "        os.write(ctl, b'sh echo o%d; echo e%d >&2; exit 3\\n' % (i, i))\n"
			  "        if i % 2: assert text(c + 'wait').startswith(b'3 exit 3 run=%d ' % (i + 1))\n"
			  "        short += (text(c + 'stdout'), text(c + 'stderr')) != (b'o%d\\n' % i, b'e%d\\n' % i)\n"
			  "print(short)",
		.output = "0\n",
	},
	/* 64 MiB each way, through frames in frames. */
	{
		.path = "/mount/connect/checksum",
		.shells = "bash",
		.script = PLACES "seq 10000000 | head -c 67108864 > $T/data; sum=$(cksum < $T/data); echo 'exec cat' > $d/ctl; cat $T/data > $d/stdin & cksum < $d/stdout > $T/sum; wait $!; [ \"$sum\" = \"$(cat $T/sum)\" ] && ends() { cut -d ' ' -f 1-3 $1/wait; }; ends $d; grep -E '^std(in|out|out.dropped) ' $d/status",
		.output = "0 exit 0\nstdin closed\nstdout 67108864\nstdout.dropped 0\n",
		.setup = {.seconds = 60},
	},
	/* Nobody reads: the command is held; then all of it is there. And one that does not read
	 * holds its writer. */
	{
		.path = "/mount/connect/back-pressure",
		.shells = "bash",
		.script = PLACES "echo 'retain 64K' > $d/ctl; echo 'exec seq 1000000' > $d/ctl; until grep -qx 'stdout.blocked 1' $d/status; do :; done; [ $(sed -n 's/^stdout //p' $d/status) -lt 1000000 ] && echo held; cat $d/stdout | cksum; seq 1000000 | cksum\n"
			  "echo 'exec sleep 1000' > n/ctl; cat /dev/zero > n/stdin 2> /dev/null & p=$!; try parked $p; echo 'exec echo other' > $d/ctl; cat $d/stdout; echo kill > n/ctl; wait $p; cut -d ' ' -f 1-3 n/wait",
		.output = "held\n3634730569 6888896\n3634730569 6888896\nother\n137 signal KILL\n",
	},
	{
		.path = "/mount/connect/half-close/input-ends-first",
		.shells = "all",
		.script = PLACES "for c in n $d; do echo 'sh cat > /dev/null; echo end-of-input; read x < '$T'/go; echo more' > $c/ctl; [ -p $T/go ] || mkfifo $T/go; echo x > $c/stdin; read -r x < $c/stdout; echo $x; try write $c/stdin y; echo > $T/go; cat $c/stdout; cut -d ' ' -f 1-3 $c/wait; done",
		.output = "end-of-input\nEPIPE\nend-of-input\nmore\n0 exit 0\nend-of-input\nEPIPE\nend-of-input\nmore\n0 exit 0\n",
	},
	{
		.path = "/mount/connect/half-close/output-ends-first",
		.shells = "all",
		.script = PLACES "for c in n $d; do echo 'sh echo out; exec >&-; cat >&2' > $c/ctl; cat $c/stdout; echo text > $c/stdin; cat $c/stderr; cut -d ' ' -f 1-3 $c/wait; done",
		.output = "out\ntext\n0 exit 0\nout\ntext\n0 exit 0\n",
	},
	{
		.path = "/mount/connect/half-close/command-closes-input",
		.shells = "bash",
		.script = PLACES "for c in n $d; do echo 'sh exec <&-; exec sleep 1000' > $c/ctl; cat /dev/zero > $c/stdin 2> $T/err; echo $?; grep -o 'Broken pipe' $T/err; grep -hE '^(stdin|state) ' $c/status; echo kill > $c/ctl; cat $c/wait > $T/w; done",
		.output = "1\nBroken pipe\nstate running\nstdin closed\n1\nBroken pipe\nstate running\nstdin closed\n",
	},
	{
		.path = "/mount/connect/half-close/close-verb",
		.shells = "bash",
		.script = PLACES "for c in n $d; do echo 'exec yes' > $c/ctl; head -n 1 $c/stdout; echo 'close stdout' > $c/ctl; cut -d ' ' -f 1-3 $c/wait; done",
		.output = "y\n141 signal PIPE\ny\n141 signal PIPE\n",
	},
	{
		.path = "/mount/connect/half-close/lingering-reader-gets-its-end",
		.shells = "bash",
		.script = PLACES "for c in .. n $d; do echo 'sh (cat; echo end >&2) & exec true' > $c/ctl; cat $c/wait > $T/w; cat $c/stderr; done",
		.output = "end\nend\nend\n",
	},
	{
		.path = "/mount/connect/signals",
		.shells = "bash",
		.script = PLACES "for c in n $d; do for s in INT 15 'KILL leader' SIGUSR1 'HUP tree'; do echo 'exec sleep 1000' > $c/ctl; echo $s > $c/signal; cut -d ' ' -f 1-3 $c/wait; done; try write $c/signal TERM; done\n"
			  "echo 'exec sleep 1000' > $d/ctl; echo STOP > $d/signal; until grep -qx 'state stopped' $d/status; do :; done; echo stop > $d/ctl; cut -d ' ' -f 1-3 $d/wait",
		.output = "130 signal INT\n143 signal TERM\n137 signal KILL\n138 signal USR1\n129 signal HUP\nESRCH\n130 signal INT\n143 signal TERM\n137 signal KILL\n138 signal USR1\n129 signal HUP\nESRCH\n143 signal TERM\n",
	},
	{
		.path = "/mount/connect/T97/pty",
		.shells = "bash",
		.script = PLACES "for c in n $d; do printf 'pty on\\nwinsize 100 30\\nsh stty size; trap \"stty size; exit 3\" WINCH; echo ready; while :; do read x; done\\n' > $c/ctl; exec 4< $c/stdout; read x <&4; echo \"$x\"; read x <&4; echo 'winsize 120 40' > $c/ctl; echo >> $c/stdin; cat <&4 | tail -n 1; cut -d ' ' -f 1-3 $c/wait\n"
			  "	echo 'sh echo go; exec sleep 1000' > $c/ctl; read x < $c/stdout; printf '\\003' >> $c/stdin; cut -d ' ' -f 1-3 $c/wait\n"
			  "	echo 'sh stty eof ^X; echo go; exec cat' > $c/ctl; read x < $c/stdout; echo eof > $c/ctl; cut -d ' ' -f 1-3 $c/wait; echo 'exec seq 20000' > $c/ctl; cat $c/stdout | cksum\n"
			  "done; seq 20000 | sed 's/$/\\r/' | cksum",
		.regex = "((30 100\r\n40 120\r\n3 exit 3\n130 signal INT\n0 exit 0\n)(\\d+ 128894\n))\\1\\3",
	},
	{
		.path = "/mount/connect/R62/pty-does-not-keep-its-terminal",
		.shells = "bash",
		.script = TOOLS PLACES "agent n; echo 'pty on' > n/ctl; echo 'exec true' > n/ctl; cat n/stdout n/wait > $T/w; [ $(id -u) != 0 ] || ls -l /proc/$worker/fd | grep -c ptmx; echo done",
		.output = "0\ndone\n",
		.errors = "",
	},
	/* A client that may ask gets a terminal for it, another one does not. */
	{
		.path = "/mount/connect/T28/terminal-for-questions",
		.shells = "bash",
		.script = "cd $M/children; mkdir a b; echo \"connect command sh -c '(: > /dev/tty) 2> /dev/null && echo has one >&2; exec sh'\" > a/ctl\n"
			  "echo \"connect chroot / sh -c '(: > /dev/tty) 2> /dev/null || echo has none >&2; exec \\\"\\$@\\\"' x\" > b/ctl; until grep -q 'client: has' a/log && grep -q 'client: has' b/log; do :; done; grep -ho 'client: has .*' a/log b/log",
		.output = "client: has one\nclient: has none\n",
		.setup = { .seconds = 20 },
	},
	/* Several at once through one hop, that is busy. */
	{
		.path = "/mount/connect/T90/many-through-a-busy-hop",
		.shells = "bash",
		.script = PLACES "echo 'exec yes' > n/ctl; cat n/stdout > /dev/null & mkdir n/children/c{1..8}; for c in n/children/c?; do echo 'async connect local' > $c/ctl; done\n"
			  "for c in n/children/c?; do echo 'exec echo up' > $c/ctl; cat $c/stdout; done | uniq -c | tr -s ' '; kill $!",
		.output = " 8 up\n",
	},
	{
		.path = "/mount/connect/exec-behind-async-connect",
		.shells = "bash",
		.script = TOOLS "cd $M/children; mkdir a; agent ..; r=$worker; printf 'async connect local\\nsh echo $PPID\\n' > a/ctl; [ $(cat a/stdout) != $r ] && grep ^place a/status; echo 'async connect local' > a/ctl; cat a/ctl > $T/ctl; mkdir b; cat $T/ctl > b/ctl; echo 'exec true' > b/ctl; grep ^place b/status",
		.output = "place /a\nplace /b\n",
	},
	/* What connect and disconnect refuse. */
	{
		.path = "/mount/connect/errors",
		.shells = "all",
		.script = PLACES "mkdir p; for v in 'connect' 'connect nosuch' 'connect local x' 'connect ssh' disconnect 'disconnect x'; do try write p/ctl \"$v\\n\"; done; grep -hE '^(place|link) ' p/status; for v in 'connect local' disconnect; do try write ../ctl \"$v\\n\"; try write n/ctl \"$v\\n\"; done\n"
			  "echo 'exec sleep 1000' > $d/ctl; for v in 'connect local' disconnect; do try write $d/ctl \"$v\\n\"; done; grep -c 'EINVAL connect: .*nosuch' p/error",
		.output = "EINVAL\nEINVAL\nEINVAL\nEINVAL\nENOTCONN\nEINVAL\nplace /\nlink up\nEPERM\nENOTEMPTY\nEPERM\nENOTEMPTY\nEBUSY\nEBUSY\n1\n",
	},
	{
		.path = "/mount/connect/T55/T56/disconnect",
		.shells = "bash",
		.script = TOOLS PLACES "agent $d; w=\"$worker $watcher\"; echo disconnect > $d/ctl; gone $w; grep -hE '^(place|link) ' $d/status; agent n; n=$worker; agent $d; [ $worker = $n ] && echo parents; try write $d/ctl 'disconnect\\n'; sed 1d $d/ctl; rmdir $d; echo disconnect > n/ctl; gone $n; echo 'exec echo here' > n/ctl; cat n/stdout",
		.output = "gone\nplace /n\nlink up\nparents\nENOTCONN\ndefaults\ngone\nhere\n",
	},
	{
		.path = "/mount/connect/T62/connect-again",
		.shells = "bash",
		.script = TOOLS "cd $M/children; mkdir n; echo 'connect local' > n/ctl; agent n; old=\"$worker $watcher\"; w=$worker; echo 'connect local' > n/ctl; gone $old; agent n; [ $worker != $w ] && echo other; grep '^link' n/status; cat n/stdout | wc -l",
		.output = "gone\nother\nlink up\n1\n",
	},
	{
		.path = "/mount/connect/T09/timeout-cancel-interrupt",
		.shells = "bash",
		.script = TOOLS PLACES "agent n; mkdir n/children/x; cd n/children/x; kill -STOP $worker; echo 'connect-timeout 0.2' > ctl; try write ctl 'connect local\\n'; grep -hE '^(place|link) ' status; try write ctl 'exec true\\n'\n"
			  "echo 'connect-timeout 30' > ctl; try write ctl 'connect local\\n' > $T/out & p=$!; try parked $p; echo cancel > ctl; wait $p; cat $T/out\n"
			  "try write ctl 'connect local\\n' > $T/out & p=$!; try parked $p; kill $p; wait $p; echo $?; kill -CONT $worker; echo disconnect > ctl; echo 'exec echo back' > ctl; cat stdout; echo 'connect local' > ctl; grep -h ^link status; cd ..; rmdir x",
		.output = "ETIMEDOUT\nplace /n/x\nlink lost\nENOTCONN\nECANCELED\n143\nback\nlink up\n",
		.errors = "",
	},
	/* kill -9 of an agent: one clear error, what had come, and nothing left of it. */
	{
		.path = "/mount/connect/T61/R94/worker",
		.shells = "bash",
		.script = TOOLS PLACES "for c in $d n; do agent $c; echo 'sh echo text; exec sleep 1000' > $c/ctl; read x < $c/stdout; kill -KILL $worker; ends $c; grep -hE '^(state|link|code|why) ' $c/status; cat $c/stdout 2>&1\n"
			  "	try write $c/ctl 'exec true\\n'; try write $c/signal INT; try write $c/stdin x; echo 'connect local' > $c/ctl; echo 'exec echo again' > $c/ctl; cat $c/stdout; gone $worker $watcher\n"
			  "done",
		.output = "255 lost ECONNRESET\nlink lost\nstate lost\ncode 255\nwhy lost ECONNRESET\ntext\ncat: n/children/d/stdout: Connection reset by peer\nENOTCONN\nESRCH\nECONNRESET\nagain\ngone\n"
			  "255 lost ECONNRESET\nlink lost\nstate lost\ncode 255\nwhy lost ECONNRESET\ntext\ncat: n/stdout: Connection reset by peer\nENOTCONN\nESRCH\nECONNRESET\nagain\ngone\n",
	},
	{
		.path = "/mount/connect/T61/R94/watcher",
		.shells = "bash",
		.script = TOOLS PLACES "for c in $d n; do agent $c; echo 'sh echo text; exec sleep 1000' > $c/ctl; read x < $c/stdout; kill -KILL $watcher; ends $c; cat $c/stdout 2>&1; try write $c/ctl 'exec true\\n'; echo 'connect local' > $c/ctl; echo 'exec echo again' > $c/ctl; cat $c/stdout; gone $worker $watcher; done",
		.output = "255 lost ECONNRESET\ntext\ncat: n/children/d/stdout: Connection reset by peer\nENOTCONN\nagain\ngone\n255 lost ECONNRESET\ntext\ncat: n/stdout: Connection reset by peer\nENOTCONN\nagain\ngone\n",
	},
	{
		.path = "/mount/connect/T53/readers-wake",
		.shells = "bash",
		.script = TOOLS PLACES "mkdir n/children/s $d/children/g s; echo 'connect local' > s/ctl; agent n; for c in n n/children/s $d $d/children/g s; do echo 'sh echo text; exec sleep 1000' > $c/ctl; done\n"
			  "i=0; for c in n n/children/s $d $d/children/g s; do i=$((i + 1)); cat $c/stdout > $T/out$i 2>&1 & eval p$i=$!; cat $c/stderr > $T/err$i 2>&1 & cat $c/wait > $T/wait$i & w[$i]=$!; done; try parked $p1 $p2 $p3 $p4 $p5 ${w[*]}\n"
			  "kill -KILL $worker; wait $p1 $p2 $p3 $p4 ${w[1]} ${w[2]} ${w[3]} ${w[4]}; cat $T/out[1234] | sed 's/: .*: /: /'; cut -d ' ' -f 1-3 $T/wait[1234]; grep -h ^state s/status; kill $p5; cat $T/out5; grep -h ^link n/status $d/status n/children/s/status s/status",
		.output = "text\ncat: Connection reset by peer\ntext\ncat: Connection reset by peer\ntext\ncat: Connection reset by peer\ntext\ncat: Connection reset by peer\n"
			  "255 lost ECONNRESET\n255 lost ECONNRESET\n255 lost ECONNRESET\n255 lost ECONNRESET\nstate running\ntext\nlink lost\nlink lost\nlink lost\nlink up\n",
	},
	{
		.path = "/mount/connect/T53/writers-and-commands-wake",
		.shells = "bash",
		.script = TOOLS PLACES "agent $d; echo 'exec sleep 1000' > $d/ctl; cat /dev/zero > $d/stdin 2> $T/err & p=$!; try parked $p; kill -KILL $worker; wait $p; grep -oE 'Connection reset by peer|Broken pipe' $T/err; ends $d",
		.output = "Connection reset by peer\n255 lost ECONNRESET\n",
	},
	{
		.path = "/mount/connect/T48/distinct-errors",
		.shells = "bash",
		.script = TOOLS PLACES "try write $d/nosuch x; try write $d/signal INT; agent $d; kill -KILL $worker; until grep -qx 'link lost' $d/status; do :; done; try write $d/ctl 'exec true\\n'; try write $d/ctl 'sh true\\n'; exec 4> $d/ctl; rmdir $d; echo 'exec true' >&4",
		.output = "ENOENT\nESRCH\nENOTCONN\nENOTCONN\n",
		.errors = "No such file or directory",
		.code = 1,
	},
	/* T50: the hop dies at the very moment that somebody needs it. */
	{
		.path = "/mount/connect/T50/hop-gone",
		.shells = "bash",
		.script = TOOLS PLACES "agent n; kill -KILL $worker $watcher 2> /dev/null; try write $d/ctl 'exec true\\n' | sed 's/ECONNRESET/lost/;s/ENOTCONN/lost/'; until grep -qx 'link lost' n/status && grep -qx 'link lost' $d/status; do :; done; try write $d/ctl 'connect local\\n'; echo 'connect local' > n/ctl; echo 'connect local' > $d/ctl; echo 'exec echo up' > $d/ctl; cat $d/stdout",
		.regex = "(lost|\\d+)\nENOTCONN\nup\n",
	},
	/* T87: whichever of the two processes goes, nothing of the place stays. */
	{
		.path = "/mount/connect/T87/kill-of-worker",
		.shells = "bash",
		.script = TOOLS DAEMONS PLACES "agent n; w=\"$worker $watcher\"; agent $d; w=\"$w $worker $watcher\"; daemons n; all=\"$a $b $c\"; daemons $d; set -- $w; kill -KILL $1; gone $all $a $b $c $w; ends n; ends $d",
		.output = "gone\n255 lost ECONNRESET\n255 lost ECONNRESET\n",
	},
	{
		.path = "/mount/connect/T87/kill-of-watcher",
		.shells = "bash",
		.script = TOOLS DAEMONS PLACES "agent n; w=\"$worker $watcher\"; agent $d; w=\"$w $worker $watcher\"; daemons n; all=\"$a $b $c\"; daemons $d; set -- $w; kill -KILL $2; gone $all $a $b $c $w; ends n; ends $d",
		.output = "gone\n255 lost ECONNRESET\n255 lost ECONNRESET\n",
	},
	{
		.path = "/mount/connect/T87/kill-of-both",
		.shells = "bash",
		.script = TOOLS DAEMONS PLACES "agent n; w=\"$worker $watcher\"; agent $d; w=\"$w $worker $watcher\"; daemons n; all=\"$a $b $c\"; daemons $d; set -- $w; kill -KILL $1 $2 2> /dev/null; gone $all $a $b $c $w; ends n; ends $d",
		.output = "gone\n255 lost ECONNRESET\n255 lost ECONNRESET\n",
	},
	{
		.path = "/mount/connect/T87/kill-of-the-innermost",
		.shells = "bash",
		.script = TOOLS DAEMONS PLACES "agent n; agent $d; daemons n; all=\"$a $b $c\"; daemons $d; kill -KILL $worker $watcher 2> /dev/null; gone $a $b $c $worker $watcher; ends $d; kill -0 $all && grep -h ^state n/status",
		.output = "gone\n255 lost ECONNRESET\nstate running\n",
	},
	{
		.path = "/mount/connect/T87/destroy-rmdir-disconnect",
		.shells = "bash",
		.script = TOOLS DAEMONS PLACES "echo 'grace 0.2' > $d/ctl; agent $d; w=\"$worker $watcher\"; daemons $d; echo destroy > $d/ctl; ls n/children; gone $a $b $c $w\n"
			  "mkdir $d; echo 'connect local' > $d/ctl; agent $d; w=\"$worker $watcher\"; daemons $d; echo KILL > $d/signal; cat $d/wait > $T/w; for p in $a $b $c; do kill -0 $p && echo alive; done 2> /dev/null; rmdir $d; gone $a $b $c $w\n"
			  "agent n; w=\"$worker $watcher\"; daemons n; echo KILL > n/signal; cat n/wait > $T/w; echo disconnect > n/ctl; gone $a $b $c $w",
		.output = "gone\nalive\nalive\ngone\ngone\n",
	},
	/* T88: a stopped agent is ended all the same. */
	{
		.path = "/mount/connect/T88/rmdir",
		.shells = "bash",
		.script = TOOLS PLACES "agent $d; w=\"$worker $watcher\"; for p in $w; do kill -STOP $p; done; rmdir $d; ls n/children; gone $w; agent n; for p in $worker $watcher; do kill -STOP $p; done; rmdir n; ls; gone $worker $watcher",
		.output = "gone\ngone\n",
	},
	{
		.path = "/mount/connect/T88/destroy",
		.shells = "bash",
		.script = TOOLS DAEMONS PLACES "echo 'grace 0.1' > $d/ctl; agent $d; daemons $d; kill -STOP $worker $watcher; echo destroy > $d/ctl; ls n/children; gone $a $b $c $worker $watcher",
		.output = "gone\n",
	},
	{
		.path = "/mount/connect/T88/keepalive",
		.shells = "bash",
		.script = TOOLS DAEMONS "cd $M/children; mkdir n; printf 'keepalive 0.1\\nconnect local\\n' > n/ctl; agent n; daemons n; kill -STOP $worker; ends n; tail -n 9 n/log | grep -c 'no answer to 3 pings'; gone $a $b $c $worker $watcher",
		.output = "255 lost ECONNRESET\n1\ngone\n",
	},
	/* The root's own agent: its runs are lost, and there is another one at once. */
	{
		.path = "/mount/connect/T61/root",
		.shells = "bash",
		.script = TOOLS DAEMONS PLACES "agent n; w=\"$worker $watcher\"; daemons n; all=\"$a $b $c\"; agent ..; echo 'exec true' > $d/ctl; cat $d/wait > $T/w; daemons ..; kill -KILL $worker; ends ..; ends n; gone $all $a $b $c $worker $watcher $w\n"
			  "until grep -qx 'link up' ../status; do :; done; w=$worker; agent ..; [ $worker != $w ] && echo other; grep -h '^link' n/status $d/status; ends $d; echo 'connect local' > n/ctl; echo 'exec echo up' > n/ctl; cat n/stdout; mkdir fresh; echo 'exec echo fresh' > fresh/ctl; cat fresh/stdout",
		.output = "255 lost ECONNRESET\n255 lost ECONNRESET\ngone\nother\nlink lost\nlink lost\n0 exit 0\nup\nfresh\n",
	},
	{
		.path = "/mount/connect/T61/root-worker-and-watcher",
		.shells = "bash",
		.script = TOOLS "cd $M; for i in 1 2; do agent .; [ $i = 1 ] || worker=$watcher; kill -KILL $worker; until echo 'exec true' > ctl; do :; done 2> /dev/null; cat wait | cut -d ' ' -f 1-3; done | sed 's/255 lost ECONNRESET/0 exit 0/' | uniq -c | tr -s ' '; until grep -qx 'link up' status; do :; done; echo 'exec echo end' > ctl; cat stdout",
		.output = " 2 0 exit 0\nend\n",
	},
	/* What had come is still read after the loss; an earlier run's output too. */
	{
		.path = "/mount/connect/R80/what-came-is-kept",
		.shells = "bash",
		.script = TOOLS PLACES "agent $d; echo 'sh seq 100000; exec sleep 1000' > $d/ctl; until grep -qx 'stdout 588895' $d/status; do :; done; kill -KILL $worker; ends $d; cat $d/stdout 2> $T/err | cksum; seq 100000 | cksum; sed 's/.*: //' $T/err; head -n 2 $d/stdout; try read $d/stdout 100 588888; try read $d/stdout 1 588895; stat -c %s $d/stdout",
		.output = "255 lost ECONNRESET\n2052179976 588895\n2052179976 588895\nConnection reset by peer\n1\n2\n100000\nECONNRESET\n588895\n",
	},
	{
		.path = "/mount/connect/R86/events",
		.shells = "bash",
		.script = TOOLS PLACES "agent n; echo 'exec sleep 1000' > $d/ctl; exec 4< ../events; kill -KILL $worker; ends $d; while read -r time path what rest <&4; do echo $path $what; [ \"$path $what\" != '/n lost' ] || a=1; [ \"$path $what\" != '/n/d lost' ] || b=$((b + 1)); [ \"$a$b\" != 12 ] || break; done | sort | uniq -c | tr -s ' '",
		.output = "255 lost ECONNRESET\n 1 /n lost\n 2 /n/d lost\n",
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
