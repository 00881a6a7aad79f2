/* The terminal that a client asks its questions on. */
#ifndef MITOFS_BROKER_AGENT_QUESTION_H
#define MITOFS_BROKER_AGENT_QUESTION_H

#include "broker/agent/loop.h"

#include <stddef.h>
#include <stdint.h>

struct run;

struct question {
	struct source source; /* the master; -1 where there is none */
	struct run *run;
	int slave; /* kept open: without it the master would be at its end between two questions */
};

void question_init(struct question *question, struct run *run);
/* Get a terminal; the descriptor that is to become the controlling terminal, or -1: there is none
 * to be had, which was logged, and the command has to do without. */
int question_open(struct question *question);
/* Tell from now on what is written to it. */
void question_begin(struct question *question);
/* Type @size bytes of @data at it. */
void question_answer(struct question *question, const uint8_t *data, size_t size);
void question_close(struct question *question);

#endif
