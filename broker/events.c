/* `events`: one line for each change in a subtree, to each file that was open by then. */
#include "broker/context-private.h"
#include "broker/text.h"

#define EVENTS_BYTES (1024 * 1024)

typedef struct EventsWatch EventsWatch;
struct EventsWatch {
	Context *context; /* a reference */
	Stream *stream;	  /* owned; who opened it borrows it */
};

/* Close one watch: its readers come to its end. */
static void
events_watch_free(void *data)
{
	EventsWatch *watch = data;

	stream_end(watch->stream, 0);
	stream_unref(watch->stream);
	context_unref(watch->context);
	g_free(watch);
}

Stream *
context_events_open(Context *context)
{
	EventsWatch *watch = g_new(EventsWatch, 1);
	Broker *broker = context->broker;

	watch->context = context_ref(context);
	watch->stream = stream_new(EVENTS_BYTES, TRUE);
	if (broker->events == NULL)
		broker->events = g_ptr_array_new_with_free_func(events_watch_free);
	g_ptr_array_add(broker->events, watch);
	return watch->stream;
}

void
context_events_close(Context *context, Stream *events)
{
	GPtrArray *all = context->broker->events;

	for (guint i = 0; i < all->len; i++) {
		EventsWatch *watch = g_ptr_array_index(all, i);

		if (watch->stream == events) {
			g_ptr_array_remove_index_fast(all, i);
			return;
		}
	}
}

void
context_events_end(Context *context)
{
	GPtrArray *all = context->broker->events;

	for (guint i = 0; all != NULL && i < all->len; i++) {
		EventsWatch *watch = g_ptr_array_index(all, i);

		if (watch->context == context)
			stream_end(watch->stream, 0);
	}
}

/* Whether @context stands at or below @top. */
static gboolean
context_is_below(const Context *context, const Context *top)
{
	while (context != NULL && context != top)
		context = context->parent;
	return context != NULL;
}

void
context_event(Context *context, const char *what, const char *format, ...)
{
	GPtrArray *all = context->broker->events;
	g_autoptr(GString) line = NULL;
	va_list args;

	for (guint i = 0; all != NULL && i < all->len; i++) {
		EventsWatch *watch = g_ptr_array_index(all, i);

		if (!context_is_below(context, watch->context))
			continue;
		if (line == NULL) {
			g_autofree char *path = context_path(context);

			line = g_string_new(NULL);
			text_time(line, g_get_real_time());
			g_string_append_c(line, ' ');
			text_escape(line, path, -1);
			g_string_append_printf(line, " %s%s", what, format != NULL ? " " : "");
			if (format != NULL) {
				va_start(args, format);
				g_string_append_vprintf(line, format, args);
				va_end(args);
			}
			g_string_append_c(line, '\n');
		}
		stream_append(watch->stream, line->str, line->len);
	}
}
