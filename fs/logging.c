/* GLib's structured lines, by level. A daemon has no stderr worth writing to: its lines go to the
 * journal, and to syslog where there is none. A stderr that takes nothing now (a pipe that nobody
 * reads, a terminal after Ctrl-S) loses lines: nothing may stop the broker. */
#include "fs/logging.h"

#include <poll.h>
#include <syslog.h>
#include <unistd.h>

static GLogLevelFlags least = G_LOG_LEVEL_WARNING;
static gboolean is_daemon;
static guint lost_lines; /* since the last one that stderr took */

/* The level as syslog(3) counts it. */
static int
priority_of(GLogLevelFlags level)
{
	if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
		return LOG_ERR;
	if (level & G_LOG_LEVEL_WARNING)
		return LOG_WARNING;
	return level & G_LOG_LEVEL_DEBUG ? LOG_DEBUG : LOG_INFO;
}

/* The line of syslog. */
static void
write_syslog(GLogLevelFlags level, const GLogField *fields, gsize count)
{
	for (gsize i = 0; i < count; i++) {
		if (g_str_equal(fields[i].key, "MESSAGE"))
			syslog(priority_of(level), "%s", (const char *)fields[i].value);
	}
}

/* Whether stderr takes a line now without a wait. */
static gboolean
stderr_is_ready(void)
{
	struct pollfd one = { STDERR_FILENO, POLLOUT, 0 };

	return poll(&one, 1, 0) > 0 && (one.revents & POLLOUT);
}

/* The line on stderr, or lost. */
static GLogWriterOutput
write_stderr(GLogLevelFlags level, const GLogField *fields, gsize count, void *data)
{
	if (!stderr_is_ready()) {
		lost_lines++;
		return G_LOG_WRITER_HANDLED;
	}
	if (lost_lines > 0)
		g_printerr("mitofs: %u log lines are lost: nobody took them\n", lost_lines);
	lost_lines = 0;
	return g_log_writer_standard_streams(level, fields, count, data);
}

/* One line. Levels count up as they get less grave. */
static GLogWriterOutput
write_line(GLogLevelFlags level, const GLogField *fields, gsize count, void *data)
{
	if ((level & G_LOG_LEVEL_MASK) > MAX(least, G_LOG_LEVEL_CRITICAL))
		return G_LOG_WRITER_HANDLED;
	if (!is_daemon) {
		if (g_log_writer_is_journald(STDERR_FILENO))
			return g_log_writer_journald(level, fields, count, data);
		return write_stderr(level, fields, count, data);
	}
	if (g_log_writer_journald(level, fields, count, data) == G_LOG_WRITER_UNHANDLED)
		write_syslog(level, fields, count);
	return G_LOG_WRITER_HANDLED;
}

void
logging_start(GLogLevelFlags level)
{
	least = level;
	g_log_writer_default_set_use_stderr(TRUE);
	g_log_set_writer_func(write_line, NULL, NULL);
}

void
logging_detach(void)
{
	is_daemon = TRUE;
	openlog("mitofs", LOG_PID, LOG_DAEMON);
}
