/* What running commands have used so far.
 *
 * One timer for all runs, armed while any runs: once a second each leader's stat is read, and
 * only if that shows that it ran at all, its status too, for the peak of its memory. What has
 * not changed is not sent. CPU time includes children that the leader has waited for, as EXIT's
 * does. */
#include "broker/agent/usage.h"

#include "broker/agent/agent.h"
#include "broker/agent/report.h"
#include "pty/number.h"
#include "pty/procfile.h"

#define TICK_MS 1000
#define CPU_TICK_USEC 10000 /* of proc(5), wherever this is built for: USER_HZ is 100 */

/* The peak of resident memory in bytes, 0 if it is not told. */
static uint64_t
memory_peak(pid_t pid)
{
	char path[PROCFILE_PATH], text[4096];
	const char *next;
	uint64_t kib = 0;

	procfile_path(path, pid, "status");
	if (procfile_read(path, text, sizeof(text)) < 0)
		return 0;
	next = procfile_line(text, "VmHWM:");
	return !next || number_take(&next, &kib) < 0 ? 0 : kib * 1024;
}

/* Tell what @run has used, if that is news. */
static void
run_measure(struct run *run)
{
	struct procstat stat;
	uint64_t user, system, peak;

	if (run->state != RUN_RUNNING || run->forgotten || procstat_read(run->pid, &stat) < 0)
		return;
	user = stat.user_ticks * CPU_TICK_USEC;
	system = stat.system_ticks * CPU_TICK_USEC;
	if (user == run->used_user && system == run->used_system &&
	    stat.resident == run->used_resident)
		return;
	peak = memory_peak(run->pid);
	run->used_resident = stat.resident;
	if (user == run->used_user && system == run->used_system && peak == run->used_peak)
		return;
	run->used_user = user;
	run->used_system = system;
	run->used_peak = peak;
	report_usage(run, user, system, peak);
}

static void
usage_on_tick(struct timer *timer)
{
	struct agent *agent = owner_of(timer, struct agent, usage.tick);
	size_t buckets = procfile_is_ours() ? RUNS_BUCKETS : 0;

	for (size_t i = 0; i < buckets; i++)
		for (struct run *run = agent->runs.by_pid[i]; run; run = run->next_pid)
			run_measure(run);
	if (agent->runs.live)
		loop_arm(&agent->loop, timer, TICK_MS);
}

void
usage_begin(struct agent *agent)
{
	if (agent->usage.tick.armed)
		return;
	agent->usage.tick.fire = usage_on_tick;
	loop_arm(&agent->loop, &agent->usage.tick, TICK_MS);
}
