/* The first of an agent's two processes.
 *
 * It is there so that kill -9 of the agent leaves nothing: as child subreaper it becomes the
 * parent of every process that daemonises, which it does nothing with but reap. A signal that
 * should end the agent is passed to the worker. When the worker is gone, however that came, the
 * watcher closes its descriptor of the link, so that the link ends too, and kills whatever is below
 * it or carries the agent's tag. A worker that is stopped cannot see that its link has ended, so
 * then the watcher looks, and kills it. When the watcher itself is killed, the worker notices by
 * the pipe between them, and does the same. */
#include "broker/agent/watcher.h"

#include "pty/exitcode.h"
#include "pty/tree.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_ROUNDS 40
#define ROUND_NSEC 50000000L
#define LOOK_SECONDS 1

/* What is known of the worker. */
struct worker {
	pid_t pid;
	bool ended, stopped;
	int status; /* of wait(2), once it has ended */
};

/* Reap what has ended; whether there are children left. Notes what the worker does. */
static bool
children_reap(struct worker *worker)
{
	for (;;) {
		int got;
		pid_t pid = waitpid(-1, &got, WNOHANG | WUNTRACED | WCONTINUED);

		if (pid == 0)
			return true;
		if (pid < 0)
			return errno != ECHILD;
		if (pid != worker->pid)
			continue;
		worker->stopped = WIFSTOPPED(got);
		if (WIFSTOPPED(got) || WIFCONTINUED(got))
			continue;
		worker->ended = true;
		worker->status = got;
	}
}

/* Whether the other end of the link is gone. */
static bool
link_has_ended(void)
{
	struct pollfd link = { .fd = STDIN_FILENO, .events = POLLRDHUP };

	return poll(&link, 1, 0) > 0 && (link.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* Kill and reap until nothing is left, or until it is clear that something cannot be killed. */
static void
remains_kill(struct worker *worker, uint32_t id, const sigset_t *signals)
{
	struct tree_query query = { .leader = getpid(),
				    .below_only = true,
				    .tag = tree_tag(id, 0, 0),
				    .mask = TREE_MASK_AGENT };

	for (int round = 0; round < KILL_ROUNDS; round++) {
		(void)tree_kill(&query, SIGKILL);
		if (!children_reap(worker))
			return;
		sigtimedwait(signals, NULL, &(struct timespec){ .tv_nsec = ROUND_NSEC });
	}
}

/* Wait for a signal, or, where it has to be looked whether the link lives, for a while. */
static int
signal_wait(const struct worker *worker, const sigset_t *signals)
{
	const struct timespec look = { .tv_sec = LOOK_SECONDS };

	return sigtimedwait(signals, NULL, worker->stopped ? &look : NULL);
}

int
watcher_run(pid_t pid, uint32_t id, const sigset_t *signals)
{
	struct worker worker = { .pid = pid };
	bool left = true;

	while (!worker.ended) {
		int number = signal_wait(&worker, signals);

		if (number == SIGCHLD)
			left = children_reap(&worker);
		else if (number > 0)
			kill(pid, SIGTERM);
		else if (worker.stopped && link_has_ended())
			kill(pid, SIGKILL);
	}
	close(STDIN_FILENO);
	if (left ||
	    WIFSIGNALED(worker.status)) /* killed: without a subreaper its orphans are not ours */
		remains_kill(&worker, id, signals);
	return exit_code_shell(exit_code_from_status(worker.status));
}
