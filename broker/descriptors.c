/* The limit on open descriptors, RLIMIT_NOFILE, and what a command costs of it.
 *
 * A message whose descriptors find no room loses them, and with them the streams of a command.
 * So each command asks before it is started whether there is room for its three; where there is
 * none its streams come as frames over the link, which cost nothing here. To count what is open
 * means to read a directory: it is done only when all that was free at the last count has been
 * promised. Some are kept back for links, a new agent and the like. */
#include "broker/descriptors.h"

#include <sys/resource.h>

#define RESERVE 16

static guint on_their_way; /* promised, not here yet */
static guint room;	   /* at least so many are free beyond these and the reserve */

/* The open descriptors, and the one that it takes to count them; G_MAXUINT where that cannot be
 * done. */
static guint
count_open(void)
{
	GDir *directory = g_dir_open("/proc/self/fd", 0, NULL);
	guint count = 0;

	if (directory == NULL)
		return G_MAXUINT;
	while (g_dir_read_name(directory) != NULL)
		count++;
	g_dir_close(directory);
	return count;
}

/* What is free now. */
static guint
count_room(void)
{
	guint64 used = (guint64)count_open() + on_their_way + RESERVE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= used)
		return 0;
	return (guint)MIN(limit.rlim_cur - used, G_MAXINT);
}

gboolean
descriptors_promise(guint count)
{
	if (room < count)
		room = count_room();
	if (room < count)
		return FALSE;
	room -= count;
	on_their_way += count;
	return TRUE;
}

void
descriptors_redeem(guint count)
{
	on_their_way -= count;
}
