/* Open writers of stdin. Each is a writer of the input that was current at its open; its RELEASE,
 * not a FLUSH, is the close that may bring the end of the input. A write that waits for room can be
 * taken back: what had gone by then is reported as written, so the caller knows to the byte what
 * arrived. */
#include "fs/stdinfile.h"

#include "broker/error.h"
#include "fs/openfile.h"

#include <errno.h>
#include <fcntl.h>

/* A write that waits for room. */
typedef struct WaitingWrite WaitingWrite;
struct WaitingWrite {
	OpenFile *file;
	Parked *parked;
	InputWrite *write;
};

int
stdinfile_open(OpenFile *file)
{
	if (context_removed(file->context))
		return -ENOENT;
	file->state = input_writer_new(context_input(file->context), (file->flags & O_TRUNC) != 0);
	return 0;
}

void
stdinfile_release(OpenFile *file)
{
	input_writer_free(file->state);
}

/* At open the writer was told already. */
int
stdinfile_truncate(Context *context, OpenFile *file)
{
	if (file == NULL)
		input_truncate(context_input(context));
	else if (!(file->flags & O_TRUNC))
		input_truncate(input_writer_input(file->state));
	return 0;
}

/* Answer with the bytes taken or the error; `error` says why an input takes nothing any more. */
static void
answer(OpenFile *file, Reply *reply, gssize result)
{
	if (result == -EPIPE || result == -ECONNRESET) {
		g_autoptr(GError) error = NULL;

		fail(&error, (int)-result, "%s", input_refusal(input_writer_input(file->state)));
		context_fail(file->context, "stdin", error);
	}
	if (result < 0)
		reply_error(reply, (int)-result);
	else
		reply_written(reply, result);
}

/* The rest was taken, or never will be. */
static void
waiting_write_on_done(gssize result, void *data)
{
	WaitingWrite *waiting = data;

	answer(waiting->file, parked_leave(waiting->parked), result);
	g_free(waiting);
}

/* It must not wait any longer. */
static void
waiting_write_on_end(ParkedReason reason, void *data)
{
	WaitingWrite *waiting = data;
	gsize taken = input_write_cancel(waiting->write);
	int code = reason == PARKED_STOPPING ? ESHUTDOWN : EINTR;

	answer(waiting->file, parked_leave(waiting->parked), taken > 0 ? (gssize)taken : -code);
	g_free(waiting);
}

void
stdinfile_write(OpenFile *file, Reply *reply, const char *bytes, gsize size, gboolean nonblock)
{
	Parking *parking = file->mount->parking;
	WaitingWrite *waiting = g_new0(WaitingWrite, 1);
	gssize result = -ESHUTDOWN;

	waiting->file = file;
	if (!parking_stopping(parking))
		waiting->write = input_write(file->state, bytes, size, nonblock,
					     waiting_write_on_done, waiting, &result);
	if (waiting->write != NULL) {
		waiting->parked = parking_add(parking, reply, waiting_write_on_end, waiting);
	} else {
		g_free(waiting);
		answer(file, reply, result);
	}
}

gboolean
stdinfile_writable(OpenFile *file)
{
	return input_writable(input_writer_input(file->state));
}

Notifier *
stdinfile_changed(OpenFile *file)
{
	return input_changed(input_writer_input(file->state));
}
