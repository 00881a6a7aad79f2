/* Whether a process is blocked in the mount, for the harness and for `try parked`. The kernel
 * says where a process sleeps (wchan) and in which call (syscall). An open, a stat or a close is
 * on its way through and is soon answered: what tests wait for is a call that the broker holds
 * back, such as a read, a write or a poll. Root or the same user may ask. */
#ifndef MITOFS_TESTS_PARKED_H
#define MITOFS_TESTS_PARKED_H

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* Calls that are answered at once, whoever makes them. */
static inline gboolean
parked_in_passing(pid_t pid)
{
	static const long calls[] = { SYS_openat, SYS_close, SYS_newfstatat, SYS_fstat, SYS_statx };
	g_autofree char *path = g_strdup_printf("/proc/%d/syscall", (int)pid);
	g_autofree char *text = NULL;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(calls); i++)
		if (g_ascii_isdigit(*text) && strtol(text, NULL, 10) == calls[i])
			return TRUE;
	return FALSE;
}

/* Whether @pid is blocked in a request; with @ret_gone, whether there is no such process. */
static inline gboolean
parked_in_mount(pid_t pid, gboolean *ret_gone)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/wchan", (int)pid);
	g_autofree char *wchan = NULL;
	gboolean there = g_file_get_contents(path, &wchan, NULL, NULL);
	if (ret_gone != NULL)
		*ret_gone = !there;
	return there &&
	       (strstr(wchan, "request_wait_answer") != NULL || strstr(wchan, "fuse") != NULL) &&
	       !parked_in_passing(pid);
}

#endif
