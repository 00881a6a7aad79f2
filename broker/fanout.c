/* Spreading a command over children.
 *
 * A Fanout is the state of a command of the parent. Each child's part is a command of its own; not
 * more than `fanout` of them are on their way. It ends when the last has an outcome. A cancel takes
 * back what is on its way and begins nothing more; children that were done already stay so. */
#include "broker/fanout.h"

#include "broker/command-private.h"
#include "broker/error.h"
#include "broker/members.h"

#include <errno.h>

typedef struct Fanout Fanout;

/* One child's part. */
typedef struct Part Part;
struct Part {
	Fanout *fanout;
	Member *member;	  /* borrowed from fanout->members */
	Command *command; /* while it is on its way */
};

struct Fanout {
	Command *command;   /* borrowed: its state is this */
	GPtrArray *members; /* who they are */
	Part *parts;
	guint count, next, active, failed;
	GError *cancelled;
	gboolean advancing;
};

static void
fanout_free(Fanout *fanout)
{
	g_ptr_array_unref(fanout->members);
	g_clear_error(&fanout->cancelled);
	g_free(fanout->parts);
	g_free(fanout);
}

/* A child has refused: a line of the parent's `error`, unless the caller has taken it all back. */
static void
part_fail(Part *part, const GError *error)
{
	Command *command = part->fanout->command;
	g_autoptr(GError) named = NULL;

	part->fanout->failed++;
	if (part->fanout->cancelled != NULL)
		return;
	fail(&named, error->code, "%s: %s", member_name(part->member), error->message);
	context_fail(command->context, command->args[-1], named);
}

static void fanout_advance(Fanout *fanout);

static void
part_on_done(const GError *error, void *data)
{
	Part *part = data;

	part->command = NULL;
	part->fanout->active--;
	if (error != NULL)
		part_fail(part, error);
	fanout_advance(part->fanout);
}

/* Give the child its command. */
static void
part_begin(Part *part)
{
	Command *command = part->fanout->command;
	g_autoptr(GError) error = NULL;

	if (command->verb == &verb_fanout_signal) {
		g_autofree char *text = g_strjoinv(" ", command->args);

		part->command =
			command_signal(part->member->context, text, part_on_done, part, &error);
	} else {
		part->command = command_submit(part->member->context, g_strdupv(command->args - 1),
					       FALSE, part_on_done, part, &error);
	}
	if (part->command != NULL)
		part->fanout->active++;
	else if (error != NULL)
		part_fail(part, error);
}

/* All parts have their outcome, or were taken back. Frees it. */
static void
fanout_finish(Fanout *fanout)
{
	Command *command = fanout->command;
	g_autoptr(GError) cancelled = g_steal_pointer(&fanout->cancelled);
	guint failed = fanout->failed, count = fanout->count;
	gboolean whole = fanout->next == count;

	command->state = NULL;
	fanout_free(fanout);
	if (whole && failed == 0) {
		command_finish(command, NULL);
	} else if (cancelled != NULL) {
		command_finish(command, cancelled);
	} else {
		command->told = TRUE;
		command_fail(command, EIO, "%u of %u children failed", failed, count);
	}
}

/* Begin as many as may be on their way; the end is the last one's. */
static void
fanout_advance(Fanout *fanout)
{
	if (fanout->advancing)
		return;
	fanout->advancing = TRUE;
	while (fanout->cancelled == NULL && fanout->next < fanout->count &&
	       fanout->active < fanout->command->context->settings->fanout)
		part_begin(&fanout->parts[fanout->next++]);
	fanout->advancing = FALSE;
	if (fanout->active == 0)
		fanout_finish(fanout);
}

static void
begin_fanout(Command *command)
{
	Fanout *fanout = g_new0(Fanout, 1);

	fanout->command = command;
	fanout->members = members_of(command->context);
	fanout->count = fanout->members->len;
	fanout->parts = g_new0(Part, fanout->count);
	for (guint i = 0; i < fanout->count; i++)
		fanout->parts[i] = (Part){ fanout, g_ptr_array_index(fanout->members, i), NULL };
	command->state = fanout;
	fanout_advance(fanout);
}

static void
cancel_fanout(Command *command, const GError *error)
{
	Fanout *fanout = command->state;

	if (fanout->cancelled != NULL)
		return;
	fanout->cancelled = g_error_copy(error);
	for (guint i = 0; i < fanout->next; i++) {
		if (fanout->parts[i].command != NULL)
			command_cancel(fanout->parts[i].command);
	}
}

const Verb verb_fanout = {
	"all", 0, G_MAXUINT, "COMMAND...", VERB_CONTROL, begin_fanout, cancel_fanout,
};

const Verb verb_fanout_signal = {
	"signal",      0, 2, "NAME or number [leader|group|tree]", VERB_CONTROL, begin_fanout,
	cancel_fanout,
};

Command *
fanout_submit(Context *context, GStrv words, gboolean async, CommandDone done, void *data,
	      GError **error)
{
	return command_submit_by(context, &verb_fanout, words, async, done, data, error);
}

Command *
fanout_signal(Context *context, const char *text, CommandDone done, void *data, GError **error)
{
	return command_signal_by(context, &verb_fanout_signal, text, done, data, error);
}
