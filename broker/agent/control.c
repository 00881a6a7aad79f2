/* What the broker asks of runs that are started.
 *
 * Each handler takes a serial and answers it with one DONE in the same turn: signals are sent by
 * name, looked up here, and ESRCH means that there was nothing to send to. A leader is signalled
 * by its pid only until it was reaped; after that a group is found through the tree. SET is in
 * change.c. */
#include "broker/agent/control.h"

#include "broker/agent/agent.h"
#include "broker/agent/change.h"
#include "broker/agent/report.h"
#include "broker/agent/trees.h"
#include "pty/errname.h"
#include "pty/pty.h"
#include "pty/signals.h"

#include <errno.h>
#include <signal.h>

/* Answer with the outcome of a call that counts processes or returns -errno. */
static void
answer_count(struct agent *agent, struct run *run, uint32_t serial, int count)
{
	uint32_t channel = run ? run->channel : 0;

	if (count > 0)
		report_done(agent, channel, serial, 0, "");
	else if (count == 0)
		report_done(agent, channel, serial, ESRCH, "no process of it is left");
	else
		report_done(agent, channel, serial, -count, ERRNO_WORDS);
}

/* kill(2) as a count; as in tree_kill(), CONT follows what a stopped process would not see. */
static int
process_signal(pid_t pid, int number)
{
	if (kill(pid, number) < 0)
		return errno == ESRCH ? 0 : -errno;
	if (number == SIGTERM || number == SIGHUP)
		kill(pid, SIGCONT);
	return 1;
}

static int
leader_signal(struct run *run, int number)
{
	return run->state == RUN_ENDED ? 0 : process_signal(run->pid, number);
}

/* The terminal's foreground group, or the leader's group, or what is left of that. */
static int
group_signal(struct run *run, int number)
{
	struct tree_query query = trees_of_run(run);
	pid_t foreground = run->master >= 0 ? pty_foreground(run->master) : -1;

	if (foreground > 0)
		return process_signal(-foreground, number);
	if (run->state != RUN_ENDED)
		return process_signal(-run->pid, number);
	query.group = run->pid;
	return trees_signal(run->agent, &query, number);
}

int
control_signal(struct agent *agent, struct run *run, struct wire_in *in)
{
	uint32_t serial = wire_get_u32(in);
	uint8_t target = wire_get_u8(in);
	const char *name = wire_get_string(in);
	int number = signal_number(name), count;

	if (wire_in_finish(in) < 0 || target > WIRE_TARGET_TREE)
		return -EPROTO;
	if (number < 0) {
		report_done(agent, run->channel, serial, EINVAL, "this system has no such signal");
		return 0;
	}
	if (target == WIRE_TARGET_TREE)
		count = trees_signal_run(run, number);
	else if (target == WIRE_TARGET_LEADER)
		count = leader_signal(run, number);
	else
		count = group_signal(run, number);
	answer_count(agent, run, serial, count);
	return 0;
}

int
control_stop(struct agent *agent, struct run *run, struct wire_in *in)
{
	uint32_t serial = wire_get_u32(in), grace_ms = wire_get_u32(in);
	int count;

	if (wire_in_finish(in) < 0)
		return -EPROTO;
	count = trees_signal_run(run, SIGTERM);
	if (count > 0)
		run_stop_after(run, grace_ms);
	answer_count(agent, run, serial, count);
	return 0;
}

int
control_winsize(struct agent *agent, struct run *run, struct wire_in *in)
{
	uint32_t serial = wire_get_u32(in);
	uint16_t columns = wire_get_u16(in), rows = wire_get_u16(in);
	int result;

	if (wire_in_finish(in) < 0)
		return -EPROTO;
	result = run->master < 0 ? -ENOTTY : pty_resize(run->master, columns, rows);
	report_done(agent, run->channel, serial, -result, result < 0 ? ERRNO_WORDS : "");
	return 0;
}

int
control_set(struct agent *agent, struct run *run, struct wire_in *in)
{
	uint32_t serial = wire_get_u32(in);
	const char *name = wire_get_string(in), *value = wire_get_string(in);

	if (wire_in_finish(in) < 0)
		return -EPROTO;
	answer_count(agent, run, serial, change_apply(run, name, value));
	return 0;
}

int
control_sweep(struct agent *agent, struct run *run, struct wire_in *in)
{
	uint32_t serial = wire_get_u32(in);
	struct tree_query query = trees_of_group(agent, wire_get_u32(in));
	int count;

	if (wire_in_finish(in) < 0)
		return -EPROTO;
	count = trees_signal(agent, &query, SIGKILL);
	answer_count(agent, run, serial,
		     count == 0 ? 1 : count); /* nothing left is what was asked for */
	return 0;
}
