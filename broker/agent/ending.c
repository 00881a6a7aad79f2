/* How an agent ends.
 *
 * By SHUTDOWN, by the end of its link, or by a signal; always the same way: every tree gets TERM
 * and CONT, what is left after the grace gets KILL, and when nothing is left the loop stops, at
 * once if that is soon. What is left is looked for after each child's end and each TICK_MS, or
 * less often where a look takes long. What needs KILL is named in the log, and so is what KILL
 * does not end within GIVE_UP_MS (it hangs in the kernel): that is left to the watcher. A link
 * that is lost closes all streams first, so that commands see their input end and their output
 * break. */
#include "broker/agent/ending.h"

#include "broker/agent/agent.h"
#include "broker/agent/report.h"
#include "broker/agent/trees.h"
#include "pty/procfile.h"
#include "pty/textbuf.h"

#include <signal.h>
#include <string.h>

#define TICK_MS 20
#define TICK_SHARE 10 /* at most one tenth of the time goes into looking */
#define GIVE_UP_MS 1000

/* Add " PID NAME". Agents below this one are no news. */
static void
survivor_add(pid_t pid, void *data)
{
	char path[PROCFILE_PATH], name[32];

	procfile_path(path, pid, "comm");
	if (procfile_read(path, name, sizeof(name)) < 0)
		return;
	name[strcspn(name, "\n")] = '\0';
	if (!strcmp(name, AGENT_NAME))
		return;
	textbuf_add(data, " ");
	textbuf_add_signed(data, pid);
	textbuf_add_all(data, " ", name, NULL);
}

/* Name in the log what is left, behind the words of @title. */
static void
survivors_log(struct agent *agent, const char *title)
{
	struct tree_query query = trees_of_all(agent);
	char text[512];
	struct textbuf buf;

	textbuf_init(&buf, text, sizeof(text));
	textbuf_add(&buf, title);
	if (tree_walk(&query, survivor_add, &buf) > 0 && buf.used > strlen(title))
		report_log(agent, 0, WIRE_WARNING, text);
}

/* The grace is over, or KILL had its time. */
static void
ending_expire(struct agent *agent)
{
	if (agent->ending.killed) {
		survivors_log(agent, "these processes outlived KILL:");
		agent->loop.stopped = true;
		return;
	}
	survivors_log(agent, "these processes did not end within the grace and get KILL:");
	agent->ending.killed = true;
	agent->ending.deadline = loop_now() + GIVE_UP_MS;
	(void)trees_signal_all(agent, SIGKILL);
}

void
ending_check(struct agent *agent)
{
	uint64_t began = loop_now();

	if (!agent->ending.active || agent->loop.stopped)
		return;
	if (!trees_left(agent)) {
		agent->loop.stopped = true;
		return;
	}
	if (began >= agent->ending.deadline)
		ending_expire(agent);
	loop_arm(&agent->loop, &agent->ending.tick, TICK_MS + TICK_SHARE * (loop_now() - began));
}

static void
ending_on_tick(struct timer *timer)
{
	ending_check(owner_of(timer, struct agent, ending.tick));
}

/* Give a run that is content with less than @data, a grace in ms, its own. */
static void
run_shorten(struct run *run, void *data)
{
	uint64_t grace_ms = *(uint64_t *)data;

	if (run->grace_ms < grace_ms && run->state != RUN_ENDED)
		run_stop_after(run, run->grace_ms);
}

void
ending_begin(struct agent *agent, uint64_t grace_ms, int status)
{
	struct ending *ending = &agent->ending;
	uint64_t deadline = loop_now() + grace_ms;

	if (ending->active) {
		if (deadline < ending->deadline)
			ending->deadline = deadline;
		return;
	}
	ending->active = true;
	ending->status = status;
	ending->deadline = deadline;
	ending->tick.fire = ending_on_tick;
	(void)trees_signal_all(agent, SIGTERM);
	runs_each(agent, run_shorten, &grace_ms);
	loop_arm(&agent->loop, &ending->tick, 0);
}

static void
run_cut(struct run *run, void *data)
{
	(void)data;
	run_close_streams(run);
}

void
ending_lost(struct agent *agent, int status)
{
	if (!agent->link.open)
		runs_each(agent, run_cut, NULL);
	ending_begin(agent, WIRE_LOSS_GRACE_MS, status);
}
