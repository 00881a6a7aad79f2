/* The files that say what became of it, over a real mount: `wait` and its exit codes as a shell
 * uses them, the keys of `status`, the lines of `error` and their numbers, and `events`, which
 * shows each change in a subtree to each reader. How commands come to their ends is in
 * mount-run.c and mount-kill.c, polls are in mount-poll.c. */
#include "tests/mount.h"

#define USAGE " run=\\d+ real=\\d+\\.\\d{3} user=\\d+\\.\\d{3} sys=\\d+\\.\\d{3} maxrss=\\d+\n"
/* The line of `wait` without what differs from run to run. */
#define WAIT "cut -d' ' -f1-4 wait\n"
/* What `events` showed to a reader, without times and pids. */
#define EVENTS(file)           \
	"cut -d' ' -f2- " file \
	" | sed 's/ pid=[0-9][0-9]*$//; s/host=[^ ]* user=[^ ]*$/host= user=/'\n"
/* Start a reader of `events` with what it gets in a file, and wait until a file has a line like
 * this one. */
#define WATCH(events, file) "cat " events " > " file " & try parked $!\n"
#define UNTIL(file, line) "until grep -q '" line "' " file "; do :; done\n"

/* clang-format off */
static const ShCase cases[] = {
	/* wait. */
	{
		.path = "/mount/wait/line",
		.shells = "all",
		.script = "cd $M; echo 'exec true' > ctl; cat wait; cat wait; echo 'sh exit 3' > ctl; cat wait; stat -c %s wait; wc -c < wait",
		.regex = "(0 exit 0 run=1 real=\\d+\\.\\d{3} [^\n]*\n)\\1(?=([^\n]*))3 exit 3" USAGE "(\\d+)\n\\3\n",
	},
	{
		.path = "/mount/wait/exit",
		.shells = "all",
		.script = "cd $M; for n in 0 1 124 126 127 128 137 255; do echo \"sh exit $n\" > ctl; (read -r rc rest < wait; exit $rc); echo $? $(cut -d' ' -f1-3 wait); done",
		.output = "0 0 exit 0\n1 1 exit 1\n124 124 exit 124\n126 126 exit 126\n127 127 exit 127\n128 128 exit 128\n137 137 exit 137\n255 255 exit 255\n",
	},
	/* R54: what a signal did, what the command said, and what nobody knows are three things. */
	{
		.path = "/mount/wait/R54/signals",
		.shells = "all",
		.script = "cd $M; for s in HUP INT KILL TERM USR1 ALRM; do echo \"rlimit core 0\" > ctl; echo \"sh kill -$s \\$\\$\" > ctl; (read -r rc rest < wait; exit $rc); echo $? $(cut -d' ' -f1-4 wait); done",
		.output = "129 129 signal HUP run=1\n130 130 signal INT run=2\n137 137 signal KILL run=3\n143 143 signal TERM run=4\n"
			  "138 138 signal USR1 run=5\n142 142 signal ALRM run=6\n",
	},
	{
		.path = "/mount/wait/R54/core",
		.shells = "bash",
		.script = "cd $M; echo \"cwd $T\" > ctl; echo 'rlimit core 0' > ctl; echo 'sh kill -SEGV $$' > ctl; cat wait\n"
			  "echo 'rlimit core unlimited' > ctl; echo 'sh kill -SEGV $$' > ctl; cut -d' ' -f1-4 wait\n"
			  "read -r pattern < /proc/sys/kernel/core_pattern; [ \"$pattern\" = core ] && echo core=1 || cut -d' ' -f4 wait",
		.regex = "139 signal SEGV" USAGE "139 signal SEGV (\\S+)\n\\1\n",
	},
	{
		.path = "/mount/wait/R54/lost",
		.shells = "bash",
		.script = "cd $M; mkdir children/c; cd children/c; echo 'connect local' > ctl; echo 'sh read -r x; kill -KILL $PPID; exec sleep 1000' > ctl\n"
			  "cat wait > $T/wait & try parked $!; echo > stdin; wait; cat $T/wait; grep -E '^(link|state|code|why) ' status; (read -r rc rest < wait; exit $rc); echo $?",
		.regex = "255 lost ECONNRESET run=1[^\n]*\nlink lost\nstate lost\ncode 255\nwhy lost ECONNRESET\n255\n",
	},
	{
		.path = "/mount/wait/timeout",
		.shells = "all",
		.script = "cd $M; echo 'timeout 0.05' > ctl; echo 'exec sleep 1000' > ctl; (read -r rc rest < wait; exit $rc); echo $?; " WAIT
			  "echo 'sh trap \"exit 0\" TERM; while :; do sleep 0.01; done' > ctl; " WAIT "echo 'exec true' > ctl; " WAIT,
		.output = "124\n124 timeout 0.05 run=1\n124 timeout 0.05 run=2\n0 exit 0 run=3\n",
	},
	{
		.path = "/mount/wait/exec",
		.shells = "bash",
		.script = "cd $M; for c in nosuch /nosuch/x /etc/passwd /tmp; do try write ctl \"exec $c\\n\"; (read -r rc rest < wait; exit $rc); echo $?; " WAIT "done\n"
			  "echo 'cwd /nosuch' > ctl; try write ctl 'exec true\\n'; " WAIT "grep -E '^(state|run|pid|argv|code|why) ' status",
		.output = "ENOENT\n127\n127 exec ENOENT run=1\nENOENT\n127\n127 exec ENOENT run=2\nEACCES\n126\n126 exec EACCES run=3\nEACCES\n126\n126 exec EACCES run=4\n"
			  "ENOENT\n126 exec ENOENT run=5\nstate exited\nrun 5\npid -\nargv true\ncode 126\nwhy exec ENOENT\n",
	},
	{
		.path = "/mount/wait/idle",
		.shells = "all",
		.script = "cd $M; cat wait; mkdir children/a children/b children/c; echo 'sh exit 4' > children/b/ctl; cat children/*/wait | cut -d' ' -f1; stat -c %s children/a/wait\n"
			  "try read children/a/wait 10 nonblock; echo reset > children/b/ctl; cat children/*/wait; stat -c %s children/b/wait",
		.output = "4\n0\n0\n",
	},
	{
		.path = "/mount/wait/running",
		.shells = "bash",
		.script = "cd $M; echo 'sh read -r x; exit 5' > ctl; try read wait 10 nonblock; stat -c %s wait; for i in 1 2 3; do cat wait > $T/$i & done; try parked $!\n"
			  "echo > stdin; wait; cmp $T/1 $T/2; cmp $T/1 $T/3; cmp $T/1 wait; cut -d' ' -f1-4 $T/1",
		.output = "EAGAIN\n1\n5 exit 5 run=1\n",
	},
	{
		/* An open file stays with its run, and gives the line as often as it is read
		 * from the start. */
		.path = "/mount/wait/open-file",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'])\n"
			  "early = os.open('wait', os.O_RDONLY)\n"
			  "print(os.read(early, 100))\n"
			  "open('ctl', 'w').write('sh exit 1\\n')\n"
			  "one = os.read(early, 100)\n"
			  "first = os.open('wait', os.O_RDONLY)\n"
			  "open('ctl', 'w').write('sh exit 2\\n')\n"
			  "two = open('wait').read()\n"
			  "print(one[:7], two[:7], os.read(first, 100) == one, os.read(first, 100))\n"
			  "print(os.pread(first, 100, 0) == one, os.pread(first, 100, 2) == one[2:], os.lseek(first, 0, 0), os.read(first, 3), os.read(first, 4))",
		.output = "b''\nb'1 exit ' 2 exit  True b''\nTrue True 0 b'1 e' b'xit '\n",
	},
	{
		.path = "/mount/wait/usage",
		.shells = "bash",
		.script = "cd $M; echo 'sh i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done' > ctl; read -r line < wait; for w in $line; do case $w in user=0.000|maxrss=0|real=0.000) echo $w;; esac; done\n"
			  "grep -Ec '^(cpu.user_usec|mem.peak) 0$' status",
		.output = "0\n",
		.code = 1,
	},
	/* status. */
	{
		/* All keys, in this order, whatever the state. */
		.path = "/mount/wait/status/keys",
		.shells = "bash",
		.script = "cd $M; keys() { cut -d' ' -f1 status | tr '\\n' ' ' | md5sum; }\n"
			  "cut -d' ' -f1 status; { keys; echo 'sh read -r x' > ctl; keys; echo 'STOP group' > signal; until grep -qx 'state stopped' status; do :; done; keys\n"
			  "echo 'CONT group' > signal; until grep -qx 'state running' status; do :; done; echo > stdin; read -r x < wait; keys\n"
			  "try write ctl 'exec nosuch\\n' > $T/x; keys; echo reset > ctl; keys; } | uniq | wc -l; grep -vcE '^[^ ]+ [^ ]' status",
		.output = "id\nname\npath\nplace\nmethod\nhost\nuser\narch\nlink\nphase\nfailure\nstate\nrun\npid\nargv\nstarted\nended\ncode\nwhy\n"
			  "stdin\nstdout\nstdout.dropped\nstdout.blocked\nstderr\nstderr.dropped\nstderr.blocked\n"
			  "cpu.user_usec\ncpu.system_usec\nmem.peak\nchildren\nrtt_usec\nbytes.sent\nbytes.received\nagent.bytes\n1\n0\n",
		.code = 1,
	},
	{
		.path = "/mount/wait/status/values",
		.shells = "bash",
		.script = "cd $M; mkdir children/a children/a/children/b; cd children/a; keys='name|path|place|method|link|state|run|pid|argv|started|ended|code|why|stdin|stdout|stderr|children'\n"
			  "grep -E \"^($keys) \" status; [ $(sed -n 's/^host //p' status) = $(uname -n) ] && [ $(sed -n 's/^user //p' status) = $(id -un) ] && [ $(sed -n 's/^arch //p' status) = $(uname -m) ] && echo here\n"
			  "echo 'sh echo out; echo error >&2; exit 3' > ctl; read -r x < wait; cat stdout stderr > $T/x; grep -E \"^($keys) \" status | sed -E 's/^(pid|started|ended) [0-9.]+$/\\1 N/'",
		.output = "name a\npath /a\nplace /\nmethod local\nlink up\nstate idle\nrun -\npid -\nargv -\nstarted -\nended -\ncode -\nwhy -\nstdin open\nstdout 0\nstderr 0\nchildren 1\nhere\n"
			  "name a\npath /a\nplace /\nmethod local\nlink up\nstate exited\nrun 1\npid N\nargv /bin/bash -c 'echo out; echo error >&2; exit 3'\nstarted N\nended N\ncode 3\nwhy exit 3\n"
			  "stdin closed\nstdout 4\nstderr 6\nchildren 1\n",
		.setup = {.before = "case $(getent passwd $(id -u)) in *:/bin/bash) ;; *) echo 'the shell is not /bin/bash';; esac"},
	},
	{
		/* argv is quoted as ctl reads it: what `status` shows runs the same again. */
		.path = "/mount/wait/status/argv",
		.shells = "bash",
		.script = "cd $M; printf 'exec printf <%%s> %q %q %q %q %q\\n' 'a b' \"it's\" $'x\\ny\\t' '' '*$#\\' > ctl; cat stdout > $T/1; line=$(sed -n 's/^argv //p' status); echo \"$line\" | wc -l\n"
			  "read -r x < wait; echo reset > ctl; echo \"exec $line\" > ctl; cmp stdout $T/1; cat $T/1",
		.output = "1\n<a b><it's><x\ny\t><><*$#\\>",
		.errors = "",
	},
	{
		.path = "/mount/wait/status/times",
		.shells = "python3",
		.script = "import os, time\n"
			  "os.chdir(os.environ['M'])\n"
			  "def status(): return dict(line.rstrip('\\n').split(' ', 1) for line in open('status'))\n"
			  "before = time.time()\n"
			  "open('ctl', 'w').write('sh read -r x\\n')\n"
			  "s = status()\n"
			  "print(before - 1 < float(s['started']) < time.time() + 1, s['ended'], os.path.exists('/proc/' + s['pid']))\n"
			  "open('stdin', 'w').write('\\n')\n"
			  "open('wait').read()\n"
			  "s = status()\n"
			  "print(float(s['started']) <= float(s['ended']) < time.time() + 1)",
		.output = "True - True\nTrue\n",
	},
	{
		.path = "/mount/wait/status/dashboard",
		.shells = "all",
		.script = "cd $M; mkdir children/a children/b children/c; echo 'exec sleep 1000' > children/b/ctl; echo 'exec true' > children/c/ctl; read -r x < children/c/wait; grep -H '^state' children/*/status",
		.output = "children/a/status:state idle\nchildren/b/status:state running\nchildren/c/status:state exited\n",
	},
	/* error. */
	{
		.path = "/mount/wait/error/lines",
		.shells = "bash",
		.script = "cd $M; cat error; try write ctl 'exec nosuch\\n'; try write ctl 'frobnicate\\n'; try write signal 'TERM\\n'; try write ctl 'nice 100\\n'; cat error\n"
			  "[ $(stat -c %s error) = $(wc -c < error) ] && : > error; cat error; stat -c %s error; try write ctl 'kill\\n'; cat error",
		.regex = "ENOENT\nEOPNOTSUPP\nESRCH\nEINVAL\n"
			 "\\d+\\.\\d\\d 1 ENOENT exec: \"nosuch\" not found in PATH=\\S+ on \\S+\n\\d+\\.\\d\\d 2 EOPNOTSUPP \\S+: [^\n]*frobnicate[^\n]*\n"
			 "\\d+\\.\\d\\d 3 ESRCH signal: [^\n]+\n\\d+\\.\\d\\d 4 EINVAL nice: [^\n]*100[^\n]*\n0\nESRCH\n\\d+\\.\\d\\d 5 ESRCH kill: [^\n]+\n",
	},
	{
		.path = "/mount/wait/error/clear-only",
		.shells = "bash",
		.script = "cd $M; try write ctl 'kill\\n'; try write error x; try write error '\\n' append; try truncate error 1; wc -l < error; try truncate error 0; wc -l < error; (echo x > error)",
		.output = "ESRCH\nEINVAL\nEINVAL\nEINVAL\n1\nok\n0\n",
		.errors = "Invalid argument",
		.code = 1,
	},
	{
		/* Each context has its own list and numbers; the oldest lines go. */
		.path = "/mount/wait/error/of-each-context",
		.shells = "bash",
		.script = "cd $M; mkdir children/a children/b; for i in {1..100}; do try write children/a/ctl 'kill\\n'; done | uniq -c | tr -s ' '; try write children/b/ctl 'kill\\n'\n"
			  "cut -d' ' -f2 children/b/error; wc -l < error; tail -n 1 children/a/error | cut -d' ' -f2; wc -l < children/a/error; head -n 1 children/a/error | cut -d' ' -f2",
		.output = " 100 ESRCH\nESRCH\n1\n0\n100\n64\n37\n",
	},
	{
		.path = "/mount/wait/error/one-line-whatever-the-text",
		.shells = "bash",
		.script = "cd $M; try write ctl \"exec \\$'a\\\\nb\\\\033[31m\\\\377'\\n\"; wc -l < error; tr -d '[:print:]\\n' < error | wc -c; grep -c 'a.nb' error",
		.output = "ENOENT\n1\n0\n1\n",
	},
	{
		/* The name of the limit, of the setting, of the place. */
		.path = "/mount/wait/error/sentences",
		.shells = "bash",
		.script = "cd $M; echo 'cwd /nosuch' > ctl; try write ctl 'exec true\\n'; echo defaults > ctl; mkdir children/a children/a/children/b; try rmdir children/a; echo 'exec sleep 1000' > children/a/ctl; try write children/a/ctl 'exec true\\n'\n"
			  "cut -d' ' -f2- error children/a/error",
		.regex = "ENOENT\nENOTEMPTY\nEBUSY\n1 ENOENT exec: cwd \"/nosuch\"[^\n]*\n2 ENOTEMPTY rmdir: \"a\" has 1 children\n1 EBUSY exec: [^\n]+\n",
	},
	/* events. */
	{
		.path = "/mount/wait/events/every-change",
		.shells = "bash",
		.script = "cd $M; mkdir children/before\n" WATCH("events", "$T/events")
			  "mkdir children/a children/a/children/b; mv children/a children/z; cd children/z; echo 'exec true' > ctl; read -r x < wait; try write ctl 'exec nosuch\\n'\n"
			  "echo 'exec sleep 1000' > ctl; echo kill > ctl; read -r x < wait; cd children/b; echo 'connect local' > ctl; echo 'sh read -r x; kill -KILL $PPID' > ctl; echo > stdin; read -r x < wait\n"
			  "echo disconnect > ctl; cd $M; rmdir children/z/children/b children/z\n" UNTIL("$T/events", " /z removed$") EVENTS("$T/events"),
		.output = "ENOENT\n/a created\n/a/b created\n/a renamed to=z\n/z started run=1\n/z exited run=1 code=0 why=exit arg=0\n/z exited run=2 code=127 why=exec arg=ENOENT\n"
			  "/z failed verb=exec error=ENOENT\n/z started run=3\n/z exited run=3 code=137 why=signal arg=KILL\n/z/b connecting method=local\n/z/b connected method=local host= user=\n"
			  "/z/b started run=1\n/z/b lost run=1 code=255 why=lost arg=ECONNRESET\n/z/b lost\n/z/b disconnected\n/z/b removed\n/z removed\n",
	},
	{
		.path = "/mount/wait/events/subtree",
		.shells = "bash",
		.script = "cd $M; mkdir children/a children/a/children/b children/c\n" WATCH("children/a/events", "$T/a") WATCH("children/a/children/b/events", "$T/b") WATCH("events", "$T/root")
			  "for c in . children/c children/a children/a/children/b; do echo 'exec true' > $c/ctl; read -r x < $c/wait; done; mkdir children/d\n"
			  UNTIL("$T/root", " /d created$") UNTIL("$T/b", "exited") EVENTS("$T/a") "echo; " EVENTS("$T/b") "echo; " EVENTS("$T/root"),
		.output = "/a started run=1\n/a exited run=1 code=0 why=exit arg=0\n/a/b started run=1\n/a/b exited run=1 code=0 why=exit arg=0\n\n"
			  "/a/b started run=1\n/a/b exited run=1 code=0 why=exit arg=0\n\n"
			  "/ started run=1\n/ exited run=1 code=0 why=exit arg=0\n/c started run=1\n/c exited run=1 code=0 why=exit arg=0\n"
			  "/a started run=1\n/a exited run=1 code=0 why=exit arg=0\n/a/b started run=1\n/a/b exited run=1 code=0 why=exit arg=0\n/d created\n",
	},
	{
		/* From the open on, each open file for itself, whether it reads or not. */
		.path = "/mount/wait/events/from-the-open-on",
		.shells = "bash",
		.script = "cd $M; exec 5< events; mkdir children/a; exec 6< events; mkdir children/b; for fd in 5 6; do dd bs=4096 count=1 2> /dev/null <&$fd | cut -d' ' -f2-; done\n"
			  "try read events 10 nonblock; stat -c %s events; cat <&6 > $T/6 & p=$!; try parked $p; mkdir children/c; " UNTIL("$T/6", "created") "kill $p; cut -d' ' -f2- $T/6; read -r t rest <&5; echo $rest",
		.output = "/a created\n/b created\n/b created\nEAGAIN\n1\n/c created\n/c created\n",
	},
	{
		/* Who watches a context that is removed comes to the end. */
		.path = "/mount/wait/events/end-with-the-context",
		.shells = "bash",
		.script = "cd $M; mkdir children/a children/a/children/b; cat children/a/events > $T/a & p=$!; cat children/a/children/b/events > $T/b & q=$!; try parked $p $q; exec 5< children/a/events\n"
			  "echo 'exec sleep 1000' > children/a/ctl; echo destroy > children/a/ctl; wait $p $q; echo $?; " EVENTS("$T/a") "echo; " EVENTS("$T/b") "cmp $T/a <(cat <&5)",
		.output = "0\n/a started run=1\n/a exited run=1 code=143 why=signal arg=TERM\n/a/b removed\n/a removed\n\n/a/b removed\n",
	},
	{
		.path = "/mount/wait/events/escaped",
		.shells = "bash",
		.script = "cd $M; exec 5< events; mkdir 'children/a b' $'children/\\377' $'children/x\\\\y'; dd bs=4096 count=1 2> /dev/null <&5 | cut -d' ' -f2-",
		.output = "/a b created\n/\\xff created\n/x\\\\y created\n",
	},
	{
		/* Many runs: each has both of its lines, in order. */
		.path = "/mount/wait/events/complete",
		.shells = "bash",
		.script = "cd $M; " WATCH("events", "$T/events") "for i in {1..100}; do echo 'exec true' > ctl; read -r x < wait; done\n" UNTIL("$T/events", "exited run=100 ")
			  "cmp <(cut -d' ' -f3,4 $T/events) <(for i in {1..100}; do echo started run=$i; echo exited run=$i; done) && echo complete",
		.output = "complete\n",
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
