/* The second of an agent's two processes: the one that works.
 *
 * It sets the loop up, says HELLO, and serves. Besides the link and the runs two things are
 * waited for: signals, of which SIGCHLD brings the ends of leaders and the others ask for the
 * agent's own end, and the watcher's life, a pipe that nothing is ever written to. Without a
 * watcher nobody would catch orphans any more, so the worker then kills every tree at once and
 * exits. */
#include "broker/agent/worker.h"

#include "broker/agent/dispatch.h"
#include "broker/agent/hello.h"
#include "broker/agent/report.h"
#include "broker/agent/start.h"
#include "broker/agent/trees.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_LOST 1 /* the watcher is dead, or the start failed */
#define STATUS_MALFORMED 2
#define LAST_FLUSH_MS 1000

/* A child of ours ended, stopped or continued. */
static void
child_changed(struct agent *agent, pid_t pid, int status, const struct rusage *usage)
{
	struct run *run = run_find_pid(agent, pid);

	if (!run)
		return;
	if (run->state == RUN_STARTING && !run->forgotten && !WIFSTOPPED(status) &&
	    !WIFCONTINUED(status))
		start_settle(run);
	if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
		if (!run->forgotten)
			report_state(run, WIFSTOPPED(status));
	} else {
		run_reaped(run, status, usage);
	}
}

static void
children_reap(struct agent *agent)
{
	struct rusage usage;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG | WUNTRACED | WCONTINUED, &usage)) > 0)
		child_changed(agent, pid, status, &usage);
	ending_check(agent);
}

static void
on_signals(struct source *source, uint32_t events)
{
	struct agent *agent = owner_of(source, struct agent, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			children_reap(agent);
		else
			ending_lost(agent, 0);
	}
}

/* The watcher is dead. */
static void
on_life(struct source *source, uint32_t events)
{
	struct agent *agent = owner_of(source, struct agent, life);

	(void)events;
	agent->subreaper = false;
	(void)trees_signal_all(agent, SIGKILL);
	agent->ending.status = STATUS_LOST;
	agent->loop.stopped = true;
}

static int
on_frame(const struct wire_frame *frame, void *data)
{
	return dispatch_frame(data, frame);
}

static void
on_link_end(int error, void *data)
{
	ending_lost(data, error == -EPROTO ? STATUS_MALFORMED : 0);
}

/* Before each wait: one write for all that the turn has brought. */
static void
on_turn(void *data)
{
	struct agent *agent = data;

	if (agent->link.error == -EPROTO)
		report_log(agent, 0, WIRE_ERROR, "malformed frame from the broker: the link ends");
	link_flush(&agent->link);
}

/* Everything that is waited for from the start. 0 or -errno. */
static int
worker_open(struct agent *agent, int life, const sigset_t *signals)
{
	int result = loop_init(&agent->loop);

	if (result < 0)
		return result;
	agent->life = (struct source){ .fd = life, .ready = on_life };
	agent->signals = (struct source){ .fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK),
					  .ready = on_signals };
	agent->link.on_frame = on_frame;
	agent->link.on_end = on_link_end;
	agent->link.data = agent;
	result = loop_watch(&agent->loop, &agent->life, 0);
	if (result == 0)
		result = loop_watch(&agent->loop, &agent->signals, EPOLLIN);
	return result == 0 ? link_init(&agent->link, &agent->loop, STDIN_FILENO, STDOUT_FILENO)
			   : result;
}

/* Let the last frames out, for a while. Nothing is freed after this: the process ends. */
static void
last_flush(struct agent *agent)
{
	uint64_t deadline = loop_now() + LAST_FLUSH_MS;

	while (agent->link.open && (agent->link.control.size || agent->link.stream.size)) {
		struct pollfd out = { .fd = agent->link.out.fd, .events = POLLOUT };
		uint64_t now = loop_now();

		if (now >= deadline || poll(&out, 1, (int)(deadline - now)) <= 0)
			return;
		link_flush(&agent->link);
	}
}

int
worker_run(struct agent *agent, int life, const sigset_t *signals)
{
	if (worker_open(agent, life, signals) < 0)
		return STATUS_LOST;
	hello_send(agent);
	loop_run(&agent->loop, on_turn, agent);
	last_flush(agent);
	return agent->ending.status;
}
