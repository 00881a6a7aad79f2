/* /proc/TID/status shows the signals that are pending for a thread (SigPnd) and for its process
 * (ShdPnd), as hexadecimal masks in which signal 1 is the lowest bit. A caught signal stays pending
 * while the thread waits in the kernel. See proc(5). */
#include "fs/pending.h"

#include <signal.h>
#include <string.h>

#define BIT(number) (G_GUINT64_CONSTANT(1) << ((number)-1))

static const guint64 ending = BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGTERM) | BIT(SIGHUP) |
			      BIT(SIGALRM) | BIT(SIGTSTP) | BIT(SIGSTOP) | BIT(SIGKILL);

/* The mask in the line that begins with @key; FALSE if there is none. */
static gboolean
read_mask(const char *status, const char *key, guint64 *ret_mask)
{
	const char *line = strstr(status, key);
	char *end;

	if (line == NULL)
		return FALSE;
	line += strlen(key);
	*ret_mask = g_ascii_strtoull(line, &end, 16);
	return end != line;
}

gboolean
pending_text_ends_wait(const char *status)
{
	guint64 thread, process;

	if (!read_mask(status, "\nSigPnd:", &thread) || !read_mask(status, "\nShdPnd:", &process))
		return TRUE;
	return ((thread | process) & ending) != 0;
}

gboolean
pending_ends_wait(pid_t tid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)tid);
	g_autofree char *status = NULL;

	if (tid <= 0 || !g_file_get_contents(path, &status, NULL, NULL))
		return TRUE;
	return pending_text_ends_wait(status);
}
