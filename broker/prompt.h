/* The questions that a place asks, and the answers: what `prompt` shows and takes.
 *
 * A question is open from prompt_ask() until it is answered or taken back. Answers are given in
 * order; those that came before any question are kept for the next connect only. Of the answers in
 * advance, "yes", "no" and a fingerprint are kept for a question about a host's key, and such a
 * question takes no others: a password that was meant for later never goes there. */
#ifndef MITOFS_BROKER_PROMPT_H
#define MITOFS_BROKER_PROMPT_H

#include "broker/context.h"
#include "broker/secret.h"
#include "broker/stream.h"

typedef enum PromptKind { PROMPT_SECRET, PROMPT_ECHOED, PROMPT_HOSTKEY } PromptKind;

/* The answer to the question; @secret is borrowed, and wiped behind the call. @in_advance: it was
 * there before the question. Not from inside prompt_ask(). */
typedef void (*PromptAnswered)(const Secret *secret, gboolean in_advance, void *data);

Prompt *prompt_new(void);
void prompt_free(Prompt *prompt);

/* Ask @text, one line for `prompt`. One question of one asker is open at a time. */
void prompt_ask(Prompt *prompt, const char *text, PromptKind kind, PromptAnswered answered,
		void *data);
/* The open question, or NULL. */
const char *prompt_question(const Prompt *prompt);
/* Take the question back, if there is one. */
void prompt_withdraw(Prompt *prompt);
/* The connect is over: answers that nobody asked for are wiped. */
void prompt_forget_answers(Prompt *prompt);

/* Written to `prompt`: lines, each an answer. EINVAL for one that is longer than SECRET_MAX or
 * holds a NUL, EDQUOT for more than 64 in advance; then nothing of it is kept. */
gboolean prompt_answer(Prompt *prompt, const char *bytes, gsize size, GError **error);

/* A stream of the question that is open and of those that come, for one open file; it ends by
 * prompt_stream_close(), which frees it. */
Stream *prompt_stream_open(Prompt *prompt);
void prompt_stream_close(Prompt *prompt, Stream *stream);

#endif
