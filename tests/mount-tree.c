/* The tree: what can be made, removed, renamed, opened and asked of its files, and what cannot
 * (rows R1 to R18, names R35 to R39, and the laws L10 and L11 about names and mountpoints). */
#include "tests/mount.h"

/* A name of N bytes. */
#define NAME(n) "$(printf '%0" #n "d' 0)"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/tree/root",
		.shells = "all",
		.script = "cd $M; ls -A; stat -c '%a %f' . ctl stdin status children; ls -A children\n"
			  "stat -c %u . * | sort -u | grep -cx \"$(id -u)\"",
		.output = "all\nchildren\nctl\nerror\nevents\nlog\nprompt\nsignal\nstatus\nstderr\nstdin\nstdout\nwait\n"
			  "700 41c0\n600 8180\n200 8080\n400 8100\n700 41c0\n1\n",
	},
	{
		.path = "/mount/tree/child-is-like-root",
		.shells = "bash",
		.script = "cd $M; mkdir children/a; diff <(ls -A) <(ls -A children/a)\n"
			  "for f in *; do [ \"$(stat -c '%f' $f)\" = \"$(stat -c '%f' children/a/$f)\" ] || echo $f; done\n"
			  "grep -E '^(name|path|place) ' status children/a/status",
		.output = "status:name -\nstatus:path /\nstatus:place /\n"
			  "children/a/status:name a\nchildren/a/status:path /a\nchildren/a/status:place /\n",
	},
	{
		.path = "/mount/tree/mktemp",
		.shells = "bash",
		.script = "cd $M; d=$(mktemp -d children/XXXXXX) && ls -d $d/ctl | wc -l",
		.output = "1\n",
	},
	{
		.path = "/mount/tree/mount-flags",
		.shells = "bash",
		.script = "grep \" $M \" /proc/self/mountinfo | grep -o 'fuse[.]mitofs'\n"
			  "for o in nosuid nodev noexec; do grep \" $M \" /proc/self/mounts | grep -ow $o; done",
		.output = "fuse.mitofs\nnosuid\nnodev\nnoexec\n",
	},
	/* R1: nothing but contexts can be made, and only by mkdir in children/. */
	{
		.path = "/mount/tree/R1/root",
		.shells = "bash",
		.script = "cd $M; try open x wronly,creat; try mknod x; try mkfifo x; try symlink a x; try link ctl x\n"
			  "try mkdir x; try unlink ctl; try unlink status; try rmdir children; try rmdir ctl\n"
			  "try open . rdwr,tmpfile; touch x",
		.output = "EPERM\nEPERM\nEPERM\nEPERM\nEPERM\nEPERM\nEPERM\nEPERM\nEPERM\nENOTDIR\nEOPNOTSUPP\n",
		.errors = "Operation not permitted",
		.code = 1,
	},
	{
		.path = "/mount/tree/R1/children",
		.shells = "bash",
		.script = "cd $M/children; mkdir a\n"
			  "try open x wronly,creat; try mknod x; try mkfifo x; try symlink a x; try link a/ctl x\n"
			  "try unlink a; try rename a/ctl x; try rename a/ctl a/x; try rename a ../a; try open a wronly; ls",
		.output = "EPERM\nEPERM\nEPERM\nEPERM\nEPERM\nEISDIR\nEPERM\nEPERM\nEPERM\nEISDIR\n"
			  "a\n",
	},
	/* R2: the wrong direction, for root too. */
	{
		.path = "/mount/tree/R2/wrong-direction",
		.shells = "bash",
		.script = "cd $M; for f in stdout stderr status wait log events; do try open $f wronly; try open $f rdwr; done\n"
			  "try open stdin rdonly; try open stdin rdwr\n"
			  "for f in ctl signal error; do try open $f rdwr; done; echo x > status",
		.output = "EACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\n"
			  "EACCES\nEACCES\nEACCES\n"
			  "EACCES\nEACCES\nok\nok\nok\n",
		.errors = "Permission denied",
		.code = 1,
	},
	{
		.path = "/mount/tree/R3/open-flags",
		.shells = "bash",
		.script = "cd $M; for f in ctl stdin signal error; do\n"
			  "	for flags in trunc append sync direct trunc,append,nonblock; do try open $f wronly,$flags; done\n"
			  "done | sort | uniq -c | tr -s ' '\n"
			  "for f in stdout stderr wait status log events ctl signal error; do try open $f rdonly,direct,sync; done | sort | uniq -c | tr -s ' '",
		.output = " 20 ok\n 9 ok\n",
	},
	{
		.path = "/mount/tree/R4/seek",
		.shells = "bash",
		.script = "cd $M; echo 'exec seq 1000' > ctl; cat wait > /dev/null; tail -c 5 stdout; try read stdout 4 4\n"
			  "try seek stdout 100; try read status 3 0; try read stdout 10 3893; stat -c %s stdout",
		.output = "1000\n3\n4\n100\nid 3893\n",
	},
	{
		.path = "/mount/tree/R5/one-byte-reads",
		.shells = "all",
		.script = "cd $M; dd if=ctl bs=1 2> /dev/null; cat ctl; read -r a b < status; echo $a",
		.regex = "(# \\S+ - idle\ndefaults\n)\\1id\n",
	},
	{
		.path = "/mount/tree/R5/one-open-one-text",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'])\n"
			  "fds = [os.open(f, os.O_RDONLY) for f in ('ctl', 'status')]\n"
			  "old = [os.read(fd, 10) for fd in fds]\n"
			  "open('ctl', 'w').write('winsize 100 30\\nexec true\\n')\n"
			  "os.system('read x < wait; echo exec nosuch 2> /dev/null > ctl')\n"
			  "for fd, text in zip(fds, old):\n"
			  "    text += os.read(fd, 1 << 16)\n"
			  "    assert os.fstat(fd).st_size == len(text)\n"
			  "    assert b'winsize' not in text and b'exited' not in text\n"
			  "assert os.pread(fds[1], 1 << 16, 0) == text\n"
			  "assert b'winsize' in open('ctl', 'rb').read()",
		.output = "",
		.errors = "",
	},
	{
		.path = "/mount/tree/R6/copies",
		.shells = "bash",
		.script = "cd $M; try copy ctl $T/copy; echo 'exec seq 3' > ctl; cat wait > /dev/null\n"
			  "cp stdout $T/out && cat $T/out; cat stdout > $T/cat && cat $T/cat\n"
			  "python3 -c 'import shutil; shutil.copyfile(\"stdout\", \"'$T'/py\")' && cat $T/py",
		.regex = "(\\d+|EINVAL|EXDEV|EOPNOTSUPP)\n1\n2\n3\n1\n2\n3\n1\n2\n3\n",
	},
	{
		.path = "/mount/tree/R7/attributes",
		.shells = "bash",
		.script = "cd $M; mkdir children/a; for f in ctl status children children/a .; do\n"
			  "	try chmod $f 644; try chown $f 1; try setxattr $f; try getxattr $f; try listxattr $f; try utimens $f\n"
			  "done | sort | uniq -c | tr -s ' '; touch ctl; touch -d @0 children/a && stat -c %a ctl children/a",
		.regex = " 15 (ENOTSUP|EOPNOTSUPP)\n 10 EPERM\n 5 ok\n600\n700\n",
	},
	{
		.path = "/mount/tree/R8/ioctl-and-locks",
		.shells = "bash",
		.script = "cd $M; for f in ctl status stdout .; do try ioctl $f; try isatty $f 2> /dev/null; done\n"
			  "try flock .; flock children echo locked",
		.output = "ENOTTY\nno\nENOTTY\nno\nENOTTY\nno\nENOTTY\nno\nEAGAIN\nlocked\n",
	},
	{
		.path = "/mount/tree/R9/execute",
		.shells = "bash",
		.script = "cd $M; try exec ./ctl; try exec ./status; try exec ./children",
		.output = "EACCES\nEACCES\nEACCES\n",
	},
	{
		.path = "/mount/tree/R10/poll-idle",
		.shells = "bash",
		.script = "cd $M; try poll stdin out; try poll events in; for f in status ctl stdout wait; do try poll $f in; done",
		.regex = "out\nnone\nin(,out)?\nin(,out)?\nin(,hup)?\nin(,hup)?\n",
	},
	{
		.path = "/mount/tree/R10/poll-running",
		.shells = "bash",
		.script = "cd $M; echo 'sh read -r x; echo $x; read -r x' > ctl\n"
			  "try poll stdout in; try poll wait in; try poll stdin out\n"
			  "try poll stdout 10000 > $T/poll & p=$!\n"
			  "echo text >> stdin; wait $p; cat $T/poll; try poll wait in\n"
			  "try poll wait 10000 > $T/poll & p=$!\n"
			  "echo eof > ctl; wait $p; cat $T/poll; try poll stdout 10000",
		.regex = "none\nnone\nout\nin\nnone\nin(,hup)?\nin(,hup)?\n",
	},
	{
		.path = "/mount/tree/R12/broker-outside",
		.shells = "bash",
		.script =
			"for p in $(pgrep -f \" $M\\$\"); do readlink /proc/$p/cwd; done | sort -u",
		.output = "/\n",
	},
	{
		.path = "/mount/tree/R12/cwd-in-the-mount",
		.shells = "bash",
		.script = "cd $M; mkdir children/a; echo \"cwd $M/children\" > ctl; echo 'exec ls' > ctl; timeout 10 cat stdout wait",
		.regex = "a\n0 exit 0 .*",
	},
	{
		.path = "/mount/tree/R13/rmdir-running",
		.shells = "all",
		.script = "cd $M; mkdir children/a; echo 'exec sleep 1000' > children/a/ctl; try rmdir children/a\n"
			  "grep ^state children/a/status; echo kill > children/a/ctl; read -r code rest < children/a/wait; echo $code\n"
			  "rmdir children/a; ls children",
		.output = "EBUSY\nstate running\n137\n",
	},
	{
		.path = "/mount/tree/R14/rmdir-with-children",
		.shells = "bash",
		.script = "cd $M/children; mkdir -p a/children/b; try rmdir a; rmdir a/children/b a; ls",
		.output = "ENOTEMPTY\n",
	},
	{
		.path = "/mount/tree/R15/rmdir-twice",
		.shells = "bash",
		.script = "cd $M/children; for i in $(seq 50); do\n"
			  "	mkdir a; try rmdir a > $T/1 & try rmdir a > $T/2; wait; echo $(sort $T/1 $T/2)\n"
			  "done | sort | uniq -c | tr -s ' '",
		.output = " 50 ENOENT ok\n",
		.errors = "",
	},
	{
		.path = "/mount/tree/R16/rmdir-while-open",
		.shells = "bash",
		.script = "cd $M; mkdir children/a; echo 'exec seq 3' > children/a/ctl; cat children/a/wait > /dev/null\n"
			  "exec 3< children/a/stdout 4< children/a/wait 5>> children/a/stdin 6< children/a/status 7>> children/a/ctl\n"
			  "rmdir children/a; ls children; cat <&3; read -r code rest <&4; echo $code\n"
			  "read -r key rest <&6; echo $key; echo x >&5; echo 'exec ls' >&7",
		.output = "1\n2\n3\n0\nid\n",
		.errors = "",
		.code = 1,
	},
	{
		.path = "/mount/tree/R16/cwd-of-a-removed-context",
		.shells = "bash",
		.script = "cd $M/children; mkdir a; cd a; rmdir ../a; try read ctl 1; mkdir ../a; ls ../a | wc -l; ls | wc -l",
		.output = "ENOENT\n13\n0\n",
	},
	/* R17: renames. */
	{
		.path = "/mount/tree/R17/refused",
		.shells = "bash",
		.script = "cd $M/children; mkdir a b a/children/c; try rename a b; try rename a b exchange; try rename a x whiteout\n"
			  "try rename a a/children/x; try rename a b/children/a; try rename a/children/c c; try rename a a noreplace\n"
			  "try rename a b noreplace; try rename nosuch x; try rename a .x; try rename a -x; try rename a " NAME(256) "\n"
			  "ls; ls a/children",
		.output = "EEXIST\nEINVAL\nEINVAL\nEINVAL\nEPERM\nEPERM\nEEXIST\nEEXIST\nENOENT\nEINVAL\nEINVAL\nENAMETOOLONG\n"
			  "a\nb\nc\n",
	},
	{
		.path = "/mount/tree/R17/open-files-follow",
		.shells = "all",
		.script = "cd $M/children; mkdir a; id=$(grep '^id ' a/status); exec 3>> a/ctl\n"
			  "mv a b; echo 'exec echo hello' >&3; cat b/stdout\n"
			  "[ \"$id\" = \"$(grep '^id ' b/status)\" ] && grep -E '^(name|path) ' b/status; ls; try rename b a noreplace; ls",
		.output = "hello\nname b\npath /b\nb\nok\na\n",
	},
	{
		.path = "/mount/tree/R17/while-running",
		.shells = "bash",
		.script = "cd $M/children; mkdir a; echo 'sh read -r x; echo $x' > a/ctl; mv a b; echo text > b/stdin; cat b/stdout",
		.output = "text\n",
	},
	{
		.path = "/mount/tree/R18/readdir-while-it-changes",
		.shells = "python3",
		.script =
			"import os, threading\n"
			"os.chdir(os.environ['M'] + '/children')\n"
			"fixed = ['fixed%d' % i for i in range(300)]\n"
			"for name in fixed: os.mkdir(name)\n"
			"stop = False\n"
			"def churn(k):\n"
			"    while not stop:\n"
			"        for i in range(20): os.mkdir('churn%d-%d' % (k, i))\n"
			"        for i in range(20): os.rmdir('churn%d-%d' % (k, i))\n"
			"threads = [threading.Thread(target=churn, args=(k,), daemon=True) for k in range(2)]\n"
			"for t in threads: t.start()\n"
			"for i in range(40):\n"
			"    names = os.listdir('.')\n"
			"    assert sorted(n for n in names if n.startswith('fixed')) == sorted(fixed), 'missing'\n"
			"    for entry in os.scandir('.'):\n"
			"        try: os.stat(entry.name + '/status')\n"
			"        except FileNotFoundError: assert entry.name.startswith('churn')\n"
			"stop = True\n"
			"for t in threads: t.join()\n"
			"for name in fixed: os.rmdir(name)\n"
			"print([name for name in os.listdir('.') if not name.startswith('churn')])",
		.output = "[]\n",
	},
	/* R35 to R39, L10: names. */
	{
		.path = "/mount/tree/R35/dots",
		.shells = "bash",
		.script = "cd $M/children; try mkdir .; try mkdir ..; try mkdir ''; try mkdir a/b; try rmdir .; try rmdir ..; ls -A",
		.output = "EEXIST\nEEXIST\nENOENT\nENOENT\nEINVAL\nENOTEMPTY\n",
	},
	{
		.path = "/mount/tree/R36/length",
		.shells = "bash",
		.script = "cd $M/children; try mkdir " NAME(255) "; try mkdir " NAME(
			256) "; try mkdir " NAME(1025) "\n"
						       "ls | wc -c; try open " NAME(
							       256) "/ctl rdonly; rmdir *; try rmdir " NAME(256),
		.output = "ok\nENAMETOOLONG\nENAMETOOLONG\n256\nENOENT\nENOENT\n",
	},
	{
		.path = "/mount/tree/R37/control-bytes",
		.shells = "bash",
		.script = "cd $M/children; for n in '\\n' '\\033' '\\177' '\\001' '\\037' '\\t' 'a\\nb'; do try mkdir $n; done; ls -A\n"
			  "cat ../error | tr -d '[:print:]\\n' | wc -c; wc -l < ../error",
		.output = "EINVAL\nEINVAL\nEINVAL\nEINVAL\nEINVAL\nEINVAL\nEINVAL\n0\n7\n",
	},
	{
		.path = "/mount/tree/R38/other-bytes",
		.shells = "bash",
		.script = "cd $M/children; for n in '\\377' 'a b' ctl 'é' '$x' 'a*' \"a'b\" '\\302\\233' -x .x --; do try mkdir \"./$n\"; done\n"
			  "ls -A | wc -l; cat */status | grep '^name ' | tr -dc '[:print:]\\n' | wc -l\n"
			  "grep '^name ' $(printf '\\377')/status; rmdir *; ls -A",
		.output = "ok\nok\nok\nok\nok\nok\nok\nok\nEINVAL\nEINVAL\nEINVAL\n8\n8\nname \\xff\n",
	},
	{
		.path = "/mount/tree/R39/depth",
		.shells = "python3",
		.script = "import errno, os\n"
			  "os.chdir(os.environ['M'])\n"
			  "depth, name = 0, 'n' * 200\n"
			  "while True:\n"
			  "    try: os.mkdir('children/' + name)\n"
			  "    except OSError as error:\n"
			  "        code = error.errno\n"
			  "        break\n"
			  "    os.chdir('children/' + name)\n"
			  "    depth += 1\n"
			  "print(depth, errno.errorcode[code], 'max_depth' in open('error').read())\n"
			  "print(len([l for l in open('status') if l.startswith('path ')][0]))\n"
			  "fd = os.open('ctl', os.O_WRONLY)\n"
			  "os.write(fd, b'exec echo deep\\n')\n"
			  "print(open('stdout').read())\n",
		.output = "64 ELOOP True\n12870\ndeep\n\n",
	},
	{
		.path = "/mount/tree/L10/empty-write",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'])\n"
			  "open('ctl', 'w').write('exec cat\\n')\n"
			  "fd = os.open('stdin', os.O_WRONLY)\n"
			  "print(os.write(fd, b''), os.writev(fd, [b'a', b'b', b'c']), os.write(fd, b''), os.write(fd, b'd\\n'))\n"
			  "os.close(fd)\n"
			  "print([l for l in open('status') if l.startswith('state')])\n"
			  "open('ctl', 'w').write('eof\\n')\n"
			  "print(open('stdout').read())",
		.output = "0 3 0 2\n['state running\\n']\nabcd\n\n",
	},
	/* L11: mountpoints that the kernel would take. */
	{
		.path = "/mount/tree/L11/refused",
		.shells = "bash",
		.script = "cd $T; touch file; mkdir full; touch full/x\n"
			  "for at in $T/file $T/full $T/nosuch $T/nosuch/x /dev/null; do\n"
			  "	$MITOFS $at > out 2> err; echo $? $(wc -l < out) $(wc -l < err) $(grep -c \"$at\" err)\n"
			  "done; grep -c \"$T\" /proc/self/mountinfo",
		.output = "1 0 1 1\n1 0 1 1\n1 0 1 1\n1 0 1 1\n1 0 1 1\n0\n",
		.code = 1,
		.setup = {.unmounted = TRUE},
	},
	{
		.path = "/mount/tree/L11/second-mount",
		.shells = "bash",
		.script = "$MITOFS $M > $T/out 2> $T/err; echo $? $(wc -l < $T/out) $(wc -l < $T/err) $(grep -c $M $T/err)\n"
			  "grep -c \"$M\" /proc/self/mountinfo; read -r key rest < $M/status; echo $key",
		.output = "1 0 1 1\n1\nid\n",
	},
	/* The broker is dead, and its watcher too: the next mitofs clears the place. */
	{
		.path = "/mount/tree/L11/stale",
		.shells = "bash",
		.script = "mkdir $T/m; $MITOFS $T/m; read -r key rest < $T/m/status; echo $key\n"
			  "ours() { grep -lsz \"^MITOFS_TEST=$MITOFS_TEST$\" /proc/[0-9]*/environ | cut -d/ -f3 | grep -vx $$; }\n"
			  "pids=$(ours); kill -STOP $pids 2> /dev/null; kill -KILL $pids 2> /dev/null\n"
			  "try open $T/m/status rdonly; $MITOFS $T/m; read -r key rest < $T/m/status; echo $key\n"
			  "echo shutdown > $T/m/ctl; while grep -q \" $T/m \" /proc/self/mountinfo; do :; done",
		.output = "id\nENOTCONN\nid\n",
		.errors = "cleared the stale mount",
		.setup = {.unmounted = TRUE},
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
