/* What wait, status and all/wait say of a run. */
#include "broker/run-inner.h"
#include "broker/text.h"

/* "12.345" seconds of microseconds. */
static void
print_seconds_of(GString *out, const char *key, guint64 usec)
{
	g_string_append_printf(out, " %s=%" G_GUINT64_FORMAT ".%03u", key, usec / G_USEC_PER_SEC,
			       (guint)(usec % G_USEC_PER_SEC / 1000));
}

void
run_wait_text(const Run *run, GString *out)
{
	g_string_append_printf(out, "%d %s %s", run->code, run->why, run->argument);
	if (run->core)
		g_string_append(out, " core=1");
	g_string_append_printf(out, " run=%u", run->number);
	print_seconds_of(out, "real", run->real_usec);
	print_seconds_of(out, "user", run->user_usec);
	print_seconds_of(out, "sys", run->system_usec);
	g_string_append_printf(out, " maxrss=%" G_GUINT64_FORMAT "\n", run->maxrss_kib);
}

const char *
run_state(const Run *run)
{
	static const char *const names[] = { "starting", "running", "stopped", "exited", "lost" };

	return names[run->state];
}

/* A time, or "-". */
static void
print_time(GString *out, const char *key, gint64 usec)
{
	g_string_append_printf(out, "%s ", key);
	if (usec > 0)
		text_time(out, usec);
	else
		g_string_append_c(out, '-');
	g_string_append_c(out, '\n');
}

void
run_status_text(Run *run, GString *out)
{
	if (run->pid > 0)
		g_string_append_printf(out, "run %u\npid %u\nargv ", run->number, run->pid);
	else
		g_string_append_printf(out, "run %u\npid -\nargv ", run->number);
	text_quote_words(out, run->argv);
	g_string_append_c(out, '\n');
	print_time(out, "started", run->started);
	print_time(out, "ended", run->ended);
	if (run_ended(run))
		g_string_append_printf(out, "code %d\nwhy %s %s\n", run->code, run->why,
				       run->argument);
	else
		g_string_append(out, "code -\nwhy -\n");
	g_string_append_printf(out, "stdin %s\n", input_state(run->input));
}

void
run_brief_text(const Run *run, GString *out)
{
	if (run_ended(run))
		g_string_append_printf(out, "%d run=%u pid=", run->code, run->number);
	else
		g_string_append_printf(out, "- run=%u pid=", run->number);
	if (run->pid > 0)
		g_string_append_printf(out, "%u", run->pid);
	else
		g_string_append_c(out, '-');
}

void
run_usage_text(const Run *run, GString *out)
{
	g_string_append_printf(out,
			       "cpu.user_usec %" G_GUINT64_FORMAT
			       "\ncpu.system_usec %" G_GUINT64_FORMAT
			       "\nmem.peak %" G_GUINT64_FORMAT "\n",
			       run->user_usec, run->system_usec, run->memory_peak);
}
