/* A command's stdin where it comes over the link as DATA. */
#ifndef MITOFS_BROKER_AGENT_INPUT_H
#define MITOFS_BROKER_AGENT_INPUT_H

#include "broker/agent/loop.h"

#include <stddef.h>
#include <stdint.h>

struct run;

struct input {
	struct source source; /* -1 when closed, gone or handed over */
	struct run *run;
	bool handed; /* the broker writes it itself */
	bool ended;  /* END has come: close when all is written */
	uint8_t *
		buffer; /* what the command has not taken yet; of @window bytes, NULL while there is nothing */
	size_t head, tail, capacity;
	uint32_t window; /* how much credit to give */
	uint32_t credit; /* bytes that the broker may still send */
	bool exhausted;	 /* it used all of its credit: the window may grow */
};

void input_init(struct input *input, struct run *run);
/* Notice from now on when the reader goes. */
void input_begin(struct input *input);
/* Give the descriptor away. */
int input_take(struct input *input);
/* Close and drop what waits, without a word. */
void input_close(struct input *input);

/* DATA and END from the broker; 0 or -EPROTO. */
int input_data(struct input *input, const uint8_t *data, size_t size);
int input_end(struct input *input);

#endif
