/* Signals: what a write to `signal` sends, and to whom; what reading it lists; how a command
 * that ended by a signal, or is stopped by one, shows (rows R27 and R55 to R59, cases T60 and
 * T96).
 *
 * The commands that are signalled say so themselves, on their standard output, so that every
 * script waits for what it has caused; UNTIL is a loop that looks at a file until it says what
 * it should. */
#include "tests/mount.h"

#define UNTIL(pattern, file) "until grep -q '" pattern "' " file "; do :; done\n"

/* A program that catches all signals that can be caught and prints the number of each; it has
 * said "ready" first. */
#define CATCHER                                                                                  \
	"cat > $T/catcher.py <<'END'\n"                                                          \
	"import os, signal\n"                                                                    \
	"def caught(number, frame): os.write(1, b'%d\\n' % number)\n"                            \
	"for number in signal.valid_signals():\n"                                                \
	"    if number not in (signal.SIGKILL, signal.SIGSTOP): signal.signal(number, caught)\n" \
	"os.write(1, b'ready\\n')\n"                                                             \
	"while True: signal.pause()\n"                                                           \
	"END\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/signal/table",
		.shells = "bash",
		.script = "cd $M; head -31 signal | tr '\\n' ' '; echo; sed -n '32,$p' signal | sed '1p;2p;$p;d'; wc -l < signal\n"
			  "wc -c < signal | grep -x \"$(stat -c %s signal)\" > /dev/null && echo sized\n"
			  "while read -r number name; do\n"
			  "	[ $number -gt 31 ] || [ \"$(kill -l $number)\" = $name ] || echo $number $name\n"
			  "done < signal",
		.output = "1 HUP 2 INT 3 QUIT 4 ILL 5 TRAP 6 ABRT 7 BUS 8 FPE 9 KILL 10 USR1 11 SEGV 12 USR2 13 PIPE 14 ALRM "
			  "15 TERM 16 STKFLT 17 CHLD 18 CONT 19 STOP 20 TSTP 21 TTIN 22 TTOU 23 URG 24 XCPU 25 XFSZ 26 VTALRM "
			  "27 PROF 28 WINCH 29 IO 30 PWR 31 SYS \n34 RTMIN\n35 RTMIN+1\n64 RTMAX\n62\nsized\n",
	},
	/* Every line of the table, written as a number, as a name, and as a name with SIG: the
	 * very signal arrives. */
	{
		.path = "/mount/signal/T96/each-number-and-name",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'])\n"
			  "code = '''import os, signal\n"
			  "def caught(number, frame): os.write(1, b'%d\\\\n' % number)\n"
			  "for number in signal.valid_signals():\n"
			  "    if number not in (signal.SIGKILL, signal.SIGSTOP): signal.signal(number, caught)\n"
			  "os.write(1, b'0\\\\n')\n"
			  "while True: signal.pause()'''\n"
			  "open(os.environ['T'] + '/code', 'w').write(code)\n"
			  "def ctl(text):\n"
			  "    fd = os.open('ctl', os.O_WRONLY)\n"
			  "    assert os.write(fd, text.encode()) == len(text)\n"
			  "    os.close(fd)\n"
			  "def send(text):\n"
			  "    fd = os.open('signal', os.O_WRONLY)\n"
			  "    assert os.write(fd, text.encode()) == len(text)\n"
			  "    os.close(fd)\n"
			  "ctl('exec python3 %s/code\\n' % os.environ['T'])\n"
			  "out = open('stdout')\n"
			  "assert out.readline() == '0\\n'\n"
			  "count = 0\n"
			  "for line in open('signal'):\n"
			  "    number, name = line.split()\n"
			  "    if name in ('KILL', 'STOP'): continue\n"
			  "    for word in (number, name, 'SIG' + name, name.lower() + '\\n'):\n"
			  "        send(word)\n"
			  "        got = out.readline()\n"
			  "        assert got == number + '\\n', (word, got)\n"
			  "        if name in ('HUP', 'TERM'): assert out.readline() == '18\\n'\n"
			  "        count += 1\n"
			  "send('KILL leader')\n"
			  "print(count, out.read(), open('wait').readline().split()[:3])\n",
		.output = "240  ['137', 'signal', 'KILL']\n",
	},
	{
		.path = "/mount/signal/T96/process-group",
		.shells = "all",
		.script = "cd $M; echo 'sh trap \"kill \\$!; exit 5\" INT; sleep 1000 & echo ready; wait' > ctl; head -n 1 stdout\n"
			  "echo INT > signal; read -r code why argument rest < wait; echo $code $why $argument\n"
			  "echo 'exec sleep 1000' > ctl; echo INT > signal; read -r code why argument rest < wait; echo $code $why $argument",
		.output = "ready\n5 exit 5\n130 signal INT\n",
	},
	/* What status and wait call an end. */
	{
		.path = "/mount/signal/T60/exit-status",
		.shells = "all",
		.script = "cd $M; for c in 'exec true' 'exec false' 'sh exit 255' 'sh kill -KILL $$' 'sh kill -HUP $$' 'sh kill -36 $$' 'sh kill -64 $$'; do\n"
			  "	echo \"$c\" > ctl; read -r code why argument rest < wait; echo $code $why $argument; grep -E '^(code|why|state) ' status | tr '\\n' ' '; echo\n"
			  "done",
		.output = "0 exit 0\nstate exited code 0 why exit 0 \n1 exit 1\nstate exited code 1 why exit 1 \n"
			  "255 exit 255\nstate exited code 255 why exit 255 \n137 signal KILL\nstate exited code 137 why signal KILL \n"
			  "129 signal HUP\nstate exited code 129 why signal HUP \n164 signal RTMIN+2\nstate exited code 164 why signal RTMIN+2 \n"
			  "192 signal RTMAX\nstate exited code 192 why signal RTMAX \n",
	},
	/* R56: wrong words send nothing. */
	{
		.path = "/mount/signal/R56/wrong-words",
		.shells = "bash",
		.script = "cd $M; " CATCHER "echo 'exec python3 '$T/catcher.py > ctl; read -r x < stdout; echo $x\n"
			  "for w in NOSUCH -1 65 32 33 0x9 1e1 ' ' '' 'KILL; rm' 'KILL rm' 'KILL leader group' 'KILL Leader' '9 9' SIG SIGSIGKILL 'RTMIN+31' "
			  "	'RTMIN-1' 'RTMAX+1' 'RTMAX-31' 'RTMIN+' 'RTMIN+ 1' 99999999999999999999 'KILL\\nKILL' 'KILL\\nTERM\\n' '\\nKILL' 'KILL\\n\\n' '$(kill)' '*'; do\n"
			  "	try write signal \"$w\"\n"
			  "done | sort | uniq -c | tr -s ' '\n"
			  "python3 -c 'import os\ntry: os.write(os.open(\"signal\", os.O_WRONLY), b\"KILL\\0\")\nexcept OSError as e: print(e.strerror)'\n"
			  "try write signal \"KILL $(printf '%0300d' 0)\"\n"
			  "echo USR1 > signal; head -n 2 stdout; grep ^state status\n"
			  "tail -n 1 error | cut -d' ' -f3,4; wc -l < error",
		.output = "ready\n 1 0\n 28 EINVAL\nInvalid argument\nEINVAL\nready\n10\nstate running\nEINVAL signal:\n30\n",
	},
	{
		.path = "/mount/signal/R56/shells",
		.shells = "all",
		.script = "cd $M; echo 'exec sleep 1000' > ctl; echo NOSUCH > signal; echo $?; grep ^state status; tail -n 1 error | cut -d' ' -f 3-",
		.regex = "[1-9]\nstate running\nEINVAL signal: \"NOSUCH\" is not [^\n]*\n",
		.errors = "rror",
	},
	/* One write is one message, and blanks between its words do not matter. */
	{
		.path = "/mount/signal/words",
		.shells = "bash",
		.script = "cd $M; " CATCHER "echo 'exec python3 '$T/catcher.py > ctl; read -r x < stdout; echo $x\n"
			  "exec 3< stdout; read -r x <&3\n"
			  "for w in 'USR1 leader' '12 tree\\n' '  sigusr1\\tgroup ' 'RTMIN+1' 'RTMAX-29'; do try write signal \"$w\"; read -r x <&3; echo $x; done\n"
			  "for w in TERM 'HUP leader'; do echo $w; read -r x <&3; read -r y <&3; echo $x $y >&2; done > signal",
		.output = "ready\n11\n10\n8\n12\n16\n10\n7\n35\n8\n35\n",
		.errors = "15 18\n1 18\n",
	},
	/* R57: the probe. R27, R59: nobody is there. */
	{
		.path = "/mount/signal/R57/probe",
		.shells = "all",
		.script = "cd $M; try write signal 0; echo 'exec sleep 1000' > ctl; for t in '' ' leader' ' group' ' tree'; do try write signal \"0$t\"; done\n"
			  "grep ^state status; echo KILL > signal; read -r code rest < wait; echo $code\n"
			  "for t in '' ' leader' ' group' ' tree'; do try write signal \"0$t\"; done",
		.output = "ESRCH\n1\n8\n7\n6\nstate running\n137\nESRCH\nESRCH\nESRCH\nESRCH\n",
	},
	{
		.path = "/mount/signal/R27/before-any-run",
		.shells = "bash",
		.script = "cd $M; for t in leader group tree; do try write signal \"TERM $t\"; done; try write ctl 'kill\\n'; try write ctl 'stop\\n'\n"
			  "grep -E '^(state|run) ' status; cut -d' ' -f 2- error",
		.output = "ESRCH\nESRCH\nESRCH\nESRCH\nESRCH\nstate idle\nrun -\n"
			  "1 ESRCH signal: there is nothing to signal: no command runs\n2 ESRCH signal: there is nothing to signal: no command runs\n"
			  "3 ESRCH signal: there is nothing to signal: no command runs\n4 ESRCH kill: there is nothing to signal: no command runs\n"
			  "5 ESRCH stop: there is nothing to signal: no command runs\n",
	},
	{
		.path = "/mount/signal/R59/after-the-end",
		.shells = "all",
		.script = "cd $M; echo 'exec sh -c \"exit 3\"' > ctl; cat wait > /dev/null; grep -vE '^(rtt|bytes)' status > $T/before\n"
			  "for s in KILL 'KILL leader' 'KILL tree' 'CONT group' 0; do try write signal \"$s\"; done; try write ctl 'kill\\n'; try write ctl 'stop\\n'\n"
			  "grep -vE '^(rtt|bytes)' status | cmp - $T/before && grep ^why status\n"
			  "echo 'exec nosuch' > ctl; try write signal KILL",
		.output = "ESRCH\nESRCH\nESRCH\nESRCH\nESRCH\nESRCH\nESRCH\nwhy exit 3\nESRCH\n",
		.errors = "rror",
	},
	/* R58: stopped and continued; a stopped command can be ended. */
	{
		.path = "/mount/signal/R58/stopped-and-continued",
		.shells = "all",
		.script = "cd $M; echo 'exec cat' > ctl\n"
			  "for i in 1 2 3; do\n"
			  "	echo STOP > signal; " UNTIL("^state stopped$", "status")
			  "	try write ctl 'exec true\\n'; echo SIGCONT > signal; " UNTIL("^state running$", "status")
			  "done; tail -n 1 error | cut -d' ' -f3-\n"
			  "echo text > stdin; cat stdout; read -r code rest < wait; echo $code; grep ^state status",
		.output = "EBUSY\nEBUSY\nEBUSY\nEBUSY exec: a command runs (run 1, stopped)\ntext\n0\nstate exited\n",
	},
	{
		.path = "/mount/signal/R58/end-while-stopped",
		.shells = "bash",
		.script = "cd $M; for how in 'TERM > signal' 'HUP > signal' 'TERM leader > signal' 'HUP tree > signal' 'KILL > signal' 'stop > ctl' 'kill > ctl'; do\n"
			  "	echo 'exec sleep 1000' > ctl; echo STOP > signal; " UNTIL("^state stopped$", "status")
			  "	eval \"echo $how\"; read -r code why argument rest < wait; echo $code $why $argument\n"
			  "done",
		.output = "143 signal TERM\n129 signal HUP\n143 signal TERM\n129 signal HUP\n137 signal KILL\n143 signal TERM\n137 signal KILL\n",
	},
	/* It is stopped by itself, by a terminal it has not got, or by a friend. */
	{
		.path = "/mount/signal/R58/stopped-by-others",
		.shells = "bash",
		.script = "cd $M; echo 'sh kill -STOP $$; echo on; kill -STOP $$; echo end' > ctl; " UNTIL("^state stopped$", "status")
			  "pid=$(sed -n 's/^pid //p' status); kill -CONT $pid; head -n 1 stdout; " UNTIL("^state stopped$", "status")
			  "echo CONT > signal; cat stdout; cut -d' ' -f1-3 wait",
		.output = "on\non\nend\n0 exit 0\n",
	},
	/* R55: the leader is gone, its pid is the system's again; what is left of the group and
	 * of the tree can be reached. */
	{
		.path = "/mount/signal/R55/leader-is-gone",
		.shells = "all",
		.script = "cd $M; echo 'sh sleep 1000 & exit 4' > ctl; read -r code rest < wait; echo $code\n"
			  "try write signal 'TERM leader'; try write signal '0 tree'; try write signal 'TERM group'; cat stdout\n"
			  "try write signal 'TERM group'; try write signal 'TERM tree'\n"
			  "echo 'sh setsid sh -c \"echo ready; exec sleep 1000\" & exit 4' > ctl; read -r code rest < wait; echo $code; head -n 1 stdout\n"
			  "try write signal 'TERM group'; try write signal 'TERM tree'; cat stdout",
		.output = "4\nESRCH\n6\n10\nESRCH\nESRCH\n4\nready\nESRCH\n9\nready\n",
	},
	/* The targets. */
	{
		.path = "/mount/signal/targets",
		.shells = "bash",
		.script = "cd $M; cat > $T/one.py <<'END'\n"
			  "import os, signal, sys\n"
			  "name = sys.argv[1]\n"
			  "def caught(number, frame): os.write(1, b'%s %d\\n' % (name.encode(), number))\n"
			  "for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGURG): signal.signal(number, caught)\n"
			  "def start(name, detached):\n"
			  "    if os.fork() == 0:\n"
			  "        if detached: os.setsid()\n"
			  "        os.execvp('python3', ['python3', sys.argv[0], name])\n"
			  "if name == 'leader':\n"
			  "    start('member', False)\n"
			  "    start('detached', True)\n"
			  "os.write(1, b'ready\\n')\n"
			  "while True: signal.pause()\n"
			  "END\n"
			  "echo 'exec python3 '$T/one.py leader > ctl; exec 3< stdout; lines() { for i in $(seq $1); do read -r line <&3; echo $line; done | sort; }\n"
			  "lines 3; echo USR1 leader > signal; lines 1; echo USR2 > signal; lines 2; echo URG tree > signal; lines 3\n"
			  "echo kill > ctl; cat <&3",
		.output = "ready\nready\nready\nleader 10\nleader 12\nmember 12\ndetached 23\nleader 23\nmember 23\n",
	},
	/* On a terminal the default is its foreground group: the shell that controls the job
	 * lives on. */
	{
		.path = "/mount/signal/pty/foreground-group",
		.shells = "bash",
		.script = "cd $M; echo 'pty on' > ctl; echo 'exec bash --norc --noprofile -i' > ctl\n"
			  "echo 'PS1=; sh -c \"echo fore; echo ground; exec sleep 1000\"' >> stdin\n"
			  "timeout 20 grep -m 1 -a -o '^ground' stdout\n"
			  "echo INT > signal; echo 'echo rc=$?' >> stdin; timeout 20 grep -m 1 -a -o 'rc=[0-9][0-9]*' stdout; grep ^state status\n"
			  "echo 'exit 7' >> stdin; read -r code rest < wait; echo $code",
		.regex = "ground\nrc=130\nstate running\n7\n",
	},
	{
		.path = "/mount/signal/pty/leader-and-tree",
		.shells = "bash",
		.script = "cd $M; echo 'pty on' > ctl; echo 'exec bash --norc --noprofile -i' > ctl\n"
			  "echo 'PS1=; trap \"echo the shell\" USR1; sleep 1000 & jobs; sh -c \"echo fore; echo ground; exec sleep 0.1\"' >> stdin\n"
			  "timeout 20 grep -m 1 -a -o '^ground' stdout\n"
			  "echo USR1 leader > signal; timeout 20 grep -m 1 -a -o '^the shell' stdout\n"
			  "echo KILL tree > signal; read -r code why argument rest < wait; echo $code $why $argument; cat stdout > $T/all; try write signal '0 tree'",
		.regex = "ground\nthe shell\n137 signal KILL\nESRCH\n",
	},
	{
		.path = "/mount/signal/pty/stopped-job",
		.shells = "bash",
		.script = "cd $M; echo 'pty on' > ctl; echo 'exec bash --norc --noprofile -i' > ctl\n"
			  "echo 'PS1=; sh -c \"echo fore; echo ground; exec sleep 1000\"' >> stdin; timeout 20 grep -m 1 -a -o '^ground' stdout\n"
			  "echo TSTP > signal; echo 'echo rc=$?' >> stdin; timeout 20 grep -m 1 -a -o 'rc=[0-9][0-9]*' stdout; grep ^state status\n"
			  "echo kill > ctl; cut -d' ' -f1-3 wait",
		.output = "ground\nrc=148\nstate running\n137 signal KILL\n",
	},
	/* A place of its own has its own agent and table. */
	{
		.path = "/mount/signal/connect-local",
		.shells = "bash",
		.script = "cd $M; mkdir children/a; cd children/a; echo 'connect local' > ctl; cmp signal ../../signal && wc -l < signal\n"
			  "echo 'sh setsid sleep 1000 & echo ready; wait' > ctl; head -n 1 stdout; echo TERM tree > signal; cat stdout; cut -d' ' -f 1-3 wait; try write signal '0 tree'",
		.output = "62\nready\nready\n143 signal TERM\nESRCH\n",
	},
	/* A signal is not kept waiting by a verb that is. */
	{
		.path = "/mount/signal/not-queued",
		.shells = "bash",
		.script = "cd $M; echo 'sh exec >&- 2>&-; exec sleep 1000' > ctl; cat stdout stderr\n"
			  "try write ctl 'exec echo next\\n' > $T/next & p=$!; try parked $p\n"
			  "echo KILL > signal; wait $p; cat $T/next stdout",
		.output = "15\nnext\n",
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
