/* The process trees of this agent's runs, and how to signal them. */
#ifndef MITOFS_BROKER_AGENT_TREES_H
#define MITOFS_BROKER_AGENT_TREES_H

#include "pty/tree.h"

#include <stdbool.h>

struct agent;
struct run;

struct tree_query trees_of_run(const struct run *run);
/* Every run of a context. */
struct tree_query trees_of_group(const struct agent *agent, uint32_t group);
/* Everything that this agent or an agent below it started. */
struct tree_query trees_of_all(const struct agent *agent);

/* Send @signal; 0 probes. Returns how many processes there were, or -errno (-EPERM). Without
 * /proc it falls back to the sessions of the leaders, and warns once. */
int trees_signal(struct agent *agent, const struct tree_query *query, int signal);
/* The same to the tree of @run, and to all. */
int trees_signal_run(struct run *run, int signal);
int trees_signal_all(struct agent *agent, int signal);

/* Whether anything of this agent's is left. */
bool trees_left(struct agent *agent);

/* A nested agent has ended: kill what it left behind, if it could not do so itself. */
void trees_kill_foreign(struct agent *agent);

#endif
