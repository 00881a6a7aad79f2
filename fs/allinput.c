/* Open writers of all/stdin: a writer of each child's input, as if each child's stdin had been
 * opened, so `>` and `>>` mean for each what they mean there.
 *
 * A write is answered when the slowest child has taken it. A child that takes no more is left out
 * from then on, and a line of `error` says so; only when none is left the writer is told. A write
 * that is taken back half way counts as what all of them have taken; those that were ahead skip
 * what they have, since the caller comes again with the rest.
 *
 * Each child that waits has a copy of the piece, so a write takes no more than a pipe holds. */
#include "fs/allinput.h"

#include "broker/error.h"
#include "broker/members.h"
#include "fs/openfile.h"

#include <errno.h>
#include <fcntl.h>

#define PIECE_MAX (64 * 1024)
/* What an input that is writable takes at once. */
#define NONBLOCK_MAX 4096

typedef struct AllInput AllInput;

/* One child. */
typedef struct Target Target;
struct Target {
	AllInput *all;
	const Member *member; /* borrowed from all->members */
	InputWriter *writer;
	gboolean gone;	   /* it takes no more */
	gsize ahead;	   /* bytes it has of what the next write brings */
	gsize wanted;	   /* by the present write, */
	gsize done;	   /* and what it has of that */
	InputWrite *write; /* that waits */
	NotifierWatch watch;
};

struct AllInput {
	OpenFile *file;
	GPtrArray *members;
	Target *targets;
	guint count;
	guint pending;	/* targets that a write waits for */
	Parked *parked; /* that write */
	int error;	/* of the last that went */
	Notifier changed;
};

/* There may be room. */
static void
target_on_change(void *data)
{
	notifier_emit(&((Target *)data)->all->changed);
}

/* Open the input of @member as the file was opened. */
static void
target_open(Target *target, AllInput *all, const Member *member)
{
	Input *input = context_input(member->context);

	target->all = all;
	target->member = member;
	target->writer = input_writer_new(input, (all->file->flags & O_TRUNC) != 0);
	notifier_watch(input_changed(input), &target->watch, target_on_change, target);
}

int
allinput_open(OpenFile *file)
{
	AllInput *all;

	if (context_removed(file->context))
		return -ENOENT;
	all = g_new0(AllInput, 1);
	all->file = file;
	all->error = EPIPE;
	all->members = members_of(file->context);
	all->count = all->members->len;
	all->targets = g_new0(Target, all->count);
	for (guint i = 0; i < all->count; i++)
		target_open(&all->targets[i], all, g_ptr_array_index(all->members, i));
	file->state = all;
	return 0;
}

void
allinput_release(OpenFile *file)
{
	AllInput *all = file->state;

	for (guint i = 0; i < all->count; i++) {
		notifier_unwatch(&all->targets[i].watch);
		input_writer_free(all->targets[i].writer);
	}
	notifier_done(&all->changed);
	g_ptr_array_unref(all->members);
	g_free(all->targets);
	g_free(all);
}

/* At open the writers were told already. */
int
allinput_truncate(Context *context, OpenFile *file)
{
	AllInput *all = file != NULL ? file->state : NULL;
	g_autoptr(GPtrArray) members = all == NULL ? members_of(context) : NULL;

	for (guint i = 0; all != NULL && i < all->count && !(file->flags & O_TRUNC); i++)
		input_truncate(input_writer_input(all->targets[i].writer));
	for (guint i = 0; members != NULL && i < members->len; i++) {
		const Member *member = g_ptr_array_index(members, i);

		input_truncate(context_input(member->context));
	}
	return 0;
}

/* A child takes no more. */
static void
target_end(Target *target, int code)
{
	g_autoptr(GError) error = NULL;

	target->gone = TRUE;
	target->all->error = code;
	notifier_unwatch(&target->watch);
	fail(&error, code, "%s: %s", member_name(target->member),
	     input_refusal(input_writer_input(target->writer)));
	context_fail(target->all->file->context, "stdin", error);
}

/* What came of the target's part: bytes taken, or -errno. */
static void
target_settle(Target *target, gssize result)
{
	if (result == -EAGAIN)
		return;
	if (result < 0)
		target_end(target, (int)-result);
	else
		target->done += (gsize)result;
}

/* Answer with what all that are left have taken, or with @code for nothing. The others skip what
 * they have of the rest. */
static void
allinput_answer(AllInput *all, Reply *reply, int code)
{
	gsize least = G_MAXSIZE;

	for (guint i = 0; i < all->count; i++) {
		if (!all->targets[i].gone)
			least = MIN(least, all->targets[i].done);
	}
	for (guint i = 0; i < all->count; i++)
		all->targets[i].ahead += all->targets[i].done - MIN(least, all->targets[i].done);
	if (least == G_MAXSIZE)
		reply_error(reply, all->error);
	else if (least == 0)
		reply_error(reply, code);
	else
		reply_written(reply, least);
}

/* A child's part was taken, or never will be. */
static void
target_on_done(gssize result, void *data)
{
	Target *target = data;
	AllInput *all = target->all;

	target->write = NULL;
	target_settle(target, result);
	if (!target->gone && target->done < target->wanted)
		target_end(target, EPIPE);
	if (--all->pending == 0)
		allinput_answer(all, parked_leave(g_steal_pointer(&all->parked)), EPIPE);
}

/* The write must not wait any longer. */
static void
allinput_on_end(ParkedReason reason, void *data)
{
	AllInput *all = data;
	Reply *reply = parked_leave(g_steal_pointer(&all->parked));

	all->pending++;
	for (guint i = 0; i < all->count; i++) {
		Target *target = &all->targets[i];

		if (target->write != NULL) {
			target->done += input_write_cancel(g_steal_pointer(&target->write));
			all->pending--;
		}
	}
	all->pending--;
	allinput_answer(all, reply, reason == PARKED_STOPPING ? ESHUTDOWN : EINTR);
}

/* Give the target its part of a write. */
static void
target_write(Target *target, const char *bytes, gsize size, gboolean nonblock)
{
	gssize result;

	target->wanted = size;
	target->done = MIN(target->ahead, size);
	target->ahead -= target->done;
	if (target->gone || target->done == size)
		return;
	target->write = input_write(target->writer, bytes + target->done, size - target->done,
				    nonblock, target_on_done, target, &result);
	if (target->write != NULL)
		target->all->pending++;
	else
		target_settle(target, result);
}

void
allinput_write(OpenFile *file, Reply *reply, const char *bytes, gsize size, gboolean nonblock)
{
	AllInput *all = file->state;
	Parking *parking = file->mount->parking;

	if (parking_stopping(parking) || (nonblock && !allinput_writable(file))) {
		reply_error(reply, parking_stopping(parking) ? ESHUTDOWN : EAGAIN);
		return;
	}
	size = MIN(size, nonblock ? NONBLOCK_MAX : PIECE_MAX);
	all->pending++;
	for (guint i = 0; i < all->count; i++)
		target_write(&all->targets[i], bytes, size, nonblock);
	if (--all->pending == 0)
		allinput_answer(all, reply, EAGAIN);
	else
		all->parked = parking_add(parking, reply, allinput_on_end, all);
}

gboolean
allinput_writable(OpenFile *file)
{
	AllInput *all = file->state;

	for (guint i = 0; i < all->count; i++) {
		const Target *target = &all->targets[i];

		if (!target->gone && !input_writable(input_writer_input(target->writer)))
			return FALSE;
	}
	return TRUE;
}

Notifier *
allinput_changed(OpenFile *file)
{
	return &((AllInput *)file->state)->changed;
}
