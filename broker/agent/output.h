/* A command's stdout or stderr where it goes over the link as DATA. */
#ifndef MITOFS_BROKER_AGENT_OUTPUT_H
#define MITOFS_BROKER_AGENT_OUTPUT_H

#include "broker/agent/loop.h"
#include "broker/wire.h"

struct run;

struct output {
	struct source source; /* the fd is -1 from its end, close or handing over on */
	struct run *run;
	enum wire_stream number;
	bool begun;	 /* STARTED has been sent: DATA may follow */
	bool handed;	 /* the broker reads it itself */
	bool large;	 /* a pipe that holds more than a pipe does */
	uint32_t credit; /* bytes that the broker still takes */
};

void output_init(struct output *output, struct run *run, enum wire_stream number);
/* Read from now on. */
void output_begin(struct output *output);
/* Close it, and send nothing of that. */
void output_shut(struct output *output);
/* Give the descriptor away. */
int output_take(struct output *output);

/* CREDIT and CLOSE from the broker; 0 or -EPROTO. */
int output_credit(struct output *output, uint32_t bytes);
int output_close(struct output *output);

#endif
