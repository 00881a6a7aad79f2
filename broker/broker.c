/* The broker's start and end, and its local agent.
 *
 * The end: first whatever waits is answered (`stopping`), then every agent is told to stop what
 * it runs, with the longest grace of it; when the local agent's link has closed, or the time is
 * over, whatever is left below this process is killed, and `stopped` is called once. */
#include "broker/broker.h"

#include "broker/error.h"
#include "broker/place.h"
#include "broker/poller.h"
#include "broker/text.h"
#include "pty/autofd.h"
#include "pty/tree.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define HELLO_TIMEOUT_MS 5000
#define SHUTDOWN_GRACE_MAX_MS 4000
#define SHUTDOWN_EXTRA_MS 800
#define SHUTDOWN_CLIENT_MS 2000 /* for ssh and its like to end a connection */
#define RESTART_MS 1000		/* a local agent that lived shorter is not started again at once */

const BrokerOptions broker_default_options = {
	.max_contexts = 8192,
	.max_children = 8192,
	.max_depth = 64,
	.retain_total = 256 * 1024 * 1024,
	.max_retain = 1024 * 1024 * 1024,
	.frames_per_turn = 64,
	.log_level = WIRE_INFO,
};

/* Kill every process below this one but the one that is spared. */
static int
kill_all_below(Broker *broker)
{
	const struct tree_query query = { .leader = getpid(),
					  .below_only = true,
					  .spare = broker->spared };

	return tree_kill(&query, SIGKILL);
}

/* Reap whatever ended: the agent, and orphans that came to us when an agent was killed. */
static void
broker_on_child(guint32 events, void *data)
{
	struct signalfd_siginfo info;
	Broker *broker = data;

	while (read(broker->children_fd, &info, sizeof info) > 0)
		;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Be the process that orphans come to, and hear when a child ends. */
static gboolean
watch_children(Broker *broker, GError **error)
{
	sigset_t set;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	broker->children_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (broker->children_fd < 0)
		return fail(error, errno, "signalfd: %s", g_strerror(errno));
	broker->children_watch = poller_add(broker->children_fd, EPOLLIN, broker_on_child, broker);
	return TRUE;
}

/* Start the agent of this machine; its HELLO follows. */
static gboolean
start_local(Broker *broker, GError **error)
{
	g_autoptr(GError) replaced =
		g_error_new(MITOFS_ERROR, ECONNRESET, "link lost: the agent is started again");
	int fd = local_agent_start(error);

	if (fd < 0)
		return FALSE;
	if (broker->root->place != NULL)
		place_free(g_steal_pointer(&broker->root->place), replaced);
	broker->agent_started = g_get_monotonic_time();
	broker->root->place = place_new_local(broker->root, fd);
	return TRUE;
}

static gboolean
restart_local(void *data)
{
	Broker *broker = data;
	g_autoptr(GError) error = NULL;

	broker->restart_source = 0;
	if (!broker->stopping && !start_local(broker, &error))
		context_fail(broker->root, "agent", error);
	return G_SOURCE_REMOVE;
}

static gboolean broker_finish_stop(void *data);

void
broker_local_lost(Broker *broker)
{
	gint64 lived_ms = (g_get_monotonic_time() - broker->agent_started) / 1000;

	kill_all_below(broker);
	if (broker->stopping) {
		g_clear_handle_id(&broker->stop_source, g_source_remove);
		broker->stop_source = g_idle_add(broker_finish_stop, broker);
	} else if (broker->restart_source == 0) {
		broker->restart_source = g_timeout_add(lived_ms < RESTART_MS ? RESTART_MS : 0,
						       restart_local, broker);
	}
}

/* Only makes the loop turn. */
static gboolean
wake_up(void *data)
{
	return G_SOURCE_CONTINUE;
}

/* Turn the loop until the local agent said HELLO: there is nobody else to serve yet. */
static gboolean
wait_for_hello(Broker *broker, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + HELLO_TIMEOUT_MS * 1000;

	while (broker->root->place != NULL &&
	       place_state(broker->root->place) == PLACE_CONNECTING) {
		if (g_get_monotonic_time() > deadline)
			return fail(error, ETIMEDOUT, "the local agent did not answer within %d s",
				    HELLO_TIMEOUT_MS / 1000);
		guint wake = g_timeout_add(100, wake_up, NULL);
		g_main_context_iteration(NULL, TRUE);
		g_source_remove(wake);
	}
	return place_link(broker->root->place, error) != NULL;
}

Broker *
broker_new(const BrokerOptions *options, const BrokerHooks *hooks, GError **error)
{
	Broker *broker = g_new0(Broker, 1);

	broker->options = *options;
	broker->children_fd = -1;
	if (hooks != NULL)
		broker->hooks = *hooks;
	stream_set_total(options->retain_total);
	broker->root = context_new(broker, NULL, "", settings_new());
	broker->root->settings->log_level = options->log_level;
	if (watch_children(broker, error) && start_local(broker, error) &&
	    wait_for_hello(broker, error))
		return broker;
	broker_free(broker);
	return NULL;
}

/* From the leaves up, without the root. */
static void
drop_children(Context *context)
{
	Context *child;

	while ((child = context_child_after(context, 0)) != NULL) {
		drop_children(child);
		context_drop(child);
	}
}

void
broker_free(Broker *broker)
{
	g_autoptr(GError) error = g_error_new(MITOFS_ERROR, ESHUTDOWN, BROKER_SHUTDOWN_TEXT);

	broker->stopping = TRUE;
	drop_children(broker->root);
	context_cancel_commands(broker->root, error);
	g_clear_pointer(&broker->root->pipe, pipe_free);
	if (broker->root->run != NULL)
		run_abandon(broker->root->run);
	if (broker->root->output_run != NULL)
		run_abandon(broker->root->output_run);
	if (broker->root->place != NULL)
		place_free(g_steal_pointer(&broker->root->place), error);
	kill_all_below(broker);
	g_clear_handle_id(&broker->stop_source, g_source_remove);
	g_clear_handle_id(&broker->restart_source, g_source_remove);
	g_clear_pointer(&broker->children_watch, poller_remove);
	autofd_clear(&broker->children_fd);
	g_clear_pointer(&broker->events, g_ptr_array_unref);
	context_unref(broker->root);
	g_free(broker);
}

Context *
broker_root(Broker *broker)
{
	return broker->root;
}

const BrokerOptions *
broker_options(const Broker *broker)
{
	return &broker->options;
}

gboolean
broker_stopping(const Broker *broker)
{
	return broker->stopping;
}

void
broker_spare_process(Broker *broker, gint pid)
{
	broker->spared = pid;
}

gsize
broker_agent_size(void)
{
	return local_agent_size();
}

/* Shutdown. */

/* What is told to one context's link and commands. */
static void
stop_context(Context *context, void *data)
{
	g_autoptr(GError) error = g_error_new(MITOFS_ERROR, ESHUTDOWN, BROKER_SHUTDOWN_TEXT);
	guint32 *grace_ms = data;

	context_cancel_commands(context, error);
	if (context->place != NULL) {
		place_cancel(context->place, error);
		Link *link = place_any_link(context->place);
		if (link != NULL)
			link_send_shutdown(link, *grace_ms);
	}
}

/* For what the context runs, and for the client that leads to its place. */
static void
longest_grace(Context *context, void *data)
{
	guint32 *grace_ms = data;

	if (context_is_running(context))
		*grace_ms = MAX(*grace_ms,
				(guint32)MIN(context->settings->grace_ms, SHUTDOWN_GRACE_MAX_MS));
	if (context->place != NULL && place_args(context->place) != NULL)
		*grace_ms = MAX(*grace_ms, SHUTDOWN_CLIENT_MS);
}

/* Name the command that did not end in its time. */
static void
name_survivor(Context *context, void *data)
{
	const gint64 *since = data;

	if (!context_is_running(context) &&
	    (context->run == NULL || !run_killed_since(context->run, *since)))
		return;
	g_autoptr(GString) argv = g_string_new(NULL);
	text_quote_words(argv, run_argv(context->run));
	context_logf(context, WIRE_WARNING, "shutdown: run %u had to be killed: %s",
		     run_number(context->run), argv->str);
}

/* Add a process that is left, by number and name; the rest of an agent is no news. */
static void
add_leftover(pid_t pid, void *data)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/comm", (int)pid);
	g_autofree char *name = NULL;

	if (!g_file_get_contents(path, &name, NULL, NULL) ||
	    g_str_equal(g_strchomp(name), LOCAL_AGENT_NAME))
		return;
	g_string_append_printf(data, " %d %s", (int)pid, name);
}

/* Name the processes that are left below this one, and kill them. */
static void
end_leftovers(Broker *broker)
{
	const struct tree_query query = { .leader = getpid(),
					  .below_only = true,
					  .spare = broker->spared };
	g_autoptr(GString) left = g_string_new(NULL);

	tree_walk(&query, add_leftover, left);
	kill_all_below(broker);
	if (left->len > 0)
		context_logf(broker->root, WIRE_WARNING, "shutdown: killed what was left:%s",
			     left->str);
}

static gboolean
broker_finish_stop(void *data)
{
	Broker *broker = data;

	broker->stop_source = 0;
	if (broker->stopped)
		return G_SOURCE_REMOVE;
	broker->stopped = TRUE;
	context_walk(broker->root, name_survivor, &broker->stop_began);
	end_leftovers(broker);
	if (broker->hooks.stopped != NULL)
		broker->hooks.stopped(broker->hooks.data);
	return G_SOURCE_REMOVE;
}

void
broker_shutdown(Broker *broker)
{
	guint32 grace_ms = 0;

	if (broker->stopped || broker->forced)
		return;
	broker->forced = broker->stopping;
	if (!broker->forced) {
		broker->stop_began = g_get_real_time();
		context_logf(broker->root, WIRE_INFO, "shutting down");
		context_walk(broker->root, longest_grace, &grace_ms);
	}
	gboolean first = !broker->stopping;
	broker->stopping = TRUE;
	if (first && broker->hooks.stopping != NULL)
		broker->hooks.stopping(broker->hooks.data);
	context_walk(broker->root, stop_context, &grace_ms);
	g_clear_handle_id(&broker->stop_source, g_source_remove);
	broker->stop_source =
		g_timeout_add(grace_ms + SHUTDOWN_EXTRA_MS, broker_finish_stop, broker);
}
