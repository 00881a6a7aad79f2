/* The queue of commands of each context.
 *
 * Queued verbs stand in context->commands; the head is being carried out. A command ends by
 * command_finish(), from within its begin, from a callback, or from a cancel; whoever waits for
 * it is told, but never from inside his own command_submit() or command_cancel(). */
#include "broker/command-private.h"

#include "broker/error.h"
#include "broker/poller.h"
#include "pty/signals.h"

#include <errno.h>
#include <string.h>

#define ENDED_RUN_WAIT_MS 1000

/* Drop whatever the verb waited on. */
static void
command_stop_waiting(Command *command)
{
	g_clear_handle_id(&command->timer, g_source_remove);
	notifier_unwatch(&command->watch);
	g_clear_pointer(&command->run, run_unref);
	if (command->serial != 0)
		link_forget_request(command->link, command->serial);
	command->serial = 0;
}

static void
command_free(Command *command)
{
	command_stop_waiting(command);
	g_clear_pointer(&command->settings, settings_unref);
	g_clear_error(&command->outcome);
	g_strfreev(command->words);
	context_unref(command->context);
	g_free(command);
}

/* Carry out the head of the queue, and the next as long as each ends at once. */
static void
queue_advance(Context *context)
{
	if (context->advancing)
		return;
	G_GNUC_UNUSED g_autoptr(Context) held = context_ref(context);
	context->advancing = TRUE;
	while (context->commands != NULL && context->commands->head != NULL) {
		Command *command = context->commands->head->data;

		if (command->begun)
			break;
		command->begun = TRUE;
		command->verb->begin(command);
	}
	context->advancing = FALSE;
}

/* Tell who waits for it, and free it. */
static gboolean
command_tell(void *data)
{
	Command *command = data;

	command->timer = 0;
	if (command->done != NULL)
		command->done(command->outcome, command->data);
	command_free(command);
	return G_SOURCE_REMOVE;
}

void
command_finish(Command *command, const GError *error)
{
	g_autoptr(Context) context = context_ref(command->context);

	if (command->finished)
		return;
	command->finished = TRUE;
	command_stop_waiting(command);
	if (error != NULL) {
		command->outcome = g_error_copy(error);
		if (!command->told)
			context_fail(context, command->args[-1], error);
	}
	if (context->commands != NULL)
		g_queue_remove(context->commands, command);
	if (command->cancelling)
		command->timer = poller_later(command_tell, command);
	else if (!command->submitting)
		command_tell(command);
	queue_advance(context);
}

void
command_fail(Command *command, int code, const char *format, ...)
{
	g_autoptr(GError) error = NULL;
	va_list args;

	va_start(args, format);
	error = g_error_new_valist(MITOFS_ERROR, code, format, args);
	va_end(args);
	command_finish(command, error);
}

void
command_begin_again(Command *command)
{
	command_stop_waiting(command);
	command->verb->begin(command);
}

/* The run that stood in the way has ended. */
static void
command_on_run_changed(void *data)
{
	Command *command = data;

	if (run_ended(command->run))
		command_begin_again(command);
}

static gboolean
command_on_run_wait_over(void *data)
{
	Command *command = data;

	command->timer = 0;
	command_begin_again(command);
	return G_SOURCE_REMOVE;
}

gboolean
command_needs_ended_run(Command *command)
{
	Context *context = command->context;

	if (!context_is_running(context))
		return TRUE;
	if (!command->waited && !run_starting(context->run) && run_seems_over(context->run)) {
		command->waited = TRUE;
		command->run = run_ref(context->run);
		notifier_watch(run_changed(command->run), &command->watch, command_on_run_changed,
			       command);
		command->timer =
			g_timeout_add(ENDED_RUN_WAIT_MS, command_on_run_wait_over, command);
		return FALSE;
	}
	command_fail(command, EBUSY, "a command runs (run %u, %s)", run_number(context->run),
		     run_state(context->run));
	return FALSE;
}

void
command_on_answer(const GError *error, void *data)
{
	Command *command = data;

	command->serial = 0;
	command_finish(command, error);
}

void
command_wait_answer(Command *command, Link *link, guint32 serial)
{
	if (serial == 0) {
		command_fail(command, ECONNRESET, "the link is lost");
		return;
	}
	command->link = link;
	command->serial = serial;
}

void
command_cancel_answer(Command *command, const GError *error)
{
	command_finish(command, error);
}

typedef struct Detached Detached;
struct Detached {
	CommandDone done;
	void *data;
	GError *error;
};

static gboolean
detached_tell(void *data)
{
	Detached *detached = data;

	detached->done(detached->error, detached->data);
	g_error_free(detached->error);
	g_free(detached);
	return G_SOURCE_REMOVE;
}

void
command_detach(Command *command, const GError *error)
{
	if (command->done == NULL)
		return;
	Detached *detached = g_new(Detached, 1);
	*detached =
		(Detached){ g_steal_pointer(&command->done), command->data, g_error_copy(error) };
	poller_later(detached_tell, detached);
}

/* Put it into the queue, or carry it out at once. */
static void
command_launch(Command *command)
{
	Context *context = command->context;

	if (command->verb->kind == VERB_CONTROL) {
		command->begun = TRUE;
		command->verb->begin(command);
		return;
	}
	if (context->destroying) {
		command_fail(command, ENOENT, "the context is being destroyed");
		return;
	}
	if (context->commands == NULL)
		context->commands = g_queue_new();
	g_queue_push_tail(context->commands, command);
	queue_advance(context);
}

/* Carry out @command for @done. See command_submit(). */
static Command *
command_run(Command *command, gboolean async, CommandDone done, void *data, GError **error)
{
	command->submitting = TRUE;
	command_launch(command);
	command->submitting = FALSE;
	if (command->finished) {
		if (command->outcome != NULL)
			g_propagate_error(error, g_steal_pointer(&command->outcome));
		command_free(command);
		return NULL;
	}
	if (async)
		return NULL;
	command->done = done;
	command->data = data;
	return command;
}

/* A command of @words (taken), of which the first @skip are not the verb. */
static Command *
command_new(Context *context, const Verb *verb, GStrv words, guint skip)
{
	Command *command = g_new0(Command, 1);

	command->context = context_ref(context);
	command->verb = verb;
	command->words = words;
	command->args = words + skip + 1;
	return command;
}

/* Which verb the words are, and whether there are as many as it takes. */
static const Verb *
check_words(char *const *words, const SettingRow **ret_setting, GError **error)
{
	const Verb *verb = words[0] != NULL ? verb_find(words[0]) : NULL;
	guint count = g_strv_length((char **)words);

	*ret_setting = NULL;
	if (count == 0) {
		fail(error, EINVAL, "async: there is no command");
		return NULL;
	}
	if (verb == NULL) {
		*ret_setting = setting_find(words[0]);
		if (*ret_setting == NULL)
			fail(error, EOPNOTSUPP, "unknown command \"%s\"", words[0]);
		return *ret_setting != NULL ? &verb_setting : NULL;
	}
	if (count - 1 < verb->min || count - 1 > verb->max) {
		fail(error, EINVAL, "usage: %s", verb->usage);
		return NULL;
	}
	return verb;
}

/* Whether the context takes commands at all. */
static gboolean
check_context(Context *context, GError **error)
{
	if (context->broker->stopping)
		return fail(error, ESHUTDOWN, "%s", BROKER_SHUTDOWN_TEXT);
	if (context->removed)
		return fail(error, ENOENT, "the context was removed");
	return TRUE;
}

Command *
command_submit_by(Context *context, const Verb *by, GStrv words, gboolean async, CommandDone done,
		  void *data, GError **error)
{
	guint skip = words[0] != NULL && strcmp(words[0], "async") == 0;
	g_autoptr(GError) wrong = NULL;
	const SettingRow *setting = NULL;
	const Verb *verb =
		check_context(context, &wrong) ? check_words(words + skip, &setting, &wrong) : NULL;

	if (verb == NULL) {
		context_fail(context, words[skip] != NULL ? words[skip] : "ctl", wrong);
		g_propagate_error(error, g_steal_pointer(&wrong));
		g_strfreev(words);
		return NULL;
	}
	Command *command = command_new(context, by != NULL ? by : verb, words, skip);
	command->setting = setting;
	return command_run(command, async || skip > 0, done, data, error);
}

Command *
command_submit(Context *context, GStrv words, gboolean async, CommandDone done, void *data,
	       GError **error)
{
	return command_submit_by(context, NULL, words, async, done, data, error);
}

/* The verb `signal` and the words of @text, which blanks separate. */
static GStrv
signal_words(const char *text)
{
	g_auto(GStrv) pieces = g_strsplit_set(text, " \t", -1);
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();

	g_strv_builder_add(words, "signal");
	for (guint i = 0; pieces[i] != NULL; i++) {
		if (pieces[i][0] != '\0')
			g_strv_builder_add(words, pieces[i]);
	}
	return g_strv_builder_end(words);
}

Command *
command_signal_by(Context *context, const Verb *verb, const char *text, CommandDone done,
		  void *data, GError **error)
{
	g_autoptr(GError) wrong = NULL;

	if (!check_context(context, &wrong)) {
		g_propagate_error(error, g_steal_pointer(&wrong));
		return NULL;
	}
	return command_run(command_new(context, verb, signal_words(text), 0), FALSE, done, data,
			   error);
}

Command *
command_signal(Context *context, const char *text, CommandDone done, void *data, GError **error)
{
	return command_signal_by(context, &verb_signal, text, done, data, error);
}

/* Take it back with @error. */
static void
command_abort(Command *command, const GError *error)
{
	if (command->finished)
		return;
	command->cancelled = TRUE;
	if (!command->begun || command->timer != 0 || command->verb->cancel == NULL)
		command_finish(command, error);
	else
		command->verb->cancel(command, error);
}

void
command_cancel(Command *command)
{
	g_autoptr(GError) error = g_error_new(MITOFS_ERROR, ECANCELED, "cancelled");

	command->cancelling = TRUE;
	command_abort(command, error);
	if (!command->finished)
		command->cancelling = FALSE;
}

void
context_cancel_commands(Context *context, const GError *error)
{
	g_autoptr(GList) commands = NULL;

	if (context->commands == NULL)
		return;
	commands = g_list_copy(context->commands->head);
	context->advancing = TRUE;
	for (GList *at = commands; at != NULL; at = at->next) {
		if (g_queue_find(context->commands, at->data) != NULL)
			command_abort(at->data, error);
	}
	context->advancing = FALSE;
	queue_advance(context);
}

guint
context_cancel_pending(Context *context, const GError *error)
{
	guint count = context->commands != NULL ? context->commands->length : 0;

	context_cancel_commands(context, error);
	return count;
}
