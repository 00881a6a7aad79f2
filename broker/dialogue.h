/* What a client program says to a person: lines, and questions, which are lines that do not end. */
#ifndef MITOFS_BROKER_DIALOGUE_H
#define MITOFS_BROKER_DIALOGUE_H

#include <glib.h>

typedef struct Dialogue Dialogue;
typedef struct DialogueOps DialogueOps;

/* Lines come from inside dialogue_feed() and dialogue_end(), questions from the loop. */
struct DialogueOps {
	/* A whole line, without its end; never an empty one. */
	void (*line)(const char *line, void *data);
	/* It waits for an answer. @text is the question with the lines just before it; @again: the
	 * same was asked before the last answer. */
	void (*question)(const char *text, gboolean echo, gboolean again, void *data);
};

/* @asks: whether questions are asked here. @terminal: it may echo what is typed; else it is a pipe. */
Dialogue *dialogue_new(gboolean asks, gboolean terminal, const DialogueOps *ops, void *data);
void dialogue_free(Dialogue *dialogue);
/* Some bytes; whether what would be typed now is echoed, or cannot be known. */
void dialogue_feed(Dialogue *dialogue, gboolean echo, const guint8 *bytes, gsize size);
/* The question has got its answer. */
void dialogue_answered(Dialogue *dialogue);
/* There are no questions any more. */
void dialogue_stop_asking(Dialogue *dialogue);
/* Nothing more comes: what is left is a line. */
void dialogue_end(Dialogue *dialogue);

#endif
