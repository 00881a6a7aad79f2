/* The tools that people already have, on a mount: what they do with files that grow and that wait,
 * how they read whole trees, how many at a time. mount-rsh.c has those that go by ssh. */
#include "tests/mito.h"
#include "tests/mount.h"

/* An idle context, one whose command has written and goes on, and one whose command has ended. */
#define SCENE                                                                          \
	"cd $M; mkdir children/idle children/run children/done; "                      \
	"echo 'sh echo needle so far; exec sleep 1000000' > children/run/ctl; "        \
	"echo 'exec echo needle' > children/done/ctl; cat children/done/wait > $T/w; " \
	"head -n 1 children/run/stdout > $T/w\n"

/* The files that wait, as mitofs(5) says them. */
#define WAITING "waiting='events prompt stdin stdout stderr wait'\n"

/* N contexts w1 w2 ... at a place of their own. */
#define WORKERS(N)                                                                                \
	"cd $M; mkdir children/p; echo 'connect local' > children/p/ctl; c=children/p/children; " \
	"for i in $(seq " #N "); do mkdir $c/w$i; done\n"

/* clang-format off */
static const ShCase cases[] = {
	/* Whole trees. GNU grep opens what it finds there with O_NONBLOCK, and so never waits. */
	{
		.path = "/mount/tools/tree/grep-r",
		.shells = "bash",
		.script = SCENE "grep -rs --exclude-dir=all --exclude=log --exclude=status needle . | sort; grep -rs nosuchthing .; echo $?; grep -r needle children/run 2>&1 | grep -c 'Resource temporarily unavailable'\n"
			"grep -rl --include=status --include=log --include=error needle . | sort",
		.output = "./children/done/stdout:needle\n./children/run/stdout:needle so far\n2\n4\n"
			"./children/done/log\n./children/done/status\n./children/run/log\n./children/run/status\n./log\n",
	},
	/* It does so with files that are named too, if it shall skip devices. */
	{
		.path = "/mount/tools/tree/grep-D-skip",
		.shells = "bash",
		.script = SCENE "grep -s -D skip needle children/*/stdout; echo $?; find . -name all -prune -o -type f -exec grep -ls -D skip needle {} + | grep stdout | sort",
		.output = "children/done/stdout:needle\nchildren/run/stdout:needle so far\n2\n./children/done/stdout\n./children/run/stdout\n",
	},
	{
		.path = "/mount/tools/tree/find",
		.shells = "bash",
		.script = SCENE "find . -type f | wc -l; find . -type d | wc -l; find . -path '*/all' -prune -o -name stdout -size +0 -print | sort; touch -d '1 hour ago' $T/old; find children -name stdout -newer $T/old | wc -l; touch -d '1 hour' $T/new; find children -newer $T/new; find children -name status -exec grep -H ^state {} + | sort; find children -name ctl -execdir cat wait \\; -quit",
		.output = "72\n12\n./children/done/stdout\n./children/run/stdout\n6\nchildren/done/status:state exited\nchildren/idle/status:state idle\nchildren/run/status:state running\n",
	},
	/* Those that read no contents, and one that reads without waiting. */
	{
		.path = "/mount/tools/tree/names-and-sizes",
		.shells = "bash",
		.script = SCENE "du -s . > $T/w; ls -lR > $T/w; stat children/run/* > $T/w; wc -c < children/run/stdout; file children/run/stdout children/done/stdout; tar cf /dev/null children 2> $T/w; rsync -an children/ $T/copy > $T/w; [ ! -e $T/copy ] && echo ended",
		.regex = "14\nchildren/run/stdout:  ASCII text\nchildren/done/stdout: ASCII text\nended\n",
	},
	/* What would wait, told to leave the files that wait. */
	{
		.path = "/mount/tools/tree/without-those-that-wait",
		.shells = "bash",
		.script = SCENE WAITING "printf '%s\\n' $waiting > $T/waiting; tar c -X $T/waiting children | tar t | grep -c status; rsync -a --exclude-from=$T/waiting children/ $T/copy; diff -r -X $T/waiting $T/copy children | grep -v '^Only in [^ ]*all: \\|^[<>0-9-]'; find $T/copy -type f | sed 's|.*/||' | sort -u | xargs\n"
			"printf 'mnt/**/%s\\n' $waiting > $M/../.ignore; rg -l needle | sort; rg --no-ignore $(printf ' -g !%s' $waiting) -l needle | sort | wc -l",
		.output = "6\nctl error log signal status\nchildren/done/log\nchildren/done/status\nchildren/run/log\nchildren/run/status\nlog\n5\n",
	},
	/* The contract stands: who opens a file that waits as any other, waits, and can be stopped. */
	{
		.path = "/mount/tools/tree/cp-r",
		.shells = "bash",
		.script = SCENE "cp -r children/run $T/copy 2> $T/err & p=$!; try parked $p; kill $p; wait $p; echo $?; rg -j1 needle > $T/w & p=$!; try parked $p; kill $p; wait $p; echo $?; mkdir $T/to; cp --parents children/*/ctl children/*/status children/*/log $T/to; cp children/done/* $T/copy 2> $T/err & p=$!; try parked $p; kill $p; ls $T/to/children/run | xargs",
		.regex = "143\n143\nctl log status\n",
		.errors = "",
	},
	/* Files that grow. */
	{
		.path = "/mount/tools/follow/tail-f",
		.shells = "bash dash",
		.script = "cd $M; echo 'exec cat' > ctl; tail -s .01 -f stdout > $T/out & t=$!; echo one >> stdin; until grep -qsx one $T/out; do :; done; echo two >> stdin; until grep -qsx two $T/out; do :; done; kill $t; "
			"tail -n 1 -f stdout > $T/out & t=$!; echo three >> stdin; until grep -qsx three $T/out; do :; done; kill $t; echo eof > ctl; tail -n 2 stdout; tail --pid=$t -s .01 -f stdout | wc -l",
		.output = "two\nthree\n3\n",
	},
	/* A second run is another file: who has the first one open stays with it, and -F goes over. */
	{
		.path = "/mount/tools/follow/next-run",
		.shells = "bash dash",
		.script = "cd $M; echo 'exec echo a long first run' > ctl; tail -s .01 -f stdout > $T/f 2>&1 & f=$!; tail -s .01 -F stdout > $T/F 2>&1 & F=$!; until grep -qs first $T/f && grep -qs first $T/F; do :; done; exec 5< stdout; before=$(stat -c %i stdout); "
			  "echo 'exec echo second' > ctl; until grep -qsx second $T/F; do :; done; stat -L -c %s /proc/self/fd/5 stdout; [ $(stat -L -c %i /proc/self/fd/5) = $before ] && [ $(stat -c %i stdout) != $before ] && [ $(stat -c %i status) = $(stat -c %i status) ] && echo another\n"
			  "echo reset > ctl; stat -c %s stdout; echo 'exec nosuch' > ctl 2> $T/err; echo 'exec echo third' > ctl; until grep -qsx third $T/F; do :; done; kill $f $F; cat $T/f; grep -v 'tail:' $T/F; cat <&5",
		.output = "17\n7\nanother\n0\na long first run\na long first run\nsecond\nthird\na long first run\n",
	},
	{
		.path = "/mount/tools/follow/less",
		.shells = "bash",
		.script = SCREEN "cd $M; seq -f 'line %g' 100 > $T/in; echo 'exec cat' > ctl; cat $T/in >> stdin; until grep -qx 'stdout 792' status; do :; done; keys \"less $M/stdout\" Enter; see '^line 1$'; see '^line 19'; keys q; see '^:$'; "
			"keys \"clear; less +F $M/stdout\" Enter; see '^line 100'; echo now >> stdin; see '^now'; keys C-c; keys /now Enter; see '^now'; keys q; keys 'echo le\"\"ft' Enter; see ^left; "
			"echo eof > ctl; read -r x < wait; keys \"clear; less $M/stdout; echo en''ded\" Enter; see '^line 1$'; keys G; see '^now'; see '(END)'; keys q; see ^ended; tm kill-server",
		.output = "^line 1$\n^line 19\n^:$\n^line 100\n^now\n^now\n^left\n^line 1$\n^now\n(END)\n^ended\n",
	},
	{
		.path = "/mount/tools/follow/watch",
		.shells = "bash",
		.script = SCREEN "cd $M; keys \"watch -n .1 -t grep -h ^state $M/status\" Enter; see '^state idle'; echo 'exec sleep 1000000' > ctl; see '^state running'; echo kill > ctl; see '^state exited'; keys C-c; see '^:'; tm kill-server",
		.output = "^state idle\n^state running\n^state exited\n^:\n",
	},
	/* Filters over files. */
	{
		.path = "/mount/tools/filters",
		.shells = "bash",
		.script = "cd $M; mkdir children/a children/b; cd children; echo 'exec seq 10' > a/ctl; echo 'exec seq 2 11' > b/ctl; diff a/stdout b/stdout; sort -n a/stdout b/stdout | uniq -d | wc -l; sort -m a/stdout > $T/sorted; wc a/stdout; head -n -8 a/stdout; tac a/stdout | head -n 1; comm -13 a/stdout b/stdout 2> $T/err; paste -sd+ a/stdout; cut -c1 b/stdout | tail -n 1; awk '{ n += $1 } END { print n }' a/stdout; cmp a/stdout b/stdout; md5sum < a/stdout; od -An -c a/stdout | head -n 1; split -l 5 a/stdout $T/part; cat $T/partab",
		.output = "1d0\n< 1\n10a10\n> 11\n9\n10 10 21 a/stdout\n1\n2\n10\n11\n1+2+3+4+5+6+7+8+9+10\n1\n55\na/stdout b/stdout differ: byte 1, line 1\n3b0332e02daabf31651a5a0d81ba830a  -\n   1  \\n   2  \\n   3  \\n   4  \\n   5  \\n   6  \\n   7  \\n   8  \\n\n6\n7\n8\n9\n10\n",
	},
	{
		.path = "/mount/tools/copies",
		.shells = "bash",
		.script = "cd $M; mkdir children/a children/b; cd children; head -c 3000000 /dev/urandom > $T/in; same() { cmp $T/in ${1-a/stdout} && echo same; echo reset > a/ctl; }\n"
			"echo 'exec cat' > a/ctl; dd if=$T/in of=a/stdin bs=64k 2> $T/w; same; echo 'exec cat' > a/ctl; dd if=$T/in of=a/stdin bs=1M oflag=append conv=notrunc 2> $T/w; echo eof > a/ctl; same\n"
			"echo 'exec cat' > a/ctl; dd if=a/stdout of=$T/out bs=64k iflag=fullblock 2> $T/w & cat $T/in > a/stdin; wait $!; same $T/out; echo 'exec cat' > a/ctl; pv -q $T/in > a/stdin; pv -q a/stdout | cmp - $T/in && same; echo 'exec cat' > a/ctl; cp $T/in a/stdin; cp a/stdout $T/out; same $T/out\n"
			"for x in a b; do echo 'exec cat' > $x/ctl; done; tee a/stdin b/stdin < $T/in | cmp - $T/in; cmp b/stdout $T/in; same; echo 'exec cat' > a/ctl; socat -u $T/in OPEN:a/stdin,trunc; socat -u OPEN:a/stdout,rdonly CREATE:$T/out; same $T/out\n"
			"echo 'exec cat' > a/ctl; busybox cat $T/in > a/stdin; busybox cat a/stdout | cmp - $T/in; same; echo 'exec cat' > a/ctl; python3 -c 'import shutil, sys; shutil.copyfile(sys.argv[1], \"a/stdin\"); shutil.copyfile(\"a/stdout\", sys.argv[2])' $T/in $T/out; same $T/out",
		.output = "same\nsame\nsame\nsame\nsame\nsame\nsame\nsame\nsame\n",
		.errors = "",
		.setup = { .seconds = 60 },
	},
	/* A tree with odd names goes there and comes back. */
#define TREE "mkdir -p $T/from/sub/deep $T/from/empty; cd $T/from; for n in plain 'two words' \"it's\" '-dash' '*' 'new\nline' '$x' '#c' 'ü' '\\'; do echo \"text of $n\" > ./sub/\"$n\"; done; head -c 2000000 /dev/urandom > sub/deep/big; ln -s plain sub/link; ln sub/plain sub/hard; chmod 750 sub/plain; truncate -s 1M sparse\n"
	{
		.path = "/mount/tools/tar",
		.shells = "all",
		.script = MITO TREE "mkdir $T/there $T/back; cd $M; mkdir children/a; echo 'connect local' > children/a/ctl; cd children/a; echo \"cwd $T/there\" > ctl; echo 'exec tar x' > ctl; tar c -C $T/from . > stdin; cut -c 1-8 wait; echo \"exec tar cz .\" > ctl; tar xz -C $T/back < stdout; cut -c 1-8 wait; /usr/bin/diff -r --no-dereference $T/from $T/back && echo same\n"
			"rm -r $T/there/* $T/back/*; tar c -C $T/from . | mito run -d $T/there a tar x; mito run -d $T/there a tar c . | tar x -C $T/back; /usr/bin/diff -r --no-dereference $T/from $T/back && echo same; stat -c %a $T/back/sub/plain",
		.output = "0 exit 0\n0 exit 0\nsame\nsame\n750\n",
	},
	{
		.path = "/mount/tools/rsync-by-run",
		.shells = "bash",
		.script = MITO_PROGRAM TREE "mito connect a local; r() { rsync -s --blocking-io --rsh='mito run' --checksum --delete -aH \"$@\" 2>&1; }; r $T/from/ a:$T/there/; r a:$T/there/ $T/back/; /usr/bin/diff -r --no-dereference $T/from $T/back && echo same; rm -r $T/from/sub/*; echo new > $T/from/new; r $T/from/ a:$T/there/; diff -r $T/from $T/there && echo same; r -n -i $T/from/ a:$T/there/; mito ls a",
		.output = "same\nsame\n",
	},
	/* Many at a time. */
#define OUT(N) "in-w" #N "\nw" #N "\n"
	{
		.path = "/mount/tools/many/parallel",
		.shells = "bash",
		.script = WORKERS(16) "export c HOME=$T; mkdir $T/.parallel; : > $T/.parallel/will-cite; ls -v $c | parallel -k -j8 'echo \"sh cat; echo {}; exit {#}\" > $c/{}/ctl; echo in-{} > $c/{}/stdin; cat $c/{}/stdout; read code rest < $c/{}/wait; exit $code'; echo $?; "
			"for i in $(seq 16); do echo \"exec seq $i\" > $c/w$i/ctl; done; parallel -j8 --tag -k 'tail -n 1 $c/w{}/stdout' ::: $(seq 16) | awk '$1 != $2 { print \"wrong\" } END { print NR }'; "
			"seq 1000 | parallel -j8 -k --pipe -N 125 'echo reset > $c/w{#}/ctl; echo \"exec awk \\\"{ n += \\\\\\$1 } END { print n }\\\"\" > $c/w{#}/ctl; cat > $c/w{#}/stdin; cat $c/w{#}/stdout' | awk '{ n += $1 } END { print n }'",
		.output = OUT(1) OUT(2) OUT(3) OUT(4) OUT(5) OUT(6) OUT(7) OUT(8) OUT(9) OUT(10) OUT(11) OUT(12) OUT(13) OUT(14) OUT(15) OUT(16) "16\n16\n500500\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/tools/many/xargs-P",
		.shells = "all",
		.script = WORKERS(16) "ls $c | xargs -P 8 -I {} sh -c 'echo \"sh echo {}; exit 3\" > '$c'/{}/ctl; cat '$c'/{}/stdout' | sort | uniq -c | awk '{ n += $1 } END { print NR, n }'; cat $c/*/wait | cut -c 1-8 | sort | uniq -c | tr -s ' '; "
			"seq 40 | xargs -P 8 -I {} sh -c 'mkdir children/x{}; echo \"exec echo {}\" > children/x{}/ctl; cat children/x{}/stdout; cat children/x{}/wait >> $T/waits; rmdir children/x{}' | sort -n | cmp - $T/seq && ls children",
		.output = "16 16\n 16 3 exit 3\np\n",
		.setup = { .before = "seq 40 > $T/seq" },
	},
	/* A dialogue. */
	{
		.path = "/mount/tools/expect/attach",
		.shells = "bash",
		.script = MITO_PROGRAM "cat > $T/client <<'END'\n"
			"printf 'login: '; read -r name; printf 'Password: '; stty -echo; read -r word; stty echo; echo; [ \"$name $word\" = 'ann secret' ] && echo welcome && stty size && exit 3; echo sorry; exit 4\n"
			"END\n"
			"mkdir $M/children/a; printf 'pty on\\nexec sh %s\\n' $T/client > $M/children/a/ctl; cat > $T/script <<'END'\n"
			"set timeout 60; log_user 0\n"
			"spawn mito attach a\n"
			"expect login: { send ann\\r } timeout { exit 1 }\n"
			"expect Password: { send secret\\r } timeout { exit 1 }\n"
			"expect -re {welcome\\r\\n(\\d+ \\d+)} { puts \"in $expect_out(1,string)\" } sorry { puts sorry } timeout { exit 1 }\n"
			"expect eof; lassign [wait] pid id error code; puts \"code $code\"\n"
			"END\n"
			"stty -F /dev/null 2> $T/w; expect $T/script",
		.output = "in 24 80\ncode 3\n",
	},
	{
		.path = "/mount/tools/expect/run",
		.shells = "bash",
		.script = MITO_PROGRAM "mito new a; cat > $T/script <<'END'\n"
			"set timeout 60; log_user 0\n"
			"spawn mito run a sh -c {echo ready; while read -r n; do echo \"<$((n * 2))>\"; done; exit 5}\n"
			"expect ready\n"
			"foreach n {1 2 30} { send \"$n\\r\"; expect -re {<(\\d+)>} { puts $expect_out(1,string) } timeout { exit 1 } }\n"
			"send \\004; expect eof; lassign [wait] pid id error code; puts \"code $code\"\n"
			"spawn mito run a cat; send hello\\r; expect -re {hello\\r\\n.*hello}; send \\003; expect eof; puts [lrange [wait] 4 5]\n"
			"END\n"
			"expect $T/script; mito ls a",
		.output = "2\n4\n60\ncode 5\nCHILDKILLED SIGINT\n",
	},
	/* Questions of a place. */
	{
		.path = "/mount/tools/expect/connect",
		.shells = "bash",
		.script = MITO_PROGRAM "cat > $T/client <<'END'\n"
			"exec 3<> /dev/tty; stty -echo <&3; printf 'Password:' >&3; read -r x <&3; [ \"$x\" = secret ] || exit 1; stty echo <&3; printf 'Really (yes/no)? ' >&3; read -r x <&3; [ \"$x\" = yes ] || exit 1; exec sh\n"
			"END\n"
			"cat > $T/script <<'END'\n"
			"set timeout 60; log_user 0\n"
			"spawn mito connect a command sh $env(T)/client\n"
			"expect Password: { send secret\\r }\n"
			"expect yes/no { send yes\\r }\n"
			"expect eof; puts [lindex [wait] 3]\n"
			"END\n"
			"expect $T/script; mito status a link; mito run a echo there",
		.output = "0\nup\nthere\n",
	},
	/* Python: streams of several contexts at once; the files as those of a process. */
	{
		.path = "/mount/tools/python/selectors",
		.shells = "python3",
		.script = "import os, selectors\n"
			"os.chdir(os.environ['M'] + '/children')\n"
			"kinds = (selectors.PollSelector, selectors.EpollSelector, selectors.SelectSelector)\n"
			"for number, kind in enumerate(kinds):\n"
			"    got, sel, names = {}, kind(), ['%d%c' % (number, c) for c in 'abcdefgh']\n"
			"    for name in names:\n"
			"        os.mkdir(name)\n"
			"        open(name + '/ctl', 'w').write('sh read -r x; seq \"$x\"; exec cat\\n')\n"
			"        fd = os.open(name + '/stdout', os.O_RDONLY | os.O_NONBLOCK)\n"
			"        sel.register(fd, selectors.EVENT_READ, name)\n"
			"        got[name] = b''\n"
			"    print(len(sel.select(0)), end=' ')\n"
			"    for i, name in enumerate(names):\n"
			"        open(name + '/stdin', 'w').write('%d\\n' % (i * 10000))\n"
			"    while sel.get_map():\n"
			"        for key, _ in sel.select():\n"
			"            try: data = os.read(key.fd, 100000)\n"
			"            except BlockingIOError: continue\n"
			"            got[key.data] += data\n"
			"            if not data: sel.unregister(key.fd); os.close(key.fd)\n"
			"    print(all(got[n] == b''.join(b'%d\\n' % k for k in range(1, i * 10000 + 1)) for i, n in enumerate(names)))\n",
		.output = "0 True\n0 True\n0 True\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/tools/python/popen",
		.shells = "python3",
		.script = "import os, subprocess\n"
			"os.chdir(os.environ['M'] + '/children')\n"
			"for name in 'ab':\n"
			"    os.mkdir(name)\n"
			"    open(name + '/ctl', 'w').write('connect local\\nexec cat\\n')\n"
			"text = b''.join(b'%d\\n' % i for i in range(200000))\n"
			"with open('a/stdin', 'wb') as there: feeder = subprocess.Popen(['tr', '0-9', 'a-j'], stdin=subprocess.PIPE, stdout=there)\n"
			"with open('a/stdout', 'rb') as here, open('b/stdin', 'wb') as there: between = subprocess.Popen(['tr', 'a-j', '0-9'], stdin=here, stdout=there)\n"
			"with open('b/stdout', 'rb') as here: last = subprocess.Popen(['cat'], stdin=here, stdout=subprocess.PIPE)\n"
			"feeder.stdin.write(text)\n"
			"feeder.stdin.close()\n"
			"print(last.communicate()[0] == text, feeder.wait(), between.wait(), last.returncode)\n"
			"print(subprocess.run('echo \"sh exit 9\" > a/ctl; read c r < a/wait; exit $c', shell=True).returncode)\n"
			"print(open('b/wait').read()[:8], len(open('b/stdout').readlines()))\n"
			"import shutil; shutil.copyfile('b/stdout', os.environ['T'] + '/out'); print(open(os.environ['T'] + '/out', 'rb').read() == text)\n",
		.output = "True 0 0 0\n9\n0 exit 0 200000\nTrue\n",
		.setup = { .seconds = 60 },
	},
	/* A stream as a socket, and as what a program that speaks over two pipes is given. */
	{
		.path = "/mount/tools/socat",
		.shells = "bash",
		.script = "cd $M; mkdir children/a; cd children/a; echo 'connect local' > ctl; echo 'sh while read -r x; do echo \"<$x>\"; done' > ctl; socat UNIX-LISTEN:$T/socket 'OPEN:stdout,rdonly!!OPEN:stdin,append' & p=$!; until [ -S $T/socket ]; do :; done; printf 'one\\ntwo\\n' | socat -t 60 - UNIX-CONNECT:$T/socket > $T/out & until grep -qsx '<two>' $T/out; do :; done; echo eof > ctl; wait; cat $T/out; cut -c 1-8 wait",
		.output = "<one>\n<two>\n0 exit 0\n",
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
