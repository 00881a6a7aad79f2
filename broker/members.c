/* Paths are kept raw, and looked up each time: those that lead nowhere any more are left out. */
#include "broker/members.h"

#include "broker/context-private.h"
#include "broker/error.h"
#include "broker/text.h"

#include <errno.h>
#include <string.h>

static void
member_free(void *data)
{
	Member *member = data;

	context_unref(member->context);
	g_free(member->path);
	g_free(member);
}

static void
add(GPtrArray *members, Context *context, const char *path)
{
	Member *member = g_new(Member, 1);

	*member = (Member){ context_ref(context), g_strdup(path) };
	g_ptr_array_add(members, member);
}

GPtrArray *
members_of(Context *context)
{
	GPtrArray *members = g_ptr_array_new_with_free_func(member_free);
	char *const *paths = context->settings->members;
	Context *child = NULL;

	for (; paths != NULL && *paths != NULL; paths++) {
		Context *found = context_find(context->broker, *paths);

		if (found != NULL)
			add(members, found, *paths);
	}
	while (context->settings->members == NULL &&
	       (child = context_child_after(context, child != NULL ? child->serial : 0)) != NULL)
		add(members, child, NULL);
	return members;
}

const char *
member_name(const Member *member)
{
	return member->path != NULL ? member->path + 1 : context_name(member->context);
}

void
member_text(const Member *member, GString *out)
{
	g_auto(GStrv) pieces = g_strsplit(member_name(member), " ", -1);

	for (guint i = 0; pieces[i] != NULL; i++) {
		if (i > 0)
			g_string_append(out, "\\x20");
		text_escape(out, pieces[i], -1);
	}
}

gboolean
members_check(Context *context, Settings *settings, GError **error)
{
	char *const *old = context->settings->members;

	for (char **path = settings->members; path != NULL && *path != NULL; path++) {
		const Context *found;

		if (old != NULL && *old != NULL && strcmp(*old++, *path) == 0)
			continue;
		found = context_find(context->broker, *path);
		if (found == NULL)
			return fail(error, ENOENT, "there is no context \"%s\"", *path);
		g_free(*path);
		*path = context_path(found);
	}
	return TRUE;
}
