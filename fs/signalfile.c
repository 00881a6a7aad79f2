/* Writes to signal. One write is one message, so nothing is kept between writes. */
#include "fs/signalfile.h"

#include "fs/commandwait.h"
#include "fs/openfile.h"

#include "broker/error.h"

#include <errno.h>
#include <string.h>

#define MESSAGE_MAX 256

/* The signal was sent, or could not be; the message counts as a whole. */
static void
signal_write_on_done(int code, gboolean cancelled, Reply *reply, void *data)
{
	gsize size = GPOINTER_TO_SIZE(data);

	if (code != 0)
		reply_error(reply, code);
	else
		reply_written(reply, size);
}

/* The message without its newline, or NULL if it cannot be one. */
static char *
message_text(const char *bytes, gsize size, GError **error)
{
	if (size > 0 && bytes[size - 1] == '\n')
		size--;
	if (size > MESSAGE_MAX || memchr(bytes, '\0', size) != NULL ||
	    memchr(bytes, '\n', size) != NULL) {
		fail(error, EINVAL,
		     "a write has to be one line: NAME or number, then leader, group or tree");
		return NULL;
	}
	return g_strndup(bytes, size);
}

void
signalfile_write(OpenFile *file, Reply *reply, const char *bytes, gsize size, gboolean nonblock)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = message_text(bytes, size, &error);

	if (text == NULL) {
		context_fail(file->context, "signal", error);
		signal_write_on_done(command_error_code(error), FALSE, reply,
				     GSIZE_TO_POINTER(size));
		return;
	}
	CommandWait *wait = command_wait_new(signal_write_on_done, GSIZE_TO_POINTER(size));
	Command *command =
		file->row->signal(file->context, text, command_wait_on_done, wait, &error);

	if (command != NULL && !nonblock) {
		command_wait_park(wait, file->mount->parking, reply, command);
		return;
	}
	if (command == NULL)
		command_wait_free(wait);
	signal_write_on_done(command_error_code(error), FALSE, reply, GSIZE_TO_POINTER(size));
}
