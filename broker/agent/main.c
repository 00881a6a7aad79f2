/* The agent: the program that runs at each place.
 *
 * Started by the broker, by another agent, or by the first stage of a connection, with the link as
 * its stdin and stdout. With any argument it exits with 0 at once: so the first stage learns
 * whether a place lets it be executed. A file that was made for it is removed as soon as it runs.
 * It cuts itself loose from what started it (session, directory, inherited descriptors and
 * signals), takes a number that no other agent of this machine has, and becomes two processes: the
 * first stays as the watcher, the second is the worker. Both keep the lock of
 * the number. Neither can be read or traced by others (PR_SET_DUMPABLE), as input may be secret;
 * that ends with execve in every command.
 *
 * Exit status: 0 after an orderly end, 1 when it could not start or was orphaned, 2 after a
 * malformed frame, 128 + signal when the worker was killed. */
#include "broker/agent/agent.h"
#include "broker/agent/watcher.h"
#include "broker/agent/worker.h"
#include "pty/signals.h"
#include "pty/textbuf.h"
#include "pty/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ID_COUNT 0x8000u /* 15 bits, see tree_tag() */
#define ID_TRIES 64

static const int ignored_signals[] = { SIGPIPE, SIGQUIT, 0 };

/* Signals that are waited for instead of handled. */
static void
signals_setup(sigset_t *ret)
{
	for (int number = 1; number <= signal_last(); number++) /* KILL and STOP stay as they are */
		signal(number, SIG_DFL);
	for (const int *number = ignored_signals; *number; number++)
		signal(*number, SIG_IGN);
	sigemptyset(ret);
	sigaddset(ret, SIGCHLD);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGHUP);
	sigprocmask(SIG_SETMASK, ret, NULL);
}

/* Remove the file that it was started from, and the file's directory, if the first stage made them. */
static void
image_remove(char *path)
{
	char *slash = path ? strrchr(path, '/') : NULL, *directory;

	if (!slash)
		return;
	*slash = '\0';
	directory = strrchr(path, '/');
	*slash = '/';
	if (!directory || strncmp(directory, "/" WIRE_STAGE_DIR, sizeof("/" WIRE_STAGE_DIR) - 1))
		return;
	unlink(path);
	*slash = '\0';
	rmdir(path);
	*slash = '/';
}

/* The name under which it is seen, whatever path it was started by. */
static void
name_set(char *argument)
{
	size_t length = argument ? strlen(argument) : 0, name = strlen(AGENT_NAME);

	prctl(PR_SET_NAME, AGENT_NAME);
	if (!length)
		return;
	memset(argument, 0, length);
	memcpy(argument, AGENT_NAME, length < name ? length : name);
}

/* Close what was inherited by accident, and see that 0 to 2 are taken. Whether the link is
 * there. */
static bool
descriptors_setup(void)
{
	if (close_range(3, ~0u, 0) < 0)
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
	for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return false;
	return fcntl(STDERR_FILENO, F_SETFD, FD_CLOEXEC) == 0 ||
	       open("/dev/null", O_RDWR | O_CLOEXEC) >= 0;
}

/* Raise the descriptor limit; the old one, for the commands. */
static uint64_t
descriptors_raise(void)
{
	struct rlimit limit;
	uint64_t before;

	if (prlimit(0, RLIMIT_NOFILE, NULL, &limit) < 0)
		return 0;
	before = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	prlimit(0, RLIMIT_NOFILE, &limit, NULL);
	return before;
}

/* Lock number @id: a name in the abstract namespace is taken by one socket, and free when that
 * is closed. The socket stays open in both processes on purpose. 0 or -errno. */
static int
id_lock(int socket_fd, uint32_t id)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct textbuf buf;

	textbuf_init(&buf, address.sun_path + 1, sizeof(address.sun_path) - 1);
	textbuf_add(&buf, AGENT_NAME "/");
	textbuf_add_unsigned(&buf, id);
	return bind(socket_fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + buf.used)) < 0
		       ? -errno
		       : 0;
}

/* A number that no other agent has, as far as that can be known. */
static uint32_t
id_choose(void)
{
	int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t id = (uint32_t)getpid();

	if (getrandom(&id, sizeof(id), GRND_NONBLOCK) < 0)
		id = (uint32_t)getpid() * 2654435761u >> 16;
	for (int i = 0;
	     i < ID_TRIES && socket_fd >= 0 && id_lock(socket_fd, id % ID_COUNT) == -EADDRINUSE;
	     i++)
		id++;
	return id % ID_COUNT;
}

/* Become watcher and worker; the exit status of whichever this process is. */
static int
agent_split(struct agent *agent, const sigset_t *signals)
{
	int life[2];
	pid_t worker;

	agent->watcher = getpid();
	agent->subreaper = !prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (pipe2(life, O_CLOEXEC) < 0)
		return 1;
	worker = _Fork(); /* one thread, no handlers: a third of the code */
	if (worker < 0)
		return 1;
	if (worker == 0) {
		close(life[1]);
		if (getsid(0) != agent->watcher) /* it led a group, in a session not its own */
			setsid();
		return worker_run(agent, life[0], signals);
	}
	close(life[0]);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	return watcher_run(worker, agent->id, signals);
}

int
main(int argc, char **argv)
{
	static struct agent agent;
	sigset_t signals;

	if (argc > 1)
		return 0;
	signals_setup(&signals);
	image_remove(argc ? argv[0] : NULL);
	name_set(argc ? argv[0] : NULL);
	if (!descriptors_setup())
		return 1;
	prctl(PR_SET_DUMPABLE, 0);
	setsid();
	if (chdir("/") < 0)
		return 1;
	agent.place.nofile_soft = descriptors_raise();
	agent.place.ignored = ignored_signals;
	agent.id = id_choose();
	return agent_split(&agent, &signals);
}
