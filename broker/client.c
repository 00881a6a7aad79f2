/* Clients.
 *
 * The client is a command of the parent's agent, with pipes as stdin and stdout, which become the
 * link, a pipe as stderr, and, where it may ask questions, a terminal of its own. Where its
 * descriptors can be handed over the broker reads them itself, elsewhere all of it comes over the
 * client's channel.
 *
 * Up to HELLO whatever ends (the link, the process, its stderr) ends the attempt, and they end in
 * any order, so judgement waits until all have, or for SETTLE_MS. It goes by, in this order: what
 * the first stage found; a line that the method's patterns know; a question that was answered, or
 * was not, which needs no language; what the client's exit code and its last line say. */
#include "broker/client.h"

#include "broker/bootstrap.h"
#include "broker/dialogue.h"
#include "broker/error.h"
#include "broker/place.h"
#include "broker/poller.h"
#include "broker/prompt.h"
#include "broker/text.h"
#include "pty/autofd.h"
#include "pty/exitcode.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CLIENT_GRACE_MS 4000
#define SETTLE_MS 500
#define DETAIL_MAX 1000 /* room for what each directory of the first stage lacks */
#define READ_SIZE 4096
#define DIAL_RUNS (1u << 20) /* no command's number is that high; no two dials are the same tree */
#define SHELL_NOT_FOUND 126  /* and 127: the exit codes of a shell or client that cannot execute */

struct Client {
	Context *context; /* a reference */
	const Method *method;
	const LinkOps *link_ops;
	const ClientOps *ops;
	void *data;
	Channel *channel;     /* NULL once lost */
	Link *link;	      /* the owner's; NULL before, and when it has ended */
	Bootstrap *bootstrap; /* NULL for `local` */
	Dialogue *terminal, *errors;
	Dialogue *asking; /* whose question is open */
	char *guess;
	int stderr_fd; /* handed over, or -1 */
	PollerWatch *stderr_watch;
	guint judge_source;

	/* What is known of its failure. */
	FailureKind kind;
	char *detail;
	FailureKind hint; /* of the first line that a pattern knew */
	char *hint_line;
	GError *lost;	   /* of the link or the hop */
	GError *start;	   /* why it did not start */
	char *last_line;   /* of stderr or the terminal */
	char *first_noise; /* the first line on stdout */
	char *ended;	   /* "exit code 1"; NULL: it has not ended yet, as far as is known */
	int exit_code;	   /* -1 for none */
	guint questions, answers;
	gboolean in_advance; /* the last answer was there before its question */
	gboolean up, failed, stderr_ended, hop_lost;
};

static Prompt *
client_prompt(Client *client)
{
	return context_prompt(client->context);
}

/* Remember why, if that is not known yet. */
static void
client_blame(Client *client, FailureKind kind, const char *detail)
{
	if (client->kind != FAILURE_NONE)
		return;
	client->kind = kind;
	client->detail = g_strchomp(g_strndup(detail, DETAIL_MAX));
}

/* A question is open no more. */
static void
client_stop_asking(Client *client)
{
	if (client->asking == NULL)
		return;
	client->asking = NULL;
	prompt_withdraw(client_prompt(client));
	client->ops->asking(FALSE, client->data);
}

/* Judgement. */

/* The method, as the sentence of an error begins; where the client runs elsewhere, with that place's
 * name. Caller frees. */
static char *
client_title(Client *client)
{
	const char *name = method_name(client->method);
	Place *from = context_place(client->context->parent);

	return place_args(from) == NULL ? g_strdup(name)
					: g_strdup_printf("%s from %s", name, place_host(from));
}

/* What the client's end means, where nothing has said it. */
static void
client_blame_end(Client *client)
{
	const char *last = client->last_line != NULL	 ? client->last_line
			   : client->first_noise != NULL ? client->first_noise
							 : "";
	g_autofree char *ended = client->ended == NULL
					 ? g_strdup(last)
					 : g_strdup_printf("%s%s%s", client->ended,
							   last[0] != '\0' ? ": " : "", last);

	if (client->hop_lost)
		client_blame(client, FAILURE_LOST, client->lost->message);
	else if (client->hint != FAILURE_NONE)
		client_blame(client, client->hint, client->hint_line);
	else if (client->asking != NULL)
		client_blame(client, FAILURE_AUTH_REQUIRED, ended);
	else if (client->answers > 0 && client_phase(client)[0] == 'a')
		client_blame(client, FAILURE_AUTH_FAILED, ended);
	else if (client->exit_code >= SHELL_NOT_FOUND && client->exit_code <= SHELL_NOT_FOUND + 1)
		client_blame(client, FAILURE_NO_SHELL, ended);
	else if (client->first_noise != NULL)
		client_blame(client, FAILURE_NO_SHELL, client->first_noise);
	else
		client_blame(client, FAILURE_EOF, ended);
}

/* Say why. */
static gboolean
client_judge(void *data)
{
	Client *client = data;
	g_autoptr(GError) error = NULL;

	client->judge_source = 0;
	if (client->failed)
		return G_SOURCE_REMOVE;
	client->failed = TRUE;
	dialogue_end(client->errors);
	dialogue_end(client->terminal);
	client_blame_end(client);
	g_autofree char *title = client_title(client);
	client_stop_asking(client);
	if (client->up)
		fail(&error, ECONNRESET, "%s",
		     client->lost != NULL ? client->lost->message : "link lost: the agent is gone");
	else if (client->start != NULL)
		fail(&error, client->start->code, "%s: %s", title, client->start->message);
	else
		failure_set(&error, client->kind, title, client->detail);
	client->ops->failed(client->up ? FAILURE_LOST : client->kind, error, client->data);
	return G_SOURCE_REMOVE;
}

/* Something has ended: judge now, from the loop, or when the rest has ended too. */
static void
client_judge_soon(Client *client)
{
	gboolean known = client->kind != FAILURE_NONE || client->hop_lost || client->up ||
			 (client->ended != NULL && client->stderr_ended);

	if (client->failed || (client->judge_source != 0 && !known))
		return;
	g_clear_handle_id(&client->judge_source, g_source_remove);
	client->judge_source = known ? poller_later(client_judge, client)
				     : g_timeout_add(SETTLE_MS, client_judge, client);
}

void
client_link_lost(Client *client, const GError *error)
{
	client->link = NULL;
	if (client->lost == NULL)
		client->lost = g_error_copy(error);
	if (g_str_has_prefix(error->message, LINK_PROTOCOL_TEXT))
		client_blame(client, FAILURE_PROTOCOL, error->message + strlen(LINK_PROTOCOL_TEXT));
	client_judge_soon(client);
}

/* What it says. */

/* A line on stderr or at the terminal. */
static void
on_line(const char *line, void *data)
{
	Client *client = data;
	FailureKind kind = method_classify(client->method, line);

	context_logf(client->context, WIRE_INFO, "client: %s", line);
	g_free(client->last_line);
	client->last_line = g_strndup(line, DETAIL_MAX);
	/* Only a hint as long as it lives: it may still go well. */
	if (!client->up && kind != FAILURE_NONE && client->hint == FAILURE_NONE) {
		client->hint = kind;
		client->hint_line = g_strdup(client->last_line);
	}
}

/* The answer to a question. */
static void
on_answer(const Secret *secret, gboolean in_advance, void *data)
{
	Client *client = data;
	Dialogue *asking = g_steal_pointer(&client->asking);

	client->answers++;
	client->in_advance = in_advance;
	dialogue_answered(asking);
	if (asking == client->terminal && client->channel != NULL) {
		channel_answer(client->channel, secret_bytes(secret), secret_size(secret));
		channel_answer(client->channel, "\n", 1);
	} else if (asking == client->errors && client->link != NULL) {
		link_send_raw(client->link, secret_bytes(secret), secret_size(secret), TRUE);
		link_send_raw(client->link, "\n", 1, TRUE);
	}
	client->ops->asking(FALSE, client->data);
}

/* Ask the people at `prompt`. An answer in advance that was wrong is not followed by another. */
static void
client_ask(Client *client, Dialogue *dialogue, const char *text, gboolean echo, gboolean again)
{
	PromptKind kind = method_is_hostkey_question(client->method, text) ? PROMPT_HOSTKEY
			  : echo					   ? PROMPT_ECHOED
									   : PROMPT_SECRET;
	g_autofree char *question = text_escaped(text);

	if (again && client->in_advance) {
		client_blame(client, FAILURE_AUTH_FAILED, text);
		client_judge_soon(client);
		return;
	}
	client->questions++;
	client->asking = dialogue;
	context_event(client->context, "prompting", "question=%s", question);
	prompt_ask(client_prompt(client), text, kind, on_answer, client);
	client->ops->asking(TRUE, client->data);
}

static void
on_terminal_question(const char *text, gboolean echo, gboolean again, void *data)
{
	Client *client = data;

	client_ask(client, client->terminal, text, echo, again);
}

/* A pipe has no echo to go by: what is asked there may be a secret. */
static void
on_error_question(const char *text, gboolean echo, gboolean again, void *data)
{
	Client *client = data;

	client_ask(client, client->errors, text, FALSE, again);
}

static const DialogueOps terminal_ops = { on_line, on_terminal_question };
static const DialogueOps error_ops = { on_line, on_error_question };

static void
on_errors_end(Client *client)
{
	client->stderr_ended = TRUE;
	g_clear_pointer(&client->stderr_watch, poller_remove);
	autofd_clear(&client->stderr_fd);
	if (client->ended != NULL)
		client_judge_soon(client);
}

/* stderr, where it was handed over. */
static void
on_errors_ready(guint32 events, void *data)
{
	Client *client = data;
	guint8 bytes[READ_SIZE];
	gssize got = read(client->stderr_fd, bytes, sizeof bytes);

	if (got > 0)
		dialogue_feed(client->errors, TRUE, bytes, (gsize)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		on_errors_end(client);
}

/* The first stage. */

static void
on_boot_send(const void *bytes, gsize size, void *data)
{
	Client *client = data;

	if (client->link != NULL)
		link_send_raw(client->link, bytes, size, FALSE);
}

static void
on_boot_noise(const char *line, void *data)
{
	Client *client = data;

	if (client->first_noise == NULL)
		client->first_noise = g_strndup(line, DETAIL_MAX);
	context_logf(client->context, WIRE_INFO, "before the first stage: %s", line);
}

/* The shell is there: nobody asks any more. */
static void
on_boot_marker(void *data)
{
	Client *client = data;

	dialogue_stop_asking(client->terminal);
	dialogue_stop_asking(client->errors);
	client_stop_asking(client);
}

static void
on_boot_ready(void *data)
{
	Client *client = data;

	if (client->link != NULL)
		link_begin_frames(client->link);
}

static void
on_boot_failed(FailureKind kind, const char *detail, void *data)
{
	Client *client = data;

	client_blame(client, kind, detail);
	client_judge_soon(client);
}

static const BootstrapOps boot_ops = {
	.send = on_boot_send,
	.noise = on_boot_noise,
	.marker = on_boot_marker,
	.ready = on_boot_ready,
	.failed = on_boot_failed,
};

static gsize
on_preamble(const guint8 *bytes, gsize size, void *data)
{
	Client *client = data;

	return bootstrap_feed(client->bootstrap, bytes, size);
}

/* The process. */

/* It runs: its streams are the link. */
static void
on_started(guint32 pid, guint32 mask, const int fds[3], void *data)
{
	Client *client = data;
	guint frames = client->context->broker->options.frames_per_turn;
	gboolean line = method_stage(client->method) == STAGE_STDIN;

	if (mask == 7) {
		client->stderr_fd = fds[2];
		client->stderr_watch = poller_add(fds[2], EPOLLIN, on_errors_ready, client);
		client->link =
			link_new(fds[1], fds[0], FALSE, frames, client->link_ops, client->data);
	} else {
		client->link =
			link_new_over(client->channel, frames, client->link_ops, client->data);
	}
	if (client->bootstrap != NULL) {
		link_set_preamble(client->link, on_preamble, client);
		bootstrap_begin(client->bootstrap, line, client->guess);
	}
	client->ops->link(client->link, client->data);
}

static void
on_failed(enum spawn_stage stage, const GError *error, void *data)
{
	Client *client = data;
	gboolean missing = stage == SPAWN_EXEC && error->code == ENOENT;

	client_blame(client, missing ? FAILURE_NO_CLIENT : FAILURE_EOF, error->message);
	if (!missing)
		client->start = g_error_copy(error);
	client_judge_soon(client);
}

static void
on_output(int stream, const guint8 *bytes, gsize size, void *data)
{
	Client *client = data;

	if (stream == WIRE_STDERR) {
		channel_give_credit(client->channel, stream, WIRE_CREDIT_MAX);
		dialogue_feed(client->errors, TRUE, bytes, size);
	} else if (client->link != NULL) {
		link_feed(client->link, bytes, size); /* gives the credit too */
	}
}

/* The client is gone, or its stdout is, and with it the agent behind it, whose last words may still
 * be on their way. */
static void
client_drain(Client *client)
{
	if (client->link == NULL || link_drain(client->link))
		client_judge_soon(client);
}

static void
on_output_end(int stream, void *data)
{
	if (stream == WIRE_STDOUT)
		client_drain(data);
	else
		on_errors_end(data);
}

static void
on_exited(const struct wire_exit *ended, void *data)
{
	Client *client = data;

	g_free(client->ended);
	if (ended->why == EXIT_WHY_SIGNAL) {
		client->ended = g_strdup_printf("signal %s", ended->signal);
	} else {
		client->exit_code = (int)ended->status;
		client->ended = g_strdup_printf("exit code %d", client->exit_code);
	}
	client_drain(client);
}

static void
on_input_credit(void *data)
{
	Client *client = data;

	if (client->link != NULL)
		link_pump(client->link);
}

static void
on_prompt(gboolean echo, const guint8 *bytes, gsize size, void *data)
{
	Client *client = data;

	dialogue_feed(client->terminal, echo, bytes, size);
}

static void
on_channel_log(int level, const char *text, void *data)
{
	Client *client = data;

	context_logf(client->context, level, "client: %s", text);
}

/* The link that it was started over is gone. */
static void
on_lost(const GError *error, void *data)
{
	Client *client = data;

	g_clear_pointer(&client->channel, channel_close);
	client->hop_lost = TRUE;
	if (client->lost == NULL)
		client->lost = g_error_copy(error);
	client_drain(client);
}

static const ChannelOps channel_ops = {
	.started = on_started,
	.failed = on_failed,
	.output = on_output,
	.output_end = on_output_end,
	.input_credit = on_input_credit,
	.exited = on_exited,
	.prompt = on_prompt,
	.log = on_channel_log,
	.lost = on_lost,
};

/* Its life. */

/* What `uname -m` will say there: as the last time, or as at the parent's place. */
static char *
guess_machine(Client *client)
{
	Place *old = client->context->place;
	const char *machine = old != NULL ? place_arch(old) : "-";

	if (strcmp(machine, "-") == 0)
		machine = place_arch(context_place(client->context->parent));
	return method_flight(client->method) ? g_strdup(machine) : NULL;
}

/* The request for its process. */
static Channel *
client_spawn(Client *client, char *const *args, Link *through, GError **error)
{
	static char agent_name[] = LOCAL_AGENT_NAME;
	char *local_argv[] = { agent_name, NULL }, *none[] = { NULL };
	g_auto(GStrv) argv = NULL;
	struct wire_spawn spawn = {
		.spec = { .set_env = none,
			  .unset_env = none,
			  .cwd = "/",
			  .umask = SPAWN_KEEP,
			  .nice = SPAWN_KEEP,
			  .oom = SPAWN_KEEP,
			  .affinity = "" },
		.group = (guint32)client->context->serial,
		.run = DIAL_RUNS | ++client->context->last_dial % DIAL_RUNS,
		.client = TRUE,
		.grace_ms = CLIENT_GRACE_MS,
		.hand_over = link_hands_over(through),
		.ask = method_questions(client->method) == QUESTIONS_TERMINAL,
	};

	if (client->bootstrap == NULL) {
		spawn.spec.file = "/proc/self/exe";
		spawn.spec.argv = local_argv;
	} else {
		g_autofree char *line = bootstrap_line(client->bootstrap);

		argv = method_argv(client->method, args,
				   method_stage(client->method) == STAGE_LINE
					   ? line
					   : bootstrap_script(client->bootstrap));
		spawn.spec.file = argv[0];
		spawn.spec.argv = argv;
	}
	return channel_open(through, &spawn, &channel_ops, client, error);
}

Client *
client_new(Context *context, const Method *method, char *const *args, Link *through,
	   const LinkOps *link_ops, const ClientOps *ops, void *data, GError **error)
{
	MethodQuestions questions = method_questions(method);
	Client *client = g_new0(Client, 1);

	client->context = context_ref(context);
	client->method = method;
	client->link_ops = link_ops;
	client->ops = ops;
	client->data = data;
	client->stderr_fd = -1;
	client->exit_code = -1;
	client->terminal =
		dialogue_new(questions == QUESTIONS_TERMINAL, TRUE, &terminal_ops, client);
	client->errors = dialogue_new(questions == QUESTIONS_STDERR, FALSE, &error_ops, client);
	if (!method_is_local(method)) {
		client->bootstrap = bootstrap_new(&boot_ops, client);
		client->guess = guess_machine(client);
	}
	client->channel = client_spawn(client, args, through, error);
	if (client->channel == NULL)
		g_clear_pointer(&client, client_free);
	return client;
}

void
client_free(Client *client)
{
	Channel *channel = g_steal_pointer(&client->channel);

	if (channel != NULL) {
		channel_stop(channel, CLIENT_GRACE_MS, NULL, NULL);
		channel_retire(channel);
	}
	g_clear_handle_id(&client->judge_source, g_source_remove);
	g_clear_pointer(&client->stderr_watch, poller_remove);
	autofd_clear(&client->stderr_fd);
	if (client->asking != NULL)
		prompt_withdraw(client_prompt(client));
	dialogue_free(client->terminal);
	dialogue_free(client->errors);
	g_clear_pointer(&client->bootstrap, bootstrap_free);
	g_clear_error(&client->lost);
	g_clear_error(&client->start);
	g_free(client->guess);
	g_free(client->detail);
	g_free(client->hint_line);
	g_free(client->last_line);
	g_free(client->ended);
	g_free(client->first_noise);
	context_unref(client->context);
	g_free(client);
}

void
client_up(Client *client)
{
	client->up = TRUE;
	on_boot_marker(client);
}

FailureKind
client_timeout(Client *client, GError **error)
{
	const char *question =
		client->asking != NULL ? prompt_question(client_prompt(client)) : NULL;
	const char *phase = client_phase(client);
	g_autofree char *title = client_title(client);
	g_autofree char *detail = NULL;
	FailureKind kind = FAILURE_TIMEOUT;

	if (question != NULL) {
		kind = method_is_hostkey_question(client->method, question)
			       ? FAILURE_HOSTKEY_UNKNOWN
			       : FAILURE_AUTH_REQUIRED;
		detail = g_strdup_printf("nobody answered: %s", question);
		g_strchomp(detail);
	} else if (client->first_noise != NULL && strcmp(phase, "marker") == 0) {
		kind = FAILURE_NO_SHELL;
		detail = g_strdup(client->first_noise);
	} else {
		detail = g_strdup_printf("no agent within %" G_GUINT64_FORMAT " ms (%s)%s%s",
					 client->context->settings->connect_timeout_ms, phase,
					 client->last_line != NULL ? ": " : "",
					 client->last_line != NULL ? client->last_line : "");
	}
	failure_set(error, kind, title, detail);
	return kind;
}

const char *
client_phase(const Client *client)
{
	const char *phase =
		client->bootstrap != NULL ? bootstrap_phase(client->bootstrap) : "hello";

	if (strcmp(phase, "marker") != 0 || client->first_noise != NULL)
		return phase;
	return client->questions > 0 ? "authenticate" : "dial";
}
