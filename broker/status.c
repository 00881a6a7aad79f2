/* The texts of `status`, `ctl` and `signal`. */
#include "broker/members.h"
#include "broker/place.h"
#include "broker/text.h"

/* "key value" with the value escaped; "-" for none. */
static void
print_text(GString *out, const char *key, const char *value)
{
	g_string_append_printf(out, "%s ", key);
	text_escape(out, value != NULL && value[0] != '\0' ? value : "-", -1);
	g_string_append_c(out, '\n');
}

static void
print_number(GString *out, const char *key, guint64 value)
{
	g_string_append_printf(out, "%s %" G_GUINT64_FORMAT "\n", key, value);
}

const char *
context_state(Context *context)
{
	Place *place = context_place(context);

	if (context->run != NULL && !run_ended(context->run))
		return run_state(context->run);
	if (place != NULL && place_state(place) == PLACE_LOST)
		return "lost";
	return context->run != NULL ? run_state(context->run) : "idle";
}

/* id to link: what the context is and where. */
static void
print_identity(Context *context, GString *out)
{
	char uuid[UUID_STR_LEN];
	g_autofree char *path = context_path(context);
	Place *place = context_place(context);
	g_autofree char *place_path = place != NULL ? context_path(place_context(place)) : NULL;

	uuid_unparse_lower(context->uuid, uuid);
	print_text(out, "id", uuid);
	print_text(out, "name", context->name);
	print_text(out, "path", path);
	print_text(out, "place", place_path);
	print_text(out, "method", place != NULL ? place_method(place) : NULL);
	print_text(out, "host", place != NULL ? place_host(place) : NULL);
	print_text(out, "user", place != NULL ? place_user(place) : NULL);
	print_text(out, "arch", place != NULL ? place_arch(place) : NULL);
	print_text(out, "link", place != NULL ? place_state_name(place) : NULL);
	print_text(out, "phase", place != NULL ? place_phase(place) : NULL);
	print_text(out, "failure", place != NULL ? place_failure(place) : NULL);
	print_text(out, "state", context_state(context));
}

/* stdout or stderr: its bytes, and what became of them. */
static void
print_stream(GString *out, const char *name, Stream *stream)
{
	print_number(out, name, stream != NULL ? stream_size(stream) : 0);
	g_string_append_printf(out, "%s.dropped %" G_GUINT64_FORMAT "\n%s.blocked %d\n", name,
			       stream != NULL ? stream_dropped(stream) : 0, name,
			       stream != NULL && stream_blocked(stream));
}

void
context_status_text(Context *context, GString *out)
{
	Place *place = context_place(context);
	Link *link = place != NULL ? place_any_link(place) : NULL;

	print_identity(context, out);
	if (context->run != NULL)
		run_status_text(context->run, out);
	else
		g_string_append_printf(
			out, "run -\npid -\nargv -\nstarted -\nended -\ncode -\nwhy -\nstdin %s\n",
			context->input != NULL ? input_state(context->input) : "open");
	print_stream(out, "stdout", context_output(context, 1));
	print_stream(out, "stderr", context_output(context, 2));
	if (context->run != NULL)
		run_usage_text(context->run, out);
	else
		g_string_append(out, "cpu.user_usec 0\ncpu.system_usec 0\nmem.peak 0\n");
	print_number(out, "children", context_child_count(context));
	print_number(out, "rtt_usec", link != NULL ? link_rtt_usec(link) : 0);
	print_number(out, "bytes.sent", link != NULL ? link_bytes_sent(link) : 0);
	print_number(out, "bytes.received", link != NULL ? link_bytes_received(link) : 0);
	print_number(out, "agent.bytes", broker_agent_size());
}

/* A line of all/status. */
static void
print_member(GString *out, const Member *member)
{
	Context *child = member->context;
	Place *place = context_place(child);
	const Stream *outputs[] = { context_output(child, 1), context_output(child, 2) };

	member_text(member, out);
	g_string_append_printf(out, " %s ", context_state(child));
	if (child->run != NULL)
		run_brief_text(child->run, out);
	else
		g_string_append(out, "- run=- pid=-");
	g_string_append_printf(out, " link=%s", place != NULL ? place_state_name(place) : "-");
	for (guint i = 0; i < G_N_ELEMENTS(outputs); i++)
		g_string_append_printf(out, " %s=%" G_GUINT64_FORMAT, i == 0 ? "stdout" : "stderr",
				       outputs[i] != NULL ? stream_size(outputs[i]) : 0);
	g_string_append_c(out, '\n');
}

void
context_all_status_text(Context *context, GString *out)
{
	g_autoptr(GPtrArray) members = members_of(context);

	for (guint i = 0; i < members->len; i++)
		print_member(out, g_ptr_array_index(members, i));
}

void
context_ctl_text(Context *context, GString *out)
{
	char uuid[UUID_STR_LEN];

	uuid_unparse_lower(context->uuid, uuid);
	g_string_append_printf(out, "# %s ", uuid);
	text_escape(out, context->name[0] != '\0' ? context->name : "-", -1);
	g_string_append_printf(out, " %s\ndefaults\n", context_state(context));
	settings_text(context->settings, out);
	if (context->place != NULL && place_args(context->place) != NULL) {
		g_string_append(out, "async connect ");
		text_quote_words(out, place_args(context->place));
		g_string_append_c(out, '\n');
	}
}

void
context_signal_text(Context *context, GString *out)
{
	Place *place = context_place(context);

	if (place != NULL)
		place_signal_text(place, out);
}
