/* What an agent says of its place, and what it remembers of it. */
#ifndef MITOFS_BROKER_AGENT_HELLO_H
#define MITOFS_BROKER_AGENT_HELLO_H

struct agent;

/* Find out who and where this is, fill the agent's place, and send HELLO. */
void hello_send(struct agent *agent);

#endif
