/* Open streams. stdout and stderr belong to the run whose output stood there at open; a file that
 * was opened before any run takes the first one it meets at a read, and until then is at its end.
 * Once bound it stays bound. */
#include "fs/streamfile.h"

#include "broker/prompt.h"
#include "fs/openfile.h"
#include "fs/reply.h"

#include <errno.h>
#include <string.h>

typedef struct StreamFile StreamFile;
struct StreamFile {
	int which;	      /* 1 stdout, 2 stderr; 0: bound from the start */
	StreamReader *reader; /* NULL before any run */
	Stream *own;	      /* of this open file alone; NULL where others read it too */
};

/* st_size of @stream, which may be NULL. */
static guint64
size_of(const Stream *stream)
{
	if (stream == NULL)
		return 0;
	return stream_size(stream) > 0 || stream_ended(stream) ? stream_size(stream) : 1;
}

/* st_mtime of @stream, which may be NULL. */
static gint64
mtime_of(const Stream *stream, const Context *context)
{
	return stream != NULL ? stream_mtime(stream) : context_created(context);
}

guint64
stdout_size(Context *context)
{
	return size_of(context_output(context, 1));
}

guint64
stderr_size(Context *context)
{
	return size_of(context_output(context, 2));
}

guint64
log_size(Context *context)
{
	return stream_size(context_log(context));
}

guint64
events_size(Context *context)
{
	return 1;
}

gint64
stdout_mtime(Context *context)
{
	return mtime_of(context_output(context, 1), context);
}

gint64
stderr_mtime(Context *context)
{
	return mtime_of(context_output(context, 2), context);
}

gint64
log_mtime(Context *context)
{
	return mtime_of(context_log(context), context);
}

/* What @file reads; NULL: nothing yet. */
static Stream *
stream_of(const OpenFile *file)
{
	const StreamFile *state = file->state;

	return state->reader != NULL ? stream_reader_stream(state->reader) : NULL;
}

guint64
streamfile_size(OpenFile *file)
{
	return size_of(stream_of(file));
}

gint64
streamfile_mtime(OpenFile *file)
{
	return mtime_of(stream_of(file), file->context);
}

/* Begin with @stream, or with none yet. */
static int
streamfile_open(OpenFile *file, int which, Stream *stream)
{
	StreamFile *state = g_new0(StreamFile, 1);

	state->which = which;
	state->reader = stream != NULL ? stream_reader_new(stream) : NULL;
	file->state = state;
	return 0;
}

int
stdout_open(OpenFile *file)
{
	return streamfile_open(file, 1, context_output(file->context, 1));
}

int
stderr_open(OpenFile *file)
{
	return streamfile_open(file, 2, context_output(file->context, 2));
}

int
log_open(OpenFile *file)
{
	return streamfile_open(file, 0, context_log(file->context));
}

/* Begin with a stream that is this open file's alone. */
static int
streamfile_open_own(OpenFile *file, Stream *stream)
{
	streamfile_open(file, 0, stream);
	((StreamFile *)file->state)->own = stream;
	return 0;
}

int
events_open(OpenFile *file)
{
	return streamfile_open_own(file, context_events_open(file->context));
}

int
prompt_open(OpenFile *file)
{
	return streamfile_open_own(file, prompt_stream_open(context_prompt(file->context)));
}

void
streamfile_release(OpenFile *file)
{
	StreamFile *state = file->state;

	g_clear_pointer(&state->reader, stream_reader_free);
	g_free(state);
}

void
events_release(OpenFile *file)
{
	Stream *events = ((StreamFile *)file->state)->own;

	streamfile_release(file);
	context_events_close(file->context, events);
}

void
prompt_release(OpenFile *file)
{
	Stream *questions = ((StreamFile *)file->state)->own;

	streamfile_release(file);
	prompt_stream_close(context_prompt(file->context), questions);
}

/* The bytes may be secret: the request's buffer does not keep them. */
void
prompt_write(OpenFile *file, Reply *reply, const char *bytes, gsize size, gboolean nonblock)
{
	g_autoptr(GError) error = NULL;
	gboolean taken = prompt_answer(context_prompt(file->context), bytes, size, &error);

	explicit_bzero((void *)(guintptr)bytes, size);
	if (taken) {
		reply_written(reply, size);
		return;
	}
	context_fail(file->context, "prompt", error);
	reply_error(reply, error->code);
}

/* The reader, bound now if there is a run by now. */
static StreamReader *
streamfile_reader(OpenFile *file)
{
	StreamFile *state = file->state;

	if (state->reader == NULL) {
		Stream *stream = context_output(file->context, state->which);

		if (stream != NULL)
			state->reader = stream_reader_new(stream);
	}
	return state->reader;
}

gssize
streamfile_look(OpenFile *file, guint64 offset, gsize size, struct iovec iov[2], int *ret_count)
{
	StreamReader *reader = streamfile_reader(file);

	return reader != NULL ? stream_reader_look(reader, offset, size, iov, ret_count) : 0;
}

gboolean
streamfile_refresh(OpenFile *file)
{
	StreamFile *state = file->state;

	return state->reader != NULL && stream_refresh(stream_reader_stream(state->reader));
}

void
streamfile_consume(OpenFile *file, guint64 offset, gsize size)
{
	StreamFile *state = file->state;

	stream_reader_consume(state->reader, offset, size);
}

Notifier *
streamfile_changed(OpenFile *file)
{
	StreamFile *state = file->state;

	return state->reader != NULL ? stream_changed(stream_reader_stream(state->reader)) : NULL;
}
