/* A write that waits for the outcome of a command: parked, and taken back by Ctrl-C. */
#ifndef MITOFS_FS_COMMANDWAIT_H
#define MITOFS_FS_COMMANDWAIT_H

#include "fs/parked.h"

#include "broker/command.h"

typedef struct CommandWait CommandWait;

/* The outcome: @code is an errno or 0. With @cancelled the caller wants no more of it, even if it
 * succeeded. @reply is taken. Once, and never from inside command_wait_park(). */
typedef void (*CommandWaitDone)(int code, gboolean cancelled, Reply *reply, void *data);

/* To be made before the command is submitted with command_wait_on_done and the new CommandWait.
 * Then either command_wait_park(), which takes all, or command_wait_free() when the outcome was
 * known at once. */
CommandWait *command_wait_new(CommandWaitDone done, void *data);
void command_wait_free(CommandWait *wait);
void command_wait_on_done(const GError *error, void *wait);
void command_wait_park(CommandWait *wait, Parking *parking, Reply *reply, Command *command);

/* The errno that the kernel gets for @error. */
int command_error_code(const GError *error);

#endif
