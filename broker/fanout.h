/* One command for all direct children of a context, so many at a time as its `fanout` says.
 *
 * It is a command of the context like any other, so it can be waited for and cancelled by the same
 * calls; it never queues behind the context's own. A child that fails holds back no other. It
 * succeeds if all children accept it; else the outcome is EIO, and the context's `error` has a line
 * for each child that failed, with the child's errno. */
#ifndef MITOFS_BROKER_FANOUT_H
#define MITOFS_BROKER_FANOUT_H

#include "broker/command.h"

/* Like command_submit() and command_signal(), for the children that there are now. Words that no
 * context could take (EINVAL, EOPNOTSUPP) reach no child. */
Command *fanout_submit(Context *context, GStrv words, gboolean async, CommandDone done, void *data,
		       GError **error);
Command *fanout_signal(Context *context, const char *text, CommandDone done, void *data,
		       GError **error);

#endif
