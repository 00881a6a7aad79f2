/* Waiting for a command on behalf of a write(2).
 *
 * FUSE reports any caught signal, a SIGCHLD of an interactive shell too, as one INTERRUPT and never
 * another. So the caller's pending signals are read, every 50 ms from the first INTERRUPT on, until
 * one of them means that the wait is over. Then the command is cancelled, and its outcome awaited
 * for half a second, so that what the caller is told is what happened; a place that does not answer
 * by then is not worth an unkillable caller.
 *
 * The answer may therefore come before the command's outcome; the CommandWait lives until both
 * have. */
#include "fs/commandwait.h"

#include "fs/pending.h"

#include "broker/error.h"

#include <errno.h>

#define PENDING_MS 50
#define CANCEL_MS 500

struct CommandWait {
	CommandWaitDone done;
	void *data;
	Parked *parked; /* NULL once answered */
	Command *command;
	gboolean cancelled;
	guint timer;
};

CommandWait *
command_wait_new(CommandWaitDone done, void *data)
{
	CommandWait *wait = g_new0(CommandWait, 1);

	wait->done = done;
	wait->data = data;
	return wait;
}

void
command_wait_free(CommandWait *wait)
{
	g_clear_handle_id(&wait->timer, g_source_remove);
	g_free(wait);
}

int
command_error_code(const GError *error)
{
	if (error == NULL)
		return 0;
	return error->domain == MITOFS_ERROR && error->code > 0 ? error->code : EIO;
}

/* Tell the owner, if it still waits. */
static void
command_wait_answer(CommandWait *wait, int code)
{
	Parked *parked = g_steal_pointer(&wait->parked);

	g_clear_handle_id(&wait->timer, g_source_remove);
	if (parked != NULL)
		wait->done(code, wait->cancelled, parked_leave(parked), wait->data);
}

void
command_wait_on_done(const GError *error, void *data)
{
	CommandWait *wait = data;
	int code = command_error_code(error);

	if (code == ECANCELED && wait->cancelled)
		code = EINTR;
	command_wait_answer(wait, code);
	command_wait_free(wait);
}

/* The command was cancelled, and its outcome does not come. */
static gboolean
command_wait_on_late(void *data)
{
	CommandWait *wait = data;

	wait->timer = 0;
	command_wait_answer(wait, EINTR);
	return G_SOURCE_REMOVE;
}

/* The caller does not want to wait any more. */
static void
command_wait_cancel(CommandWait *wait)
{
	if (wait->cancelled)
		return;
	wait->cancelled = TRUE;
	g_clear_handle_id(&wait->timer, g_source_remove);
	wait->timer = g_timeout_add(CANCEL_MS, command_wait_on_late, wait);
	command_cancel(wait->command);
}

/* It was interrupted before, for nothing: has that changed? */
static gboolean
command_wait_on_timer(void *data)
{
	CommandWait *wait = data;

	if (!pending_ends_wait(parked_tid(wait->parked)))
		return G_SOURCE_CONTINUE;
	wait->timer = 0;
	command_wait_cancel(wait);
	return G_SOURCE_REMOVE;
}

static void
command_wait_on_end(ParkedReason reason, void *data)
{
	CommandWait *wait = data;

	switch (reason) {
	case PARKED_INTERRUPTED:
		if (pending_ends_wait(parked_tid(wait->parked)))
			command_wait_cancel(wait);
		else if (wait->timer == 0)
			wait->timer = g_timeout_add(PENDING_MS, command_wait_on_timer, wait);
		break;
	case PARKED_EXPIRED:
		command_wait_cancel(wait);
		command_wait_answer(wait, EINTR);
		break;
	case PARKED_STOPPING:
		command_wait_answer(wait, ESHUTDOWN);
		break;
	}
}

void
command_wait_park(CommandWait *wait, Parking *parking, Reply *reply, Command *command)
{
	wait->command = command;
	wait->parked = parking_add(parking, reply, command_wait_on_end, wait);
}
