/* From SPAWN to STARTED or FAILED.
 *
 * SPAWN makes a run's record, its pipes or its terminal, and forks. From then on the failure
 * pipe is one more source of the loop: end of file is STARTED, a struct spawn_failure is FAILED,
 * and a child that hangs (its directory is on a dead server) holds up nobody. SIGCHLD may come
 * before the failure pipe is read: the reaper then calls start_settle() first. CANCEL kills what
 * was forked and answers FAILED ECANCELED.
 *
 * The agent's ends of the pipes do not block, the child's do; all are close-on-exec. What SPAWN
 * asked for is kept until the command was executed or its process is gone: the child reads it in
 * the agent's memory, and the sentence of an error quotes it. */
#include "broker/agent/start.h"

#include "broker/agent/agent.h"
#include "broker/agent/limits.h"
#include "broker/agent/report.h"
#include "broker/agent/trees.h"
#include "pty/autofd.h"
#include "pty/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define SENTENCE 1024

/* Answer FAILED, and forget the run. */
static void
start_fail(struct run *run, enum spawn_stage stage, int error, const char *text)
{
	report_failed(run->agent, run->channel, stage, error, text);
	run_forget(run);
}

/* What a start needs as long as it is under way; the strings point into the payload. */
struct launch {
	struct wire_spawn spawn;
	struct spawn_shared *shared;
	uint8_t payload[];
};

/* A copy of the request in @frame, decoded. 0, -EPROTO or -ENOMEM. */
static int
launch_new(const struct wire_frame *frame, struct launch **ret)
{
	struct launch *launch = malloc(sizeof(*launch) + frame->length);
	struct wire_frame copy = *frame;
	struct wire_in in;
	int result;

	if (!launch)
		return -ENOMEM;
	memcpy(launch->payload, frame->payload, frame->length);
	launch->shared = NULL;
	copy.payload = launch->payload;
	wire_in_init(&in, &copy);
	result = wire_get_spawn(&in, &launch->spawn);
	if (result < 0)
		free(launch);
	else
		*ret = launch;
	return result;
}

void
launch_free(struct launch *launch)
{
	if (!launch)
		return;
	spawn_shared_free(launch->shared);
	wire_spawn_done(&launch->spawn);
	free(launch);
}

void
start_settle(struct run *run)
{
	struct spawn_failure failure;
	ssize_t got = read(run->failure.fd, &failure, sizeof(failure));

	if (got != (ssize_t)sizeof(failure)) {
		run_started(run);
		return;
	}
	report_spawn_failure(run, &failure);
	run_forget(run);
}

static void
start_on_ready(struct source *source, uint32_t events)
{
	(void)events;
	start_settle(owner_of(source, struct run, failure));
}

/* One pipe: the agent's end @mine does not block. @mine is 1 where the agent writes. 0 or
 * -errno. */
static int
pipe_open(int mine, int *ret_mine, int *ret_child)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*ret_mine = ends[mine];
	*ret_child = ends[!mine];
	return fcntl(ends[mine], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

/* Three pipes: the child's ends into @stdio. */
static int
pipes_open(struct run *run, int stdio[3])
{
	int result = pipe_open(1, &run->input.source.fd, &stdio[0]);

	for (int i = 0; i < 2 && result == 0; i++)
		result = pipe_open(0, &run->outputs[i].source.fd, &stdio[i + 1]);
	return result;
}

/* A terminal: its slave is stdin, stdout and stderr; each direction has a descriptor of the
 * master. */
static int
terminal_open(struct run *run, const struct spawn_spec *spec, int stdio[3])
{
	struct pty pty;
	int result = pty_open(&pty, spec->columns, spec->rows);

	if (result < 0)
		return result;
	stdio[0] = pty.slave;
	run->master = pty.master;
	run->input.source.fd = fcntl(pty.master, F_DUPFD_CLOEXEC, 3);
	run->outputs[0].source.fd = fcntl(pty.master, F_DUPFD_CLOEXEC, 3);
	if (run->input.source.fd < 0 || run->outputs[0].source.fd < 0 ||
	    fcntl(pty.master, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

/* Open what the command will have as 0, 1 and 2; answers FAILED and returns -1 when that fails. */
static int
streams_open(struct run *run, const struct spawn_spec *spec, int stdio[3])
{
	int result = spec->pty ? terminal_open(run, spec, stdio) : pipes_open(run, stdio);
	char text[SENTENCE];

	if (result == 0)
		return 0;
	if (spec->pty)
		pty_error_text(-result, "Linux", "/proc", text, sizeof(text));
	else
		limits_text(-result, text, sizeof(text));
	start_fail(run, spec->pty ? SPAWN_TERMINAL : SPAWN_STDIO, -result, text);
	return -1;
}

/* Make the process; answers FAILED when that fails. */
static void
start_process(struct run *run, const int stdio[3])
{
	const struct spawn_spec *spec = &run->launch->spawn.spec;
	const int terminal[3] = { stdio[0], stdio[0], stdio[0] };
	char text[SENTENCE];
	pid_t pid;
	int result;

	run->forked = loop_now_usec();
	result = spawn_start_shared(spec, &run->agent->place, spec->pty ? terminal : stdio, &pid,
				    &run->failure.fd, &run->launch->shared);
	if (result < 0) {
		limits_text(-result, text, sizeof(text));
		start_fail(run, SPAWN_FORK, -result, text);
		return;
	}
	run_set_pid(run, pid);
	run->failure.ready = start_on_ready;
	result = loop_watch(&run->agent->loop, &run->failure, EPOLLIN);
	if (result < 0) {
		kill(pid, SIGKILL);
		start_fail(run, SPAWN_FORK, -result, "no memory to wait for the command");
	}
}

/* Start what @launch (taken) asks for. */
static void
start_run(struct agent *agent, uint32_t channel, struct launch *launch)
{
	struct run *run = run_new(agent, channel);
	struct wire_spawn *spawn = &launch->spawn;
	int stdio[3] = { -1, -1, -1 };

	if (!run) {
		report_failed(agent, channel, SPAWN_FORK, ENOMEM, "no memory for another run");
		launch_free(launch);
		return;
	}
	run->launch = launch;
	run->tag = spawn->spec.tag = tree_tag(agent->id, spawn->group, spawn->run);
	run->grace_ms = spawn->grace_ms;
	run->hand_over = spawn->hand_over;
	run->is_client = spawn->client;
	spawn->spec.terminal = spawn->ask ? question_open(&run->question) : -1;
	if (agent->ending.active)
		start_fail(run, SPAWN_FORK, ESHUTDOWN, "the agent is shutting down");
	else if (streams_open(run, &spawn->spec, stdio) == 0)
		start_process(run, stdio);
	for (int i = 0; i < 3; i++)
		autofd_close(&stdio[i]);
}

int
start_spawn(struct agent *agent, const struct wire_frame *frame)
{
	struct launch *launch;
	int result;

	if (!frame->channel || run_find(agent, frame->channel))
		return -EPROTO;
	if (frame->channel > agent->highest)
		agent->highest = frame->channel;
	result = launch_new(frame, &launch);
	if (result == 0)
		start_run(agent, frame->channel, launch);
	else if (result == -ENOMEM)
		report_failed(agent, frame->channel, SPAWN_FORK, ENOMEM,
			      "no memory for another run");
	return result == -EPROTO ? result : 0;
}

void
start_cancel(struct run *run)
{
	if (run->state != RUN_STARTING)
		return;
	(void)trees_signal_run(run, SIGKILL);
	start_fail(run, SPAWN_EXEC, ECANCELED, "cancelled");
}
