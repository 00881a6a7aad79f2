/* stdout and stderr over a real mount: any number of readers, offsets and sizes, what is kept
 * and what is let go, a command that is held back, whose run an open file shows, output that a
 * process left behind still writes, and the end of a stream, which is another moment than the
 * end of the command. What moves bytes is tested on a pipe that the broker holds itself and
 * through an agent (mount_test_add_both). Interrupted readers are in mount-laws.c, polls in
 * mount-poll.c, terminals in mount-pty.c. */
#include "tests/mount.h"

/* Wait until a word of `status` has this value. */
#define UNTIL(key, value) "until grep -qx '" key " " value "' status; do :; done\n"
/* The key's value. */
#define SHOW(key) "sed -n 's/^" key " //p' status\n"
/* 1988895 bytes, of which 65536 are kept. */
#define SEQ "seq 300000"
#define SMALL "echo 'retain 65536' > ctl\n"
#define CODE "read -r code rest < wait; echo $code\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/stdout/twice",
		.shells = "all",
		.script = "cd $M; echo 'exec seq 3' > ctl; cat stdout; cat stdout; cat < stdout | cat; x=$(cat stdout); echo $x; cat stderr",
		.output = "1\n2\n3\n1\n2\n3\n1\n2\n3\n1 2 3\n",
	},
	{
		.path = "/mount/stdout/before-any-run",
		.shells = "bash",
		.script = "cd $M; cat stdout stderr; stat -c %s stdout stderr; try read stdout 10 nonblock; try read stderr 10 5 nonblock; tail -n 1 stdout",
		.output = "0\n0\n",
	},
	{
		/* Opened before any run, it shows the first one. */
		.path = "/mount/stdout/opened-before-the-first-run",
		.shells = "bash",
		.script = "cd $M; exec 5< stdout; cat <&5; echo 'exec echo first' > ctl; cat <&5; read -r x < wait; echo 'exec echo second' > ctl; cat <&5; cat stdout",
		.output = "first\nsecond\n",
	},
	/* Size and time. */
	{
		.path = "/mount/stdout/size",
		.shells = "bash",
		.script = "cd $M; echo 'sh read -r x; echo $x; read -r x; exec >&- 2>&-; read -r x' > ctl; stat -c %s stdout stderr wait events\n"
			  "echo text >> stdin; read -r x < stdout; stat -c %s stdout stderr; echo >> stdin; cat stdout stderr; stat -c %s stdout stderr\n"
			  "echo > stdin; read -r x < wait; stat -c %s stdout stderr",
		.output = "1\n1\n1\n1\n5\n1\ntext\n5\n0\n5\n0\n",
	},
	{
		.path = "/mount/stdout/mtime",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'])\n"
			  "open('ctl', 'w').write('exec cat\\n')\n"
			  "w, r = os.open('stdin', os.O_WRONLY), os.open('stdout', os.O_RDONLY)\n"
			  "times = []\n"
			  "for i in range(5):\n"
			  "    os.write(w, b'x')\n"
			  "    os.read(r, 1)\n"
			  "    times.append(os.stat('stdout').st_mtime_ns)\n"
			  "    assert os.fstat(r).st_mtime_ns == times[-1]\n"
			  "print(all(a < b for a, b in zip(times, times[1:])), os.stat('stdout').st_mtime_ns == times[-1])",
		.output = "True True\n",
	},
	/* Offsets. */
	{
		.path = "/mount/stdout/offsets",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'])\n"
			  "want = ''.join('%d\\n' % i for i in range(1, 20001)).encode()\n"
			  "open('ctl', 'w').write('exec seq 20000\\n')\n"
			  "fd = os.open('stdout', os.O_RDONLY)\n"
			  "got = b''\n"
			  "while len(got) < len(want): got += os.read(fd, 1000)\n"
			  "print(got == want, os.read(fd, 10))\n"
			  "for at in (0, 5, 1000, 70000, 12, len(want) - 3, len(want), 1 << 40):\n"
			  "    assert os.pread(fd, 4000, at) == want[at:at + 4000], at\n"
			  "print(os.read(fd, 10), os.lseek(fd, 0, os.SEEK_SET), os.read(fd, 10000) == want[:10000], os.read(fd, 3) == want[10000:10003])\n"
			  "print(os.lseek(fd, -5, os.SEEK_CUR), os.read(fd, 5) == want[9998:10003], os.lseek(fd, -6, os.SEEK_END), os.read(fd, 100))\n"
			  "print(os.lseek(fd, 10, os.SEEK_CUR), os.read(fd, 100))",
		.output = "True b''\nb'' 0 True True\n9998 True 108888 b'20000\\n'\n108904 b''\n",
	},
	{
		.path = "/mount/stdout/tools",
		.shells = "all",
		.script = "cd $M; echo 'exec seq 20000' > ctl; read -r x < wait; tail -c 6 stdout; tail -n 1 stdout; head -n 1 stdout; wc -c < stdout; wc -l stdout\n"
			  "grep -c 99 stdout; sort -n stdout | tail -n 1; dd if=stdout bs=1 skip=108888 2> /dev/null; sed -n 7p stdout; awk 'END { print NR }' stdout",
		.output = "20000\n20000\n1\n108894\n20000 stdout\n560\n20000\n20000\n7\n20000\n",
	},
	{
		/* What reads through the page cache is refused, and falls back to read(2). */
		.path = "/mount/stdout/L8/page-cache",
		.shells = "bash",
		.script = "cd $M; echo 'sh seq 3; exec >&-; read -r x' > ctl; busybox cat stdout | cat; cat stdout | cat; busybox cat < stdout | wc -c\n"
			  "for f in stdout stderr wait events log; do echo $(try splice $f) $(try sendfile $f); done\n"
			  "(try mmap stdout) 2> /dev/null; echo $?; echo > stdin; read -r x < wait; try splice stdout; try sendfile wait; cp stdout $T/copy; cat $T/copy",
		.output = "1\n2\n3\n1\n2\n3\n6\nEINVAL EINVAL\nEINVAL EINVAL\nEINVAL EINVAL\nEINVAL EINVAL\nEINVAL EINVAL\n135\nEINVAL\nEINVAL\n1\n2\n3\n",
		.errors = "",
	},
	/* Whose run. */
	{
		.path = "/mount/stdout/new-run",
		.shells = "all",
		.script = "cd $M; echo 'exec echo long one' > ctl; cat stdout; read -r x < wait; echo 'exec echo two' > ctl; cat stdout; stat -c %s stdout; cat stdout",
		.output = "long one\ntwo\n4\ntwo\n",
	},
	{
		.path = "/mount/stdout/failed-exec-keeps-it",
		.shells = "bash",
		.script = "cd $M; echo 'sh echo out; echo err >&2' > ctl; read -r x < wait; try write ctl 'exec nosuch\\n'; try write ctl 'exec /etc/passwd\\n'\n"
			  "cat stdout stderr; cut -d' ' -f1-4 wait; stat -c %s stdout; " SHOW("stdout") "echo reset > ctl; cat stdout stderr; stat -c %s stdout",
		.output = "ENOENT\nEACCES\nout\nerr\n126 exec EACCES run=3\n4\n4\n0\n",
	},
	{
		.path = "/mount/stdout/reset-while-open",
		.shells = "bash",
		.script = "cd $M; echo 'exec seq 3' > ctl; read -r x < wait; exec 5< stdout; read -r x <&5; echo reset > ctl; cat <&5; cat stdout",
		.output = "2\n3\n",
	},
	/* The end. */
	{
		.path = "/mount/stdout/close/errors",
		.shells = "bash",
		.script = "cd $M; try write ctl 'close stdout\\n'; try write ctl 'close stdin\\n'; try write ctl 'close\\n'; cut -d' ' -f2- error",
		.output = "ESRCH\nEINVAL\nEINVAL\n1 ESRCH close: nothing has run yet\n2 EINVAL close: \"stdin\" is not \"stdout\" or \"stderr\"\n"
			  "3 EINVAL close: usage: close stdout|stderr\n",
	},
	{
		.path = "/mount/stdout/T94/last-line-without-newline",
		.shells = "all",
		.script = "cd $M; echo \"exec printf 'a\\\\nb'\" > ctl; cat stdout; echo; read -r x < wait; while read -r x || [ -n \"$x\" ]; do echo \"<$x>\"; done < stdout",
		.output = "a\nb\n<a>\n<b>\n",
	},
	{
		/* All streams together are limited too, logs included: then each keeps what it
		 * has, but at least 64 KiB. */
		.path = "/mount/stdout/retain-total",
		.shells = "bash",
		.script = "cd $M; mkdir children/a children/b; for c in a b; do echo 'exec cat /dev/zero' > children/$c/ctl\n"
			  "until grep -qx 'stdout.blocked 1' children/$c/status; do :; done; done\n"
			  "a=$(stat -c %s children/a/stdout); b=$(stat -c %s children/b/stdout); [ $a -ge 500000 ] && [ $a -lt 2000000 ] && echo large; [ $b -ge 65536 ] && [ $b -lt 500000 ] && echo small\n"
			  "echo kill > children/a/ctl; read -r x < children/a/wait; rmdir children/a; until [ $(stat -c %s children/b/stdout) -gt 400000 ]; do :; done; echo grown",
		.output = "large\nsmall\ngrown\n",
		.setup = {.arguments = "-o retain_total=524288"},
	},
};

static const ShCase both[] = {
	{
		.path = "/mount/stdout/several-readers",
		.shells = "bash",
		.script = "echo 'sh read -r x; seq 30000; read -r y; seq 30000' > ctl; for i in {1..6}; do cat stdout > $T/$i & done\n"
			  "try parked $!; echo >> stdin; dd if=stdout bs=65536 count=1 2> /dev/null | head -n 1; for i in 7 8; do busybox cat stdout > $T/$i & done; echo > stdin; wait\n"
			  "cat stdout > $T/9; for i in {1..9}; do { seq 30000; seq 30000; } | cmp - $T/$i || echo $i; done",
		.output = "1\n",
	},
	{
		.path = "/mount/stdout/waits-and-EAGAIN",
		.shells = "bash",
		.script = "echo 'sh read -r x; echo $x; read -r x' > ctl; try read stdout 10 nonblock; try read stderr 10 nonblock; try read stdout 10 100 nonblock\n"
			  "try read stdout 100 > $T/out & try parked $!; echo text >> stdin; wait; cat $T/out; try read stdout 10 5 nonblock; try read stdout 10 3 nonblock\n"
			  "echo > stdin; cat stdout; try read stdout 10 nonblock; try read stderr 10 nonblock",
		.output = "EAGAIN\nEAGAIN\nEAGAIN\ntext\nEAGAIN\nt\ntext\ntext\n",
	},
	{
		.path = "/mount/stdout/tail-f",
		.shells = "bash",
		.script = "echo 'exec cat' > ctl; tail -f -s 0.01 stdout > $T/out 2>&1 & p=$!\n"
			  "for i in {1..4}; do echo $i >> stdin; until grep -qx $i $T/out; do :; done; done; kill $p; wait $p 2> /dev/null; cat $T/out\n"
			  "tail -f -s 0.01 -n 1 stdout > $T/tail 2>&1 & p=$!; until grep -qx 4 $T/tail; do :; done; echo 5 > stdin; until grep -qx 5 $T/tail; do :; done; kill $p; cat $T/tail",
		.output = "1\n2\n3\n4\n4\n5\n",
		.errors = "",
	},
	/* What is kept. */
	{
		.path = "/mount/stdout/retain/block",
		.shells = "bash",
		.script = SMALL "echo 'exec " SEQ "' > ctl\n" UNTIL("stdout.blocked", "1")
			  "stat -c %s stdout; " SHOW("state") "cat stdout | cmp - <(" SEQ ") && echo same; " CODE
			  SHOW("stdout.blocked") SHOW("stdout.dropped") "stat -c %s stdout; cat stdout | cmp - <(" SEQ " | tail -c 65536) && echo tail",
		.output = "65536\nrunning\nsame\n0\n0\n0\n1988895\ntail\n",
	},
	{
		.path = "/mount/stdout/retain/stderr",
		.shells = "bash",
		.script = SMALL "echo 'sh echo out; " SEQ " >&2' > ctl\n" UNTIL("stderr.blocked", "1")
			  "read -r x < stdout; echo $x; stat -c %s stderr; cat stderr | cmp - <(" SEQ ") && echo same; " CODE "cat stdout",
		.output = "out\n65536\nsame\n0\nout\n",
	},
	{
		/* With a reader that stands still, another can go no further than what is kept
		 * from there. */
		.path = "/mount/stdout/retain/slowest-reader",
		.shells = "bash",
		.script = SMALL "echo 'exec " SEQ "' > ctl; exec 5< stdout; IFS= read -r x <&5; cat stdout > $T/out 5<&- & p=$!\n" UNTIL("stdout.blocked", "1")
			  "try parked $p; stat -c %s stdout $T/out; cat <&5 | cmp - <(" SEQ " | tail -n +2) && echo same\n"
			  "exec 5<&-; wait $p; " SEQ " | cmp - $T/out; " CODE,
		.output = "65536\n65536\nsame\n0\n",
	},
	{
		/* bash reads ahead and seeks back to the end of the line: the rest of the block
		 * is not given away meanwhile. */
		.path = "/mount/stdout/retain/line-by-line",
		.shells = "bash",
		.script = SMALL "echo 'exec seq 20000' > ctl; while read -r x; do echo $x; done < stdout | cmp - <(seq 20000) && echo same",
		.output = "same\n",
	},
	{
		/* It is closed without being read: the other goes on. */
		.path = "/mount/stdout/retain/slowest-reader-closes",
		.shells = "bash",
		.script = SMALL "echo 'exec " SEQ "' > ctl; exec 5< stdout; cat stdout > $T/out 5<&- & p=$!\n" UNTIL("stdout.blocked", "1")
			  "try parked $p; exec 5<&-; wait $p; " SEQ " | cmp - $T/out; " CODE,
		.output = "0\n",
	},
	{
		/* When the last reader closes nothing more goes, though it was given something. */
		.path = "/mount/stdout/retain/no-reader",
		.shells = "bash",
		.script = SMALL "echo 'exec " SEQ "' > ctl; dd if=stdout bs=50000 count=1 iflag=fullblock 2> /dev/null | wc -c\n" UNTIL("stdout.blocked", "1")
			  "size=$(stat -c %s stdout); [ $size -ge 65536 ] && [ $size -le 115536 ] || echo $size\n"
			  "[ $(stat -c %s stdout) = $size ] && cat stdout > $T/out; kept=$(stat -c %s $T/out); [ $kept -ge $((1988895 - size + 65536)) ] || echo $kept\n"
			  SEQ " | tail -c $kept | cmp - $T/out && echo same",
		.output = "50000\nsame\n",
	},
	{
		.path = "/mount/stdout/retain/raised",
		.shells = "bash",
		.script = SMALL "echo 'exec " SEQ "' > ctl\n" UNTIL("stdout.blocked", "1")
			  "echo 'retain 2M' > ctl; " CODE "cat stdout | cmp - <(" SEQ ") && echo same",
		.output = "0\nsame\n",
	},
	{
		.path = "/mount/stdout/overflow/drop",
		.shells = "bash",
		/* `wait` is no end of the stream: what is still on its way would come behind
		 * what is kept. */
		.script = SMALL "echo 'overflow drop' > ctl; echo 'exec " SEQ "' > ctl; " CODE UNTIL("stdout", "1988895") "cat stdout > $T/out; stat -c %s stdout $T/out\n"
			  SHOW("stdout.dropped") SHOW("stdout.blocked") SEQ " | tail -c 65536 | cmp - $T/out; try read stdout 7 1988888\n"
			  "try read stdout 10 100 | cmp - <(head -c 10 $T/out); try read stdout 10 1923359 | cmp - <(head -c 10 $T/out); try read stdout 10 1923360 | cmp - <(head -c 11 $T/out | tail -c 10)",
		.output = "0\n1988895\n65536\n1923359\n0\n300000\n",
	},
	{
		/* Never held back, by a slow reader neither, which then goes on at the oldest
		 * byte. */
		.path = "/mount/stdout/overflow/drop-under-a-reader",
		.shells = "bash",
		.script = SMALL "echo 'overflow drop' > ctl; echo 'sh read -r x; echo $x; read -r x; exec " SEQ "' > ctl; echo text >> stdin\n"
			  "exec 5< stdout; IFS= read -r x <&5; echo $x; echo > stdin; " CODE UNTIL("stdout", "1988900") "cat <&5 | cmp - <(" SEQ " | tail -c 65536) && echo same; " SHOW("stdout.dropped"),
		.output = "text\n0\nsame\n1923359\n",
	},
	{
		.path = "/mount/stdout/overflow/changed-while-blocked",
		.shells = "bash",
		.script = SMALL "echo 'exec " SEQ "' > ctl\n" UNTIL("stdout.blocked", "1")
			  "echo 'overflow drop' > ctl; " CODE UNTIL("stdout", "1988895") "cat stdout | wc -c; " SHOW("stdout.dropped"),
		.output = "0\n65536\n1923359\n",
	},
	/* Runs. */
	{
		.path = "/mount/stdout/reader-of-an-earlier-run",
		.shells = "bash",
		.script = "echo 'exec " SEQ "' > ctl; exec 5< stdout 6< stdout; IFS= read -r x <&6; " CODE "echo 'sh echo new; read -r x' > ctl\n"
			  "cat <&5 | cmp - <(" SEQ ") && echo same; read -r x < stdout; echo $x; read -r x <&6; echo $x; stat -c %s stdout; stat -L -c %s /proc/self/fd/0 <&6",
		.regex = "0\nsame\nnew\n2\n4\n(4|1988895)\n",
	},
	{
		/* What lingers writes on, into the run that it belongs to, which an open file
		 * still shows. */
		.path = "/mount/stdout/linger/reader",
		.shells = "bash",
		.script = "mkfifo $T/go; echo \"sh (read -r x < $T/go; " SEQ ") & echo bye\" > ctl; " CODE "exec 5< stdout; echo 'close stderr' > ctl\n"
			  "echo 'exec echo new' > ctl; read -r x < wait; cat stdout; echo > $T/go; cat <&5 | cmp - <(echo bye; " SEQ ") && echo same; cat stdout",
		.output = "0\nnew\nsame\nnew\n",
	},
	{
		/* Nobody has it open: it is drained, so that it can end, and what it wrote is
		 * nowhere to be seen. */
		.path = "/mount/stdout/linger/drained",
		.shells = "bash",
		.script = SMALL "mkfifo $T/go $T/done; echo \"sh (read -r x < $T/go; " SEQ "; echo done > $T/done) & echo bye\" > ctl; " CODE "echo 'close stderr' > ctl\n"
			  "echo 'exec echo new' > ctl; cat stdout; echo > $T/go; read -r x < $T/done; echo $x; cat stdout; " SHOW("stdout"),
		.output = "0\nnew\ndone\nnew\n4\n",
	},
	{
		/* It was held back when the next run began. */
		.path = "/mount/stdout/linger/blocked-then-drained",
		.shells = "bash",
		.script = SMALL "mkfifo $T/done; echo \"sh (" SEQ "; echo done > $T/done) & exec true\" > ctl; " CODE UNTIL("stdout.blocked", "1")
			  "echo 'close stderr' > ctl; echo 'exec echo new' > ctl; read -r x < $T/done; echo $x; cat stdout",
		.output = "0\ndone\nnew\n",
	},
	{
		/* `wait` does not wait for the stream, and the stream does not end with the
		 * command. */
		.path = "/mount/stdout/linger/close",
		.shells = "bash",
		.script = "mkfifo $T/go $T/done; echo \"sh ((read -r x < $T/go; exec seq 100000); echo \\$? > $T/done) & echo bye\" > ctl; " CODE SHOW("state")
			  "try read stdout 10 4 nonblock; cat stdout > $T/out & p=$!; try parked $p; echo 'close stdout' > ctl; wait $p; cat $T/out\n"
			  "echo > $T/go; read -r x < $T/done; echo $x; cat stdout; echo 'close stdout' > ctl; cat stdout",
		.output = "0\nexited\nEAGAIN\nbye\n141\nbye\nbye\n",
	},
	{
		.path = "/mount/stdout/close/running",
		.shells = "bash",
		.script = "echo 'sh echo out; read -r x; echo x; exec echo y' > ctl; read -r x < stdout; echo 'close stdout' > ctl; cat stdout; echo > stdin\n"
			  "read -r a b c rest < wait; echo $a $b $c; cat stdout",
		.output = "out\n141 signal PIPE\nout\n",
	},
	/* R33: the reader leaves early. */
	{
		.path = "/mount/stdout/R33/yes-head",
		.shells = "bash",
		.script = SMALL "echo 'exec yes' > ctl; head -n 2000 stdout | sort | uniq -c | tr -s ' '\n" UNTIL("stdout.blocked", "1")
			  "size=$(stat -c %s stdout); " SHOW("state") "try write $M/ctl 'sh :\\n'; read -r x < $M/wait; [ $(stat -c %s stdout) = $size ] && echo held\n"
			  "head -n 3 stdout; echo 'close stdout' > ctl; read -r a b c rest < wait; echo $a $b $c",
		.regex = " 2000 y\nrunning\n5\nheld\n(y\n){3}141 signal PIPE\n",
	},
	/* R34: each stream ends by itself. */
	{
		.path = "/mount/stdout/R34/stderr-after-eof",
		.shells = "bash",
		.script = "echo 'sh echo out; exec >&-; read -r x; " SEQ " >&2; exec 2>&-; read -r y' > ctl; cat stdout; try read stderr 10 nonblock; echo >> stdin\n"
			  "cat stderr | cmp - <(" SEQ ") && echo same; " SHOW("state") "echo > stdin; " CODE,
		.output = "out\nEAGAIN\nsame\nrunning\n0\n",
	},
	{
		.path = "/mount/stdout/R34/stdout-after-stderr",
		.shells = "bash",
		.script = "echo 'sh echo err >&2; exec 2>&-; read -r x; exec " SEQ "' > ctl; cat stderr; try read stdout 10 nonblock; echo > stdin\n"
			  "cat stdout | cmp - <(" SEQ ") && echo same; " CODE,
		.output = "err\nEAGAIN\nsame\n0\n",
	},
	/* R44: what a killed reader was given is still there for the others. */
	{
		.path = "/mount/stdout/R44/killed-reader",
		.shells = "python3",
		.script = "import os, signal, subprocess\n"
			  "open('ctl', 'w').write('retain 64K\\nexec seq 200000\\n')\n"
			  "want = ''.join('%d\\n' % i for i in range(1, 200001)).encode()\n"
			  "keep = os.open('stdout', os.O_RDONLY)\n"
			  "got = b''\n"
			  "for i in range(40):\n"
			  "    killed = subprocess.Popen(['cat', 'stdout'], stdout=subprocess.PIPE)\n"
			  "    killed.stdout.read(1)\n"
			  "    got += os.read(keep, 20000)\n"
			  "    killed.kill()\n"
			  "    killed.stdout.close()\n"
			  "    assert killed.wait() < 0 or i > 20\n"
			  "while True:\n"
			  "    more = os.read(keep, 20000)\n"
			  "    if not more: break\n"
			  "    got += more\n"
			  "print(got == want, open('wait').read()[:8])",
		.output = "True 0 exit 0\n",
	},
	{
		.path = "/mount/stdout/T94/read-stops-where-it-is",
		.shells = "bash",
		.script = "echo \"sh printf 'a\\\\nb'; read -r x; echo c\" > ctl; exec 5< stdout; read -r x <&5; echo $x; until [ $(stat -c %s stdout) = 3 ]; do :; done; try read stdout 10; echo\n"
			  "echo > stdin; cat <&5",
		.output = "a\na\nb\nbc\n",
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
