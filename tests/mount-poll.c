/* poll, select and epoll on every file of a real mount: exactly what they show in each state,
 * that a wake-up is never lost over many rounds (a lost one hangs, and the deadline fails the
 * test), who is woken by an end, and O_NONBLOCK. What poll(2) says has to agree with what a read
 * or a write then does: POLLIN when a read would not wait, with POLLHUP at the end of a stream,
 * POLLOUT on stdin only if 4096 bytes would be taken whole. */
#include "tests/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#define ROUNDS 1500

/* What the python scripts begin with. */
#define PYTHON                                                                                 \
	"import errno, fcntl, os, select, threading\n"                                         \
	"os.chdir(os.environ['M'])\n"                                                          \
	"NAMES = ((select.POLLIN, 'in'), (select.POLLPRI, 'pri'), (select.POLLOUT, 'out'), "   \
	"(select.POLLERR, 'err'), (select.POLLHUP, 'hup'), (select.POLLNVAL, 'nval'))\n"       \
	"def shown(fd, ms=0):\n"                                                               \
	"    p = select.poll()\n"                                                              \
	"    p.register(fd, select.POLLIN | select.POLLPRI | select.POLLOUT)\n"                \
	"    return ','.join(name for _, what in p.poll(ms) for bit, name in NAMES if what & " \
	"bit) or 'none'\n"                                                                     \
	"def ctl(line): open('ctl', 'w').write(line + '\\n')\n"                                \
	"def ro(name): return os.open(name, os.O_RDONLY)\n"                                    \
	"def wo(name): return os.open(name, os.O_WRONLY)\n"                                    \
	"def call(f, *a):\n"                                                                   \
	"    try: return f(*a)\n"                                                              \
	"    except OSError as error: return errno.errorcode[error.errno]\n"

/* clang-format off */
static const ShCase cases[] = {
	/* R10: each file in each state. */
	{
		.path = "/mount/poll/R10/idle",
		.shells = "python3",
		.script = PYTHON "for f in 'stdout stderr wait events log status'.split(): print(f, shown(ro(f)))\n"
			  "for f in 'ctl signal error'.split(): print(f, shown(ro(f)), shown(wo(f)))\n"
			  "print(shown(wo('stdin')))",
		.output = "stdout in,hup\nstderr in,hup\nwait in,hup\nevents none\nlog in\nstatus in\nctl in,out in,out\nsignal in,out in,out\nerror in,out in,out\nout\n",
	},
	{
		.path = "/mount/poll/R10/stdout",
		.shells = "python3",
		.script = PYTHON "ctl('sh read -r x; echo $x; read -r x')\n"
			  "fd, other, err, w = ro('stdout'), ro('stdout'), ro('stderr'), wo('stdin')\n"
			  "print(shown(fd), shown(err))\n"
			  "os.write(w, b'text\\n')\n"
			  "print(shown(fd, -1), shown(other, -1), os.read(fd, 2), shown(fd), os.read(fd, 100), shown(fd), shown(other), shown(err))\n"
			  "os.write(w, b'\\n')\n"
			  "print(shown(fd, -1), shown(err, -1), os.read(fd, 100), shown(fd), shown(other), os.read(other, 100), shown(other), shown(ro('stdout')))",
		.output = "none none\nin in b'te' in b'xt\\n' none in none\nin,hup in,hup b'' in,hup in b'text\\n' in,hup in\n",
	},
	{
		.path = "/mount/poll/R10/wait",
		.shells = "python3",
		.script = PYTHON "early = ro('wait')\n"
			  "ctl('sh read -r x')\n"
			  "fd, w = ro('wait'), wo('stdin')\n"
			  "print(shown(fd), shown(early))\n"
			  "os.write(w, b'\\n')\n"
			  "print(shown(fd, -1), shown(early, -1), os.read(fd, 6), shown(fd), len(os.read(fd, 1000)) > 10, shown(fd), os.read(fd, 10))\n"
			  "ctl('exec sleep 1000')\n"
			  "print(shown(fd), shown(early), shown(ro('wait')))",
		.output = "none none\nin in b'0 exit' in True in,hup b''\nin,hup in none\n",
	},
	{
		.path = "/mount/poll/R10/stdin",
		.shells = "python3",
		.script = PYTHON "os.mkfifo(os.environ['T'] + '/go')\n"
			  "ctl('sh read -r x < %s/go; exec cat' % os.environ['T'])\n"
			  "fd = os.open('stdin', os.O_WRONLY | os.O_NONBLOCK)\n"
			  "sent = 0\n"
			  "while shown(fd) == 'out':\n"
			  "    assert os.write(fd, b'x' * 4096) == 4096\n"
			  "    sent += 4096\n"
			  "print(shown(fd), call(os.write, fd, b'x' * 4096), call(os.write, fd, b'x'), sent >= 8192)\n"
			  "open(os.environ['T'] + '/go', 'w').write('\\n')\n"
			  "print(shown(fd, -1))\n"
			  "ctl('kill')\n"
			  "open('wait').read()\n"
			  "print(shown(fd), call(os.write, fd, b'x'))",
		.output = "none EAGAIN EAGAIN True\nout\nout EPIPE\n",
	},
	{
		.path = "/mount/poll/R10/stdin-linked",
		.shells = "python3",
		.script = PYTHON "os.mkdir('children/c')\n"
			  "os.chdir('children/c')\n"
			  "ctl('connect local')\n"
			  "os.mkfifo(os.environ['T'] + '/go')\n"
			  "ctl('sh read -r x < %s/go; exec cat' % os.environ['T'])\n"
			  "fd = os.open('stdin', os.O_WRONLY | os.O_NONBLOCK)\n"
			  "sent = os.write(fd, b'y')\n"
			  "while shown(fd) == 'out':\n"
			  "    assert os.write(fd, b'x' * 4096) == 4096\n"
			  "    sent += 4096\n"
			  "print(shown(fd), call(os.write, fd, b'x' * 4096), sent >= 8192)\n"
			  "open(os.environ['T'] + '/go', 'w').write('\\n')\n"
			  "print(shown(fd, -1))\n"
			  "got = 0\n"
			  "out = ro('stdout')\n"
			  "while got < sent: got += len(os.read(out, 65536))\n"
			  "print(got == sent, shown(out))",
		.output = "none EAGAIN True\nout\nTrue none\n",
	},
	{
		.path = "/mount/poll/R10/staged",
		.shells = "python3",
		.script = PYTHON "fd = os.open('stdin', os.O_WRONLY | os.O_NONBLOCK)\n"
			  "sent = 0\n"
			  "while shown(fd) == 'out': sent += os.write(fd, b'x' * 4096)\n"
			  "print(sent, call(os.write, fd, b'x'))\n"
			  "t = threading.Thread(target=lambda: print(shown(fd, -1)))\n"
			  "t.start()\n"
			  "ctl('exec wc -c')\n"
			  "t.join()\n"
			  "ctl('eof')\n"
			  "print(open('stdout').read(), shown(fd), call(os.write, fd, b'x'))",
		.output = "65536 EAGAIN\nout\n65536\n out EPIPE\n",
	},
	{
		.path = "/mount/poll/R10/events-and-log",
		.shells = "python3",
		.script = PYTHON "events, log = ro('events'), ro('log')\n"
			  "while os.read(log, 4096): pass\n"
			  "print(shown(events), shown(log))\n"
			  "os.mkdir('children/a')\n"
			  "print(shown(events, -1), len(os.read(events, 1000)) > 10, shown(events))\n"
			  "ctl('exec true')\n"
			  "open('wait').read()\n"
			  "print(shown(events, -1), shown(log, -1), b'true' in os.read(log, 4096))\n"
			  "inner = ro('children/a/events')\n"
			  "os.rmdir('children/a')\n"
			  "print(shown(inner, -1), b'removed' in os.read(inner, 1000), shown(inner), os.read(inner, 10))",
		.output = "none none\nin True none\nin in True\nin True in,hup b''\n",
	},
	{
		/* Whatever a removed context had: nobody is left waiting. */
		.path = "/mount/poll/R16/removed",
		.shells = "python3",
		.script = PYTHON "os.mkdir('children/a')\n"
			  "open('children/a/ctl', 'w').write('exec sleep 1000\\n')\n"
			  "names = 'stdout stderr wait events'.split()\n"
			  "fds = [ro('children/a/' + f) for f in names]\n"
			  "os.read(fds[3], 0)\n"
			  "threads = [threading.Thread(target=shown, args=(fd, -1)) for fd in fds]\n"
			  "for t in threads: t.start()\n"
			  "open('children/a/ctl', 'w').write('destroy\\n')\n"
			  "for t in threads: t.join()\n"
			  "print([shown(fd, -1) for fd in fds], os.read(fds[2], 7), shown(wo('stdin')))",
		.output = "['in,hup', 'in,hup', 'in', 'in'] b'143 sig' out\n",
	},
	{
		.path = "/mount/poll/R10/select",
		.shells = "python3",
		.script = PYTHON "ctl('sh read -r x; echo $x; exec cat')\n"
			  "out, wait, events, w = ro('stdout'), ro('wait'), ro('events'), wo('stdin')\n"
			  "def ready(timeout): return [[name for fd, name in ((out, 'out'), (wait, 'wait'), (events, 'events'), (w, 'stdin')) if fd in fds] for fds in select.select([out, wait, events], [w], [out, wait, w], timeout)]\n"
			  "print(ready(0))\n"
			  "os.write(w, b'text\\n')\n"
			  "select.select([out], [], [])\n"
			  "print(ready(0))\n"
			  "ctl('eof')\n"
			  "select.select([wait], [], [])\n"
			  "select.select([events], [], [])\n"
			  "print(ready(0))",
		.output = "[[], ['stdin'], []]\n[['out'], ['stdin'], []]\n[['out', 'wait', 'events'], ['stdin'], []]\n",
	},
	{
		/* O_NONBLOCK in open(2) and later by fcntl(2), on each file that waits. */
		.path = "/mount/poll/R32/nonblock",
		.shells = "python3",
		.script = PYTHON "ctl('exec sleep 1000')\n"
			  "for f in 'stdout stderr wait events'.split():\n"
			  "    fd = os.open(f, os.O_RDONLY | os.O_NONBLOCK)\n"
			  "    later = ro(f)\n"
			  "    fcntl.fcntl(later, fcntl.F_SETFL, os.O_NONBLOCK)\n"
			  "    print(f, call(os.read, fd, 10), call(os.read, later, 10), shown(fd))\n"
			  "for f in 'ctl status log error signal'.split():\n"
			  "    fd = os.open(f, os.O_RDONLY | os.O_NONBLOCK)\n"
			  "    while os.read(fd, 4096): pass\n"
			  "    print(f, os.read(fd, 10))\n"
			  "fd = wo('stdin')\n"
			  "fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK)\n"
			  "while call(os.write, fd, b'x' * 65536) != 'EAGAIN': pass\n"
			  "while call(os.write, fd, b'x') != 'EAGAIN': pass\n"
			  "print(call(os.write, fd, b'x' * 100000), shown(fd))",
		.output = "stdout EAGAIN EAGAIN none\nstderr EAGAIN EAGAIN none\nwait EAGAIN EAGAIN none\nevents EAGAIN EAGAIN none\n"
			  "ctl b''\nstatus b''\nlog b''\nerror b''\nsignal b''\nEAGAIN none\n",
	},
	{
		/* Edge-triggered and one-shot: one report for each arrival, none in between. */
		.path = "/mount/poll/R10/epoll-edges",
		.shells = "python3",
		.script = PYTHON "ctl('exec cat')\n"
			  "out, w = ro('stdout'), wo('stdin')\n"
			  "edge, once = select.epoll(), select.epoll()\n"
			  "edge.register(out, select.EPOLLIN | select.EPOLLET)\n"
			  "once.register(out, select.EPOLLIN | select.EPOLLONESHOT)\n"
			  "print(edge.poll(0), once.poll(0))\n"
			  "for i in range(300):\n"
			  "    os.write(w, b'x')\n"
			  "    assert edge.poll() == [(out, select.EPOLLIN)]\n"
			  "    assert edge.poll(0) == []\n"
			  "    assert once.poll() == [(out, select.EPOLLIN)]\n"
			  "    assert once.poll(0) == []\n"
			  "    assert os.read(out, 10) == b'x'\n"
			  "    once.modify(out, select.EPOLLIN | select.EPOLLONESHOT)\n"
			  "    assert once.poll(0) == []\n"
			  "ctl('eof')\n"
			  "print(edge.poll() == [(out, select.EPOLLIN | select.EPOLLHUP)], os.read(out, 10))",
		.output = "[] []\nTrue b''\n",
	},
};
/* clang-format on */

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

static void
wait_by_poll(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	g_assert_cmpint(poll(&one, 1, -1), ==, 1);
	g_assert_cmpint(one.revents & POLLIN, !=, 0);
}

static void
wait_by_select(int fd)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	g_assert_cmpint(select(fd + 1, &set, NULL, NULL, NULL), ==, 1);
}

static void
wait_by_epoll(int fd)
{
	static int epoll = -1;
	struct epoll_event event = { .events = EPOLLIN };

	if (epoll < 0) {
		epoll = epoll_create1(EPOLL_CLOEXEC);
		g_assert_no_errno(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	}
	g_assert_cmpint(epoll_wait(epoll, &event, 1, -1), ==, 1);
}

/* Each byte that goes in is waited for by @wait_by: it may come before, while and after the wait
 * begins. */
static void
ping(const Mount *mount, const char *directory, void (*wait_by)(int fd))
{
	g_autofree char *ctl = g_strconcat(directory, "ctl", NULL);
	g_autofree char *in = g_strconcat(directory, "stdin", NULL);
	g_autofree char *out = g_strconcat(directory, "stdout", NULL);

	tell(mount, ctl, "exec cat\n");
	int stdin_fd = open_file(mount, in, O_WRONLY),
	    stdout_fd = open_file(mount, out, O_RDONLY | O_NONBLOCK);
	for (int i = 0; i < ROUNDS; i++) {
		guint8 byte = (guint8)i, got = (guint8)(i + 1), more;

		g_assert_cmpint(write(stdin_fd, &byte, 1), ==, 1);
		wait_by(stdout_fd);
		g_assert_cmpint(read(stdout_fd, &got, 1), ==, 1);
		g_assert_true(got == byte);
		g_assert_cmpint(read(stdout_fd, &more, 1), ==, -1);
		g_assert_cmpint(errno, ==, EAGAIN);
	}
	tell(mount, ctl, "eof\n");
	wait_by(stdout_fd);
	g_assert_cmpint(read(stdout_fd, &(char){ 0 }, 1), ==, 0);
	close(stdin_fd);
	close(stdout_fd);
}

static void
rounds_poll(Mount *mount)
{
	ping(mount, "", wait_by_poll);
}

static void
rounds_select(Mount *mount)
{
	ping(mount, "", wait_by_select);
}

static void
rounds_epoll(Mount *mount)
{
	ping(mount, "", wait_by_epoll);
}

/* The same through an agent. */
static void
rounds_linked(Mount *mount)
{
	mount_expect(mount, "dash", "mkdir $M/children/c; echo 'connect local' > $M/children/c/ctl",
		     "", 0);
	ping(mount, "children/c/", wait_by_poll);
}

typedef struct Poller {
	int fd;
	guint64 seen;
} Poller;

/* Count the bytes that come until the end, by a poll for each read. */
static void *
poller_thread(void *data)
{
	Poller *poller = data;
	char buffer[64];
	gssize got;

	do {
		wait_by_poll(poller->fd);
		got = read(poller->fd, buffer, sizeof(buffer));
		g_assert_cmpint(got, >=, 0);
		poller->seen += (guint64)got;
	} while (got > 0);
	return NULL;
}

/* Several who poll at the same time, each with an open file of its own: all see every byte. */
static void
rounds_many(Mount *mount)
{
	enum { POLLERS = 8 };
	Poller pollers[POLLERS];
	GThread *threads[POLLERS];

	tell(mount, "ctl", "exec cat\n");
	for (int i = 0; i < POLLERS; i++) {
		pollers[i] = (Poller){ .fd = open_file(mount, "stdout", O_RDONLY) };
		threads[i] = g_thread_new("poller", poller_thread, &pollers[i]);
	}
	int stdin_fd = open_file(mount, "stdin", O_WRONLY | O_TRUNC);
	for (int i = 0; i < ROUNDS; i++)
		g_assert_cmpint(write(stdin_fd, "x", 1), ==, 1);
	close(stdin_fd);
	for (int i = 0; i < POLLERS; i++) {
		g_thread_join(threads[i]);
		g_assert_cmpuint(pollers[i].seen, ==, ROUNDS);
		close(pollers[i].fd);
	}
}

/* One open file polled by several at once: the wake-up is for all of them. */
static void *
shared_thread(void *data)
{
	wait_by_poll(*(const int *)data);
	return NULL;
}

static void
rounds_shared(Mount *mount)
{
	enum { POLLERS = 6, TURNS = 40 };

	for (int turn = 0; turn < TURNS; turn++) {
		GThread *threads[POLLERS];

		tell(mount, "ctl", "sh read -r x\n");
		int fd = open_file(mount, "wait", O_RDONLY);
		for (int i = 0; i < POLLERS; i++)
			threads[i] = g_thread_new("poller", shared_thread, &fd);
		tell(mount, "stdin", "\n");
		for (int i = 0; i < POLLERS; i++)
			g_thread_join(threads[i]);
		close(fd);
	}
}

/* Room in stdin is told as reliably as bytes in stdout: a writer that only polls gets everything
 * through. */
static void
rounds_stdin(Mount *mount)
{
	enum { TOTAL = 8 << 20 };
	static char block[30000];
	guint64 sent = 0;

	tell(mount, "ctl", "exec wc -c\n");
	int fd = open_file(mount, "stdin", O_WRONLY | O_TRUNC | O_NONBLOCK);
	while (sent < TOTAL) {
		struct pollfd one = { .fd = fd, .events = POLLOUT };

		g_assert_cmpint(poll(&one, 1, -1), ==, 1);
		g_assert_cmpint(one.revents, ==, POLLOUT);
		gssize written = write(fd, block, MIN(sizeof(block), TOTAL - sent));
		g_assert_cmpint(written, >, 0);
		sent += (guint64)written;
	}
	close(fd);
	mount_expect(mount, "dash", "cat $M/stdout", "8388608\n", 0);
}

/* Whether a process sleeps in a poll. */
static gboolean
is_polling(void *data)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/wchan", (int)*(const pid_t *)data);
	g_autofree char *wchan = NULL;

	return g_file_get_contents(path, &wchan, NULL, NULL) && strstr(wchan, "poll") != NULL;
}

/* Pollers that are killed leave nothing behind, and take no wake-up with them. */
static void
killed_pollers(Mount *mount)
{
	enum { POLLERS = 20 };
	pid_t pids[POLLERS];

	tell(mount, "ctl", "sh read -r x; echo $x; read -r x\n");
	int fd = open_file(mount, "stdout", O_RDONLY);
	for (int i = 0; i < POLLERS; i++)
		pids[i] = mount_start(mount, "dash", "exec try poll $M/stdout 1000000", -1);
	tell(mount, "stdin", ":"); /* no line yet: nobody wakes */
	for (int i = 0; i < POLLERS; i++) {
		mount_until(is_polling, &pids[i]);
		kill(pids[i], i % 2 == 0 ? SIGKILL : SIGTERM);
		g_assert_cmpint(mount_wait(pids[i]), >, 128);
	}
	struct pollfd one = { .fd = fd, .events = POLLIN };
	g_assert_cmpint(poll(&one, 1, 0), ==, 0);
	mount_expect(mount, "dash", "echo >> $M/stdin; try poll $M/stdout 1000000", "in\n", 0);
	wait_by_poll(fd);
	close(fd);
}

/* Who polls while the broker ends is told, and the broker ends. */
static void
end_under_pollers(Mount *mount)
{
	int fds[2];
	char text[64] = "";

	g_assert_no_errno(pipe2(fds, O_CLOEXEC));
	tell(mount, "ctl", "exec sleep 1000\n");
	pid_t pid = mount_start(mount, "python3",
				"import os, select\n"
				"os.chdir(os.environ['M'])\n"
				"p = select.poll()\n"
				"for f in ('stdout', 'wait', 'events'): p.register(os.open(f, "
				"os.O_RDONLY), select.POLLIN)\n"
				"os.write(1, b'ready')\n"
				"print(len(p.poll()) > 0, flush=True)",
				fds[1]);
	close(fds[1]);
	g_assert_cmpint(read(fds[0], text, 5), ==, 5);
	mount_end(mount, SIGTERM, 0);
	g_assert_cmpint(mount_wait(pid), ==, 0);
	g_assert_cmpint(read(fds[0], text, sizeof(text) - 1), ==, 5);
	g_assert_cmpstr(text, ==, "True\n");
	close(fds[0]);
}

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	mount_test_add("/mount/poll/R10/rounds/poll", rounds_poll, NULL);
	mount_test_add("/mount/poll/R10/rounds/select", rounds_select, NULL);
	mount_test_add("/mount/poll/R10/rounds/epoll", rounds_epoll, NULL);
	mount_test_add("/mount/poll/R10/rounds/linked", rounds_linked, NULL);
	mount_test_add("/mount/poll/R10/rounds/many", rounds_many, NULL);
	mount_test_add("/mount/poll/R10/rounds/shared", rounds_shared, NULL);
	mount_test_add("/mount/poll/R10/rounds/stdin", rounds_stdin, NULL);
	mount_test_add("/mount/poll/R10/killed-pollers", killed_pollers, NULL);
	mount_test_add("/mount/poll/R11/end-under-pollers", end_under_pollers, NULL);
	return mount_test_run();
}
