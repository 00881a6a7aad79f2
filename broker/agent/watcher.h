/* The first of an agent's two processes. */
#ifndef MITOFS_BROKER_AGENT_WATCHER_H
#define MITOFS_BROKER_AGENT_WATCHER_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

/* Wait for @worker to end, then kill every process of agent @id that is left. Returns the exit
 * status for this process: the worker's as a shell would tell it. @signals, SIGCHLD and
 * those that end an agent, must be blocked. */
int watcher_run(pid_t worker, uint32_t id, const sigset_t *signals);

#endif
