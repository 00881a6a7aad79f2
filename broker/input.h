/* An input: what goes to one command's stdin, from any number of writers.
 *
 * It is made before its run (staged: up to 64 KiB are held for the next command) or with it, is
 * bound to a sink when the command has started, and ends once. Writes are taken whole, in order,
 * never interleaved. Reference counted: a context holds the one that writers opening now belong
 * to, a run holds its own, writers hold theirs. */
#ifndef MITOFS_BROKER_INPUT_H
#define MITOFS_BROKER_INPUT_H

#include "broker/notifier.h"

#include <sys/types.h>

typedef struct Input Input;
typedef struct InputWriter InputWriter;
typedef struct InputWrite InputWrite;

Input *input_ref(Input *input);
void input_unref(Input *input);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Input, input_unref)

/* A writer is one open file. @truncate (O_TRUNC) means "this is the whole input": it replaces
 * what is staged, and end of file follows when the last writer goes (but see `eofmode`). */
InputWriter *input_writer_new(Input *input, gboolean truncate);
void input_writer_free(InputWriter *writer);
Input *input_writer_input(InputWriter *writer);
/* It is as if opened with O_TRUNC (truncate(2), which comes as a setattr). */
void input_truncate(Input *input);

/* How one write(2) ended: the bytes taken, or -EPIPE (input or run ended), -ECONNRESET (link lost),
 * -ESHUTDOWN. */
typedef void (*InputWriteDone)(gssize result, void *data);

/* Write @size bytes at @bytes. NULL with the result in @ret_result when it is known at once: all
 * taken, an error, or with @nonblock what could be taken now (-EAGAIN for none). Else it waits:
 * @bytes are copied and @done comes once, later. */
InputWrite *input_write(InputWriter *writer, const void *bytes, gsize size, gboolean nonblock,
			InputWriteDone done, void *data, gssize *ret_result);
/* Take a waiting write back; returns the bytes it had written by then. @done does not come any
 * more. */
gsize input_write_cancel(InputWrite *write);

/* Whether a write of 4096 bytes would not wait, or would fail at once: POLLOUT. */
gboolean input_writable(Input *input);
Notifier *input_changed(Input *input);

/* For its context and run. */

typedef enum InputEofMode {
	INPUT_EOF_TRUNC, /* the last close ends it if one of the writers had O_TRUNC */
	INPUT_EOF_CLOSE, /* every last close does, as with a FIFO */
	INPUT_EOF_NEVER, /* only input_end() does */
} InputEofMode;

/* Where a started command takes its input when it is not a descriptor. */
typedef struct InputSink InputSink;
struct InputSink {
	/* Take what can be taken of @size bytes now: their number, -EAGAIN or -EPIPE. */
	gssize (*write)(const void *bytes, gsize size, void *data);
	/* End of file, once; on a pty the VEOF character, each time. */
	void (*end)(void *data);
	void *data;
};

Input *input_new(InputEofMode mode);
/* Let the last writer's close be the end, without forgetting what is staged. */
void input_end_with_writers(Input *input);
void input_set_eof_mode(Input *input, InputEofMode mode);
/* @func(@data) is called when the last writer has gone, unless the input is over. NULL for none. */
void input_on_last_close(Input *input, void (*func)(void *data), void *data);
/* The command has started: what is staged goes to @fd (taken, non-blocking; with @pty a
 * terminal's master) or to @sink (copied). */
void input_bind(Input *input, int fd, gboolean pty);
void input_bind_sink(Input *input, const InputSink *sink, gboolean pty);
/* Whether a command has it, or it is over: the next command needs another. */
gboolean input_taken(const Input *input);
/* There is credit again: go on with what waits. */
void input_pump(Input *input);
/* End of file behind what was written so far; on a pty the VEOF character. FALSE when it had
 * ended already. */
gboolean input_end(Input *input);
/* It is over: whoever writes gets @error (EPIPE, ECONNRESET, ESHUTDOWN). */
void input_close(Input *input, int error);
/* "open", "ended" or "closed", as `status` says it. */
const char *input_state(const Input *input);
/* Why nobody can write to it any more, a sentence for `error`; borrowed. */
const char *input_refusal(const Input *input);

#endif
