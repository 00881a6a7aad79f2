/* Open readers of all/stdout and all/stderr. Each has a reader of each child's stream, so nothing is
 * lost; the streams belong to the runs whose output stood there at open, or, if nothing had run, at
 * the first read that meets one.
 *
 * Lines are taken from the streams in turn, a piece from each that has more, into a window of text
 * that the reads get. The window goes back KEPT bytes behind the last read: shells read a block
 * ahead and seek back to the end of a line. A line that has only begun waits with its source, so
 * memory is bounded by LONG_LINE for each child and a few pieces for the window.
 *
 * A source stands in the queue while it may have more; its stream's notifications put it there. */
#include "fs/alloutput.h"

#include "broker/members.h"
#include "broker/text.h"
#include "fs/openfile.h"

#include <errno.h>
#include <string.h>

#define LONG_LINE (64 * 1024) /* a longer line comes in pieces */
#define PIECE (16 * 1024)     /* from one stream in its turn */
#define WINDOW (64 * 1024)    /* what a read finds ready, at least, if there is as much */
#define KEPT (64 * 1024)

typedef struct AllOutput AllOutput;

/* One child's output. */
typedef struct Source Source;
struct Source {
	AllOutput *all;
	GString *prefix; /* the child's name at open, and a tab */
	StreamReader *reader;
	guint64 offset;
	GString *begun; /* of a line */
	gboolean ended;
	GList link; /* in all->ready; data NULL while it is not */
	NotifierWatch watch;
};

struct AllOutput {
	int which;
	Source *sources;
	guint count, open;
	GQueue ready;
	GString *window;
	guint64 start; /* offset of the window's first byte */
	gboolean filling;
	Notifier changed;
};

/* Whether any child has output, be it empty. */
static guint64
size_of(Context *context, int which)
{
	g_autoptr(GPtrArray) members = members_of(context);

	for (guint i = 0; i < members->len; i++) {
		const Member *member = g_ptr_array_index(members, i);

		if (context_output(member->context, which) != NULL)
			return 1;
	}
	return 0;
}

guint64
allstdout_size(Context *context)
{
	return size_of(context, 1);
}

guint64
allstderr_size(Context *context)
{
	return size_of(context, 2);
}

/* Put it into the queue. */
static void
source_ready(Source *source)
{
	if (source->link.data != NULL)
		return;
	source->link.data = source;
	g_queue_push_tail_link(&source->all->ready, &source->link);
}

/* Its stream has more, or has ended. */
static void
source_on_change(void *data)
{
	Source *source = data;

	if (source->ended)
		return;
	source_ready(source);
	if (!source->all->filling)
		notifier_emit(&source->all->changed);
}

static void
source_open(Source *source, AllOutput *all, const Member *member, Stream *stream)
{
	source->all = all;
	source->prefix = g_string_new(NULL);
	text_escape(source->prefix, member_name(member), -1);
	g_string_append_c(source->prefix, '\t');
	source->begun = g_string_new(NULL);
	source->reader = stream_reader_new(stream);
	notifier_watch(stream_changed(stream), &source->watch, source_on_change, source);
	source_ready(source);
}

/* The streams that there are now, unless it has some already. */
static void
alloutput_bind(AllOutput *all, Context *context)
{
	g_autoptr(GPtrArray) members = NULL;

	if (all->count > 0)
		return;
	members = members_of(context);
	g_free(all->sources);
	all->sources = g_new0(Source, members->len);
	for (guint i = 0; i < members->len; i++) {
		const Member *member = g_ptr_array_index(members, i);
		Stream *stream = context_output(member->context, all->which);

		if (stream != NULL)
			source_open(&all->sources[all->count++], all, member, stream);
	}
	all->open = all->count;
}

static int
alloutput_open(OpenFile *file, int which)
{
	AllOutput *all = g_new0(AllOutput, 1);

	all->which = which;
	all->window = g_string_new(NULL);
	alloutput_bind(all, file->context);
	file->state = all;
	return 0;
}

int
allstdout_open(OpenFile *file)
{
	return alloutput_open(file, 1);
}

int
allstderr_open(OpenFile *file)
{
	return alloutput_open(file, 2);
}

void
alloutput_release(OpenFile *file)
{
	AllOutput *all = file->state;

	for (guint i = 0; i < all->count; i++) {
		Source *source = &all->sources[i];

		notifier_unwatch(&source->watch);
		stream_reader_free(source->reader);
		g_string_free(source->prefix, TRUE);
		g_string_free(source->begun, TRUE);
	}
	notifier_done(&all->changed);
	g_string_free(all->window, TRUE);
	g_free(all->sources);
	g_free(all);
}

/* A line, or a piece of one, into the window: what has begun, and @bytes. */
static void
source_print(Source *source, const char *bytes, gsize size)
{
	GString *window = source->all->window;

	g_string_append_len(window, source->prefix->str, (gssize)source->prefix->len);
	g_string_append_len(window, source->begun->str, (gssize)source->begun->len);
	g_string_append_len(window, bytes, (gssize)size);
	g_string_append_c(window, '\n');
	g_string_truncate(source->begun, 0);
}

/* Bytes of the stream: whole lines are printed, the rest has begun. */
static void
source_add(Source *source, const char *bytes, gsize size)
{
	while (size > 0) {
		const char *newline = memchr(bytes, '\n', size);
		gsize length = newline != NULL ? (gsize)(newline - bytes) : size;
		gsize room = LONG_LINE - source->begun->len;
		gsize used = MIN(length, room);

		if (length > room || newline != NULL)
			source_print(source, bytes, used);
		else
			g_string_append_len(source->begun, bytes, (gssize)used);
		if (length <= room && newline != NULL)
			used++;
		bytes += used;
		size -= used;
	}
}

/* A piece of its stream. FALSE when it has no more for now, or has ended. */
static gboolean
source_take(Source *source)
{
	struct iovec iov[2];
	int count;
	gssize size = stream_reader_look(source->reader, source->offset, PIECE, iov, &count);

	if (size == -EAGAIN)
		return FALSE;
	if (size <= 0) {
		source->ended = TRUE;
		source->all->open--;
		if (source->begun->len > 0)
			source_print(source, NULL, 0);
		return FALSE;
	}
	for (int i = 0; i < count; i++)
		source_add(source, iov[i].iov_base, iov[i].iov_len);
	stream_reader_consume(source->reader, source->offset, (gsize)size);
	source->offset += (gsize)size;
	return TRUE;
}

/* Take from the sources in turn until there is enough to read. */
static void
alloutput_fill(AllOutput *all)
{
	gsize before = all->window->len;

	all->filling = TRUE;
	while (all->ready.head != NULL && all->window->len - before < WINDOW) {
		Source *source = all->ready.head->data;

		g_queue_unlink(&all->ready, &source->link);
		if (source_take(source))
			g_queue_push_tail_link(&all->ready, &source->link);
		else
			source->link.data = NULL;
	}
	all->filling = FALSE;
}

/* Where @offset is in the window. One that is not there is taken for its nearer end, and counts
 * from there. */
static gsize
alloutput_seek(AllOutput *all, guint64 offset)
{
	if (offset < all->start)
		all->start = offset;
	if (offset > all->start + all->window->len)
		all->start = offset - all->window->len;
	return (gsize)(offset - all->start);
}

gssize
alloutput_look(OpenFile *file, guint64 offset, gsize size, struct iovec iov[2], int *ret_count)
{
	AllOutput *all = file->state;
	gsize at = alloutput_seek(all, offset);

	alloutput_bind(all, file->context);
	if (at == all->window->len) {
		gsize old = at - MIN(at, KEPT);

		g_string_erase(all->window, 0, (gssize)old);
		all->start += old;
		at -= old;
		alloutput_fill(all);
	}
	if (at == all->window->len)
		return all->open == 0 ? 0 : -EAGAIN;
	iov[0].iov_base = all->window->str + at;
	iov[0].iov_len = MIN(size, all->window->len - at);
	*ret_count = 1;
	return (gssize)iov[0].iov_len;
}

Notifier *
alloutput_changed(OpenFile *file)
{
	return &((AllOutput *)file->state)->changed;
}
