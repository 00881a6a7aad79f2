/* The processes behind a mount, and scripts that go on while a test does something to them: for
 * the tests that end brokers and agents.
 *
 * A broker has below it the mount's watcher and the local agent, which is two processes: its own
 * watcher, and below that the worker, which starts the commands and the agents of `connect
 * local`. */
#ifndef MITOFS_TESTS_AGENTS_H
#define MITOFS_TESTS_AGENTS_H

#include "tests/mount.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define AGENT_NAME "ctx-agent"
#define MOUNT_WATCHER_NAME "mount-watcher"

/* The child of @parent with this name, 0: none. */
static inline pid_t
child_named(pid_t parent, const char *name)
{
	g_autoptr(GPtrArray) below = process_below(parent, 0);
	for (guint i = 0; i < below->len; i++) {
		const Process *process = below->pdata[i];
		if (process->parent == parent && process->state != 'Z' &&
		    strcmp(process->name, name) == 0)
			return process->pid;
	}
	return 0;
}

/* The watcher of the agent that @parent has started. */
static inline pid_t
agent_watcher(pid_t parent)
{
	return child_named(parent, AGENT_NAME);
}

/* The worker of that agent. */
static inline pid_t
agent_worker(pid_t parent)
{
	return child_named(agent_watcher(parent), AGENT_NAME);
}

/* A script that says a line when it is ready, and goes on. */
typedef struct Background {
	pid_t pid;
	int fd;
	GString *output; /* behind that line */
} Background;

/* Start @script, and wait until it has printed the line "ready". */
static inline Background
background_start(Mount *mount, const char *shell, const char *script)
{
	Background background = { .output = g_string_new(NULL) };
	int ends[2];
	char byte = 0;
	g_assert_no_errno(pipe2(ends, O_CLOEXEC));
	background.pid = mount_start(mount, shell, script, ends[1]);
	close(ends[1]);
	background.fd = ends[0];
	while (read(background.fd, &byte, 1) == 1 && byte != '\n')
		g_string_append_c(background.output, byte);
	g_assert_cmpstr(background.output->str, ==, "ready");
	g_string_truncate(background.output, 0);
	return background;
}

/* Read what it says until its end, and compare. */
static inline void
background_expect(Background *background, const char *output, int code)
{
	char buffer[4096];
	ssize_t got;
	while ((got = read(background->fd, buffer, sizeof(buffer))) > 0)
		g_string_append_len(background->output, buffer, got);
	g_assert_cmpstr(background->output->str, ==, output);
	g_assert_cmpint(mount_wait(background->pid), ==, code);
	close(background->fd);
	g_string_free(background->output, TRUE);
}

/* The content of $T/@name; "" if there is none. Caller frees. */
static inline char *
scratch_text(Mount *mount, const char *name)
{
	g_autofree char *path = g_build_filename(mount_scratch(mount), name, NULL);
	char *text = NULL;
	return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

#endif
