/* all/: one virtual context that stands for all direct children (section 7 of the files' contract).
 *
 * Its ctl and signal go to each child and fail as one, with a line of `error` for each that failed;
 * its stdin is copied at the pace of the slowest, and who is gone stops no other; its stdout and
 * stderr have every line of every child, whole, under the child's name; wait and status are a line
 * for each. The spreading itself is in test-fanout.c. */
#include "tests/mount.h"

/* Contexts a b c. */
#define THREE "cd $M; mkdir children/a children/b children/c\n"
/* `error`, without times, numbers, and places. */
#define ERRORS "cut -d' ' -f3- error | sed 's/ not found in PATH.*//'\n"

/* clang-format off */
static const ShCase cases[] = {
	/* The directory. */
	{
		.path = "/mount/all/directory",
		.shells = "all",
		.script = THREE "ls -A all; stat -c '%h %a %F' . all children/a/all children; ls -di . all/. all/.. | tr -s ' ' | sed 's/^ //' | cut -d' ' -f1 | uniq | wc -l; cat all/ctl all/signal | wc -c",
		.output = "ctl\nsignal\nstatus\nstderr\nstdin\nstdout\nwait\n4 700 directory\n2 700 directory\n2 700 directory\n5 700 directory\n3\n0\n",
	},
	{
		.path = "/mount/all/R1/nothing-can-be-made",
		.shells = "bash",
		.script = THREE "try mkdir all/x; try rmdir all; try rmdir all/ctl; try unlink all/ctl; try open all/x wronly,creat; try mknod all/x; try rename all x; try rename children/a all/a; try rename all/ctl children/x\n"
			  "for f in stdout stderr status wait; do try open all/$f wronly; done; try open all/stdin rdonly; mkdir children/all; ls children/all | wc -l",
		.output = "EPERM\nEPERM\nENOTDIR\nEPERM\nEPERM\nEPERM\nEPERM\nEPERM\nEPERM\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\n13\n",
	},
	/* Whoever walks the tree gets through. */
	{
		.path = "/mount/all/walks",
		.shells = "bash",
		.script = THREE "echo 'exec echo needle' > all/ctl; cat all/wait > /dev/null; find . -type d | sort; find . -name ctl | wc -l; ls -R > $T/ls; grep -c ctl $T/ls; grep -rl needle . 2> /dev/null | grep -E '(stdout|status)$' | sort",
		.output = ".\n./all\n./children\n./children/a\n./children/a/all\n./children/a/children\n./children/b\n./children/b/all\n./children/b/children\n"
			  "./children/c\n./children/c/all\n./children/c/children\n8\n8\n"
			  "./all/stdout\n./children/a/status\n./children/a/stdout\n./children/b/status\n./children/b/stdout\n./children/c/status\n./children/c/stdout\n",
	},
	/* ctl. */
	{
		.path = "/mount/all/ctl",
		.shells = "all",
		.script = THREE "echo 'env X=1' > all/ctl; echo 'sh echo $X; exit 3' > all/ctl; cat children/*/stdout; cat children/*/wait | cut -d' ' -f1-4; grep '^run' status; cat error",
		.output = "1\n1\n1\n3 exit 3 run=1\n3 exit 3 run=1\n3 exit 3 run=1\nrun -\n",
	},
	{
		.path = "/mount/all/ctl/one-fails",
		.shells = "bash",
		.script = THREE "echo 'exec sleep 1000' > children/b/ctl; try write all/ctl 'exec true\\n'; " ERRORS "cat children/a/wait children/c/wait | cut -d' ' -f1-3; grep ^state children/b/status; : > error\n"
			  "echo kill > children/b/ctl; cut -d' ' -f1 children/b/wait; try write all/ctl 'exec nosuch\\n'; cut -d' ' -f3-5 error | sort; cat children/*/error | wc -l",
		.output = "EIO\nEBUSY exec: b: a command runs (run 1, running)\n0 exit 0\n0 exit 0\nstate running\n137\nEIO\nENOENT exec: a:\nENOENT exec: b:\nENOENT exec: c:\n4\n",
	},
	/* The same grammar: several in a write, in pieces, unfinished tails, what fails for words. */
	{
		.path = "/mount/all/ctl/grammar",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'])\n"
			  "for n in 'ab': os.mkdir('children/' + n)\n"
			  "def write(fd, text):\n"
			  "    try: return os.write(fd, text)\n"
			  "    except OSError as e: return os.strerror(e.errno)\n"
			  "fd = os.open('all/ctl', os.O_WRONLY)\n"
			  "print(write(fd, b'umask 01'), write(fd, b'23\\nnice 2\\nexec nosuch\\nnice 3\\n'), write(fd, b'exec nosuch\\nnice 3\\n'), write(fd, b'frob\\n'), write(fd, b'exec'))\n"
			  "os.close(fd)\n"
			  "print(open('children/b/ctl').read().split('\\n')[2:-1])\n"
			  "fd = os.open('all/ctl', os.O_WRONLY | os.O_NONBLOCK)\n"
			  "print(write(fd, b'exec sleep 1000\\n'), write(fd, b'async kill\\n'))\n"
			  "os.close(fd)\n"
			  "fd = os.open('all/ctl', os.O_WRONLY)\n"
			  "write(fd, b'fanout 7')\n"
			  "os.close(fd)\n"
			  "print([l.split()[1] for l in open('all/wait')])\n"
			  "while 'fanout 7' not in open('children/b/ctl').read(): pass",
		.output = "8 10 Input/output error Operation not supported 4\n['umask 0123', 'nice 2']\n16 11\n['137', '137']\n",
	},
	/* A child's command that waits is taken back with the write, and nothing of it stays behind. */
	{
		.path = "/mount/all/ctl/interrupt",
		.shells = "bash",
		.script = THREE "echo 'connect-timeout 60' > all/ctl; sh -c \"trap 'exit 9' INT; exec try write all/ctl 'connect command sleep 1000\\\\n'\" > $T/out & p=$!\n"
			  "try parked $p; until [ \"$(cat children/*/status | grep -cx 'link connecting')\" = 3 ]; do :; done; kill -TERM $p; wait $p; echo $?\n"
			  "until ! grep -q '^link connecting' children/*/status; do :; done; grep -hE '^(link|state)' children/*/status | sort | uniq -c | tr -s ' '; cut -d' ' -f3- error; cat all/wait",
		.output = "143\n 3 link lost\n 3 state lost\nECANCELED connect: cancelled\n",
	},
	{
		.path = "/mount/all/ctl/fanout",
		.shells = "bash",
		.script = "cd $M/children; mkdir $(seq 200); cd ..; echo 'fanout 5' > ctl; echo 'exec echo x' > all/ctl; cat all/stdout | sort -n | uniq | wc -l; cut -d' ' -f2 all/wait | sort | uniq -c | tr -s ' '; echo destroy > all/ctl; ls children | wc -l",
		.output = "200\n 200 0\n0\n",
	},
	/* stdin. */
	{
		.path = "/mount/all/stdin",
		.shells = "all",
		.script = THREE "echo 'exec cat' > all/ctl; echo one >> all/stdin; echo two > all/stdin; cat children/*/stdout; cut -d' ' -f1,2 all/wait",
		.output = "one\ntwo\none\ntwo\none\ntwo\na 0\nb 0\nc 0\n",
	},
	{
		.path = "/mount/all/stdin/staged",
		.shells = "all",
		.script = THREE "echo first > all/stdin; echo data > all/stdin; echo more >> all/stdin; echo 'exec cat' > all/ctl; cat children/*/stdout",
		.output = "data\nmore\ndata\nmore\ndata\nmore\n",
	},
	/* Who is gone stops no other; with nobody left the writer is told. */
	{
		.path = "/mount/all/stdin/gone",
		.shells = "bash",
		.script = THREE "echo 'exec cat' > all/ctl; echo kill > children/b/ctl; cat children/b/wait > /dev/null; try write all/stdin 'text\\n' trunc; cat children/a/stdout children/c/stdout; cat all/wait > /dev/null\n"
			  "try write all/stdin 'text\\n'; cut -d' ' -f3-5 error; rmdir children/*; try write all/stdin x",
		.output = "5\ntext\ntext\nEPIPE\nEPIPE stdin: b:\nEPIPE stdin: a:\nEPIPE stdin: b:\nEPIPE stdin: c:\nEPIPE\n",
	},
	/* Megabytes, each byte once to each, at the pace of the slowest. */
	{
		.path = "/mount/all/stdin/large",
		.shells = "bash",
		.script = THREE "echo 'exec md5sum' > children/a/ctl; echo 'sh dd bs=1 count=1000 status=none > /dev/null; exec wc -c' > children/b/ctl; echo 'sh exec 0<&-; exec sleep 1000' > children/c/ctl\n"
			  "seq 1000000 > all/stdin; cat children/a/stdout children/b/stdout; seq 1000000 | md5sum; echo kill > children/c/ctl",
		.regex = "([0-9a-f]{32}  -\n)6887896\n\\1",
	},
	{
		.path = "/mount/all/stdin/slowest",
		.shells = "python3",
		.script = "import os, select\n"
			  "os.chdir(os.environ['M'])\n"
			  "for n in 'ab': os.mkdir('children/' + n)\n"
			  "open('children/a/ctl', 'w').write('exec wc -c\\n')\n"
			  "open('children/b/ctl', 'w').write('sh kill -STOP $$; exec wc -c\\n')\n"
			  "while 'state stopped' not in open('children/b/status').read(): pass\n"
			  "fd = os.open('all/stdin', os.O_WRONLY | os.O_TRUNC | os.O_NONBLOCK)\n"
			  "total = 0\n"
			  "try:\n"
			  "    while True: total += os.write(fd, b'x' * 5000)\n"
			  "except BlockingIOError: print('EAGAIN', total > 5000)\n"
			  "poll = select.poll()\n"
			  "poll.register(fd, select.POLLOUT)\n"
			  "print(poll.poll(0))\n"
			  "open('children/b/signal', 'w').write('CONT group')\n"
			  "print(len(poll.poll(20000)))\n"
			  "os.set_blocking(fd, True)\n"
			  "for i in range(100): total += os.write(fd, b'x' * 50000)\n"
			  "os.close(fd)\n"
			  "print([int(open('children/%s/stdout' % n).read()) == total for n in 'ab'])",
		.output = "EAGAIN True\n[]\n1\n[True, True]\n",
	},
	/* A write that is taken back half way counts as what all have; the rest goes on from there. */
	{
		.path = "/mount/all/stdin/interrupted",
		.shells = "python3",
		.script = "import hashlib, os, signal, subprocess, threading\n"
			  "os.chdir(os.environ['M'])\n"
			  "for n in 'ab': os.mkdir('children/' + n)\n"
			  "open('children/a/ctl', 'w').write('exec md5sum\\n')\n"
			  "open('children/b/ctl', 'w').write('sh kill -STOP $$; exec md5sum\\n')\n"
			  "while 'state stopped' not in open('children/b/status').read(): pass\n"
			  "fd = os.open('all/stdin', os.O_WRONLY | os.O_TRUNC)\n"
			  "signal.signal(signal.SIGALRM, lambda *a: None)\n"
			  "text = b''.join(b'%d\\n' % i for i in range(100000))\n"
			  "def wake():\n"
			  "    for i in range(3):\n"
			  "        subprocess.run(['try', 'parked', str(os.getpid())])\n"
			  "        os.kill(os.getpid(), signal.SIGALRM)\n"
			  "    subprocess.run(['try', 'parked', str(os.getpid())])\n"
			  "    open('children/b/signal', 'w').write('CONT group')\n"
			  "sizes = [os.write(fd, text[:50000])]\n"
			  "thread = threading.Thread(target=wake)\n"
			  "thread.start()\n"
			  "while sum(sizes) < len(text): sizes.append(os.write(fd, text[sum(sizes):][:50000]))\n"
			  "thread.join()\n"
			  "os.close(fd)\n"
			  "print(sizes[0], 0 < sizes[1] < 50000, {open('children/%s/stdout' % n).read()[:32] for n in 'ab'} == {hashlib.md5(text).hexdigest()})",
		.output = "50000 True True\n",
	},
	/* stdout and stderr. */
	{
		.path = "/mount/all/stdout",
		.shells = "all",
		.script = THREE "cat all/stdout all/stderr all/wait; stat -c %s all/stdout all/wait; echo 'sh echo out; echo err >&2; printf end' > all/ctl; cat all/stdout | sort; cat all/stderr | sort; stat -c %s all/stdout; cat all/stdout | wc -l",
		.output = "0\n0\na\tend\na\tout\nb\tend\nb\tout\nc\tend\nc\tout\na\terr\nb\terr\nc\terr\n1\n6\n",
	},
	{
		.path = "/mount/all/stdout/names",
		.shells = "bash",
		.script = "cd $M; mkdir $'children/x\\\\y' $'children/d e' $'children/\\377'; echo 'exec echo 1' > all/ctl; cat all/stdout | sort; cut -d' ' -f1,2 all/wait | sort; cut -d' ' -f1,2 all/status | sort",
		.output = "\\xff\t1\nd e\t1\nx\\\\y\t1\n\\xff 0\nd\\x20e 0\nx\\\\y 0\n\\xff exited\nd\\x20e exited\nx\\\\y exited\n",
	},
	/* It goes on to the end of the last, and shows lines as they come, never halves of them. */
	{
		.path = "/mount/all/stdout/lines",
		.shells = "bash",
		.script = "cd $M; mkdir children/a children/b; echo 'exec cat' > all/ctl; exec 3< all/stdout 4>> children/a/stdin 5>> children/b/stdin\n"
			  "printf 'ha' >&4; echo whole >&5; read -r line <&3; echo \"$line\"; echo lf >&4; read -r line <&3; echo \"$line\"\n"
			  "printf 'rest' >&5; echo eof > children/b/ctl; read -r line <&3; echo \"$line\"; exec 4>&- 5>&-; echo eof > children/a/ctl; read -r line <&3; echo $?",
		.output = "b\twhole\na\thalf\nb\trest\n1\n",
	},
	{
		.path = "/mount/all/stdout/long-lines",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'])\n"
			  "for n in 'ab': os.mkdir('children/' + n)\n"
			  "open('all/ctl', 'w').write('sh head -c 65536 /dev/zero | tr \"\\\\0\" x; echo; head -c 150000 /dev/zero | tr \"\\\\0\" y; echo; echo; echo z\\n')\n"
			  "lines = open('all/stdout').read().split('\\n')\n"
			  "for n in 'ab': print([(l[2:3], len(l) - 2) for l in lines if l.startswith(n + '\\t')])",
		.output = "[('x', 65536), ('y', 65536), ('y', 65536), ('y', 18928), ('', 0), ('z', 1)]\n[('x', 65536), ('y', 65536), ('y', 65536), ('y', 18928), ('', 0), ('z', 1)]\n",
	},
	/* Every byte, though each keeps little and is held back until it is read. */
	{
		.path = "/mount/all/stdout/lossless",
		.shells = "bash",
		.script = THREE "echo 'retain 4K' > all/ctl; echo 'sh seq 200000' > all/ctl; cat all/stdout > $T/all; for n in a b c; do sed -n \"s/^$n\\t//p\" $T/all | md5sum; done; seq 200000 | md5sum; wc -l < $T/all; cat children/*/status | grep -c 'dropped 0'",
		.regex = "([0-9a-f]{32}  -\n)\\1{3}(?=6)600000\n6\n",
	},
	{
		.path = "/mount/all/stdout/seek",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'])\n"
			  "os.mkdir('children/a')\n"
			  "open('all/ctl', 'w').write('exec seq 1000\\n')\n"
			  "fd = os.open('all/stdout', os.O_RDONLY)\n"
			  "print(os.read(fd, 8), os.pread(fd, 4, 0), os.lseek(fd, 4, 0), os.read(fd, 4), os.read(fd, 3))",
		.output = "b'a\\t1\\na\\t2\\n' b'a\\t1\\n' 4 b'a\\t2\\n' b'a\\t3'\n",
	},
	{
		.path = "/mount/all/stdout/later-runs",
		.shells = "bash",
		.script = THREE "exec 3< all/stdout; cat <&3; echo 'exec echo one' > all/ctl; cat all/wait > /dev/null; exec 4< all/stdout; echo 'exec echo two' > all/ctl; cat <&3 | sort -u; cat <&4 | sort; cat all/stdout | cut -f2 | sort -u",
		.output = "a\ttwo\nb\ttwo\nc\ttwo\na\tone\nb\tone\nc\tone\ntwo\n",
	},
	/* wait. */
	{
		.path = "/mount/all/wait",
		.shells = "bash",
		.script = THREE "echo 'sh read -r x; exit $x' > all/ctl; try read all/wait 10 nonblock; stat -c %s all/wait; try poll all/wait in; cat all/wait > $T/wait & try parked $!; exec 3< all/wait\n"
			  "echo 2 > children/b/stdin; read -r line <&3; echo ${line% real*}; try poll all/wait in; echo 3 > children/c/stdin; read -r line <&3; echo ${line% real*}; echo 1 > children/a/stdin; read -r line <&3; echo ${line% real*}\n"
			  "read -r line <&3; echo $?; wait; cut -d' ' -f1-5 $T/wait; cut -d' ' -f1-3 all/wait; echo $(($(stat -c %s all/wait) - $(wc -c < all/wait)))",
		.output = "EAGAIN\n1\nnone\nb 2 exit 2 run=1\nin\nc 3 exit 3 run=1\na 1 exit 1 run=1\n1\nb 2 exit 2 run=1\nc 3 exit 3 run=1\na 1 exit 1 run=1\na 1 exit\nb 2 exit\nc 3 exit\n0\n",
	},
	/* status. */
	{
		.path = "/mount/all/status",
		.shells = "bash",
		.script = THREE "echo 'exec printf 12345' > children/a/ctl; cat children/a/wait > /dev/null; cat children/a/stdout > /dev/null; echo 'exec sleep 1000' > children/b/ctl; sed 's/pid=[0-9][0-9]*/pid=N/' all/status; cat children/b/all/status",
		.output = "a exited 0 run=1 pid=N link=up stdout=5 stderr=0\nb running - run=1 pid=N link=up stdout=0 stderr=0\nc idle - run=- pid=- link=up stdout=0 stderr=0\n",
	},
	/* signal. */
	{
		.path = "/mount/all/signal",
		.shells = "all",
		.script = THREE "echo 'exec sleep 1000' > all/ctl; echo TERM > all/signal; cut -d' ' -f1-4 all/wait | sort",
		.output = "a 143 signal TERM\nb 143 signal TERM\nc 143 signal TERM\n",
	},
	{
		.path = "/mount/all/signal/failures",
		.shells = "bash",
		.script = THREE "echo 'exec sleep 1000' > children/b/ctl; try write all/signal 'INT leader'; cut -d' ' -f1-3 children/b/wait; cut -d' ' -f3-5 error; try write all/signal 'NOSUCH'; try write all/signal 'a\\nb'; cut -d' ' -f3-5 error | tail -n 1",
		.output = "EIO\n130 signal INT\nESRCH signal: a:\nESRCH signal: c:\nEIO\nEINVAL\nEINVAL signal: a\n",
	},
	/* Others than the children, by their paths. */
	{
		.path = "/mount/all/members",
		.shells = "all",
		.script = "cd $M; mkdir children/g children/a children/b children/c 'children/b/children/d e' children/g/children/own; echo 'members /a /x' > children/g/ctl 2> /dev/null; cut -d' ' -f3- children/g/error; echo \"members '/b/d e' /a\" > children/g/ctl; cd children/g\n"
			  "echo 'sh cat; echo out; echo err >&2; exit 3' > all/ctl; echo in > all/stdin; sort all/stdout; sort all/stderr; cut -d' ' -f1-4 all/wait | sort; cut -d' ' -f1-4 all/status; cat children/own/status | grep ^run; sed 1,2d ctl\n"
			  "rmdir ../a; echo 'exec true' > all/ctl; cut -d' ' -f1-2 all/wait; echo 'members -a /c' > ctl; echo 'exec sleep 1000' > all/ctl; echo TERM > all/signal; cut -d' ' -f1-2 all/wait | sort; echo destroy > all/ctl; ls ../b/children; echo members > ctl; cat all/status",
		.output = "ENOENT members: there is no context \"/x\"\n"
			  "a\tin\na\tout\nb/d e\tin\nb/d e\tout\na\terr\nb/d e\terr\na 3 exit 3\nb/d\\x20e 3 exit 3\nb/d\\x20e exited 3 run=1\na exited 3 run=1\nrun -\nmembers '/b/d e'\nmembers -a /a\n"
			  "b/d\\x20e 0\nb/d\\x20e 143\nc 143\nown idle - run=- pid=- link=up stdout=0 stderr=0\n",
	},
	/* Children that come and go meanwhile. */
	{
		.path = "/mount/all/children-come-and-go",
		.shells = "bash",
		.script = THREE "echo 'sh read -r x; echo $x' > all/ctl; exec 3< all/stdout 4< all/wait 5>> all/stdin; mv children/b children/z; mkdir children/new; echo destroy > children/c/ctl; echo 'exec echo new' > children/new/ctl; echo text >&5\n"
			  "cat <&3 | sort; cut -d' ' -f1-3 <&4 | sort; cat all/stdout | sort",
		.output = "a\ttext\nb\ttext\na 0 exit\nc 143 signal\nz 0 exit\na\ttext\nnew\tnew\nz\ttext\n",
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
