/* What is told of a context in words: its `log` and its `error` file.
 *
 * A log line goes to the context's log, to the logs of all above it, and to GLib's structured
 * log with the path as a field. A failure is one line in `error` and one in the log. */
#include "broker/context-private.h"
#include "broker/text.h"
#include "pty/errname.h"

#define LOG_BYTES (64 * 1024)
#define ERRORS_KEPT 64

struct ErrorList {
	GQueue lines; /* of char * */
	guint sequence;
};

static const struct {
	int level;
	const char *name;
	GLogLevelFlags flags;
	const char *priority; /* of syslog(3) */
} levels[] = {
	{ WIRE_ERROR, "error", G_LOG_LEVEL_CRITICAL, "3" },
	{ WIRE_WARNING, "warning", G_LOG_LEVEL_WARNING, "4" },
	{ WIRE_INFO, "info", G_LOG_LEVEL_INFO, "6" },
	{ WIRE_DEBUG, "debug", G_LOG_LEVEL_DEBUG, "7" },
};

/* The row of @level; one that is unknown counts as debug. */
static guint
level_row(int level)
{
	for (guint i = 0; i < G_N_ELEMENTS(levels); i++) {
		if (levels[i].level == level)
			return i;
	}
	return G_N_ELEMENTS(levels) - 1;
}

const char *
log_level_name(int level)
{
	return levels[level_row(level)].name;
}

Stream *
context_log(Context *context)
{
	if (context->log == NULL)
		context->log = stream_new(LOG_BYTES, TRUE);
	return context->log;
}

/* To stderr or the journal, whichever GLib's writer finds; warnings of contexts must not trip
 * fatal-warnings. */
static void
log_to_glib(guint row, const char *path, const char *text)
{
	g_autofree char *message = g_strdup_printf("%s: %s", path, text);
	const GLogField fields[] = {
		{ "MESSAGE", message, -1 },
		{ "PRIORITY", levels[row].priority, -1 },
		{ "GLIB_DOMAIN", G_LOG_DOMAIN, -1 },
		{ "MITOFS_CONTEXT", path, -1 },
	};

	g_log_structured_array(levels[row].flags, fields, G_N_ELEMENTS(fields));
}

void
context_logf(Context *context, int level, const char *format, ...)
{
	guint row = level_row(level);
	va_list args;

	if (levels[row].level > context->settings->log_level)
		return;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *path = context_path(context);
	g_autofree char *shown = text_escaped(path);
	g_autoptr(GString) line = g_string_new(NULL);
	text_time(line, g_get_real_time());
	g_string_append_printf(line, " %s %s: ", levels[row].name, shown);
	gsize prefix = line->len;
	text_escape(line, text, -1);
	log_to_glib(row, shown, line->str + prefix);
	g_string_append_c(line, '\n');
	for (Context *at = context; at != NULL; at = at->parent)
		stream_append(context_log(at), line->str, line->len);
}

void
context_fail(Context *context, const char *verb, const GError *error)
{
	g_autoptr(GString) line = g_string_new(NULL);
	const char *name = errno_name(error->code);
	g_autofree char *shown = text_escaped(verb);
	g_autofree char *message = text_escaped(error->message);

	if (context->errors == NULL)
		context->errors = g_new0(ErrorList, 1);
	text_time(line, g_get_real_time());
	g_string_append_printf(line, " %u %s %s: %s\n", ++context->errors->sequence, name, shown,
			       message);
	g_queue_push_tail(&context->errors->lines, g_string_free(g_steal_pointer(&line), FALSE));
	if (context->errors->lines.length > ERRORS_KEPT)
		g_free(g_queue_pop_head(&context->errors->lines));
	context_logf(context, WIRE_WARNING, "%s: %s %s", verb, name, error->message);
	context_event(context, "failed", "verb=%s error=%s", shown, name);
}

void
context_error_text(Context *context, GString *out)
{
	if (context->errors == NULL)
		return;
	for (GList *at = context->errors->lines.head; at != NULL; at = at->next)
		g_string_append(out, at->data);
}

void
context_error_clear(Context *context)
{
	if (context->errors != NULL)
		g_queue_clear_full(&context->errors->lines, g_free);
}

void
error_list_free(ErrorList *errors)
{
	g_queue_clear_full(&errors->lines, g_free);
	g_free(errors);
}
