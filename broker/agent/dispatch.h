/* From a frame to the function that does it. */
#ifndef MITOFS_BROKER_AGENT_DISPATCH_H
#define MITOFS_BROKER_AGENT_DISPATCH_H

#include "broker/wire.h"

struct agent;

/* One frame of the broker's. 0, or -EPROTO: malformed, and the link must end. */
int dispatch_frame(struct agent *agent, const struct wire_frame *frame);

#endif
