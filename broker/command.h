/* Commands: a line of ctl, as words, carried out on a context.
 *
 * Place, run and settings verbs of one context are carried out one at a time in the order of
 * arrival; control verbs at once. Verbs and settings are rows of tables (verbs.c, settings.c).
 * Failures are recorded in the context's `error` and `log` here, so a caller passes only the
 * code on. */
#ifndef MITOFS_BROKER_COMMAND_H
#define MITOFS_BROKER_COMMAND_H

#include "broker/context.h"

typedef struct Command Command;
/* The outcome; @error is NULL for success and borrowed. Never from inside command_submit() or
 * command_cancel(). The command is freed behind it. */
typedef void (*CommandDone)(const GError *error, void *data);

/* Carry out @words (taken; the first is the verb, "async" may stand before it; `sh` is followed
 * by its line as one word). NULL when the outcome is known at once: success, or @error is set.
 * Else the command is on its way, and @done comes once. With @async it returns as soon as the
 * command is accepted. The errors are those of the manual page's table for ctl. */
Command *command_submit(Context *context, GStrv words, gboolean async, CommandDone done, void *data,
			GError **error);
/* Nobody waits for it any more: take back what has not happened yet; what waits for it is
 * cancelled and nothing of it stays behind. @done comes once, with ECANCELED or the outcome that
 * came first. */
void command_cancel(Command *command);

/* A write to `signal`: "NAME or number [leader|group|tree]". Like command_submit(). */
Command *command_signal(Context *context, const char *text, CommandDone done, void *data,
			GError **error);

#endif
