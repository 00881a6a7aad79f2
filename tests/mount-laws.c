/* The laws: what the kernel does to a FUSE server, each with a test that fails where it is not
 * heeded. L10 and L11 are in mount-tree.c, L12 is a unit test. */
#include "tests/mount.h"

#include <signal.h>

static const int signals[] = { SIGINT, SIGTERM, SIGKILL };

/* Let @script, which is one process, block in the mount; end it by each signal in turn, and see
 * that it ends and that the mount lives. */
static void
end_blocked(Mount *mount, const char *before, const char *script)
{
	mount_expect(mount, "dash", before, "", 0);
	for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
		pid_t pid = mount_start(mount, "dash", script, -1);
		process_parked(pid);
		kill(pid, signals[i]);
		g_assert_cmpint(mount_wait(pid), ==, 128 + signals[i]);
		mount_expect(mount, "dash", "read -r key rest < $M/status; echo $key", "id\n", 0);
	}
}

#define SLEEP "echo 'exec sleep 1000' > $M/ctl"

static void
law_1_wait(Mount *mount)
{
	end_blocked(mount, SLEEP, "exec cat $M/wait");
}

static void
law_1_stdout(Mount *mount)
{
	end_blocked(mount, SLEEP, "exec cat $M/stdout");
}

static void
law_1_stderr(Mount *mount)
{
	end_blocked(mount, SLEEP, "exec cat $M/stderr");
}

static void
law_1_events(Mount *mount)
{
	end_blocked(mount, ":", "exec cat $M/events");
}

static void
law_1_stdin(Mount *mount)
{
	end_blocked(mount, SLEEP, "exec cat /dev/zero >> $M/stdin");
}

static void
law_1_staged(Mount *mount)
{
	end_blocked(mount, ":", "exec cat /dev/zero > $M/stdin");
}

/* A write to ctl that waits for something: here an exec, for the end of a command that has
 * closed its streams. */
static void
law_1_ctl(Mount *mount)
{
	static const char script[] =
		"echo 'sh exec >&- 2>&-; exec sleep 1000' > $M/ctl; cat $M/stdout $M/stderr\n";
	mount_expect(mount, "dash", script, "", 0);
	pid_t pid = mount_start(mount, "dash", "exec try write $M/ctl 'exec true\\n'", -1);
	process_parked(pid);
	kill(pid, SIGTERM);
	g_assert_cmpint(mount_wait(pid), ==, 128 + SIGTERM);
	/* Nothing of it is left: the command is still the one before. */
	mount_expect(mount, "dash", "grep -E '^(state|run) ' $M/status", "state running\nrun 1\n",
		     0);
}

/* Many interrupts at the same time as answers. */
static void
law_2_storm(Mount *mount)
{
	enum { READERS = 40, ROUNDS = 10 };
	mount_expect(mount, "dash", SLEEP, "", 0);
	for (int round = 0; round < ROUNDS; round++) {
		pid_t pids[READERS];
		for (int i = 0; i < READERS; i++)
			pids[i] = mount_start(mount, "dash", "exec cat $M/wait", -1);
		for (int i = 0; i < READERS; i++)
			process_parked(pids[i]);
		for (int i = 0; i < READERS; i++)
			kill(pids[i], i % 2 == 0 ? SIGTERM : SIGKILL);
		for (int i = 0; i < READERS; i++)
			g_assert_cmpint(mount_wait(pids[i]), >, 128);
	}
	mount_expect(mount, "dash", "read -r key rest < $M/status; echo $key", "id\n", 0);
}

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/laws/L3/R42/bare-read",
		.shells = "bash",
		.script = "cd $M; echo 'sh read -r x; echo $x' > ctl\n"
			  "try read stdout 100 > $T/out & p=$!\n"
			  "try parked $p; kill -STOP $p\n"
			  "until grep -q '^State:.T' /proc/$p/status; do :; done\n"
			  "kill -CONT $p; wait $p; cat $T/out\n"
			  "echo text > stdin; cat stdout",
		.output = "EINTR\ntext\n",
	},
	{
		.path = "/mount/laws/L3/R42/cat",
		.shells = "bash",
		.script = "cd $M; echo 'sh read -r x; seq 100000; echo $x' > ctl\n"
			  "/bin/cat stdout > $T/out & p=$!\n"
			  "for i in 1 2 3; do\n"
			  "	try parked $p; kill -STOP $p\n"
			  "	until grep -q '^State:.T' /proc/$p/status; do :; done\n"
			  "	kill -CONT $p\n"
			  "done\n"
			  "echo text > stdin; wait $p; { seq 100000; echo text; } | cmp - $T/out",
		.output = "",
	},
	{
		.path = "/mount/laws/L4/second-writer",
		.shells = "bash",
		.script = "cd $M; echo 'exec sleep 1000' > ctl\n"
			  "cat /dev/zero > stdin & first=$!; try parked $first\n"
			  "cat /dev/zero >> stdin & second=$!; try parked $second\n"
			  "cat /dev/zero > stdin & third=$!; try parked $third\n"
			  "for p in $first $second $third; do sed -n 's/^State:.\\(.\\).*/\\1/p' /proc/$p/status; done\n"
			  "for p in $third $second $first; do kill -KILL $p; wait $p; echo $?; done 2> /dev/null",
		.output = "S\nS\nS\n137\n137\n137\n",
	},
	{
		.path = "/mount/laws/L4/stat-and-chmod",
		.shells = "bash",
		.script = "cd $M; echo 'exec sleep 1000' > ctl\n"
			  "cat /dev/zero > stdin & p=$!; try parked $p\n"
			  "stat -c %a stdin; try chmod stdin 600; try truncate stdin 0; ls -l > /dev/null && echo listed\n"
			  "kill $p",
		.output = "200\nEPERM\nok\nlisted\n",
	},
	{
		.path = "/mount/laws/L4/ctl",
		.shells = "bash",
		.script =
			"cd $M; echo 'sh exec >&- 2>&-; exec sleep 1000' > ctl; cat stdout stderr\n"
			"try write ctl 'exec true\\n' > $T/first & p=$!; try parked $p\n"
			"echo kill > ctl; wait $p; cat $T/first",
		.output = "10\n",
	},
	{
		.path = "/mount/laws/L5/mkdir-rmdir",
		.shells = "bash",
		.script = "cd $M; mkdir children/a; cd children\n"
			  "echo 'exec sleep 1000' > a/ctl\n"
			  "cat a/wait > /dev/null & w=$!; cat /dev/zero > a/stdin & s=$!; try parked $w $s\n"
			  "mkdir a/children/b b; echo 'async connect local' > b/ctl\n"
			  "mkdir c && rmdir c && ls && rmdir b && ls && ls a/children\n"
			  "kill $w $s",
		.output = "a\nb\na\nb\n",
	},
	{
		.path = "/mount/laws/L6/exiting-holder",
		.shells = "bash",
		.script = "cd $M; echo 'exec sleep 1000' > ctl\n"
			  "python3 -c 'import os, time\n"
			  "fds = [os.open(f, os.O_WRONLY) for f in (\"stdin\", \"ctl\", \"signal\")]\n"
			  "fds += [os.open(f, os.O_RDONLY) for f in (\"stdout\", \"wait\", \"status\", \"events\")]\n"
			  "os.write(fds[1], b\"exec ls\")\n"
			  "os.kill(os.getpid(), 9)' > /dev/null 2>&1; echo $?",
		.output = "137\n",
		.errors = "",
	},
	{
		.path = "/mount/laws/L6/dup-is-no-close",
		.shells = "all",
		.script = "cd $M; echo 'exec cat' > ctl\n"
			  "exec 3> stdin; echo one >&3; exec 4>&3 4>&-; (echo two >&3)\n"
			  "echo three >&3; exec 3>&-; cat stdout",
		.output = "one\ntwo\nthree\n",
	},
	{
		.path = "/mount/laws/L7/read-beside-write",
		.shells = "python3",
		.script = "import os, threading\n"
			  "os.chdir(os.environ['M'])\n"
			  "ctl = os.open('ctl', os.O_RDWR)\n"
			  "os.write(ctl, b'sh exec >&- 2>&-; exec sleep 1000\\n')\n"
			  "os.system('cat stdout stderr')\n"
			  "def write():\n"
			  "    try: os.write(ctl, b'exec true\\n')\n"
			  "    except OSError as e: print(e.strerror)\n"
			  "t = threading.Thread(target=write)\n"
			  "t.start()\n"
			  "os.system('try parked %d' % t.native_id)\n"
			  "print(os.read(ctl, 100)[:2], t.is_alive())\n"
			  "t.join()",
		.output = "b'# ' True\nDevice or resource busy\n",
	},
	{
		.path = "/mount/laws/L7/writers-of-one-description",
		.shells = "bash",
		.script = "cd $M; echo 'exec sleep 1000' > ctl; exec 3>> stdin\n"
			  "cat /dev/zero >&3 & a=$!; try parked $a\n"
			  "cat /dev/zero >&3 & b=$!\n"
			  "kill -KILL $a; wait $a; echo $?; try parked $b; kill -KILL $b; wait $b; echo $?",
		.output = "137\n137\n",
		.errors = "",
	},
	{
		.path = "/mount/laws/L8/sizes",
		.shells = "bash",
		.script = "cd $M; echo 'exec nosuch' 2> /dev/null > ctl\n"
			  "for f in ctl signal error; do\n"
			  "	cat $f > $T/cat; wc -c < $T/cat > $T/size; stat -c %s $f | cmp - $T/size\n"
			  "	try splice $f | cmp - $T/cat; try sendfile $f | cmp - $T/cat\n"
			  "	busybox cat $f | cat | cmp - $T/cat; cp $f $T/cp; cmp $T/cp $T/cat\n"
			  "	tar cf - $f | tar xfO - | cmp - $T/cat\n"
			  "	dd if=$f bs=3 status=none | cmp - $T/cat; cat < $f | cmp - $T/cat\n"
			  "done\n"
			  "busybox cat status | grep -c '^id '; busybox cat status | tail -n 1 | grep -c '^agent.bytes [0-9]'",
		.output = "1\n1\n",
		.errors = "",
	},
	{
		.path = "/mount/laws/L8/wc-by-seeking",
		.shells = "bash",
		.script = "cd $M; for f in ctl signal status; do [ $(wc -c < $f) = $(stat -c %s $f) ] || echo $f; done",
		.output = "",
	},
	{
		.path = "/mount/laws/L9/page-cache-reads",
		.shells = "bash",
		.script = "cd $M; echo 'exec seq 3' > ctl; cat stdout | tr '\\n' ' '\n"
			  "for f in stdout wait log; do try splice $f; try sendfile $f; done\n"
			  "(try mmap stdout) 2> /dev/null; echo $?\n"
			  "busybox cat stdout | cat; cat stdout | tr '\\n' ' '",
		.output = "1 2 3 EINVAL\nEINVAL\nEINVAL\nEINVAL\nEINVAL\nEINVAL\n135\n1\n2\n3\n1 2 3 ",
		.errors = "",
	},
	{
		.path = "/mount/laws/L9/waiting-stream",
		.shells = "bash",
		.script =
			"cd $M; echo 'sh read -r x; echo $x' > ctl; stat -c %s stdout wait events\n"
			"busybox cat stdout > $T/out & p=$!; try parked $p; echo text > stdin; wait $p; cat $T/out",
		.output = "1\n1\n1\ntext\n",
	},
};
/* clang-format on */

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	mount_test_add("/mount/laws/L1/R40/wait", law_1_wait, NULL);
	mount_test_add("/mount/laws/L1/R40/stdout", law_1_stdout, NULL);
	mount_test_add("/mount/laws/L1/R40/stderr", law_1_stderr, NULL);
	mount_test_add("/mount/laws/L1/events", law_1_events, NULL);
	mount_test_add("/mount/laws/L1/stdin", law_1_stdin, NULL);
	mount_test_add("/mount/laws/L1/staged", law_1_staged, NULL);
	mount_test_add("/mount/laws/L1/ctl", law_1_ctl, NULL);
	mount_test_add("/mount/laws/L2/storm", law_2_storm, NULL);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	return mount_test_run();
}
