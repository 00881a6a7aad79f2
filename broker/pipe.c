/* Pipes: what a run writes to stdout goes, inside the broker, to another context's stdin too.
 *
 * A pipe is a reader of the stream and a writer of the input, as if a program stood between
 * them: it holds one piece at a time, so the slower end sets the pace. It lives from the run's
 * start (or the setting) until the stream's end, the input's end, or either context's. */
#include "broker/context-private.h"
#include "broker/error.h"

#include <errno.h>
#include <string.h>

#define PIECE (64 * 1024)

struct Pipe {
	Context *context; /* borrowed: it owns the pipe */
	char *path;
	gboolean append;
	StreamReader *reader;
	InputWriter *writer;
	InputWrite *write; /* under way */
	gsize written;	   /* bytes of it */
	guint64 offset;
	NotifierWatch watch;
};

/* Take it apart; the writer's close is the end of file, unless -a was said when it was made. */
void
pipe_free(Pipe *pipe)
{
	notifier_unwatch(&pipe->watch);
	if (pipe->write != NULL)
		input_write_cancel(pipe->write);
	input_writer_free(pipe->writer);
	stream_reader_free(pipe->reader);
	g_free(pipe->path);
	g_free(pipe);
}

/* It has come to an end by itself. */
static void
pipe_over(Pipe *pipe)
{
	pipe->context->pipe = NULL;
	pipe_free(pipe);
}

static void pipe_on_written(gssize result, void *data);

/* One piece from the stream to the input. FALSE when it has to wait, or is over and freed. */
static gboolean
pipe_step(Pipe *pipe)
{
	struct iovec iov[2];
	int count;
	gssize size = stream_reader_look(pipe->reader, pipe->offset, PIECE, iov, &count);
	gssize result;

	if (size == -EAGAIN)
		return FALSE;
	if (size <= 0) {
		pipe_over(pipe);
		return FALSE;
	}
	pipe->written = iov[0].iov_len;
	pipe->write = input_write(pipe->writer, iov[0].iov_base, iov[0].iov_len, FALSE,
				  pipe_on_written, pipe, &result);
	if (pipe->write != NULL)
		return FALSE;
	if (result <= 0) {
		context_logf(pipe->context, WIRE_WARNING, "pipe: the other end takes no more: %s",
			     g_strerror((int)-result));
		pipe_over(pipe);
		return FALSE;
	}
	pipe->offset += (gsize)result;
	stream_reader_consume(pipe->reader, pipe->offset - (gsize)result, (gsize)result);
	return TRUE;
}

/* Go on as far as it goes. */
static void
pipe_run(void *data)
{
	Pipe *pipe = data;

	while (pipe->write == NULL && pipe_step(pipe))
		;
}

static void
pipe_on_written(gssize result, void *data)
{
	Pipe *pipe = data;

	pipe->write = NULL;
	if (result != (gssize)pipe->written) {
		context_logf(pipe->context, WIRE_WARNING, "pipe: the other end takes no more");
		pipe_over(pipe);
		return;
	}
	guint64 from = pipe->offset;
	pipe->offset += pipe->written;
	stream_reader_consume(pipe->reader, from, pipe->written);
	pipe_run(pipe);
}

/* Whether following the pipes from @target leads to @context. */
static gboolean
leads_to(Context *target, const Context *context)
{
	guint steps = 0;

	while (target != NULL && target != context && steps++ < 10000) {
		const char *next = target->settings->pipe_path;

		target = next != NULL ? context_find(target->broker, next) : NULL;
	}
	return target != NULL;
}

gboolean
pipe_check(Context *context, const char *path, GError **error)
{
	Context *target = context_find(context->broker, path);

	if (target == NULL)
		return fail(error, ENOENT, "there is no context \"%s\"", path);
	if (leads_to(target, context))
		return fail(error, ELOOP, "\"%s\" leads back here", path);
	return TRUE;
}

void
pipe_restart(Context *context)
{
	const Settings *settings = context->settings;
	Stream *stream = context_output(context, 1);
	g_autoptr(GError) error = NULL;

	g_clear_pointer(&context->pipe, pipe_free);
	if (settings->pipe_path == NULL || stream == NULL)
		return;
	if (!pipe_check(context, settings->pipe_path, &error)) {
		context_fail(context, "pipe", error);
		return;
	}
	Context *target = context_find(context->broker, settings->pipe_path);
	Pipe *pipe = g_new0(Pipe, 1);
	pipe->context = context;
	pipe->path = g_strdup(settings->pipe_path);
	pipe->append = settings->pipe_append;
	pipe->reader = stream_reader_new(stream);
	pipe->offset = stream_start(stream);
	pipe->writer = input_writer_new(context_input(target), FALSE);
	if (!settings->pipe_append)
		input_end_with_writers(context_input(target));
	context->pipe = pipe;
	notifier_watch(stream_changed(stream), &pipe->watch, pipe_run, pipe);
	pipe_run(pipe);
}

void
pipe_change(Context *context)
{
	const Settings *settings = context->settings;
	const Pipe *pipe = context->pipe;
	Stream *stream = context_output(context, 1);

	if (pipe != NULL && g_strcmp0(pipe->path, settings->pipe_path) == 0 &&
	    pipe->append == settings->pipe_append)
		return;
	/* What an earlier run has left is not what a run writes from now on. */
	if (pipe == NULL && stream != NULL && stream_ended(stream) &&
	    run_ended(context->output_run))
		return;
	pipe_restart(context);
}
