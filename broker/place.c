/* Places and how they come and go.
 *
 * A place is reached by a client (client.h), which makes the link and says why when it cannot. From
 * the client's start until the agent's HELLO one deadline runs, in which questions may have to be
 * answered too. When the place ends the client is stopped (TERM, then KILL), which ends its agent
 * even where that hangs; the directory stays, and can be connected anew. */
#include "broker/place.h"

#include "broker/client.h"
#include "broker/error.h"
#include "broker/prompt.h"
#include "broker/text.h"

#include <errno.h>
#include <string.h>

struct Place {
	Context *context; /* borrowed: it owns the place */
	PlaceState state;
	Method *method;
	GStrv args; /* of connect, NULL for the root's */
	Link *link;
	Client *client; /* at the parent's place; NULL for the root's */
	guint deadline;
	PlaceDone done; /* of a connect under way */
	void *done_data;
	GError *lost; /* why */
	FailureKind failure;
	const char *phase; /* that a failed connect came to */
	char *host, *user, *arch, *shell;
	GArray *signals; /* of struct wire_signal, names owned */
};

static const LinkOps place_link_ops;

Place *
context_place(Context *context)
{
	while (context->place == NULL && context->parent != NULL)
		context = context->parent;
	return context->place;
}

static void
clear_signal(void *row)
{
	g_free((char *)((struct wire_signal *)row)->name);
}

/* @method is taken. */
static Place *
place_new(Context *context, Method *method, char *const *args)
{
	Place *place = g_new0(Place, 1);

	place->context = context;
	place->state = PLACE_CONNECTING;
	place->method = method;
	place->args = g_strdupv((char **)args);
	place->signals = g_array_new(FALSE, FALSE, sizeof(struct wire_signal));
	g_array_set_clear_func(place->signals, clear_signal);
	return place;
}

Place *
place_new_local(Context *root, int fd)
{
	Place *place = place_new(root, method_new_local(), NULL);

	place->link = link_new(fd, fd, TRUE, root->broker->options.frames_per_turn, &place_link_ops,
			       place);
	return place;
}

/* The connect under way has its outcome. */
static void
place_finish(Place *place, const GError *error)
{
	PlaceDone done = place->done;

	if (done == NULL)
		return;
	g_clear_handle_id(&place->deadline, g_source_remove);
	if (place->context->prompt != NULL)
		prompt_forget_answers(place->context->prompt);
	place->done = NULL;
	done(error, place->done_data);
}

/* The link and the client are gone, or have to go. */
static void
place_close(Place *place, const GError *error)
{
	Link *link = g_steal_pointer(&place->link);

	if (link != NULL)
		link_free(link, error);
	g_clear_pointer(&place->client, client_free);
}

/* The place is lost: whoever waits is told, the directory stays. */
static void
place_lose(Place *place, FailureKind kind, const GError *error)
{
	gboolean was_up = place->state == PLACE_UP;

	if (place->state == PLACE_LOST)
		return;
	g_autoptr(Context) held = context_ref(place->context);
	place->state = PLACE_LOST;
	place->failure = kind;
	place->phase = !was_up && place->client != NULL ? client_phase(place->client) : NULL;
	g_clear_error(&place->lost);
	place->lost = g_error_copy(error);
	place_close(place, error);
	if (was_up) {
		context_logf(held, broker_stopping(held->broker) ? WIRE_INFO : WIRE_WARNING, "%s",
			     error->message);
		context_event(held, "lost", NULL);
	}
	place_finish(place, error);
	if (held->place == place && held->parent == NULL)
		broker_local_lost(held->broker);
}

static gboolean
place_on_deadline(void *data)
{
	Place *place = data;
	g_autoptr(GError) error = NULL;

	place->deadline = 0;
	FailureKind kind = client_timeout(place->client, &error);
	place_lose(place, kind, error);
	return G_SOURCE_REMOVE;
}

/* Keep what HELLO says; it is an agent's word, so only text that is escaped where it is shown. */
static void
place_keep_hello(Place *place, const struct wire_hello *hello)
{
	g_free(place->host);
	g_free(place->user);
	g_free(place->arch);
	g_free(place->shell);
	place->host = g_strdup(hello->host);
	place->user = g_strdup(hello->user);
	place->arch = g_strdup(hello->machine);
	place->shell = g_strdup(hello->shell);
	g_array_set_size(place->signals, 0);
	for (guint i = 0; i < hello->signal_count; i++) {
		struct wire_signal row = { hello->signals[i].number,
					   g_strdup(hello->signals[i].name) };

		g_array_append_val(place->signals, row);
	}
}

static void
place_on_hello(const struct wire_hello *hello, void *data)
{
	Place *place = data;

	place_keep_hello(place, hello);
	place->state = PLACE_UP;
	if (place->client != NULL)
		client_up(place->client);
	link_set_keepalive(place->link, place->context->settings->keepalive_ms);
	g_autofree char *host = text_escaped(place->host);
	g_autofree char *user = text_escaped(place->user);
	context_event(place->context, "connected", "method=%s host=%s user=%s",
		      method_name(place->method), host, user);
	context_logf(place->context, WIRE_INFO, "connected to %s@%s, %s %s", place->user,
		     place->host, hello->sysname, place->arch);
	if (!hello->shell_found)
		context_logf(place->context, WIRE_WARNING,
			     "no shell in the passwd entry or $SHELL of %s at %s: %s is used",
			     place->user, place->host, place->shell);
	place_finish(place, NULL);
}

static void
place_on_log(int level, const char *text, void *data)
{
	Place *place = data;

	context_logf(place->context, level, "agent: %s", text);
}

/* Before the agent is up the client says why. */
static void
place_on_lost(const GError *error, void *data)
{
	Place *place = data;

	if (place->state == PLACE_UP || place->client == NULL) {
		place_lose(place, FAILURE_LOST, error);
		return;
	}
	link_free(g_steal_pointer(&place->link), error);
	client_link_lost(place->client, error);
}

static const LinkOps place_link_ops = {
	.hello = place_on_hello,
	.log = place_on_log,
	.lost = place_on_lost,
};

/* The client that leads to the agent. */

static void
client_on_link(Link *link, void *data)
{
	Place *place = data;

	place->link = link;
}

static void
client_on_asking(gboolean asking, void *data)
{
	Place *place = data;

	if (place->state == PLACE_CONNECTING || place->state == PLACE_PROMPTING)
		place->state = asking ? PLACE_PROMPTING : PLACE_CONNECTING;
}

static void
client_on_failed(FailureKind kind, const GError *error, void *data)
{
	place_lose(data, kind, error);
}

static const ClientOps client_ops = { client_on_link, client_on_asking, client_on_failed };

/* Put @place into its context; what was there goes. */
static void
place_install(Place *place)
{
	Context *context = place->context;
	g_autoptr(GError) replaced =
		g_error_new(MITOFS_ERROR, ECONNRESET, "link lost: connected anew");

	if (context->place != NULL)
		place_free(context->place, replaced);
	context->place = place;
}

gboolean
place_connect(Context *context, char *const *args, PlaceDone done, void *data, GError **error)
{
	g_autoptr(Method) method = method_find(args[0], error);
	g_autoptr(GError) wrong = NULL;

	if (method == NULL || !method_check(method, args, error))
		return FALSE;
	Place *place = place_new(context, g_steal_pointer(&method), args);
	Link *through = place_link(context_place(context->parent), &wrong);
	if (through != NULL)
		place->client = client_new(context, place->method, place->args, through,
					   &place_link_ops, &client_ops, place, &wrong);
	place_install(place);
	if (place->client == NULL) {
		prompt_forget_answers(context_prompt(context));
		place->state = PLACE_LOST;
		place->failure = FAILURE_LOST;
		place->lost = g_error_copy(wrong);
		g_propagate_error(error, g_steal_pointer(&wrong));
		return FALSE;
	}
	place->done = done;
	place->done_data = data;
	place->deadline = g_timeout_add((guint)context->settings->connect_timeout_ms,
					place_on_deadline, place);
	context_event(context, "connecting", "method=%s", method_name(place->method));
	return TRUE;
}

void
place_cancel(Place *place, const GError *error)
{
	if (place->state == PLACE_CONNECTING || place->state == PLACE_PROMPTING)
		place_lose(place, FAILURE_CANCELLED, error);
}

void
place_free(Place *place, const GError *error)
{
	place->state = PLACE_LOST; /* so that nobody tells us any more */
	place_close(place, error);
	place_finish(place, error);
	g_clear_error(&place->lost);
	g_strfreev(place->args);
	g_free(place->host);
	g_free(place->user);
	g_free(place->arch);
	g_free(place->shell);
	g_array_unref(place->signals);
	method_free(place->method);
	g_free(place);
}

PlaceState
place_state(const Place *place)
{
	return place->state;
}

const char *
place_state_name(const Place *place)
{
	static const char *const names[] = { "connecting", "prompting", "up", "lost" };

	return names[place->state];
}

Link *
place_link(Place *place, GError **error)
{
	if (place->state == PLACE_UP)
		return place->link;
	if (place->state == PLACE_LOST && place->lost != NULL)
		fail(error, ENOTCONN, "no link: %s", place->lost->message);
	else
		fail(error, ENOTCONN, "no link: not connected yet");
	return NULL;
}

Link *
place_any_link(const Place *place)
{
	return place->link;
}

Context *
place_context(const Place *place)
{
	return place->context;
}

const char *
place_host(const Place *place)
{
	return place->host != NULL ? place->host : "-";
}

const char *
place_user(const Place *place)
{
	return place->user != NULL ? place->user : "-";
}

const char *
place_arch(const Place *place)
{
	return place->arch != NULL ? place->arch : "-";
}

const char *
place_method(const Place *place)
{
	return method_name(place->method);
}

const char *
place_failure(const Place *place)
{
	return failure_name(place->state == PLACE_LOST ? place->failure : FAILURE_NONE);
}

const char *
place_phase(const Place *place)
{
	if (place->state == PLACE_UP || place->client == NULL)
		return place->phase != NULL ? place->phase : "-";
	return client_phase(place->client);
}

char *const *
place_args(const Place *place)
{
	return place->args;
}

const char *
place_shell(const Place *place)
{
	return place->shell != NULL ? place->shell : "/bin/sh";
}

void
place_signal_text(const Place *place, GString *out)
{
	for (guint i = 0; i < place->signals->len; i++) {
		const struct wire_signal *row =
			&g_array_index(place->signals, struct wire_signal, i);

		g_string_append_printf(out, "%u ", row->number);
		text_escape(out, row->name, -1);
		g_string_append_c(out, '\n');
	}
}
