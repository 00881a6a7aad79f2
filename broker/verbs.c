/* The table of verbs, and all of them but destroy and the settings. */
#include "broker/command-private.h"
#include "broker/error.h"
#include "broker/poller.h"
#include "pty/signals.h"

#include <errno.h>
#include <string.h>

/* Place. */

static void
on_connected(const GError *error, void *data)
{
	command_finish(data, error);
}

static void
begin_connect(Command *command)
{
	Context *context = command->context;
	g_autoptr(GError) error = NULL;

	if (context->parent == NULL)
		command_fail(command, EPERM, "the mount's root is this machine");
	else if (!command_needs_ended_run(command))
		return;
	else if (context_child_count(context) > 0 && context->place != NULL &&
		 place_state(context->place) == PLACE_UP)
		command_fail(command, ENOTEMPTY, "it is connected and has %u children",
			     context_child_count(context));
	else if (!place_connect(context, command->args, on_connected, command, &error))
		command_finish(command, error);
}

static void
cancel_connect(Command *command, const GError *error)
{
	place_cancel(command->context->place, error);
}

static void
begin_disconnect(Command *command)
{
	Context *context = command->context;
	g_autoptr(GError) error = g_error_new(MITOFS_ERROR, ECONNRESET, "link lost: disconnected");

	if (context->parent == NULL) {
		command_fail(command, EPERM, "the mount's root is this machine");
		return;
	}
	if (!command_needs_ended_run(command))
		return;
	if (context->place == NULL) {
		command_fail(command, ENOTCONN, "it has no place of its own");
		return;
	}
	if (context_child_count(context) > 0 && place_state(context->place) == PLACE_UP) {
		command_fail(command, ENOTEMPTY, "it has %u children",
			     context_child_count(context));
		return;
	}
	place_free(g_steal_pointer(&context->place), error);
	context_logf(context, WIRE_INFO, "disconnected");
	context_event(context, "disconnected", NULL);
	command_finish(command, NULL);
}

/* Run. */

static void
on_started(const GError *error, void *data)
{
	Command *command = data;
	Place *place = context_place(command->context);

	if (error == NULL || place == NULL) {
		command_finish(command, error);
		return;
	}
	command_fail(command, error->code, "%s on %s", error->message, place_host(place));
}

/* Start @start in the context when nothing runs and there is a link. */
static void
begin_run(Command *command, const RunStart *start)
{
	Context *context = command->context;
	g_autoptr(GError) error = NULL;
	Link *link = place_link(context_place(context), &error);

	if (link == NULL ||
	    context_begin_run(context, link, start, on_started, command, &error) == NULL)
		command_finish(command, error);
}

static void
cancel_run(Command *command, const GError *error)
{
	run_cancel(command->context->run);
}

static void
begin_exec(Command *command)
{
	const RunStart start = { .argv = command->args, .pty = command->context->settings->pty };

	if (command->args[0][0] == '\0')
		command_fail(command, ENOENT, "the name of the command is empty");
	else if (command_needs_ended_run(command))
		begin_run(command, &start);
}

/* The shell that the settings or the place name. */
static char *
context_shell(Context *context)
{
	const char *shell = context->settings->shell;

	return (char *)(shell != NULL ? shell : place_shell(context_place(context)));
}

static void
begin_sh(Command *command)
{
	char *argv[] = { context_shell(command->context), (char *)"-c", command->args[0], NULL };
	const RunStart start = { .argv = argv, .pty = command->context->settings->pty };

	if (command_needs_ended_run(command))
		begin_run(command, &start);
}

static void
begin_login(Command *command)
{
	char *argv[] = { context_shell(command->context), NULL };
	const RunStart start = { .file = argv[0], .argv = argv, .pty = TRUE, .login = TRUE };

	if (command_needs_ended_run(command))
		begin_run(command, &start);
}

static void
begin_again(Command *command)
{
	Context *context = command->context;

	if (!command_needs_ended_run(command))
		return;
	if (context->run == NULL) {
		command_fail(command, ESRCH, "nothing has run yet");
		return;
	}
	g_autoptr(Run) last = run_ref(context->run);
	const RunStart start = {
		.file = run_is_login(last) ? run_argv(last)[0] : NULL,
		.argv = run_argv(last),
		.pty = run_is_login(last) || context->settings->pty,
		.login = run_is_login(last),
	};
	begin_run(command, &start);
}

/* Control. */

static void
begin_eof(Command *command)
{
	if (input_end(context_input(command->context)))
		command_finish(command, NULL);
	else
		command_fail(command, EPIPE, "the input has ended already");
}

/* The channel that a signal goes to, or NULL and the command has failed. */
static Channel *
signalled_channel(Command *command)
{
	Run *run = command->context->run;
	Channel *channel = run != NULL ? run_channel(run) : NULL;

	if (channel == NULL)
		command_fail(command, ESRCH, "there is nothing to signal: no command runs");
	return channel;
}

static void
begin_stop(Command *command)
{
	Channel *channel = signalled_channel(command);
	guint32 grace = (guint32)command->context->settings->grace_ms;

	if (channel != NULL)
		command_wait_answer(command, channel_link(channel),
				    channel_stop(channel, grace, command_on_answer, command));
}

static void
begin_kill(Command *command)
{
	Channel *channel = signalled_channel(command);

	if (channel != NULL)
		command_wait_answer(command, channel_link(channel),
				    channel_signal(channel, "KILL", WIRE_TARGET_TREE,
						   command_on_answer, command));
}

static void
begin_close(Command *command)
{
	static const char *const names[] = { "", "stdout", "stderr" };
	Context *context = command->context;
	int which = 0;

	for (int i = 1; i <= 2; i++) {
		if (strcmp(command->args[0], names[i]) == 0)
			which = i;
	}
	if (which == 0) {
		command_fail(command, EINVAL, "\"%s\" is not \"stdout\" or \"stderr\"",
			     command->args[0]);
	} else if (context->output_run == NULL) {
		command_fail(command, ESRCH, "nothing has run yet");
	} else {
		run_close_output(context->output_run, which);
		command_finish(command, NULL);
	}
}

static void
begin_cancel(Command *command)
{
	g_autoptr(GError) error = g_error_new(MITOFS_ERROR, ECANCELED, "cancelled by `cancel`");

	if (context_cancel_pending(command->context, error) > 0)
		command_finish(command, NULL);
	else
		command_fail(command, ESRCH, "there is no connect or exec to cancel");
}

static void
begin_reset(Command *command)
{
	if (!command_needs_ended_run(command))
		return;
	context_reset(command->context);
	command_finish(command, NULL);
}

/* Behind the answer to the write that asked for it. */
static gboolean
shutdown_later(void *data)
{
	broker_shutdown(data);
	return G_SOURCE_REMOVE;
}

static void
begin_shutdown(Command *command)
{
	if (command->context->parent != NULL) {
		command_fail(command, EPERM, "only the mount's root shuts down");
		return;
	}
	poller_later(shutdown_later, command->context->broker);
	command_finish(command, NULL);
}

/* `signal`. */

/* Which of the targets @word is; NULL is the group. -1: none. */
static int
signal_target(const char *word)
{
	static const char *const names[] = { "group", "leader", "tree" };

	for (int i = 0; word != NULL && i < 3; i++) {
		if (strcmp(word, names[i]) == 0)
			return i;
	}
	return word == NULL ? WIRE_TARGET_GROUP : -1;
}

static void
begin_signal(Command *command)
{
	guint count = g_strv_length(command->args);
	int number = count > 0 ? signal_number(command->args[0]) : -1;
	int target = signal_target(count > 1 ? command->args[1] : NULL);
	char name[32];

	if (number < 0 || target < 0 || count > 2 || signal_name(number, name, sizeof name) < 0) {
		g_autofree char *text = g_strjoinv(" ", command->args);

		command_fail(command, EINVAL,
			     "\"%s\" is not a signal's name or number and leader, group or tree",
			     text);
		return;
	}
	Channel *channel = signalled_channel(command);
	if (channel != NULL)
		command_wait_answer(command, channel_link(channel),
				    channel_signal(channel, name, (enum wire_target)target,
						   command_on_answer, command));
}

const Verb verb_signal = {
	"signal",
	1,
	2,
	"NAME or number [leader|group|tree]",
	VERB_CONTROL,
	begin_signal,
	command_cancel_answer,
};

/* clang-format off */
static const Verb verbs[] = {
	{ "connect", 1, G_MAXUINT, "connect METHOD ARGS...", VERB_QUEUED, begin_connect, cancel_connect },
	{ "disconnect", 0, 0, "disconnect", VERB_QUEUED, begin_disconnect, NULL },
	{ "exec", 1, G_MAXUINT, "exec ARGV...", VERB_QUEUED, begin_exec, cancel_run },
	{ "sh", 1, 1, "sh LINE", VERB_QUEUED, begin_sh, cancel_run },
	{ "login", 0, 0, "login", VERB_QUEUED, begin_login, cancel_run },
	{ "again", 0, 0, "again", VERB_QUEUED, begin_again, cancel_run },
	{ "defaults", 0, 0, "defaults", VERB_QUEUED, begin_defaults, NULL },
	{ "eof", 0, 0, "eof", VERB_CONTROL, begin_eof, NULL },
	{ "stop", 0, 0, "stop", VERB_CONTROL, begin_stop, command_cancel_answer },
	{ "kill", 0, 0, "kill", VERB_CONTROL, begin_kill, command_cancel_answer },
	{ "close", 1, 1, "close stdout|stderr", VERB_CONTROL, begin_close, NULL },
	{ "cancel", 0, 0, "cancel", VERB_CONTROL, begin_cancel, NULL },
	{ "reset", 0, 0, "reset", VERB_CONTROL, begin_reset, NULL },
	{ "destroy", 0, 0, "destroy", VERB_CONTROL, begin_destroy, cancel_destroy },
	{ "shutdown", 0, 0, "shutdown", VERB_CONTROL, begin_shutdown, NULL },
};
/* clang-format on */

const Verb *
verb_find(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}
