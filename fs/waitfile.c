/* An open `wait` belongs to the run that was current at open, or at its first read if nothing had
 * run; with no run it is empty at once, so that `cat children/<any>/wait` never hangs on an idle
 * context. */
#include "fs/waitfile.h"

#include "fs/openfile.h"

#include <errno.h>

typedef struct WaitFile WaitFile;
struct WaitFile {
	Run *run;      /* owned; NULL if nothing ever ran */
	GString *text; /* the line, once the run has ended */
};

guint64
waitfile_size(Context *context)
{
	Run *run = context_run(context);

	if (run == NULL)
		return 0;
	if (!run_ended(run))
		return 1;
	GString *text = g_string_new(NULL);
	run_wait_text(run, text);
	gsize size = text->len;
	g_string_free(text, TRUE);
	return size;
}

/* Take hold of the present run. */
static void
waitfile_bind(WaitFile *state, Context *context)
{
	Run *run = context_run(context);

	if (state->run == NULL && run != NULL)
		state->run = run_ref(run);
}

int
waitfile_open(OpenFile *file)
{
	WaitFile *state = g_new0(WaitFile, 1);

	waitfile_bind(state, file->context);
	file->state = state;
	return 0;
}

void
waitfile_release(OpenFile *file)
{
	WaitFile *state = file->state;

	g_clear_pointer(&state->run, run_unref);
	if (state->text != NULL)
		g_string_free(state->text, TRUE);
	g_free(state);
}

gssize
waitfile_look(OpenFile *file, guint64 offset, gsize size, struct iovec iov[2], int *ret_count)
{
	WaitFile *state = file->state;

	waitfile_bind(state, file->context);
	if (state->run == NULL)
		return 0;
	if (!run_ended(state->run))
		return -EAGAIN;
	if (state->text == NULL) {
		state->text = g_string_new(NULL);
		run_wait_text(state->run, state->text);
	}
	if (offset >= state->text->len)
		return 0;
	iov[0].iov_base = state->text->str + offset;
	iov[0].iov_len = MIN(size, state->text->len - offset);
	*ret_count = 1;
	return (gssize)iov[0].iov_len;
}

Notifier *
waitfile_changed(OpenFile *file)
{
	WaitFile *state = file->state;

	return state->run != NULL ? run_changed(state->run) : NULL;
}
