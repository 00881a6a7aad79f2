/* Runs: one command from its SPAWN to its last byte.
 *
 * A run's life has three threads that end in any order: the process (EXIT), its outputs (end of
 * file on descriptors that were handed over, END frames elsewhere) and its input. `wait` follows
 * the first only. Until the outputs have ended a run that is fed by frames holds a reference to
 * itself, since it is what gives credit. */
#include "broker/run-inner.h"

#include "broker/context-private.h"
#include "broker/error.h"
#include "broker/text.h"
#include "pty/errname.h"
#include "pty/exitcode.h"
#include "pty/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define TIMEOUT_MS_MAX (1000 * 60 * 60 * 24) /* what one source waits for; the clock decides */

static const ChannelOps run_ops;

Run *
run_ref(Run *run)
{
	run->refs++;
	return run;
}

/* Free what the run holds; the channel is closed, so the agent forgets it. */
static void
run_free(Run *run)
{
	g_clear_handle_id(&run->timeout_source, g_source_remove);
	g_clear_pointer(&run->channel, channel_close);
	for (int i = 1; i <= 2; i++) {
		notifier_unwatch(&run->drained[i]);
		g_clear_pointer(&run->output[i], stream_unref);
	}
	g_clear_pointer(&run->input, input_unref);
	notifier_done(&run->changed);
	g_strfreev(run->argv);
	g_free(run->argument);
	g_free(run);
}

void
run_unref(Run *run)
{
	if (run != NULL && --run->refs == 0)
		run_free(run);
}

/* The argv that is sent: the pre-exec chain, then the command; a login shell's name begins with
 * "-". The array is the caller's, its strings are borrowed but for the login name in @ret_login. */
static char **
run_build_argv(const Settings *settings, const RunStart *start, char **ret_login)
{
	GPtrArray *words = g_ptr_array_new();

	*ret_login = NULL;
	for (guint i = 0; settings->preexec != NULL && settings->preexec[i] != NULL; i++)
		g_ptr_array_add(words, settings->preexec[i]);
	if (start->login && words->len == 0) {
		g_autofree char *base = g_path_get_basename(start->argv[0]);

		*ret_login = g_strdup_printf("-%s", base);
		g_ptr_array_add(words, *ret_login);
		g_ptr_array_add(words, NULL);
		return (char **)g_ptr_array_free(words, FALSE);
	}
	for (guint i = 0; start->argv[i] != NULL; i++)
		g_ptr_array_add(words, start->argv[i]);
	if (start->login)
		g_ptr_array_add(words, (char *)"-l");
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(words, FALSE);
}

/* Send SPAWN. */
static gboolean
run_spawn(Run *run, Link *link, const RunStart *start, GError **error)
{
	const Settings *settings = run->context->settings;
	g_autofree char *login = NULL;
	g_autofree char **argv = run_build_argv(settings, start, &login);
	struct wire_spawn spawn = {
		.group = (guint32)run->context->serial,
		.run = run->number,
		.grace_ms = (guint32)settings->grace_ms,
		.hand_over = link_hands_over(link),
	};

	settings_fill(settings, &spawn.spec);
	spawn.spec.argv = argv;
	spawn.spec.preexec = settings->preexec != NULL;
	spawn.spec.file = spawn.spec.preexec || start->file == NULL ? argv[0] : start->file;
	spawn.spec.pty = start->pty;
	run->pty = start->pty;
	run->login = start->login;
	run->channel = channel_open(link, &spawn, &run_ops, run, error);
	return run->channel != NULL;
}

Run *
run_new(Context *context, Link *link, const RunStart *start, RunStarted done, void *data,
	GError **error)
{
	Run *run = g_new0(Run, 1);

	run->refs = 1;
	run->context = context;
	run->number = context->last_run + 1;
	run->argv = g_strdupv((char **)start->argv);
	run->why = "";
	if (!run_spawn(run, link, start, error)) {
		run_unref(run);
		return NULL;
	}
	context->last_run++;
	for (int i = 1; i <= 2; i++)
		run->output[i] = stream_new(context->settings->retain, context->settings->drop);
	run->input = input_ref(context_input(context));
	run->started = g_get_real_time();
	run->done = done;
	run->done_data = data;
	return run;
}

/* The start has its outcome. */
static void
run_answer(Run *run, const GError *error)
{
	RunStarted done = run->done;

	run->done = NULL;
	if (done != NULL)
		done(error, run->done_data);
}

void
run_cancel(Run *run)
{
	if (run->state == RUN_STARTING && run->channel != NULL)
		channel_cancel(run->channel);
}

/* The process is over, for whatever reason: @why and @argument say it, the state is set. */
static void
run_finish(Run *run, RunState state, int code, const char *why, const char *argument)
{
	run->state = state;
	run->code = code;
	run->why = why;
	run->argument = g_strdup(argument);
	run->ended = g_get_real_time();
	g_clear_handle_id(&run->timeout_source, g_source_remove);
}

/* Tell the world that it is over. */
static void
run_publish_end(Run *run)
{
	if (run->context != NULL) {
		context_logf(run->context, WIRE_INFO, "run %u: %d %s %s", run->number, run->code,
			     run->why, run->argument);
		context_event(run->context, run->state == RUN_LOST ? "lost" : "exited",
			      "run=%u code=%d why=%s arg=%s", run->number, run->code, run->why,
			      run->argument);
	}
	notifier_emit(&run->changed);
}

/* Credit for what the stream has room for. */
static void
run_give_credit(Run *run, int which)
{
	if (run->by_frames && run->channel != NULL && !stream_ended(run->output[which]))
		channel_give_credit(run->channel, which, stream_room(run->output[which]));
}

static void
run_on_stdout_drained(void *data)
{
	run_give_credit(data, WIRE_STDOUT);
}

static void
run_on_stderr_drained(void *data)
{
	run_give_credit(data, WIRE_STDERR);
}

static gssize
run_sink_write(const void *bytes, gsize size, void *data)
{
	Run *run = data;

	return run->channel != NULL ? channel_send(run->channel, bytes, size) : -EPIPE;
}

static void
run_sink_end(void *data)
{
	Run *run = data;

	if (run->channel != NULL)
		channel_send_end(run->channel);
}

/* Nobody writes to its stdin any more: what the setting says the command gets. */
static void
run_on_last_close(void *data)
{
	Run *run = data;

	if (run->context == NULL || run->channel == NULL || run_ended(run))
		return;
	if (run->context->settings->on_close == ON_CLOSE_HUP)
		channel_signal(run->channel, "HUP", WIRE_TARGET_GROUP, NULL, NULL);
	else if (run->context->settings->on_close == ON_CLOSE_KILL)
		channel_signal(run->channel, "KILL", WIRE_TARGET_TREE, NULL, NULL);
}

/* Streams over frames: the run gives the credit, and lives until they have ended. */
static void
run_bind_frames(Run *run)
{
	const InputSink sink = { run_sink_write, run_sink_end, run };

	run->by_frames = TRUE;
	run_ref(run); /* dropped in run_output_over() */
	notifier_watch(stream_drained(run->output[1]), &run->drained[1], run_on_stdout_drained,
		       run);
	notifier_watch(stream_drained(run->output[2]), &run->drained[2], run_on_stderr_drained,
		       run);
	input_bind_sink(run->input, &sink, run->pty);
}

/* Streams that were handed over: the broker reads and writes the descriptors itself. */
static void
run_bind_fds(Run *run, guint32 mask, const int fds[3])
{
	int output = fds[1];

	if (mask == 3)
		output = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
	if (output >= 0)
		stream_attach(run->output[1], output);
	else
		stream_end(run->output[1], errno);
	if (fds[2] >= 0)
		stream_attach(run->output[2], fds[2]);
	input_bind(run->input, fds[0], run->pty);
}

static void
run_on_started(guint32 pid, guint32 mask, const int fds[3], void *data)
{
	g_autoptr(Run) run = run_ref(data);

	if (run->context == NULL) {
		run_abandon(run);
		return;
	}
	run->pid = pid;
	run->state = RUN_RUNNING;
	run->started = g_get_real_time();
	run->began = g_get_monotonic_time();
	context_run_started(run->context, run);
	input_on_last_close(run->input, run_on_last_close, run);
	if (mask == 0)
		run_bind_frames(run);
	else
		run_bind_fds(run, mask, fds);
	if (run->pty)
		stream_end(run->output[2], 0);
	run_set_timeout(run, run->context->settings->timeout_ms);
	g_autoptr(GString) argv = g_string_new(NULL);
	text_quote_words(argv, run->argv);
	context_logf(run->context, WIRE_INFO, "run %u: pid %u: %s", run->number, pid, argv->str);
	context_event(run->context, "started", "run=%u pid=%u", run->number, pid);
	pipe_restart(run->context);
	run_answer(run, NULL);
}

/* It never ran: 127 for a command that is not there, 126 for anything else, as shells say it. */
static void
run_on_failed(enum spawn_stage stage, const GError *error, void *data)
{
	g_autoptr(Run) run = run_ref(data);
	gboolean missing = stage == SPAWN_EXEC && error->code == ENOENT;

	g_clear_pointer(&run->channel, channel_close);
	run_finish(run, RUN_EXITED, missing ? 127 : 126, "exec", errno_name(error->code));
	for (int i = 1; i <= 2; i++)
		stream_end(run->output[i], 0);
	run_publish_end(run);
	run_answer(run, error);
}

static void
run_on_output(int stream, const guint8 *bytes, gsize size, void *data)
{
	Run *run = data;

	stream_append(run->output[stream], bytes, size);
	run_give_credit(run, stream);
}

/* An output ended; behind the last one the run that frames feed needs itself no more. */
static void
run_output_over(Run *run, int which, int error)
{
	if (stream_ended(run->output[which]) && !run->by_frames)
		return;
	stream_end(run->output[which], error);
	if (run->by_frames && run_outputs_ended(run)) {
		run->by_frames = FALSE;
		notifier_unwatch(&run->drained[1]);
		notifier_unwatch(&run->drained[2]);
		run_unref(run);
	}
}

static void
run_on_output_end(int stream, void *data)
{
	run_output_over(data, stream, 0);
}

static void
run_on_input_credit(void *data)
{
	Run *run = data;

	input_pump(run->input);
}

static void
run_on_input_closed(void *data)
{
	Run *run = data;

	input_close(run->input, EPIPE);
}

static void
run_on_exited(const struct wire_exit *ended, void *data)
{
	g_autoptr(Run) run = run_ref(data);
	gboolean by_signal = ended->why == EXIT_WHY_SIGNAL;
	g_autofree char *argument = by_signal ? text_escaped(ended->signal)
					      : g_strdup_printf("%u", ended->status & 0xff);
	int number = by_signal ? signal_number(ended->signal) : 0;
	int code = by_signal ? 128 + MAX(number, 0) : (int)(ended->status & 0xff);

	if (run->state == RUN_EXITED || run->state == RUN_LOST)
		return;
	run->real_usec = ended->real_usec;
	run->user_usec = ended->user_usec;
	run->system_usec = ended->system_usec;
	run->maxrss_kib = ended->maxrss_kib;
	run->memory_peak = MAX(run->memory_peak, ended->maxrss_kib * 1024);
	run->core = ended->core;
	if (run->timed_out) {
		g_autofree char *seconds = g_strdup_printf("%g", (double)run->timeout_ms / 1000);

		run_finish(run, RUN_EXITED, 124, "timeout", seconds);
	} else {
		run_finish(run, RUN_EXITED, code, by_signal ? "signal" : "exit", argument);
	}
	input_close(run->input, EPIPE);
	run_publish_end(run);
}

static void
run_on_stopped(gboolean stopped, void *data)
{
	Run *run = data;

	if (run->state == RUN_RUNNING || run->state == RUN_STOPPED)
		run->state = stopped ? RUN_STOPPED : RUN_RUNNING;
}

static void
run_on_usage(guint64 user_usec, guint64 system_usec, guint64 memory_peak, void *data)
{
	Run *run = data;

	run->user_usec = user_usec;
	run->system_usec = system_usec;
	run->memory_peak = MAX(run->memory_peak, memory_peak);
}

static void
run_on_log(int level, const char *text, void *data)
{
	Run *run = data;

	if (run->context != NULL)
		context_logf(run->context, level, "agent: %s", text);
}

static void
run_on_lost(const GError *error, void *data)
{
	g_autoptr(Run) run = run_ref(data);
	gboolean starting = run->state == RUN_STARTING;
	gboolean was_over = run_ended(run);

	g_clear_pointer(&run->channel, channel_close);
	if (!was_over)
		run_finish(run, RUN_LOST, 255, "lost", "ECONNRESET");
	input_close(run->input, ECONNRESET);
	for (int i = 1; i <= 2; i++) {
		if (run->by_frames)
			run_output_over(run, i, ECONNRESET);
		else /* what was left in a pipe of ours is still read */
			stream_end_behind(run->output[i], was_over ? 0 : ECONNRESET);
	}
	if (!was_over)
		run_publish_end(run);
	if (starting)
		run_answer(run, error);
}

static const ChannelOps run_ops = {
	.started = run_on_started,
	.failed = run_on_failed,
	.output = run_on_output,
	.output_end = run_on_output_end,
	.input_credit = run_on_input_credit,
	.input_closed = run_on_input_closed,
	.exited = run_on_exited,
	.stopped = run_on_stopped,
	.usage = run_on_usage,
	.log = run_on_log,
	.lost = run_on_lost,
};

/* The command has used up its `timeout`, or the source that waits for it has. */
static gboolean run_on_timeout(void *data);

/* Wait for what is left of the timeout, or for as much of it as one source can. */
static void
run_arm_timeout(Run *run)
{
	gint64 left = run->deadline - g_get_monotonic_time();

	run->timeout_source =
		g_timeout_add((guint)CLAMP(left / 1000, 0, TIMEOUT_MS_MAX), run_on_timeout, run);
}

static gboolean
run_on_timeout(void *data)
{
	Run *run = data;

	run->timeout_source = 0;
	if (g_get_monotonic_time() < run->deadline) {
		run_arm_timeout(run);
		return G_SOURCE_REMOVE;
	}
	run->timed_out = TRUE;
	if (run->channel != NULL && run->context != NULL) {
		context_logf(run->context, WIRE_INFO, "run %u: timeout, stopping it", run->number);
		channel_stop(run->channel, (guint32)run->context->settings->grace_ms, NULL, NULL);
	}
	return G_SOURCE_REMOVE;
}

void
run_set_timeout(Run *run, guint64 ms)
{
	g_clear_handle_id(&run->timeout_source, g_source_remove);
	run->timeout_ms = ms;
	run->deadline = run->began + (gint64)ms * 1000;
	if (ms > 0 && !run_ended(run) && run->state != RUN_STARTING)
		run_arm_timeout(run);
}

void
run_replace(Run *run)
{
	for (int i = 1; i <= 2; i++)
		stream_orphan(run->output[i]);
}

void
run_abandon(Run *run)
{
	g_autoptr(GError) gone = g_error_new(MITOFS_ERROR, ECANCELED, "the context was removed");
	G_GNUC_UNUSED g_autoptr(Run) held = run_ref(run);

	run->context = NULL;
	input_on_last_close(run->input, NULL, NULL);
	input_close(run->input, EPIPE);
	g_clear_pointer(&run->channel, channel_close);
	for (int i = 1; i <= 2; i++) {
		if (run_ended(run) && !run->by_frames && stream_has_readers(run->output[i])) {
			stream_orphan(run->output[i]); /* what it left in the pipe is theirs */
			continue;
		}
		stream_detach(run->output[i]);
		run_output_over(run, i, 0);
	}
	if (!run_ended(run)) {
		run_finish(run, RUN_LOST, 255, "lost", "ECONNRESET");
		notifier_emit(&run->changed);
	}
	run_answer(run, gone);
}

guint32
run_number(const Run *run)
{
	return run->number;
}

gboolean
run_starting(const Run *run)
{
	return run->state == RUN_STARTING;
}

gboolean
run_ended(const Run *run)
{
	return run->state == RUN_EXITED || run->state == RUN_LOST;
}

Notifier *
run_changed(Run *run)
{
	return &run->changed;
}

Stream *
run_output(Run *run, int which)
{
	return run->output[which];
}

gboolean
run_outputs_ended(const Run *run)
{
	return stream_ended(run->output[1]) && stream_ended(run->output[2]);
}

gboolean
run_seems_over(const Run *run)
{
	return stream_ended(run->output[1]) || (!run->pty && stream_ended(run->output[2]));
}

gboolean
run_killed_since(const Run *run, gint64 since)
{
	if (run->ended < since)
		return FALSE;
	return run->state == RUN_LOST ||
	       (run->state == RUN_EXITED && strcmp(run->argument, "KILL") == 0);
}

Channel *
run_channel(Run *run)
{
	return run->channel;
}

char *const *
run_argv(const Run *run)
{
	return run->argv;
}

gboolean
run_is_login(const Run *run)
{
	return run->login;
}

gboolean
run_has_pty(const Run *run)
{
	return run->pty;
}

void
run_close_output(Run *run, int which)
{
	if (run->by_frames && run->channel != NULL && !stream_ended(run->output[which]))
		channel_close_output(run->channel, which);
	else
		stream_detach(run->output[which]);
}
