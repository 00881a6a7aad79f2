/* Settings verbs: check, ask the place where a running command is concerned, then set. */
#include "broker/command-private.h"
#include "broker/error.h"

#include <errno.h>
#include <string.h>

/* What a changed setting means for what runs already. */

static void
apply_timeout(Context *context)
{
	if (context->run != NULL)
		run_set_timeout(context->run, context->settings->timeout_ms);
}

static void
apply_limits(Context *context)
{
	for (int i = 1; i <= 2; i++) {
		Stream *stream = context_output(context, i);

		if (stream != NULL)
			stream_set_limits(stream, context->settings->retain,
					  context->settings->drop);
	}
}

static void
apply_eof_mode(Context *context)
{
	if (context->input != NULL)
		input_set_eof_mode(context->input, context->settings->eof_mode);
}

static void
apply_keepalive(Context *context)
{
	Link *link = context->place != NULL ? place_any_link(context->place) : NULL;

	if (link != NULL)
		link_set_keepalive(link, context->settings->keepalive_ms);
}

static const struct {
	const char *verb;
	void (*apply)(Context *context);
} applied[] = {
	{ "timeout", apply_timeout },  { "retain", apply_limits },
	{ "overflow", apply_limits },  { "pipe", pipe_change },
	{ "eofmode", apply_eof_mode }, { "keepalive", apply_keepalive },
};

/* Make @settings (taken) the context's, and let them act. */
static void
commit(Command *command)
{
	Context *context = command->context;
	const char *verb = setting_name(command->setting);

	context_set_settings(context, g_steal_pointer(&command->settings));
	for (guint i = 0; i < G_N_ELEMENTS(applied); i++) {
		if (strcmp(applied[i].verb, verb) == 0)
			applied[i].apply(context);
	}
	context_logf(context, WIRE_DEBUG, "%s was set", verb);
	command_finish(command, NULL);
}

/* The place has applied it to the running command, or not. */
static void
on_place_answer(const GError *error, void *data)
{
	Command *command = data;

	command->serial = 0;
	if (error == NULL || error->code == ESRCH)
		commit(command);
	else
		command_finish(command, error);
}

/* Ask the place, where a running command is concerned. FALSE: there is nothing to ask. */
static gboolean
ask_place(Command *command)
{
	Context *context = command->context;
	Channel *channel = context_is_running(context) ? run_channel(context->run) : NULL;
	const char *verb = setting_name(command->setting);
	guint32 serial;

	if (channel == NULL)
		return FALSE;
	if (setting_at_place(command->setting))
		serial = channel_set(channel, verb, command->args[0], on_place_answer, command);
	else if (strcmp(verb, "winsize") == 0 && run_has_pty(context->run))
		serial = channel_winsize(channel, command->settings->columns,
					 command->settings->rows, on_place_answer, command);
	else
		return FALSE;
	command_wait_answer(command, channel_link(channel), serial);
	return TRUE;
}

/* Whether the paths of other contexts in it lead somewhere. */
static gboolean
check_paths(const Command *command, GError **error)
{
	const char *verb = setting_name(command->setting), *path = command->settings->pipe_path;

	if (strcmp(verb, "pipe") == 0)
		return path == NULL || pipe_check(command->context, path, error);
	return strcmp(verb, "members") != 0 ||
	       members_check(command->context, command->settings, error);
}

static void
begin_setting(Command *command)
{
	Context *context = command->context;
	g_autoptr(GError) error = NULL;

	if (!setting_while_running(command->setting) && !command_needs_ended_run(command))
		return;
	g_clear_pointer(&command->settings, settings_unref);
	command->settings = settings_copy(context->settings);
	if (!setting_apply(command->setting, command->settings, command->args,
			   &context->broker->options, &error)) {
		command_finish(command, error);
		return;
	}
	if (!check_paths(command, &error)) {
		command_finish(command, error);
		return;
	}
	if (!ask_place(command))
		commit(command);
}

const Verb verb_setting = {
	"setting", 0, G_MAXUINT, "", VERB_QUEUED, begin_setting, command_cancel_answer,
};

void
begin_defaults(Command *command)
{
	Context *context = command->context;

	if (!command_needs_ended_run(command))
		return;
	context_set_settings(context, settings_new());
	apply_eof_mode(context);
	apply_keepalive(context);
	pipe_change(context);
	command_finish(command, NULL);
}
