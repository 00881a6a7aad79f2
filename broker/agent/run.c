/* The runs of this agent.
 *
 * A run is made by SPAWN (start.c) and found by its channel or by its leader's pid. Two things
 * end in any order: the command (run_reaped, from SIGCHLD) and its streams (output.c, input.c).
 * FORGET, FAILED and CANCEL take the channel away; the record itself stays while its leader
 * lives or a KILL is due, since the pid must be known as long as it is signalled, and never
 * after the leader was reaped.
 *
 * The record owns its streams' descriptors and the terminal's master. A stream that is handed
 * over leaves it in run_started(). */
#include "broker/agent/run.h"

#include "broker/agent/agent.h"
#include "broker/agent/report.h"
#include "broker/agent/start.h"
#include "broker/agent/trees.h"
#include "pty/autofd.h"

#include <signal.h>
#include <stdlib.h>

static struct run **
channel_bucket(struct agent *agent, uint32_t channel)
{
	return &agent->runs.by_channel[channel % RUNS_BUCKETS];
}

static struct run **
pid_bucket(struct agent *agent, pid_t pid)
{
	return &agent->runs.by_pid[(unsigned)pid % RUNS_BUCKETS];
}

struct run *
run_find(struct agent *agent, uint32_t channel)
{
	struct run *run = *channel_bucket(agent, channel);

	while (run && run->channel != channel)
		run = run->next_channel;
	return run;
}

struct run *
run_find_pid(struct agent *agent, pid_t pid)
{
	struct run *run = *pid_bucket(agent, pid);

	while (run && run->pid != pid)
		run = run->next_pid;
	return run;
}

/* The grace after a STOP is over. */
static void
run_on_stop_due(struct timer *timer)
{
	struct run *run = owner_of(timer, struct run, stop);
	int left = trees_signal_run(run, SIGKILL);

	if (left > 0 && !run->forgotten)
		report_killed(run, left);
	run_release(run);
}

struct run *
run_new(struct agent *agent, uint32_t channel)
{
	struct run *run = calloc(1, sizeof(*run)), **bucket = channel_bucket(agent, channel);

	if (!run)
		return NULL;
	run->agent = agent;
	run->channel = channel;
	run->master = -1;
	run->failure.fd = -1;
	run->stop.fire = run_on_stop_due;
	input_init(&run->input, run);
	output_init(&run->outputs[0], run, WIRE_STDOUT);
	output_init(&run->outputs[1], run, WIRE_STDERR);
	question_init(&run->question, run);
	run->next_channel = *bucket;
	*bucket = run;
	return run;
}

void
run_set_pid(struct run *run, pid_t pid)
{
	struct run **bucket = pid_bucket(run->agent, pid);

	run->pid = pid;
	run->next_pid = *bucket;
	*bucket = run;
	run->agent->runs.live++;
	run->agent->runs.started++;
}

/* The pid is the system's again. */
static void
run_unset_pid(struct run *run)
{
	struct run **link = pid_bucket(run->agent, run->pid);

	while (*link != run)
		link = &(*link)->next_pid;
	*link = run->next_pid;
	run->agent->runs.live--;
}

/* Its process uses what the start has kept no more. */
static void
run_launched(struct run *run)
{
	launch_free(run->launch);
	run->launch = NULL;
}

/* Hand over what is open; the mask of STARTED. The descriptors are put into @fds, and counted. */
static uint32_t
run_hand_over(struct run *run, int fds[3], unsigned *ret_count)
{
	uint32_t mask = 0;
	unsigned count = 0;

	if (run->master >=
	    0) { /* one descriptor for both; the agent keeps its own for the terminal's size */
		fds[count++] = input_take(&run->input);
		autofd_close(&(int){ output_take(&run->outputs[0]) });
		*ret_count = count;
		return 1u << WIRE_STDIN | 1u << WIRE_STDOUT;
	}
	if (run->input.source.fd >= 0) {
		fds[count++] = input_take(&run->input);
		mask |= 1u << WIRE_STDIN;
	}
	for (int i = 0; i < 2; i++) {
		if (run->outputs[i].source.fd >= 0) {
			fds[count++] = output_take(&run->outputs[i]);
			mask |= 1u << run->outputs[i].number;
		}
	}
	*ret_count = count;
	return mask;
}

bool
run_will_pass(const struct run *run)
{
	return run->hand_over && run->agent->link.can_pass;
}

void
run_started(struct run *run)
{
	struct agent *agent = run->agent;
	bool pass = run_will_pass(run);
	uint32_t mask = 0;
	unsigned count = 0;
	int fds[3];

	loop_close(&agent->loop, &run->failure);
	run_launched(run);
	run->state = RUN_RUNNING;
	usage_begin(agent);
	if (pass)
		mask = run_hand_over(run, fds, &count);
	report_started(run, mask, fds, count);
	question_begin(&run->question);
	if (!pass) {
		input_begin(&run->input);
		output_begin(&run->outputs[0]);
		output_begin(&run->outputs[1]);
	}
}

void
run_reaped(struct run *run, int status, const struct rusage *usage)
{
	struct agent *agent = run->agent;
	uint64_t real = loop_now_usec() - run->forked;

	run_unset_pid(run);
	run->state = RUN_ENDED;
	input_close(&run->input);
	autofd_clear(&run->master); /* else the terminal would be held until the next run */
	question_close(&run->question);
	if (!run->forgotten)
		report_exit(run, status, real, usage);
	if (run->is_client)
		trees_kill_foreign(agent);
	if (!agent->runs.live)
		link_trim(&agent->link);
	run_release(run);
}

void
run_close_streams(struct run *run)
{
	input_close(&run->input);
	output_shut(&run->outputs[0]);
	output_shut(&run->outputs[1]);
	autofd_clear(&run->master);
	question_close(&run->question);
}

void
run_forget(struct run *run)
{
	struct run **link = channel_bucket(run->agent, run->channel);

	while (*link != run)
		link = &(*link)->next_channel;
	*link = run->next_channel;
	run->forgotten = true;
	loop_close(&run->agent->loop, &run->failure);
	run_close_streams(run);
	run_release(run);
}

void
run_release(struct run *run)
{
	bool leader_lives = run->pid > 0 && run->state != RUN_ENDED;

	if (!run->forgotten || leader_lives || run->stop.armed)
		return;
	run_launched(run);
	free(run);
}

void
run_stop_after(struct run *run, uint64_t grace_ms)
{
	loop_arm(&run->agent->loop, &run->stop, grace_ms);
}

void
runs_each(struct agent *agent, void (*visit)(struct run *run, void *data), void *data)
{
	for (size_t i = 0; i < RUNS_BUCKETS; i++) {
		struct run *run = agent->runs.by_channel[i];

		while (run) {
			struct run *next = run->next_channel;

			visit(run, data);
			run = next;
		}
	}
}
