/* The tree of contexts: making, removing, renaming, finding; and a context's runs and input. */
#include "broker/context.h"

#include "broker/error.h"
#include "broker/place.h"
#include "broker/text.h"

#include <errno.h>
#include <string.h>

#define NAME_MAX_BYTES 255

Context *
context_new(Broker *broker, Context *parent, const char *name, Settings *settings)
{
	Context *context = g_new0(Context, 1);

	context->refs = 1;
	context->broker = broker;
	context->parent = parent;
	context->serial = ++broker->last_serial;
	uuid_generate_random(context->uuid);
	context->name = g_strdup(name);
	context->created = g_get_real_time();
	context->settings = settings;
	broker->contexts++;
	return context;
}

Context *
context_ref(Context *context)
{
	context->refs++;
	return context;
}

/* Free what is left: a context that was dropped has no place, run or children any more. */
static void
context_free(Context *context)
{
	g_clear_pointer(&context->by_name, g_hash_table_unref);
	g_clear_pointer(&context->children, g_ptr_array_unref);
	g_clear_pointer(&context->run, run_unref);
	g_clear_pointer(&context->output_run, run_unref);
	g_clear_pointer(&context->input, input_unref);
	g_clear_pointer(&context->log, stream_unref);
	g_clear_pointer(&context->prompt, prompt_free);
	g_clear_pointer(&context->errors, error_list_free);
	if (context->commands != NULL)
		g_queue_free(context->commands);
	settings_unref(context->settings);
	g_free(context->name);
	g_free(context);
}

void
context_unref(Context *context)
{
	if (context != NULL && --context->refs == 0)
		context_free(context);
}

guint64
context_serial(const Context *context)
{
	return context->serial;
}

const char *
context_name(const Context *context)
{
	return context->name;
}

Context *
context_parent(const Context *context)
{
	return context->parent;
}

gboolean
context_removed(const Context *context)
{
	return context->removed;
}

Broker *
context_broker(const Context *context)
{
	return context->broker;
}

gint64
context_created(const Context *context)
{
	return context->created;
}

char *
context_path(const Context *context)
{
	if (context->parent == NULL)
		return context->name[0] != '\0' ? g_strconcat("/", context->name, NULL)
						: g_strdup("/");
	g_autofree char *above = context_path(context->parent);
	return g_strconcat(above, above[1] != '\0' ? "/" : "", context->name, NULL);
}

guint
context_depth(const Context *context)
{
	guint depth = 0;

	for (; context->parent != NULL; context = context->parent)
		depth++;
	return depth;
}

guint
context_child_count(const Context *context)
{
	return context->children != NULL ? context->children->len : 0;
}

Context *
context_child(const Context *context, const char *name)
{
	return context->by_name != NULL ? g_hash_table_lookup(context->by_name, name) : NULL;
}

/* The index of the first child whose serial is above @serial. */
static guint
children_index_after(const GPtrArray *children, guint64 serial)
{
	guint low = 0, high = children->len;

	while (low < high) {
		guint middle = (low + high) / 2;
		const Context *child = g_ptr_array_index(children, middle);

		if (child->serial <= serial)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

Context *
context_child_after(const Context *context, guint64 serial)
{
	if (context->children == NULL)
		return NULL;
	guint index = children_index_after(context->children, serial);
	return index < context->children->len ? g_ptr_array_index(context->children, index) : NULL;
}

void
context_walk(Context *context, void (*func)(Context *context, void *data), void *data)
{
	G_GNUC_UNUSED g_autoptr(Context) held = context_ref(context);

	func(context, data);
	for (Context *child = context_child_after(context, 0); child != NULL;) {
		guint64 serial = child->serial;

		context_walk(child, func, data);
		child = context_child_after(context, serial);
	}
}

/* The child of @context that a path's component names: raw, or escaped as status prints it. */
static Context *
find_component(Context *context, const char *component)
{
	Context *child = context_child(context, component);

	if (child != NULL || strchr(component, '\\') == NULL)
		return child;
	for (child = context_child_after(context, 0); child != NULL;
	     child = context_child_after(context, child->serial)) {
		g_autofree char *shown = text_escaped(child->name);

		if (strcmp(shown, component) == 0)
			return child;
	}
	return NULL;
}

Context *
context_find(Broker *broker, const char *path)
{
	g_auto(GStrv) components = g_strsplit(path, "/", -1);
	Context *context = broker->root;

	for (guint i = 0; context != NULL && components[i] != NULL; i++) {
		if (components[i][0] != '\0')
			context = find_component(context, components[i]);
	}
	return context;
}

/* Names and the tree. */

gboolean
context_name_check(const char *name, GError **error)
{
	gsize length = strlen(name);

	if (length > NAME_MAX_BYTES)
		return fail(error, ENAMETOOLONG, "the name has %zu bytes, at most %d may be",
			    length, NAME_MAX_BYTES);
	if (length == 0)
		return fail(error, EINVAL, "the name is empty");
	if (name[0] == '-' || name[0] == '.')
		return fail(error, EINVAL, "\"%s\": a name may not begin with \"%c\"", name,
			    name[0]);
	for (const char *at = name; *at != '\0'; at++) {
		if ((guchar)*at < 0x20 || *at == 0x7f || *at == '/')
			return fail(error, EINVAL, "\"%s\": a name may have no control characters",
				    name);
	}
	return TRUE;
}

/* What every change of @parent's children asks first. */
static gboolean
check_alive(Context *parent, GError **error)
{
	if (parent->broker->stopping)
		return fail(error, ESHUTDOWN, "%s", BROKER_SHUTDOWN_TEXT);
	if (parent->removed || parent->destroying)
		return fail(error, ENOENT, "the context was removed");
	return TRUE;
}

/* The caps, each by its name. */
static gboolean
check_caps(Context *parent, GError **error)
{
	const BrokerOptions *options = &parent->broker->options;

	if (parent->broker->contexts >= options->max_contexts)
		return fail(error, EDQUOT, "this mount has max_contexts=%u contexts already",
			    options->max_contexts);
	if (context_child_count(parent) >= options->max_children)
		return fail(error, EDQUOT, "this context has max_children=%u children already",
			    options->max_children);
	if (context_depth(parent) + 1 > options->max_depth)
		return fail(error, ELOOP, "contexts are nested max_depth=%u deep at most",
			    options->max_depth);
	return TRUE;
}

/* Everything that can be wrong with a new child's name. */
static gboolean
check_new_name(Context *parent, const char *name, GError **error)
{
	if (!check_alive(parent, error) || !context_name_check(name, error))
		return FALSE;
	if (context_child(parent, name) != NULL)
		return fail(error, EEXIST, "\"%s\" exists", name);
	return TRUE;
}

/* Record in @parent's `error` what @verb could not do and why (@wrong, taken), and pass it on;
 * returns FALSE. */
static gboolean
failed(Context *parent, const char *verb, GError *wrong, GError **error)
{
	context_fail(parent, verb, wrong);
	g_propagate_error(error, wrong);
	return FALSE;
}

Context *
context_make(Context *parent, const char *name, GError **error)
{
	GError *wrong = NULL;

	if (!check_new_name(parent, name, &wrong) || !check_caps(parent, &wrong)) {
		failed(parent, "mkdir", wrong, error);
		return NULL;
	}
	Context *child =
		context_new(parent->broker, parent, name, settings_inherit(parent->settings));
	if (parent->by_name == NULL) {
		parent->by_name = g_hash_table_new(g_str_hash, g_str_equal);
		parent->children = g_ptr_array_new();
	}
	g_hash_table_insert(parent->by_name, child->name, child);
	g_ptr_array_add(parent->children, child);
	context_logf(child, WIRE_DEBUG, "created");
	context_event(child, "created", NULL);
	return child;
}

gboolean
context_is_running(const Context *context)
{
	return context->run != NULL && !run_ended(context->run);
}

/* Take @context out of its parent's children; the tree's reference goes to the caller. */
static void
context_unlink(Context *context)
{
	Context *parent = context->parent;
	guint index = children_index_after(parent->children, context->serial - 1);

	g_hash_table_remove(parent->by_name, context->name);
	g_ptr_array_remove_index(parent->children, index);
	if (parent->children->len == 0) {
		g_clear_pointer(&parent->children, g_ptr_array_unref);
		g_clear_pointer(&parent->by_name, g_hash_table_unref);
	}
	context->broker->contexts--;
}

/* Let go of a run and what it still writes. */
static void
drop_run(Run **run)
{
	if (*run != NULL)
		run_abandon(*run);
	g_clear_pointer(run, run_unref);
}

void
context_drop(Context *context)
{
	g_autoptr(GError) gone = g_error_new(MITOFS_ERROR, ECANCELED, "the context was removed");
	Place *place = context_place(context);
	Link *link = place != NULL ? place_any_link(place) : NULL;

	context_event(context, "removed", NULL);
	context_logf(context, WIRE_DEBUG, "removed");
	context_unlink(context);
	context_cancel_commands(context, gone);
	g_clear_pointer(&context->pipe, pipe_free);
	if (context->input != NULL)
		input_close(context->input, EPIPE);
	if (link != NULL && context->last_run > 0)
		link_sweep(link, (guint32)context->serial);
	drop_run(&context->run);
	drop_run(&context->output_run);
	if (context->place != NULL)
		place_free(g_steal_pointer(&context->place), gone);
	if (context->log != NULL)
		stream_end(context->log, 0);
	context_events_end(context);
	context->removed = TRUE;
	context->parent = NULL;
	context_unref(context);
}

gboolean
context_remove(Context *parent, const char *name, GError **error)
{
	Context *child = context_child(parent, name);
	GError *wrong = NULL;

	if (!check_alive(parent, &wrong))
		return failed(parent, "rmdir", wrong, error);
	if (child == NULL)
		return fail(error, ENOENT, "there is no \"%s\"", name);
	if (context_is_running(child))
		fail(&wrong, EBUSY, "a command runs in \"%s\"", name);
	else if (context_child_count(child) > 0)
		fail(&wrong, ENOTEMPTY, "\"%s\" has %u children", name, context_child_count(child));
	if (wrong != NULL)
		return failed(parent, "rmdir", wrong, error);
	context_drop(child);
	return TRUE;
}

gboolean
context_rename(Context *parent, const char *from, const char *to, GError **error)
{
	Context *child = context_child(parent, from);
	GError *wrong = NULL;

	if (child == NULL)
		return fail(error, ENOENT, "there is no \"%s\"", from);
	if (!check_new_name(parent, to, &wrong))
		return failed(parent, "rename", wrong, error);
	g_autofree char *shown = text_escaped(to);
	context_event(child, "renamed", "to=%s", shown);
	context_logf(child, WIRE_INFO, "renamed to %s", to);
	g_hash_table_steal(parent->by_name, from);
	g_free(child->name);
	child->name = g_strdup(to);
	g_hash_table_insert(parent->by_name, child->name, child);
	return TRUE;
}

void
context_set_settings(Context *context, Settings *settings)
{
	settings_unref(context->settings);
	context->settings = settings;
}

/* Runs and input. */

Run *
context_run(Context *context)
{
	return context->run;
}

Stream *
context_output(Context *context, int which)
{
	return context->output_run != NULL ? run_output(context->output_run, which) : NULL;
}

guint64
context_output_number(const Context *context)
{
	return context->output_run != NULL ? context->outputs : context->outputs + 1;
}

Prompt *
context_prompt(Context *context)
{
	if (context->prompt == NULL)
		context->prompt = prompt_new();
	return context->prompt;
}

Input *
context_input(Context *context)
{
	if (context->input == NULL)
		context->input = input_new(context->settings->eof_mode);
	return context->input;
}

Run *
context_begin_run(Context *context, Link *link, const RunStart *start, RunStarted done, void *data,
		  GError **error)
{
	if (context->input != NULL && input_taken(context->input))
		g_clear_pointer(&context->input, input_unref);
	Run *run = run_new(context, link, start, done, data, error);
	if (run == NULL)
		return NULL;
	g_clear_pointer(&context->run, run_unref);
	context->run = run;
	return run;
}

void
context_run_started(Context *context, Run *run)
{
	if (context->output_run != NULL)
		run_replace(context->output_run);
	g_clear_pointer(&context->output_run, run_unref);
	context->output_run = run_ref(run);
	context->outputs++;
}

void
context_reset(Context *context)
{
	if (context->output_run != NULL)
		run_replace(context->output_run);
	g_clear_pointer(&context->run, run_unref);
	g_clear_pointer(&context->output_run, run_unref);
	g_clear_pointer(&context->input, input_unref);
}
