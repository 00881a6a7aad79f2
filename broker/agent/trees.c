/* The process trees of this agent's runs.
 *
 * Everything that must reach every process goes through here: targets of a signal, STOP and its
 * KILL, SWEEP, and the end. pty/tree.h does the finding; this file knows what to look for,
 * spares the walk where nothing can be left, and falls back to process groups where /proc is not
 * mounted, or not for our pid namespace (as behind `unshare --pid` alone).
 *
 * An agent below this one (of `connect local`) tags its processes with its own number. When both
 * of its processes were killed, nobody ends those any more: their leaders die with it, what had
 * daemonised becomes a child of our watcher, and is recognised there by a tag that is not ours. */
#include "broker/agent/trees.h"

#include "broker/agent/agent.h"
#include "broker/agent/report.h"
#include "pty/procfile.h"
#include "pty/textbuf.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define LOOKS 8
#define LOOK_MS 5 /* before the second one, and each time twice as long */

struct tree_query
trees_of_run(const struct run *run)
{
	return (struct tree_query){
		.leader = run->state == RUN_ENDED ? 0 : run->pid,
		.tag = run->tag,
		.mask = TREE_MASK_RUN,
	};
}

struct tree_query
trees_of_group(const struct agent *agent, uint32_t group)
{
	return (struct tree_query){ .tag = tree_tag(agent->id, group, 0), .mask = TREE_MASK_GROUP };
}

struct tree_query
trees_of_all(const struct agent *agent)
{
	/* Below the watcher is all that was orphaned; without a watcher only what is below
	 * ourselves. */
	return (struct tree_query){
		.leader = getppid() == agent->watcher ? agent->watcher : getpid(),
		.below_only = true,
		.tag = tree_tag(agent->id, 0, 0),
		.mask = TREE_MASK_AGENT,
		.spare = agent->watcher,
	};
}

/* Whether the watcher has no child but us: a cheap proof that nothing was orphaned. Not every
 * kernel has this file. */
static bool
watcher_is_alone(const struct agent *agent)
{
	char path[PROCFILE_PATH], text[64];
	struct textbuf buf;
	ssize_t got;

	textbuf_init(&buf, path, sizeof(path));
	textbuf_add(&buf, "task/");
	textbuf_add_signed(&buf, agent->watcher);
	textbuf_add(&buf, "/children");
	memcpy(text, path, buf.used + 1);
	procfile_path(path, agent->watcher, text);
	got = procfile_read(path, text, sizeof(text));
	return agent->subreaper && procfile_is_ours() && got > 0 &&
	       strchr(text, ' ') == text + got - 1;
}

/* Whether there can be any process to find. */
static bool
trees_possible(const struct agent *agent)
{
	if (agent->runs.live)
		return true;
	return agent->runs.started && !watcher_is_alone(agent);
}

/* Where there is no /proc: the sessions' first process groups, of the leaders that still live. */
static int
sessions_signal(struct agent *agent, const struct tree_query *query, int signal)
{
	int count = 0;

	if (!agent->warned)
		report_log(
			agent, 0, WIRE_WARNING,
			"no /proc here: signals to a tree reach only its leader's process group");
	agent->warned = true;
	for (size_t i = 0; i < RUNS_BUCKETS; i++)
		for (struct run *run = agent->runs.by_pid[i]; run; run = run->next_pid)
			if ((run->tag & query->mask) == (query->tag & query->mask) &&
			    !kill(-run->pid, signal))
				count++;
	return count;
}

int
trees_signal(struct agent *agent, const struct tree_query *query, int signal)
{
	int result;

	if (!trees_possible(agent))
		return 0;
	result = tree_kill(query, signal);
	return result == -ENOENT ? sessions_signal(agent, query, signal) : result;
}

int
trees_signal_run(struct run *run, int signal)
{
	struct tree_query query = trees_of_run(run);

	return trees_signal(run->agent, &query, signal);
}

int
trees_signal_all(struct agent *agent, int signal)
{
	struct tree_query query = trees_of_all(agent);

	return trees_signal(agent, &query, signal);
}

bool
trees_left(struct agent *agent)
{
	struct tree_query query = trees_of_all(agent);

	if (agent->runs.live)
		return true;
	return trees_possible(agent) && tree_walk(&query, NULL, NULL) > 0;
}

/* Kill all that carries the tag of @pid, if that is of another agent. */
static void
foreign_kill(pid_t pid, void *data)
{
	const struct agent *agent = data;
	uint64_t tag, own = tree_tag(agent->id, 0, 0);
	struct tree_query query = { .mask = TREE_MASK_AGENT };

	if (tree_tag_of(pid, &tag) < 0 || (tag & TREE_MASK_AGENT) == (own & TREE_MASK_AGENT))
		return;
	query.tag = tag;
	(void)tree_kill(&query, SIGKILL);
}

/* Look for orphans of other agents, and again a little later: they come to our watcher one by one as
 * their parents die. */
static void
trees_look(struct timer *timer)
{
	struct agent *agent = owner_of(timer, struct agent, foreign.look);
	struct tree_query query = { .leader = agent->watcher,
				    .below_only = true,
				    .parent = agent->watcher };

	(void)tree_walk(&query, foreign_kill, agent);
	if (agent->foreign.looks++ < LOOKS)
		loop_arm(&agent->loop, timer, (uint64_t)LOOK_MS << agent->foreign.looks);
}

void
trees_kill_foreign(struct agent *agent)
{
	if (!agent->subreaper)
		return;
	agent->foreign.look.fire = trees_look;
	agent->foreign.looks = 0;
	loop_disarm(&agent->loop, &agent->foreign.look);
	trees_look(&agent->foreign.look);
}
