/* How an agent ends. */
#ifndef MITOFS_BROKER_AGENT_ENDING_H
#define MITOFS_BROKER_AGENT_ENDING_H

#include "broker/agent/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct agent;

struct ending {
	bool active, killed;
	int status;	   /* of the agent's exit */
	uint64_t deadline; /* of loop_now(): KILL, or when killed already, giving up */
	struct timer tick;
};

/* End every tree: TERM now, KILL after @grace_ms (a run's own grace, if that is less), then exit
 * with @status. Again: the earlier deadline counts. */
void ending_begin(struct agent *agent, uint64_t grace_ms, int status);
/* The link is gone, or the watcher asks for the end. */
void ending_lost(struct agent *agent, int status);
/* Something may have ended: look. */
void ending_check(struct agent *agent);

#endif
