/* What the broker asks of runs that are started: signals, stops, settings, the terminal's size. */
#ifndef MITOFS_BROKER_AGENT_CONTROL_H
#define MITOFS_BROKER_AGENT_CONTROL_H

#include "broker/wire.h"

struct agent;
struct run;

/* Handlers of frames: @run is NULL on channel 0. 0 or -EPROTO; all other errors go into DONE. */
int control_signal(struct agent *agent, struct run *run, struct wire_in *in);
int control_stop(struct agent *agent, struct run *run, struct wire_in *in);
int control_winsize(struct agent *agent, struct run *run, struct wire_in *in);
int control_set(struct agent *agent, struct run *run, struct wire_in *in);
int control_sweep(struct agent *agent, struct run *run, struct wire_in *in);

#endif
