/* destroy: stop a context and all below it, remove them, and make the kernel forget the name.
 *
 * Everything below is marked first, so that nothing new begins there; then every run is stopped,
 * and when the last has ended (or the deadline has come) the contexts are dropped from the
 * leaves up. The verb answers when the name is gone from the kernel too. */
#include "broker/command-private.h"
#include "broker/error.h"

#include <errno.h>

#define DEADLINE_EXTRA_MS 2000

typedef struct Destroy Destroy;
struct Destroy {
	Command *command;
	GPtrArray *waits; /* of RunWait */
	guint deadline;
	guint64 grace_ms; /* the longest of what is stopped */
	char *name;
};

typedef struct RunWait RunWait;
struct RunWait {
	Destroy *destroy;
	Run *run;
	NotifierWatch watch;
};

static void
run_wait_free(void *data)
{
	RunWait *wait = data;

	notifier_unwatch(&wait->watch);
	run_unref(wait->run);
	g_free(wait);
}

static void
destroy_free(Destroy *destroy)
{
	g_clear_handle_id(&destroy->deadline, g_source_remove);
	g_ptr_array_unref(destroy->waits);
	g_free(destroy->name);
	g_free(destroy);
}

/* From the leaves up. */
static void
drop_all(Context *context)
{
	Context *child;

	while ((child = context_child_after(context, 0)) != NULL)
		drop_all(child);
	context_drop(context);
}

/* Everything has ended, or has had its time: remove it. */
static void
destroy_remove(Destroy *destroy)
{
	Command *command = destroy->command;
	Broker *broker = command->context->broker;
	const BrokerHooks *hooks = &broker->hooks;

	g_clear_handle_id(&destroy->deadline, g_source_remove);
	g_ptr_array_set_size(destroy->waits, 0);
	if (command->context->removed) { /* by an rmdir meanwhile, or with what stood above it */
		broker_removed(command);
		return;
	}
	g_autoptr(Context) parent = context_ref(command->context->parent);
	destroy->name = g_strdup(command->context->name);
	drop_all(command->context);
	if (hooks->removed != NULL)
		hooks->removed(parent, destroy->name, command, hooks->data);
	else
		broker_removed(command);
}

/* Behind the callback that told of the last end. */
static gboolean
destroy_on_deadline(void *data)
{
	Destroy *destroy = data;

	destroy->deadline = 0;
	destroy_remove(destroy);
	return G_SOURCE_REMOVE;
}

/* A run may have ended: if it was the last one, go on, but not from inside its callback. */
static void
destroy_check(Destroy *destroy)
{
	for (guint i = 0; i < destroy->waits->len; i++) {
		RunWait *wait = g_ptr_array_index(destroy->waits, i);

		if (!run_ended(wait->run))
			return;
	}
	g_clear_handle_id(&destroy->deadline, g_source_remove);
	destroy->deadline = g_idle_add(destroy_on_deadline, destroy);
}

static void
destroy_on_run_changed(void *data)
{
	RunWait *wait = data;

	destroy_check(wait->destroy);
}

/* Nothing new begins in @context, and what runs is stopped. */
static void
destroy_stop(Context *context, void *data)
{
	Destroy *destroy = data;
	g_autoptr(GError) gone =
		g_error_new(MITOFS_ERROR, ECANCELED, "the context is being destroyed");

	context->destroying = TRUE;
	context_cancel_commands(context, gone);
	Channel *channel = context_is_running(context) ? run_channel(context->run) : NULL;
	if (channel == NULL)
		return;
	channel_stop(channel, (guint32)context->settings->grace_ms, NULL, NULL);
	destroy->grace_ms = MAX(destroy->grace_ms, context->settings->grace_ms);
	RunWait *wait = g_new0(RunWait, 1);
	wait->destroy = destroy;
	wait->run = run_ref(context->run);
	notifier_watch(run_changed(wait->run), &wait->watch, destroy_on_run_changed, wait);
	g_ptr_array_add(destroy->waits, wait);
}

void
begin_destroy(Command *command)
{
	Context *context = command->context;

	if (context->parent == NULL || context->destroying) {
		command_fail(command, context->parent == NULL ? EPERM : EBUSY,
			     context->parent == NULL ? "the mount's root cannot be destroyed"
						     : "it is being destroyed already");
		return;
	}
	Destroy *destroy = g_new0(Destroy, 1);
	destroy->command = command;
	destroy->waits = g_ptr_array_new_with_free_func(run_wait_free);
	command->state = destroy;
	context_walk(context, destroy_stop, destroy);
	if (destroy->waits->len == 0)
		destroy_remove(destroy);
	else
		destroy->deadline = g_timeout_add((guint)(destroy->grace_ms + DEADLINE_EXTRA_MS),
						  destroy_on_deadline, destroy);
}

void
broker_removed(void *token)
{
	Command *command = token;

	g_clear_pointer((Destroy **)&command->state, destroy_free);
	command_finish(command, NULL);
}

/* What was begun goes on; only its caller waits no more. */
void
cancel_destroy(Command *command, const GError *error)
{
	command_detach(command, error);
}
