/* What running commands have used so far. */
#ifndef MITOFS_BROKER_AGENT_USAGE_H
#define MITOFS_BROKER_AGENT_USAGE_H

#include "broker/agent/loop.h"

struct agent;

struct usage_clock {
	struct timer tick; /* armed while anything runs */
};

/* A run has started: tell its usage once a second from now on. */
void usage_begin(struct agent *agent);

#endif
