/* The first of an agent's two processes.
 *
 * It is there so that kill -9 of the agent leaves nothing: as child subreaper it becomes the
 * parent of every process that daemonises, which it does nothing with but reap. It holds no
 * descriptor of the link, so that the link ends when the worker does. A signal that should end
 * the agent is passed to the worker. When the worker is gone, however that came, whatever is
 * below the watcher or carries the agent's tag is killed. When the watcher itself is killed, the
 * worker notices by the pipe between them, and does the same. */
#include "broker/agent/watcher.h"

#include "pty/exitcode.h"
#include "pty/tree.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_ROUNDS 40
#define ROUND_NSEC 50000000L

/* Reap what has ended; whether there are children left. Notes the worker's status. */
static bool
children_reap(pid_t worker, bool *ended, int *status)
{
	for (;;) {
		int got;
		pid_t pid = waitpid(-1, &got, WNOHANG);

		if (pid == 0)
			return true;
		if (pid < 0)
			return errno != ECHILD;
		if (pid == worker) {
			*ended = true;
			*status = got;
		}
	}
}

/* Kill and reap until nothing is left, or until it is clear that something cannot be killed. */
static void
remains_kill(pid_t worker, uint32_t id, const sigset_t *signals)
{
	struct tree_query query = { .leader = getpid(),
				    .below_only = true,
				    .tag = tree_tag(id, 0, 0),
				    .mask = TREE_MASK_AGENT };
	bool ended;
	int status;

	for (int round = 0; round < KILL_ROUNDS; round++) {
		(void)tree_kill(&query, SIGKILL);
		if (!children_reap(worker, &ended, &status))
			return;
		sigtimedwait(signals, NULL, &(struct timespec){ .tv_nsec = ROUND_NSEC });
	}
}

int
watcher_run(pid_t worker, uint32_t id)
{
	bool ended = false, left = true;
	sigset_t signals;
	int status = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	while (!ended) {
		int number = sigwaitinfo(&signals, NULL);

		if (number == SIGCHLD)
			left = children_reap(worker, &ended, &status);
		else if (number > 0)
			kill(worker, SIGTERM);
	}
	if (left || WIFSIGNALED(status)) /* killed: without a subreaper its orphans are not ours */
		remains_kill(worker, id, &signals);
	return exit_code_shell(exit_code_from_status(status));
}
