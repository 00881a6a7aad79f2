/* Much at the same time, over a real mount: hundreds of blocked readers that are killed at once,
 * signals that race with answers, two processes on one open file, a broker that stands still and
 * goes on, a thousand contexts, tens of thousands of mkdir and rmdir, and many clients that each
 * check their own bytes. Sizes are for two slow cores; what counts is that the kernel's deaf
 * moments, the table of parked requests and the broker's memory are passed through many times.
 * Behind each test the harness looks for processes, descriptors and zombies that are left. */
#include "tests/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* Open a file of the mount. */
static int
open_file(const Mount *mount, const char *name, int flags)
{
	g_autofree char *path = mount_path(mount, name);
	int fd = open(path, flags | O_CLOEXEC);

	g_assert_cmpint(fd, >=, 0);
	return fd;
}

/* Write a line to a file of the mount. */
static void
tell(const Mount *mount, const char *name, const char *line)
{
	int fd = open_file(mount, name, O_WRONLY);

	g_assert_cmpint(write(fd, line, strlen(line)), ==, (gssize)strlen(line));
	close(fd);
}

/* Start a process that reads @name in one read(2), and says by its exit code whether that gave
 * something. */
static pid_t
start_reader(const Mount *mount, const char *name)
{
	pid_t pid = fork();
	char buffer[4096];

	g_assert_cmpint(pid, >=, 0);
	if (pid == 0)
		_exit(read(open_file(mount, name, O_RDONLY), buffer, sizeof(buffer)) > 0 ? 0 : 1);
	return pid;
}

/* The broker's resident memory in KiB, or 0 where it says nothing: under sanitizers and
 * valgrind. */
static guint64
broker_rss(const Mount *mount)
{
	g_autofree char *maps_path = g_strdup_printf("/proc/%d/maps", (int)mount_pid(mount));
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)mount_pid(mount));
	g_autofree char *maps = NULL, *status = NULL;

	g_assert_true(g_file_get_contents(maps_path, &maps, NULL, NULL));
	g_assert_true(g_file_get_contents(path, &status, NULL, NULL));
	if (strstr(maps, "asan") != NULL || strstr(maps, "tsan") != NULL ||
	    strstr(maps, "valgrind") != NULL)
		return 0;
	return g_ascii_strtoull(strstr(status, "VmRSS:") + 6, NULL, 10);
}

/* It answers, and at once: this is one process that would hang with it. */
static void
expect_alive(Mount *mount)
{
	mount_expect(mount, "dash", "read -r key rest < $M/status; echo $key", "id\n", 0);
}

/* R41: they are all gone, each by its signal, and the broker serves who comes next. */
static void
kill_many_readers(Mount *mount)
{
	enum { READERS = 500 };
	static const char *const names[] = { "wait", "stdout", "stderr", "events" };
	static pid_t pids[READERS];

	tell(mount, "ctl", "exec sleep 1000\n");
	for (int i = 0; i < READERS; i++)
		pids[i] = start_reader(mount, names[i % 4]);
	for (int i = 0; i < READERS; i++)
		process_parked(pids[i]);
	for (int i = 0; i < READERS; i++)
		kill(pids[i], SIGKILL);
	expect_alive(mount);
	for (int i = 0; i < READERS; i++)
		g_assert_cmpint(mount_wait(pids[i]), ==, 128 + SIGKILL);
	expect_alive(mount);
}

/* Many who wait for one thing get it together. */
static void
wake_many_readers(Mount *mount)
{
	enum { READERS = 300 };
	static pid_t pids[READERS];

	tell(mount, "ctl", "sh read -r x\n");
	for (int i = 0; i < READERS; i++)
		pids[i] = start_reader(mount, "wait");
	for (int i = 0; i < READERS; i++)
		process_parked(pids[i]);
	tell(mount, "stdin", "\n");
	for (int i = 0; i < READERS; i++)
		g_assert_cmpint(mount_wait(pids[i]), ==, 0);
}

/* R41, T98: threads of one process, which all go in one moment. */
static void *
read_thread(void *data)
{
	char byte;

	return GSIZE_TO_POINTER(pread(*(const int *)data, &byte, 1, 0) < 0);
}

static void
kill_many_threads(Mount *mount)
{
	enum { THREADS = 300, ROUNDS = 3 };

	tell(mount, "ctl", "exec sleep 1000\n");
	for (int round = 0; round < ROUNDS; round++) {
		int fd = open_file(mount, "stdout", O_RDONLY);
		pid_t pid = fork();
		if (pid == 0) {
			for (int i = 0; i < THREADS; i++)
				g_thread_unref(g_thread_new("reader", read_thread, &fd));
			read_thread(&fd);
			_exit(1);
		}
		close(fd);
		process_parked(pid);
		kill(pid, round % 2 == 0 ? SIGKILL : SIGTERM);
		g_assert_cmpint(mount_wait(pid), >, 128);
	}
	expect_alive(mount);
}

static void
on_alarm(int signal)
{
}

/* Get a signal every @usec from now on; none restarts a call. */
static void
be_interrupted(int usec)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval timer = { { 0, usec }, { 0, usec } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* The stream of the tests below, from any offset: it has no period that a block could hide in. */
static void
fill(guint8 *bytes, guint64 offset, gsize size)
{
	for (gsize i = 0; i < size; i++)
		bytes[i] = (guint8)((offset + i) * 2654435761u >> 13);
}

/* Read @fd to its end, whatever interrupts, and check each byte; the exit code of a process. */
static int
read_and_check(int fd, guint64 size, gsize piece)
{
	g_autofree guint8 *got = g_malloc(piece), *want = g_malloc(piece);
	guint64 at = 0;
	gssize count;

	do {
		count = read(fd, got, piece);
		if (count < 0 && errno != EINTR)
			return 2;
		if (count > 0) {
			fill(want, at, (gsize)count);
			if (memcmp(got, want, (gsize)count) != 0)
				return 3;
			at += (guint64)count;
		}
	} while (count != 0);
	return at == size ? 0 : 4;
}

/* Write it all, whatever interrupts; an interrupted write says what it had written. The exit
 * code of a process. */
static int
write_all(int fd, guint64 size, gsize piece)
{
	g_autofree guint8 *bytes = g_malloc(piece);

	for (guint64 at = 0; at < size;) {
		gsize now = (gsize)MIN(piece, size - at);
		fill(bytes, at, now);
		gssize written = write(fd, bytes, now);
		if (written < 0 && errno != EINTR)
			return 2;
		at += written > 0 ? (guint64)written : 0;
	}
	return 0;
}

/* R43: interrupts race with answers on both ways. No byte is lost or comes twice, neither to
 * readers nor from the writer. */
static void
race(Mount *mount, const char *directory)
{
	enum { READERS = 5, SIZE = 3 << 20 };
	g_autofree char *ctl = g_strconcat(directory, "ctl", NULL);
	g_autofree char *in = g_strconcat(directory, "stdin", NULL);
	g_autofree char *out = g_strconcat(directory, "stdout", NULL);
	pid_t readers[READERS];

	tell(mount, ctl, "retain 64K\n");
	tell(mount, ctl, "exec cat\n");
	for (int i = 0; i < READERS; i++) {
		int fd = open_file(mount, out, O_RDONLY);
		readers[i] = fork();
		if (readers[i] == 0) {
			be_interrupted(300 + 170 * i);
			_exit(read_and_check(fd, SIZE, 1000 + 9000 * (gsize)i));
		}
		close(fd);
	}
	pid_t writer = fork();
	if (writer == 0) {
		int fd = open_file(mount, in, O_WRONLY | O_TRUNC);
		be_interrupted(500);
		_exit(write_all(fd, SIZE, 100000));
	}
	g_assert_cmpint(mount_wait(writer), ==, 0);
	for (int i = 0; i < READERS; i++)
		g_assert_cmpint(mount_wait(readers[i]), ==, 0);
}

static void
race_direct(Mount *mount)
{
	race(mount, "");
}

static void
race_linked(Mount *mount)
{
	mount_expect(mount, "dash", "mkdir $M/children/c; echo 'connect local' > $M/children/c/ctl",
		     "", 0);
	race(mount, "children/c/");
}

static gboolean
is_stopped(void *data)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)*(const pid_t *)data);
	g_autofree char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) && strstr(text, ") T ") != NULL;
}

/* R49: the broker stands still in the middle of everything, again and again; who asks meanwhile
 * waits, and all of it is there when it goes on. */
static void
stopped_broker(Mount *mount)
{
	enum { STOPS = 6, SIZE = 4 << 20 };
	pid_t broker = mount_pid(mount);

	mount_expect(mount, "dash",
		     "cd $M; mkdir children/a; echo 'retain 64K' > ctl; echo 'exec cat' > ctl", "",
		     0);
	int out = open_file(mount, "stdout", O_RDONLY);
	pid_t reader = fork();
	if (reader == 0)
		_exit(read_and_check(out, SIZE, 5000));
	close(out);
	int in = open_file(mount, "stdin", O_WRONLY | O_TRUNC);
	for (int i = 0; i < STOPS; i++) {
		g_autofree guint8 *bytes = g_malloc(SIZE / STOPS + STOPS);
		gsize from = (gsize)SIZE / STOPS * (gsize)i,
		      to = i + 1 < STOPS ? from + SIZE / STOPS : SIZE;

		g_assert_no_errno(kill(broker, SIGSTOP));
		mount_until(is_stopped, &broker);
		pid_t writer = fork();
		if (writer == 0) {
			fill(bytes, from, to - from);
			_exit(write(in, bytes, to - from) == (gssize)(to - from) ? 0 : 1);
		}
		pid_t client = mount_start(mount, "dash",
					   "cd $M/children/a; echo 'sh exit 7' > ctl && read -r rc "
					   "rest < wait && exit $rc",
					   -1);
		pid_t killed = start_reader(mount, "wait");
		process_parked(writer);
		kill(killed, SIGKILL);
		g_assert_no_errno(kill(broker, SIGCONT));
		g_assert_cmpint(mount_wait(writer), ==, 0);
		g_assert_cmpint(mount_wait(client), ==, 7);
		g_assert_cmpint(mount_wait(killed), ==, 128 + SIGKILL);
	}
	close(in);
	g_assert_cmpint(mount_wait(reader), ==, 0);
}

/* R106: the churn of one process: names that come and go next to those that stay. */
static void
churn(const Mount *mount, int number, int rounds)
{
	g_autofree char *children = mount_path(mount, "children");
	char name[64];

	g_assert_no_errno(chdir(children));
	for (int i = 0; i < rounds; i++) {
		snprintf(name, sizeof name, "churn-%d-%d", number, i % 7);
		g_assert_no_errno(mkdir(name, 0700));
		g_assert_no_errno(rmdir(name));
	}
	_exit(0);
}

/* One turn: a thousand contexts, readers blocked in some of them, and churn by two processes
 * meanwhile; then nothing. */
static void
turn(Mount *mount, int rounds)
{
	enum { CONTEXTS = 1000, READERS = 200 };
	static pid_t readers[READERS];
	pid_t churns[2];
	g_autofree char *children = mount_path(mount, "children");
	char name[64];

	for (int i = 0; i < CONTEXTS; i++) {
		snprintf(name, sizeof name, "%s/c%d", children, i);
		g_assert_no_errno(mkdir(name, 0700));
	}
	for (int i = 0; i < READERS; i++) {
		snprintf(name, sizeof name, "children/c%d/events", i * 5);
		readers[i] = start_reader(mount, name);
	}
	for (int i = 0; i < 2; i++) {
		churns[i] = fork();
		if (churns[i] == 0)
			churn(mount, i, rounds / 2);
	}
	mount_expect(mount, "bash", "cd $M/children; cat c[0-9]*/status | grep -cx 'state idle'",
		     "1000\n", 0);
	for (int i = 0; i < 2; i++)
		g_assert_cmpint(mount_wait(churns[i]), ==, 0);
	for (int i = 0; i < READERS; i += 2) {
		process_parked(readers[i]);
		kill(readers[i], SIGKILL);
	}
	/* The others are woken by what happens in their context. */
	for (int i = 0; i < CONTEXTS; i++) {
		snprintf(name, sizeof name, "%s/c%d", children, i);
		g_assert_no_errno(rmdir(name));
	}
	for (int i = 0; i < READERS; i++)
		g_assert_cmpint(mount_wait(readers[i]), ==, i % 2 == 0 ? 128 + SIGKILL : 0);
	mount_expect(mount, "dash", "ls -A $M/children", "", 0);
}

/* R106: after a first turn, which may leave what an allocator keeps, a second one costs no
 * memory. */
static void
many_contexts(Mount *mount)
{
	turn(mount, 10000);
	guint64 before = broker_rss(mount);
	turn(mount, 10000);
	guint64 after = broker_rss(mount);
	if (after > before + 2048)
		g_error("the broker had %" G_GUINT64_FORMAT " KiB and has %" G_GUINT64_FORMAT,
			before, after);
}

/* Many runs, and what they wrote, leave nothing either. */
static void
many_runs(Mount *mount)
{
	static const char script[] = "cd $M; mkdir children/a; cd children/a; i=0\n"
				     "while [ $i -lt 150 ]; do\n"
				     "	echo 'exec seq 20000' > ctl; cat stdout > $T/out; read -r "
				     "code rest < wait; [ $code = 0 ] || echo $code\n"
				     "	i=$((i + 1))\n"
				     "done; wc -c < $T/out; rmdir $M/children/a";
	mount_expect(mount, "dash", script, "108894\n", 0);
	guint64 before = broker_rss(mount);
	mount_expect(mount, "dash", script, "108894\n", 0);
	guint64 after = broker_rss(mount);
	if (after > before + 2048)
		g_error("the broker had %" G_GUINT64_FORMAT " KiB and has %" G_GUINT64_FORMAT,
			before, after);
}

/* clang-format off */
#define CLIENT \
	"import errno, os, random, sys\n" \
	"os.chdir(os.environ['M'] + '/children')\n" \
	"def status(c, key): return next(line.split(' ', 1)[1].strip() for line in open(c + '/status') if line.startswith(key + ' '))\n" \
	"def ctl(c, line):\n" \
	"    fd = os.open(c + '/ctl', os.O_WRONLY)\n" \
	"    try: os.write(fd, line.encode() + b'\\n')\n" \
	"    finally: os.close(fd)\n" \
	"def put(c, data):\n" \
	"    fd = os.open(c + '/stdin', os.O_WRONLY | os.O_TRUNC)\n" \
	"    while data: data = data[os.write(fd, data[:random.choice((1, 100, 5000, 70000))]):]\n" \
	"    os.close(fd)\n"

static const ShCase cases[] = {
	{
		/* R47: two processes, one open file. Writers of stdin and readers by pread(2) do
		 * not wait for each other. */
		.path = "/mount/storm/R47/one-open-file",
		.shells = "python3",
		.script = "import os, signal, subprocess, sys\n"
			  "os.chdir(os.environ['M'])\n"
			  "open('ctl', 'w').write('sh read -r x; echo $x; read -r x\\n')\n"
			  "out, w = os.open('stdout', os.O_RDONLY), os.open('stdin', os.O_WRONLY)\n"
			  "def child(code): return subprocess.Popen([sys.executable, '-c', 'import os, sys; out, w = map(int, sys.argv[1:]); ' + code, str(out), str(w)], pass_fds=(out, w), stdout=subprocess.PIPE)\n"
			  "readers = [child('os.write(1, os.pread(out, 100, 0))') for i in range(4)]\n"
			  "os.system('try parked ' + ' '.join(str(r.pid) for r in readers))\n"
			  "readers[0].kill()\n"
			  "print(readers[0].wait())\n"
			  "os.write(w, b'text\\n')\n"
			  "print([r.communicate()[0] for r in readers[1:]], os.read(out, 100))\n"
			  "blocked = [child('os.read(out, 100)') for i in range(2)]\n"
			  "while not any(open('/proc/%d/wchan' % b.pid).read().startswith('request_wait') for b in blocked): pass\n"
			  "for b in blocked: b.kill()\n"
			  "print([b.wait() for b in blocked])",
		.output = "-9\n[b'text\\n', b'text\\n', b'text\\n'] b'text\\n'\n[-9, -9]\n",
	},
	{
		/* T98: blocked readers and writers everywhere; every other file of every context
		 * answers. */
		.path = "/mount/storm/T98/blocked-readers",
		.shells = "bash",
		.script = "cd $M; mkdir children/a children/b; for c in . children/a; do echo 'exec sleep 1000' > $c/ctl; for f in stdout stderr wait events; do cat $c/$f > /dev/null & pids+=\" $!\"; done; cat /dev/zero > $c/stdin & pids+=\" $!\"; done\n"
			  "try parked $pids; for c in . children/a children/b; do ls $c > $T/ls; grep -cx ctl $T/ls; for f in ctl status signal error log; do cat $c/$f > $T/x || echo $f; done; done\n"
			  "echo 'exec echo free' > children/b/ctl; cat children/b/stdout; try write children/a/ctl 'nice 1\\n'; try write children/a/signal '0\\n'; mv children/b children/c; rmdir children/c\n"
			  "kill -KILL $pids; wait $pids 2> /dev/null; echo $?; grep '^state' status",
		.output = "1\n1\n1\nfree\n7\n2\n137\nstate running\n",
		.errors = "",
	},
	{
		/* T100: more contexts and commands than the soft limit has descriptors: mitofs
		 * raises it. */
		.path = "/mount/storm/T100/soft-limit",
		.shells = "bash",
		.script = "mkdir $T/m; ulimit -Sn 1024; $MITOFS $T/m || exit; cd $T/m/children; mkdir $(seq 1000); for i in {1..360}; do echo 'exec sleep 1000' > $i/ctl || cat $i/error; done\n"
			  "cat */status | grep '^state ' | sort | uniq -c | tr -s ' '; cd /; echo shutdown > $T/m/ctl; while grep -q \" $T/m \" /proc/self/mountinfo; do :; done",
		.output = " 640 state idle\n 360 state running\n",
		.setup = {.unmounted = TRUE, .seconds = 60},
	},
	{
		/* T100: where it cannot, the command that has no descriptor left is refused with
		 * the limit's name; the rest live. */
		.path = "/mount/storm/T100/hard-limit",
		.shells = "bash",
		.script = "mkdir $T/m; ulimit -n 256; $MITOFS $T/m || exit; cd $T/m/children; mkdir $(seq 300); for i in {1..200}; do try write $i/ctl 'exec sleep 1000\\n'; done > $T/out; sort -u $T/out | tr '\\n' ' '; echo\n"
			  "ok=$(grep -cx 16 $T/out); refused=$(grep -cx EMFILE $T/out); [ $ok -gt 30 ] && [ $refused -gt 10 ] && [ $((ok + refused)) = 200 ] && echo refused\n"
			  "cat */error | cut -d' ' -f3- | head -n 1; [ $(cat */status | grep -cx 'state running') = $ok ] && echo running\n"
			  "for i in $(grep -lx 'state running' */status | sort -n | tail -n 20); do i=${i%/status}; echo kill > $i/ctl; read -r x < $i/wait; rmdir $i; done; try write 300/ctl 'exec sleep 1000\\n'\n"
			  "cd /; echo shutdown > $T/m/ctl; while grep -q \" $T/m \" /proc/self/mountinfo; do :; done",
		.regex = "16 EMFILE \nrefused\nEMFILE exec: [^\n]*(nofile|RLIMIT_NOFILE|open files|descriptors)[^\n]*256[^\n]*\nrunning\n16\n",
		.setup = {.unmounted = TRUE, .seconds = 60},
	},
	{
		/* Clients that know nothing of each other, each with a context of its own, and
		 * bytes that only it knows. */
		.path = "/mount/storm/clients/own-contexts",
		.shells = "python3",
		.script = CLIENT "def client(n):\n"
			  "    random.seed(n)\n"
			  "    for i in range(12):\n"
			  "        c = 'c%d-%d' % (n, i)\n"
			  "        os.mkdir(c)\n"
			  "        if i % 4 == 3: ctl(c, 'connect local')\n"
			  "        data = random.randbytes(random.choice((0, 1, 5000, 300000)))\n"
			  "        ctl(c, 'exec cat')\n"
			  "        if os.fork() == 0:\n"
			  "            put(c, data)\n"
			  "            os._exit(0)\n"
			  "        assert open(c + '/stdout', 'rb').read() == data, (n, i)\n"
			  "        os.wait()\n"
			  "        assert open(c + '/wait').read().startswith('0 exit 0 run=1 ')\n"
			  "        assert status(c, 'stdout') == str(len(data))\n"
			  "        if i % 2: os.rmdir(c)\n"
			  "        else:\n"
			  "            ctl(c, 'exec sleep 1000')\n"
			  "            ctl(c, 'kill' if i % 3 else 'destroy')\n"
			  "            if i % 3:\n"
			  "                assert open(c + '/wait').read().startswith('137 signal KILL')\n"
			  "                os.rmdir(c)\n"
			  "        assert not os.path.exists(c)\n"
			  "pids = []\n"
			  "for n in range(8):\n"
			  "    pids.append(os.fork())\n"
			  "    if pids[-1] == 0:\n"
			  "        client(n)\n"
			  "        os._exit(0)\n"
			  "print([os.waitpid(pid, 0)[1] for pid in pids], os.listdir('.'))",
		.output = "[0, 0, 0, 0, 0, 0, 0, 0] []\n",
		.setup = {.seconds = 60},
	},
	{
		/* Clients that fight for one context: each command is carried out whole or
		 * refused, and each run is one of theirs. */
		.path = "/mount/storm/clients/one-context",
		.shells = "python3",
		.script = CLIENT "os.mkdir('a')\n"
			  "def client(n):\n"
			  "    done = refused = 0\n"
			  "    while done < 25:\n"
			  "        try: ctl('a', 'exec echo client %d' % n)\n"
			  "        except OSError as error:\n"
			  "            assert error.errno == errno.EBUSY, error\n"
			  "            refused += 1\n"
			  "            continue\n"
			  "        done += 1\n"
			  "        words = open('a/stdout').read().split()\n"
			  "        assert len(words) == 2 and words[0] == 'client', words\n"
			  "        assert open('a/wait').read().startswith('0 exit 0 run=')\n"
			  "pids = []\n"
			  "for n in range(5):\n"
			  "    pids.append(os.fork())\n"
			  "    if pids[-1] == 0:\n"
			  "        client(n)\n"
			  "        os._exit(0)\n"
			  "print([os.waitpid(pid, 0)[1] for pid in pids], status('a', 'run'))",
		.output = "[0, 0, 0, 0, 0] 125\n",
		.setup = {.seconds = 60},
	},
	{
		/* The same context is made, used and removed under everybody's hands: every
		 * answer is one of those that make sense. */
		.path = "/mount/storm/clients/vanishing-contexts",
		.shells = "python3",
		.script = CLIENT "FINE = {errno.EEXIST, errno.ENOENT, errno.EBUSY, errno.ESRCH, errno.EPIPE, errno.ECANCELED, errno.ENOTEMPTY, errno.ESTALE}\n"
			  "def read(name):\n"
			  "    fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK)\n"
			  "    try: return os.read(fd, 4096)\n"
			  "    finally: os.close(fd)\n"
			  "steps = [lambda: os.mkdir('x'), lambda: os.rmdir('x'), lambda: ctl('x', 'exec cat'), lambda: ctl('x', 'destroy'), lambda: ctl('x', 'kill'), lambda: os.rename('x', 'y'),\n"
			  "    lambda: os.rename('y', 'x'), lambda: put('x', b'data'), lambda: read('x/stdout'), lambda: read('x/status'), lambda: read('x/wait'), lambda: os.listdir('x'), lambda: os.mkdir('x/children/z'),\n"
			  "    lambda: ctl('x/children/z', 'exec true'), lambda: os.rmdir('x/children/z'), lambda: ctl('y', 'destroy'), lambda: ctl('x', 'reset'), lambda: ctl('x', 'async connect local'), lambda: ctl('x', 'disconnect')]\n"
			  "def client(n):\n"
			  "    random.seed(n)\n"
			  "    for i in range(400):\n"
			  "        try: random.choice(steps)()\n"
			  "        except BlockingIOError: pass\n"
			  "        except OSError as error:\n"
			  "            if error.errno not in FINE | {errno.ENOTCONN, errno.ECONNRESET, errno.EPERM}: print(error, flush=True)\n"
			  "pids = []\n"
			  "for n in range(6):\n"
			  "    pids.append(os.fork())\n"
			  "    if pids[-1] == 0:\n"
			  "        client(n)\n"
			  "        os._exit(0)\n"
			  "print([os.waitpid(pid, 0)[1] for pid in pids])\n"
			  "for c in os.listdir('.'): ctl(c, 'destroy')\n"
			  "print(os.listdir('.'))",
		.output = "[0, 0, 0, 0, 0, 0]\n[]\n",
		.setup = {.seconds = 60},
	},
};
/* clang-format on */

int
main(int argc, char **argv)
{
	static const MountSetup minute = { .seconds = 60 };

	mount_test_init(&argc, &argv);
	mount_test_add("/mount/storm/R41/killed-readers", kill_many_readers, &minute);
	mount_test_add("/mount/storm/R41/killed-threads", kill_many_threads, &minute);
	mount_test_add("/mount/storm/R41/woken-readers", wake_many_readers, &minute);
	mount_test_add("/mount/storm/R43/interrupts/direct", race_direct, &minute);
	mount_test_add("/mount/storm/R43/interrupts/linked", race_linked, &minute);
	mount_test_add("/mount/storm/R49/stopped-broker", stopped_broker, &minute);
	mount_test_add("/mount/storm/R106/many-contexts", many_contexts, &minute);
	mount_test_add("/mount/storm/R106/many-runs", many_runs, &minute);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	return mount_test_run();
}
