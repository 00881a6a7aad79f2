/* The worker's state: one link, the runs that were started over it, and how it ends. */
#ifndef MITOFS_BROKER_AGENT_AGENT_H
#define MITOFS_BROKER_AGENT_AGENT_H

#include "broker/agent/account.h"
#include "broker/agent/ending.h"
#include "broker/agent/link.h"
#include "broker/agent/loop.h"
#include "broker/agent/run.h"
#include "broker/agent/usage.h"
#include "pty/spawn.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define AGENT_NAME "ctx-agent" /* argv[0] and comm: nothing that `pkill mitofs` would hit */

struct agent {
	struct loop loop;
	struct link link;
	struct runs runs;
	struct ending ending;
	struct usage_clock usage;
	struct account account;
	struct spawn_place place; /* its home is the account's */
	uint32_t id;		  /* 15 bits, in the tags of all that it starts */
	pid_t watcher;
	bool subreaper; /* the watcher is one, so that every orphan of this agent becomes its child */
	bool warned;	/* said once that there is no /proc */
	uint32_t highest; /* channel opened so far */
	struct {
		struct timer look;
		unsigned looks;	     /* done so far */
	} foreign;		     /* for orphans of agents below this one */
	struct source signals, life; /* life: end of file when the watcher has died */
};

#endif
