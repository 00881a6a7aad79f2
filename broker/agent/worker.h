/* The second of an agent's two processes. */
#ifndef MITOFS_BROKER_AGENT_WORKER_H
#define MITOFS_BROKER_AGENT_WORKER_H

#include "broker/agent/agent.h"

#include <signal.h>

/* Serve the link on descriptors 0 and 1 until it ends. @agent has its id, watcher, subreaper and
 * nofile_soft; @life is the pipe whose other end the watcher holds; @signals are blocked.
 * Returns the exit status. */
int worker_run(struct agent *agent, int life, const sigset_t *signals);

#endif
