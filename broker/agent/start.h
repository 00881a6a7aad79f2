/* From SPAWN to STARTED or FAILED. */
#ifndef MITOFS_BROKER_AGENT_START_H
#define MITOFS_BROKER_AGENT_START_H

#include "broker/wire.h"

struct agent;
struct run;

/* SPAWN. 0 or -EPROTO; a command that cannot be started is answered by FAILED, and is no error
 * here. */
int start_spawn(struct agent *agent, const struct wire_frame *frame);

/* The leader of a starting run was reaped: its failure pipe has said all, read it. The run may
 * be forgotten after this. */
void start_settle(struct run *run);

/* What a start has kept; NULL is nothing. The process must have executed, or be gone. */
struct launch;
void launch_free(struct launch *launch);

/* CANCEL. */
void start_cancel(struct run *run);

#endif
