#include "tests/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

gint64
deadline_in(guint seconds)
{
	const char *slow = g_getenv("MITOFS_SLOW");
	guint64 factor = slow != NULL ? g_ascii_strtoull(slow, NULL, 10) : 1;
	if (g_getenv("MITOFS_WRAPPER") != NULL)
		factor = MAX(factor, 10);
	return g_get_monotonic_time() + (gint64)(seconds * MAX(factor, 1) * G_USEC_PER_SEC);
}

int
deadline_left(gint64 deadline)
{
	gint64 left = (deadline - g_get_monotonic_time()) / 1000;
	return (int)CLAMP(left, 0, G_MAXINT);
}

static void
process_free(void *data)
{
	Process *process = data;
	g_free(process->name);
	g_free(process);
}

/* A file of /proc/PID with its NULs as blanks; "" when it is gone or not ours to read. */
static char *
proc_text(pid_t pid, const char *file)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, file);
	char *text = NULL;
	gsize size = 0;
	if (!g_file_get_contents(path, &text, &size, NULL))
		return g_strdup("");
	for (gsize i = 0; i < size; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	return g_strchomp(text);
}

char *
process_fds(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/fd", (int)pid);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	GString *out = g_string_new(NULL);
	for (const char *fd; dir != NULL && (fd = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *link = g_build_filename(path, fd, NULL);
		g_autofree char *target = g_file_read_link(link, NULL);
		g_string_append_printf(out, "%s %s\n", fd, target != NULL ? target : "?");
	}
	return g_string_free(out, FALSE);
}

static guint
fd_count(pid_t pid)
{
	g_autofree char *fds = process_fds(pid);
	guint count = 0;
	for (const char *c = fds; *c != '\0'; c++)
		count += *c == '\n';
	return count;
}

/* Read /proc/PID/stat, whose name may hold blanks and brackets. NULL when it is gone. */
static Process *
process_read(pid_t pid)
{
	g_autofree char *text = proc_text(pid, "stat");
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	if (open == NULL || close == NULL || close[1] == '\0' || close[2] == '\0')
		return NULL;
	Process *process = g_new0(Process, 1);
	process->pid = pid;
	process->name = g_strndup(open + 1, (gsize)(close - open - 1));
	process->state = close[2];
	process->parent = (pid_t)strtol(close + 3, NULL, 10);
	return process;
}

GPtrArray *
process_all(void)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(process_free);
	g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		Process *process = g_ascii_isdigit(*name) ? process_read((pid_t)atoi(name)) : NULL;
		if (process != NULL)
			g_ptr_array_add(all, process);
	}
	return all;
}

gboolean
process_listed(const GPtrArray *list, pid_t pid)
{
	for (guint i = 0; i < list->len; i++)
		if (((Process *)list->pdata[i])->pid == pid)
			return TRUE;
	return FALSE;
}

GPtrArray *
process_below(pid_t root, pid_t spare)
{
	g_autoptr(GPtrArray) all = process_all();
	GPtrArray *below = g_ptr_array_new_with_free_func(process_free);
	guint before;
	do { /* a parent may stand behind its child */
		before = below->len;
		for (guint i = 0; i < all->len; i++) {
			Process *process = all->pdata[i];
			if (process->pid == spare || process_listed(below, process->pid))
				continue;
			if (process->parent != root && !process_listed(below, process->parent))
				continue;
			Process *copy = g_memdup2(process, sizeof(*process));
			copy->name = g_strdup(process->name);
			copy->fds = fd_count(process->pid);
			g_ptr_array_add(below, copy);
		}
	} while (below->len != before);
	return below;
}

GPtrArray *
process_marked(const char *mark)
{
	g_autoptr(GPtrArray) all = process_all();
	g_autofree char *pattern = g_strdup_printf(" %s ", mark);
	GPtrArray *marked = g_ptr_array_new_with_free_func(process_free);
	for (guint i = 0; i < all->len; i++) {
		const Process *process = all->pdata[i];
		g_autofree char *text = proc_text(process->pid, "environ");
		g_autofree char *words = g_strdup_printf(" %s ", text);
		if (process->pid != getpid() && strstr(words, pattern) != NULL)
			g_ptr_array_add(marked, process_read(process->pid));
	}
	return marked;
}

void
process_dump(const GPtrArray *list)
{
	static const char *const files[] = { "wchan", "syscall", "stack" };
	for (guint i = 0; i < list->len; i++) {
		const Process *process = list->pdata[i];
		g_autofree char *line = proc_text(process->pid, "cmdline");
		g_printerr("process %d (parent %d) %s, state %c: %s\n", (int)process->pid,
			   (int)process->parent, process->name, process->state, line);
		for (gsize f = 0; f < G_N_ELEMENTS(files); f++) {
			g_autofree char *text = proc_text(process->pid, files[f]);
			if (*text != '\0')
				g_printerr("  %s: %s\n", files[f], text);
		}
	}
}

void
process_kill(const GPtrArray *list)
{
	for (guint i = 0; i < list->len; i++)
		kill(((Process *)list->pdata[i])->pid, SIGKILL);
}

/* Wait until a child of ours other than @spare ends; FALSE at the deadline. */
static gboolean
wait_for_a_child(pid_t spare, gint64 deadline)
{
	g_autoptr(GPtrArray) all = process_all();
	g_autoptr(GArray) polls = g_array_new(FALSE, FALSE, sizeof(struct pollfd));
	for (guint i = 0; i < all->len; i++) {
		const Process *process = all->pdata[i];
		if (process->parent != getpid() || process->pid == spare)
			continue;
		struct pollfd one = { (int)syscall(SYS_pidfd_open, process->pid, 0), POLLIN, 0 };
		g_array_append_val(polls, one);
	}
	int ready = poll((struct pollfd *)(void *)polls->data, polls->len, deadline_left(deadline));
	for (guint i = 0; i < polls->len; i++)
		close(g_array_index(polls, struct pollfd, i).fd);
	return ready > 0;
}

/* Reap the children that have ended, but not @spare. Returns how many children there were before
 * it, since the children of one that was reaped are ours now; @ret_living is how many of them live.
 */
static guint
reap_now(pid_t spare, guint *ret_living)
{
	g_autoptr(GPtrArray) all = process_all();
	guint seen = 0;
	*ret_living = 0;
	for (guint i = 0; i < all->len; i++) {
		const Process *process = all->pdata[i];
		if (process->parent != getpid() || process->pid == spare)
			continue;
		seen++;
		*ret_living += waitpid(process->pid, NULL, WNOHANG) == 0;
	}
	return seen;
}

gboolean
process_reap(pid_t spare, gint64 deadline)
{
	guint living;
	while (reap_now(spare, &living) > 0)
		if (living > 0 && !wait_for_a_child(spare, deadline))
			return FALSE;
	return TRUE;
}
