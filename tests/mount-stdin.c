/* stdin over a real mount: what ends an input and what does not, what is staged before a run,
 * which run a writer belongs to, writes that wait, are cut short or are taken back, and that the
 * bytes of all of this arrive as they were written. What moves bytes is tested twice where that
 * differs: on a pipe that the broker holds itself, and in a context with a place of its own
 * (`connect local`), where they go through an agent in frames. The laws about blocked writers
 * are in mount-laws.c, polls in mount-poll.c, the broker's own `pipe` in mount-pipe.c. */
#include "tests/mount.h"

/* Into a context with a place of its own. */
#define LINKED "cd $M; mkdir children/c; cd children/c; echo 'connect local' > ctl\n"

/* A command that reads nothing before somebody opens $T/go for writing, then all of its input. */
#define GATED(command) "mkfifo $T/go; echo \"sh read -r x < $T/go; exec " command "\" > ctl\n"
#define GO "echo > $T/go\n"
/* Wait until nothing more goes into stdin. */
#define FULL "until [ \"$(try poll stdin out)\" = none ]; do :; done\n"

/* A file with random bytes goes through cat, and comes back as it was; the broker does not grow
 * by as much. */
#define ROUND_TRIP                                                                                \
	"echo 'retain 1M' > ctl; echo 'exec cat' > ctl; head -c 64M /dev/urandom > $T/in; "       \
	"want=$(sha256sum < $T/in)\n"                                                             \
	"for p in $(pgrep -f \" $M\\$\"); do grep -qsE 'asan|valgrind' /proc/$p/maps && huge=1; " \
	"done\n"                                                                                  \
	"rss() { cat $(pgrep -f \" $M\\$\" | sed 's,.*,/proc/&/status,') | awk '/VmRSS/ { n += "  \
	"$2 } END { print n }'; }\n"                                                              \
	"before=$(rss); cat $T/in > stdin & got=$(cat stdout | sha256sum); wait; after=$(rss)\n"  \
	"[ \"$got\" = \"$want\" ] && echo same; [ $((after - before)) -lt 32768 ] || [ -n "       \
	"\"$huge\" ] || echo $before $after\n"                                                    \
	"read -r code rest < wait; echo $code; stat -c %s stdout"

/* clang-format off */
static const ShCase cases[] = {
	/* What ends an input. */
	{
		.path = "/mount/stdin/whole",
		.shells = "all",
		.script = "cd $M; echo 'exec wc -c' > ctl; echo data > stdin; cat stdout; read -r x < wait; grep '^stdin ' status",
		.output = "5\nstdin closed\n",
	},
	{
		.path = "/mount/stdin/more",
		.shells = "all",
		.script = "cd $M; echo 'exec cat' > ctl; exec 5< stdout\n"
			  "i=0; while [ $i -lt 50 ]; do echo $i >> stdin && read -r x <&5 && [ $x = $i ] || echo $i $x; i=$((i + 1)); done\n"
			  "grep '^stdin ' status; echo eof > ctl; cat <&5; read -r code rest < wait; echo $code",
		.output = "stdin open\n0\n",
	},
	{
		.path = "/mount/stdin/last-of-several-writers",
		.shells = "bash",
		.script = "cd $M; echo 'exec cat' > ctl; exec 3> stdin 4>> stdin 5< stdout; exec 3>&-\n"
			  "for i in {1..20}; do echo $i >&4; read -r x <&5; [ $x = $i ] || echo $x; done\n"
			  "grep '^stdin ' status; exec 4>&-; cat <&5; read -r code rest < wait; echo $code",
		.output = "stdin open\n0\n",
	},
	{
		.path = "/mount/stdin/R48/flush-is-no-close",
		.shells = "bash",
		.script = "cd $M; echo 'exec cat' > ctl; exec 3> stdin 5< stdout\n"
			  "for i in {1..20}; do (echo $i >&3); /bin/echo x >&3; read -r a <&5; read -r b <&5; [ $a$b = ${i}x ] || echo $a $b; done\n"
			  "(exec 3>&-); bash -c 'kill -KILL $$' 2> /dev/null; echo y >&3; read -r a <&5; echo $a\n"
			  "sleep 1000 & exec 3>&-; grep '^stdin ' status; kill -KILL $!; cat <&5; read -r code rest < wait; echo $code",
		.output = "y\nstdin open\n0\n",
		.errors = "",
	},
	{
		/* A process that ends while its write is parked: its close waits for nothing. */
		.path = "/mount/stdin/R48/exit-of-a-blocked-writer",
		.shells = "bash",
		.script = "cd $M; echo 'exec sleep 1000' > ctl; exec 3>> stdin; cat /dev/zero >&3 & p=$!; try parked $p\n"
			  "python3 -c 'import os; os.close(3); print(\"closed\")' 3>&3\n"
			  "kill -KILL $p; wait $p; echo $?; grep '^stdin ' status",
		.output = "closed\n137\nstdin open\n",
		.errors = "",
	},
	{
		.path = "/mount/stdin/empty",
		.shells = "all",
		.script = "cd $M; echo 'exec wc -c' > ctl; : > stdin; cat stdout",
		.output = "0\n",
	},
	{
		.path = "/mount/stdin/eof-verb",
		.shells = "all",
		.script = "cd $M; echo 'exec cat' > ctl; echo a >> stdin; echo eof > ctl; cat stdout; try write ctl 'eof\\n'\n"
			  "read -r time seq code rest < error; echo \"$seq $code $rest\"",
		.output = "a\nEPIPE\n1 EPIPE eof: the input has ended already\n",
	},
	{
		.path = "/mount/stdin/truncate-is-trunc",
		.shells = "bash",
		.script = "cd $M; echo 'exec cat' > ctl; try truncate stdin 0; echo a >> stdin; cat stdout; read -r x < wait\n"
			  "echo 'exec cat' > ctl; python3 -c 'import os; f = os.open(\"stdin\", os.O_WRONLY); os.ftruncate(f, 0); os.write(f, b\"b\\n\")'\n"
			  "cat stdout; try truncate stdin 1",
		.output = "ok\na\nb\nEINVAL\n",
	},
	{
		.path = "/mount/stdin/eofmode-close",
		.shells = "all",
		.script = "cd $M; echo 'eofmode close' > ctl; echo 'exec wc -c' > ctl; echo data >> stdin; cat stdout\n"
			  "read -r x < wait; echo 'eofmode trunc' > ctl; echo 'exec wc -c' > ctl; echo data >> stdin\n"
			  "echo 'eofmode close' > ctl; echo data >> stdin; cat stdout",
		.output = "5\n10\n",
	},
	{
		.path = "/mount/stdin/eofmode-never",
		.shells = "bash",
		.script = "cd $M; echo 'eofmode never' > ctl; echo 'exec cat' > ctl; exec 5< stdout\n"
			  "for i in {1..20}; do echo $i > stdin; read -r x <&5; [ $x = $i ] || echo $x; done\n"
			  "grep '^stdin ' status; echo eof > ctl; cat <&5; read -r code rest < wait; echo $code",
		.output = "stdin open\n0\n",
	},
	{
		.path = "/mount/stdin/pty",
		.shells = "bash",
		.script = "cd $M; echo 'pty on' > ctl; echo 'exec cat' > ctl; exec 5< stdout\n"
			  "for i in {1..20}; do echo $i > stdin; read -r a <&5; read -r b <&5; [ $a$b = $i$'\\r'$i$'\\r' ] || echo $a $b; done\n"
			  "grep '^stdin ' status; echo eof > ctl; cat <&5; read -r code rest < wait; echo $code",
		.output = "stdin open\n0\n",
	},
	{
		.path = "/mount/stdin/pty-staged",
		.shells = "bash",
		.script = "cd $M; echo 'pty on' > ctl; echo a > stdin; echo 'sh stty -echo; echo; read -r x; read -r y; echo $x$y' > ctl; echo b >> stdin\n"
			  "cat stdout | tail -n 1",
		.output = "ab\r\n",
	},
	{
		.path = "/mount/stdin/onclose",
		.shells = "all",
		.script = "cd $M; echo 'onclose hup' > ctl; echo 'exec sleep 1000' > ctl; echo x >> stdin; read -r a b c rest < wait; echo $a $b $c\n"
			  "echo 'onclose none' > ctl; echo 'exec sleep 1000' > ctl; echo x >> stdin; echo 'onclose kill' > ctl; echo x >> stdin\n"
			  "read -r a b c rest < wait; echo $a $b $c",
		.output = "129 signal HUP\n137 signal KILL\n",
	},
	/* Staging. */
	{
		.path = "/mount/stdin/staged",
		.shells = "all",
		.script = "cd $M; echo data > stdin; echo 'exec wc -c' > ctl; cat stdout",
		.output = "5\n",
	},
	{
		.path = "/mount/stdin/staged-replaced",
		.shells = "all",
		.script = "cd $M; echo long data > stdin; echo data > stdin; echo 'exec cat' > ctl; cat stdout; read -r x < wait; echo reset > ctl\n"
			  "echo data > stdin; : > stdin; echo 'exec wc -c' > ctl; cat stdout",
		.output = "data\n0\n",
	},
	{
		.path = "/mount/stdin/staged-continued",
		.shells = "all",
		.script = "cd $M; echo a > stdin; echo b >> stdin; echo c >> stdin; echo 'exec cat' > ctl; cat stdout; read -r x < wait; echo reset > ctl\n"
			  "echo a >> stdin; echo b >> stdin; echo 'exec cat' > ctl; echo c > stdin; cat stdout",
		.output = "a\nb\nc\na\nb\nc\n",
	},
	{
		.path = "/mount/stdin/staged-eof",
		.shells = "all",
		.script = "cd $M; echo a >> stdin; echo eof > ctl; try write stdin b; echo 'exec cat' > ctl; cat stdout\n"
			  "read -r time seq code rest < error; echo \"$seq $code $rest\"",
		.output = "EPIPE\na\n1 EPIPE stdin: the input has ended: eof was written\n",
	},
	{
		.path = "/mount/stdin/staged-kept-by-a-failed-exec",
		.shells = "bash",
		.script = "cd $M; echo data > stdin; try write ctl 'exec nosuch\\n'; try write ctl 'cwd /nosuch\\nexec cat\\n'; grep '^stdin ' status\n"
			  "echo 'cwd /' > ctl; echo 'exec cat' > ctl; cat stdout",
		.output = "ENOENT\n12\nstdin ended\ndata\n",
	},
	{
		.path = "/mount/stdin/staged-64k",
		.shells = "python3",
		.script = "import errno, os\n"
			  "os.chdir(os.environ['M'])\n"
			  "def write(fd, size):\n"
			  "    try: return os.write(fd, b'x' * size)\n"
			  "    except OSError as error: return errno.errorcode[error.errno]\n"
			  "fd = os.open('stdin', os.O_WRONLY | os.O_NONBLOCK)\n"
			  "print(write(fd, 65000), write(fd, 600), write(fd, 536), write(fd, 1), write(fd, 100000))\n"
			  "os.close(os.open('stdin', os.O_WRONLY | os.O_TRUNC))\n"
			  "print(write(fd, 100000), write(fd, 1))\n"
			  "os.close(fd)\n"
			  "os.system('echo exec wc -c > ctl; cat stdout')",
		.output = "65000 EAGAIN 536 EAGAIN EAGAIN\n65536 EAGAIN\n65536\n",
	},
	{
		.path = "/mount/stdin/staged-more-than-fits",
		.shells = "all",
		.script = "cd $M; head -c 1000000 /dev/zero > stdin & p=$!; try parked $p; echo 'exec wc -c' > ctl; cat stdout; wait $p",
		.output = "1000000\n",
	},
	{
		.path = "/mount/stdin/staged-until-reset-only",
		.shells = "bash",
		.script = "cd $M; echo 'exec true' > ctl; read -r x < wait; try write stdin late; : > stdin\n"
			  "echo 'exec wc -c' > ctl; echo eof > ctl; cat stdout; read -r x < wait; try write stdin late\n"
			  "echo reset > ctl; echo data > stdin; echo 'exec cat' > ctl; cat stdout; cut -d' ' -f2- error",
		.output = "EPIPE\n0\nEPIPE\ndata\n"
			  "1 EPIPE stdin: the command has ended or has closed its input\n"
			  "2 EPIPE stdin: the command has ended or has closed its input\n",
	},
	/* Whose writer. */
	{
		.path = "/mount/stdin/writer-of-an-earlier-run",
		.shells = "bash",
		.script = "cd $M; echo 'exec true' > ctl; exec 3> stdin; read -r x < wait; echo 'exec cat' > ctl; exec 5< stdout\n"
			  "echo wrong >&3; exec 3>&-\n"
			  "for i in {1..20}; do echo $i >> stdin; read -r x <&5; [ $x = $i ] || echo $x; done\n"
			  "grep '^stdin ' status; echo eof > ctl; cat <&5",
		.output = "stdin open\n",
		.errors = "Broken pipe",
	},
	{
		.path = "/mount/stdin/writer-opened-before-the-run",
		.shells = "bash",
		.script = "cd $M; exec 3> stdin; echo a >&3; echo 'exec cat' > ctl; exec 5< stdout; read -r x <&5; echo $x\n"
			  "echo b >&3; read -r x <&5; echo $x; grep '^stdin ' status; exec 3>&-; cat <&5; read -r code rest < wait; echo $code",
		.output = "a\nb\nstdin open\n0\n",
	},
	/* After the end. */
	{
		.path = "/mount/stdin/EPIPE/after-the-end",
		.shells = "bash",
		.script = "cd $M; echo 'sh cat; read -r x < '$T/go > ctl; mkfifo $T/go; echo a > stdin; cat stdout & p=$!\n"
			  "exec 6<> $T/go; until grep -q '^stdin ended' status; do :; done; try write stdin b; (cat /etc/passwd >> stdin); echo $?\n"
			  "echo >&6; wait $p; cut -d' ' -f2- error | sort -u -k2",
		.regex = "(a\n)?EPIPE\n1\n(a\n)?\\d EPIPE stdin: the input has ended: its last writer has closed it\n",
		.errors = "Broken pipe",
	},
	{
		.path = "/mount/stdin/EPIPE/command-closed-it",
		.shells = "bash",
		.script = "cd $M; echo 'sh exec <&-; echo closed; exec sleep 1000' > ctl; read -r x < stdout; echo $x; cat /dev/zero > stdin; echo $?\n"
			  "grep -E '^(state|stdin) ' status; cut -d' ' -f2- error",
		.output = "closed\n1\nstate running\nstdin closed\n1 EPIPE stdin: the command has ended or has closed its input\n",
		.errors = "Broken pipe",
	},
	{
		/* A parked writer learns it too, and no SIGPIPE comes: 141 would say so. */
		.path = "/mount/stdin/EPIPE/parked",
		.shells = "bash",
		.script = "cd $M; echo 'exec sleep 1000' > ctl; cat /dev/zero > stdin & p=$!; try parked $p; echo kill > ctl; wait $p; echo $?\n"
			  "cut -d' ' -f2- error",
		.output = "1\n1 EPIPE stdin: the command has ended or has closed its input\n",
		.errors = "Broken pipe",
	},
	{
		.path = "/mount/stdin/EPIPE/linked",
		.shells = "bash",
		.script = LINKED "echo 'sh exec <&-; echo closed; exec sleep 1000' > ctl; read -r x < stdout; echo $x; cat /dev/zero > stdin; echo $?\n"
			  "grep -E '^(state|stdin) ' status; cut -d' ' -f2- error",
		.output = "closed\n1\nstate running\nstdin closed\n1 EPIPE stdin: the command has ended or has closed its input\n",
		.errors = "Broken pipe",
	},
	{
		.path = "/mount/stdin/EPIPE/context-removed",
		.shells = "bash",
		.script = "cd $M; mkdir children/a; exec 3>> children/a/stdin; rmdir children/a; echo x >&3",
		.output = "",
		.errors = "Broken pipe",
		.code = 1,
	},
	/* T94: what has no newline at its end. */
	{
		.path = "/mount/stdin/T94/last-line-without-newline",
		.shells = "all",
		.script = "cd $M; echo 'exec cat' > ctl; printf 'a\\nb' > stdin; cat stdout; echo; stat -c %s stdout; read -r x < wait\n"
			  "printf c > stdin; echo reset > ctl; printf c > stdin; echo 'exec cat' > ctl; cat stdout",
		.output = "a\nb\n3\nc",
		.errors = "",
	},
};

/* Where the bytes have to arrive on both ways. */
static const ShCase both[] = {
	{
		.path = "/mount/stdin/R31/64-MiB",
		.shells = "bash",
		.script = ROUND_TRIP,
		.output = "same\n0\n67108864\n",
	},
	{
		.path = "/mount/stdin/R32/one-byte-writes",
		.shells = "python3",
		.script =
			"import os, subprocess, threading\n"
			"data = os.urandom(20000)\n"
			"open('ctl', 'w').write('exec cat\\n')\n"
			"fd = os.open('stdin', os.O_WRONLY | os.O_TRUNC)\n"
			"print(sum(os.write(fd, data[i:i + 1]) for i in range(len(data))))\n"
			"os.close(fd)\n"
			"print(open('stdout', 'rb').read() == data)",
		.output = "20000\nTrue\n",
		.errors = "",
	},
	{
		.path = "/mount/stdin/R32/large-writes",
		.shells = "python3",
		.script =
			"import os, threading\n"
			"data = os.urandom(1 << 20)\n"
			"open('ctl', 'w').write('exec cat\\n')\n"
			"def write():\n"
			"    fd = os.open('stdin', os.O_WRONLY | os.O_TRUNC)\n"
			"    sizes = [os.write(fd, data), os.writev(fd, [data[:300], data[300:5000], data[5000:]]), os.write(fd, data[:777777])]\n"
			"    os.close(fd)\n"
			"    print(sizes)\n"
			"t = threading.Thread(target=write)\n"
			"t.start()\n"
			"got = open('stdout', 'rb').read()\n"
			"t.join()\n"
			"print(got == data + data + data[:777777])",
		.output = "[1048576, 1048576, 777777]\nTrue\n",
		.errors = "",
	},
	{
		.path = "/mount/stdin/R32/nonblock",
		.shells = "python3",
		.script =
			"import errno, os, select\n"
			"data = os.urandom(3 << 20)\n"
			"open('ctl', 'w').write('exec cat\\n')\n"
			"fd = os.open('stdin', os.O_WRONLY | os.O_TRUNC | os.O_NONBLOCK)\n"
			"out = os.open('stdout', os.O_RDONLY | os.O_NONBLOCK)\n"
			"p = select.poll()\n"
			"p.register(fd, select.POLLOUT)\n"
			"p.register(out, select.POLLIN)\n"
			"at, got, again, short = 0, b'', 0, 0\n"
			"while len(got) < len(data):\n"
			"    for which, what in p.poll():\n"
			"        try:\n"
			"            if which == out:\n"
			"                got += os.read(out, 1 << 16)\n"
			"            else:\n"
			"                block = data[at:at + 500000]\n"
			"                n = os.write(fd, block)\n"
			"                short += n < len(block)\n"
			"                at += n\n"
			"                if at == len(data):\n"
			"                    p.unregister(fd)\n"
			"                    os.close(fd)\n"
			"        except BlockingIOError: again += 1\n"
			"print(got == data, short > 0, p.poll()[0][1] & select.POLLIN, os.read(out, 1))",
		.output = "True True 1 b''\n",
		.errors = "",
	},
	{
		/* As of a pipe: what fits into PIPE_BUF goes whole or not at all. */
		.path = "/mount/stdin/R45/small-writes-are-atomic",
		.shells = "python3",
		.script =
			"import errno, os\n"
			"T = os.environ['T']\n"
			"os.mkfifo(T + '/go')\n"
			"open('ctl', 'w').write('sh read -r x < %s/go; exec cat\\n' % T)\n"
			"fd = os.open('stdin', os.O_WRONLY | os.O_TRUNC | os.O_NONBLOCK)\n"
			"sizes = [os.write(fd, b'a' * 100)]\n"
			"try:\n"
			"    while True: sizes.append(os.write(fd, b'b' * 4096))\n"
			"except BlockingIOError: pass\n"
			"print(sizes[0], set(sizes[1:]), len(sizes) > 8)\n"
			"open(T + '/go', 'w').write('\\n')\n"
			"os.close(fd)\n"
			"print(len(open('stdout').read()) == sum(sizes))",
		.output = "100 {4096} True\nTrue\n",
		.errors = "",
	},
	{
		/* What a killed writer had written by then is a prefix, and the next writer goes
		 * on behind it. */
		.path = "/mount/stdin/R45/killed-writer",
		.shells = "bash",
		.script =
			GATED("cat")
			"python3 -c 'import os; os.write(1, b\"\".join(b\"%07d\\n\" % i for i in range(131072)))' >> stdin & p=$!\n" FULL
			"kill -KILL $p; wait $p; echo $?; echo end >> stdin & try parked $! > /dev/null\n" GO
			"echo eof > ctl; wait; cat stdout > $T/out; tail -n 1 $T/out | tail -c 4\n"
			"head -c -4 $T/out > $T/prefix; size=$(stat -c %s $T/prefix); [ $size -gt 4096 ] && [ $size -lt 1048576 ] && echo cut\n"
			"seq -f %07.0f 0 131071 | cmp -n $size - $T/prefix && echo prefix",
		.output = "137\nend\ncut\nprefix\n",
		.errors = "",
	},
	{
		/* Of three writers that wait, the one in the middle is killed: nothing of it
		 * arrives, and the others do. */
		.path = "/mount/stdin/R46/waiting-writers",
		.shells = "bash",
		.script =
			GATED("cat")
			"exec 3>> stdin; head -c 1000000 /dev/zero >> stdin & a=$!\n" FULL
			"try write stdin 'killed\\n' > /dev/null & b=$!; try parked $b; try write stdin 'third\\n' nonblock\n"
			"try write stdin 'last\\n' > $T/last & c=$!; try parked $c\n"
			"for p in $a $b $c; do sed -n 's/^State:.\\(.\\).*/\\1/p' /proc/$p/status; done; kill -KILL $b; wait $b; echo $?\n" GO
			"wait $a; echo $?; wait $c; cat $T/last; echo eof > ctl; cat stdout | tr -d '\\0'; stat -c %s stdout",
		.output = "EAGAIN\nS\nS\nS\n137\n0\n5\nlast\n1000005\n",
		.errors = "",
	},
	{
		/* A write(2) of any size is one piece. */
		.path = "/mount/stdin/R46/never-interleaved",
		.shells = "python3",
		.script =
			"import os, re, threading\n"
			"open('ctl', 'w').write('exec cat\\n')\n"
			"SIZE, ROUNDS = 150001, 8\n"
			"hold = os.open('stdin', os.O_WRONLY | os.O_TRUNC)\n"
			"def write(letter):\n"
			"    fd = os.open('stdin', os.O_WRONLY | os.O_APPEND)\n"
			"    for i in range(ROUNDS): assert os.write(fd, letter * SIZE) == SIZE\n"
			"    os.close(fd)\n"
			"threads = [threading.Thread(target=write, args=(letter,)) for letter in (b'a', b'b', b'c')]\n"
			"for t in threads: t.start()\n"
			"def close():\n"
			"    for t in threads: t.join()\n"
			"    os.close(hold)\n"
			"last = threading.Thread(target=close)\n"
			"last.start()\n"
			"got = open('stdout', 'rb').read()\n"
			"last.join()\n"
			"print([got.count(letter) // SIZE for letter in (b'a', b'b', b'c')], len(got) == 3 * SIZE * ROUNDS)\n"
			"print({len(run.group()) % SIZE for run in re.finditer(rb'a+|b+|c+', got)})",
		.output = "[8, 8, 8] True\n{0}\n",
		.errors = "",
	},
	{
		.path = "/mount/stdin/T29/one-write",
		.shells = "bash",
		.script =
			"cat > $T/one.py <<'END'\n"
			"import fcntl, os, sys\n"
			"nonblock = [fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK for fd in (0, 1, 2)]\n"
			"print(nonblock, os.write(1, b'x' * 1048576), file=sys.stderr)\n"
			"END\n"
			"echo \"exec python3 $T/one.py\" > ctl; cat stdout | tr -d x | wc -c; cat stderr; stat -c %s stdout",
		.output = "0\n[0, 0, 0] 1048576\n1048576\n",
		.errors = "",
	},
};
/* clang-format on */

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	mount_test_add_both(both, G_N_ELEMENTS(both));
	return mount_test_run();
}
