/* GOption takes the line apart; -o lists are a table of their own. Our limits can be given either
 * way, as --max-contexts N or as -o max_contexts=N. What mount(8) and fstab(5) add for themselves
 * is taken and ignored; so is what would loosen the mount (suid, dev, exec), since it never is. */
#include "fs/options.h"

#include "broker/error.h"
#include "broker/text.h"
#include "broker/wire.h"

#include <errno.h>
#include <string.h>

/* What the command line says, as GOption finds it. */
typedef struct Line Line;
struct Line {
	gboolean foreground, debug, version;
	char *log_level;
	GStrv lists; /* of -o */
	GStrv operands;
	GPtrArray *given; /* limits as they come */
};

/* What an option of a list means. */
typedef enum {
	OPTION_IGNORED,
	OPTION_PASSED, /* to FUSE, as it is */
	OPTION_NONEMPTY,
	OPTION_SHARED, /* passed, and known here */
	OPTION_NAME,   /* fsname= */
	OPTION_COUNT,  /* a limit, at @offset of BrokerOptions */
	OPTION_BYTES,
} OptionKind;

typedef struct OptionRow OptionRow;
struct OptionRow {
	const char *name; /* with "=" at its end if a value follows */
	OptionKind kind;
	gsize offset;
};

#define LIMIT(field) G_STRUCT_OFFSET(BrokerOptions, field)

static const OptionRow rows[] = {
	{ "max_contexts=", OPTION_COUNT, LIMIT(max_contexts) },
	{ "max_children=", OPTION_COUNT, LIMIT(max_children) },
	{ "max_depth=", OPTION_COUNT, LIMIT(max_depth) },
	{ "frames_per_turn=", OPTION_COUNT, LIMIT(frames_per_turn) },
	{ "retain_total=", OPTION_BYTES, LIMIT(retain_total) },
	{ "max_retain=", OPTION_BYTES, LIMIT(max_retain) },
	{ "nonempty", OPTION_NONEMPTY, 0 },
	{ "allow_other", OPTION_SHARED, 0 },
	{ "allow_root", OPTION_SHARED, 0 },
	{ "default_permissions", OPTION_PASSED, 0 },
	{ "fsname=", OPTION_NAME, 0 },
	{ "context=", OPTION_PASSED, 0 },
	{ "fscontext=", OPTION_PASSED, 0 },
	{ "defcontext=", OPTION_PASSED, 0 },
	{ "rootcontext=", OPTION_PASSED, 0 },
	{ "ro", OPTION_PASSED, 0 },
	{ "sync", OPTION_PASSED, 0 },
	{ "async", OPTION_PASSED, 0 },
	{ "dirsync", OPTION_PASSED, 0 },
	{ "atime", OPTION_PASSED, 0 },
	{ "noatime", OPTION_PASSED, 0 },
	{ "rw", OPTION_IGNORED, 0 },
	{ "defaults", OPTION_IGNORED, 0 },
	{ "auto", OPTION_IGNORED, 0 },
	{ "noauto", OPTION_IGNORED, 0 },
	{ "nofail", OPTION_IGNORED, 0 },
	{ "_netdev", OPTION_IGNORED, 0 },
	{ "user", OPTION_IGNORED, 0 },
	{ "user=", OPTION_IGNORED, 0 },
	{ "nouser", OPTION_IGNORED, 0 },
	{ "users", OPTION_IGNORED, 0 },
	{ "owner", OPTION_IGNORED, 0 },
	{ "group", OPTION_IGNORED, 0 },
	{ "suid", OPTION_IGNORED, 0 },
	{ "nosuid", OPTION_IGNORED, 0 },
	{ "dev", OPTION_IGNORED, 0 },
	{ "nodev", OPTION_IGNORED, 0 },
	{ "exec", OPTION_IGNORED, 0 },
	{ "noexec", OPTION_IGNORED, 0 },
	{ "relatime", OPTION_IGNORED, 0 },
	{ "norelatime", OPTION_IGNORED, 0 },
	{ "strictatime", OPTION_IGNORED, 0 },
	{ "diratime", OPTION_IGNORED, 0 },
	{ "nodiratime", OPTION_IGNORED, 0 },
	{ "lazytime", OPTION_IGNORED, 0 },
	{ "comment=", OPTION_IGNORED, 0 },
	{ "subtype=", OPTION_IGNORED, 0 },
};

static const struct {
	const char *name;
	GLogLevelFlags level;
	int root; /* of the root context */
} log_levels[] = {
	{ "error", G_LOG_LEVEL_CRITICAL, WIRE_ERROR },
	{ "warning", G_LOG_LEVEL_WARNING, WIRE_WARNING },
	{ "info", G_LOG_LEVEL_INFO, WIRE_INFO },
	{ "debug", G_LOG_LEVEL_DEBUG, WIRE_DEBUG },
};

/* The row of @option, with the value behind its "=", if any, in @ret_value. */
static const OptionRow *
find_row(const char *option, const char **ret_value)
{
	const char *equals = strchr(option, '=');
	gsize length = equals != NULL ? (gsize)(equals + 1 - option) : strlen(option);

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (strlen(rows[i].name) == length && strncmp(rows[i].name, option, length) == 0) {
			*ret_value = option + length;
			return &rows[i];
		}
	}
	return NULL;
}

/* Append @option for FUSE, whose own lists are parted by commas too. */
static void
pass_option(GPtrArray *fuse, const char *option)
{
	GString *escaped = g_string_new(NULL);

	for (; *option != '\0'; option++) {
		if (*option == ',' || *option == '\\')
			g_string_append_c(escaped, '\\');
		g_string_append_c(escaped, *option);
	}
	g_ptr_array_add(fuse, g_string_free(escaped, FALSE));
}

/* Set a limit from its text. */
static gboolean
set_limit(BrokerOptions *limits, const OptionRow *row, const char *value, GError **error)
{
	void *field = (char *)limits + row->offset;
	gint64 number;

	if (row->kind == OPTION_BYTES) {
		if (!text_bytes(value, G_MAXINT64, field))
			return fail(error, EINVAL, "%s%s: not a number of bytes", row->name, value);
		return TRUE;
	}
	if (!text_number(value, 1, G_MAXINT32, &number))
		return fail(error, EINVAL, "%s%s: not a number from 1 on", row->name, value);
	*(guint *)field = (guint)number;
	return TRUE;
}

/* Take one option of a list. */
static gboolean
take_option(Options *options, GPtrArray *fuse, const char *option, char **name, GError **error)
{
	const char *value = NULL;
	const OptionRow *row = find_row(option, &value);

	if (option[0] == '\0' || g_str_has_prefix(option, "x-"))
		return TRUE;
	if (row == NULL)
		return fail(error, EINVAL, "unknown option: -o %s", option);
	switch (row->kind) {
	case OPTION_IGNORED:
		break;
	case OPTION_NONEMPTY:
		options->nonempty = TRUE;
		break;
	case OPTION_NAME:
		g_free(*name);
		*name = g_strdup(value);
		break;
	case OPTION_SHARED:
		options->shared = TRUE;
		pass_option(fuse, option);
		break;
	case OPTION_PASSED:
		pass_option(fuse, option);
		break;
	case OPTION_COUNT:
	case OPTION_BYTES:
		return set_limit(&options->broker, row, value, error);
	}
	return TRUE;
}

/* Take a list, parted by commas; a backslash keeps what follows it. */
static gboolean
take_list(Options *options, GPtrArray *fuse, const char *list, char **name, GError **error)
{
	g_autoptr(GString) option = g_string_new(NULL);
	gboolean taken = TRUE;

	for (; taken; list++) {
		if (*list == ',' || *list == '\0') {
			taken = take_option(options, fuse, option->str, name, error);
			g_string_truncate(option, 0);
			if (*list == '\0')
				break;
		} else {
			if (*list == '\\' && list[1] != '\0')
				list++;
			g_string_append_c(option, *list);
		}
	}
	return taken;
}

/* GOption's callback for --max-contexts and the like: the same as -o max_contexts=. */
static gboolean
on_limit(const char *option, const char *value, void *data, GError **error)
{
	Line *line = data;
	g_autofree char *name = g_strdup(option + strspn(option, "-"));

	g_strdelimit(name, "-", '_');
	g_ptr_array_add(line->given, g_strdup_printf("%s=%s", name, value));
	return TRUE;
}

/* Whatever GOption knows of the line. */
static gboolean
parse_line(Line *line, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = {
		{ "foreground", 'f', 0, G_OPTION_ARG_NONE, &line->foreground,
		  "Stay in the foreground", NULL },
		{ "debug", 'd', 0, G_OPTION_ARG_NONE, &line->debug,
		  "Show everything, in the foreground", NULL },
		{ "log-level", 0, 0, G_OPTION_ARG_STRING, &line->log_level,
		  "error, warning, info or debug", "LEVEL" },
		{ "options", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &line->lists, "Mount options",
		  "OPT[,OPT...]" },
		{ "max-contexts", 0, 0, G_OPTION_ARG_CALLBACK, on_limit, "Contexts of the mount",
		  "N" },
		{ "max-children", 0, 0, G_OPTION_ARG_CALLBACK, on_limit, "Children of one context",
		  "N" },
		{ "max-depth", 0, 0, G_OPTION_ARG_CALLBACK, on_limit, "Depth of nesting", "N" },
		{ "retain-total", 0, 0, G_OPTION_ARG_CALLBACK, on_limit, "Output kept in all",
		  "BYTES" },
		{ "max-retain", 0, 0, G_OPTION_ARG_CALLBACK, on_limit,
		  "Highest retain of a context", "BYTES" },
		{ "frames-per-turn", 0, 0, G_OPTION_ARG_CALLBACK, on_limit,
		  "Frames of a link in one turn", "N" },
		{ "version", 'V', 0, G_OPTION_ARG_NONE, &line->version, "Print the version", NULL },
		{ G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &line->operands, NULL,
		  "[SOURCE] MOUNTPOINT" },
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	GOptionGroup *group = g_option_group_new("mitofs", "", "", line, NULL);
	g_auto(GStrv) copy = g_new0(char *, argc + 1);

	for (int i = 0; i < argc; i++)
		copy[i] = g_strdup(argv[i]);
	g_option_group_add_entries(group, entries);
	g_option_context_set_main_group(context, group);
	g_option_context_set_summary(context,
				     "Execution contexts as directories: mitofs(1), mitofs(5).");
	return g_option_context_parse_strv(context, &copy, error);
}

/* Set the level of @name, for this program and for the root context. */
static gboolean
parse_level(Options *options, const char *name, GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(log_levels); i++) {
		if (strcmp(log_levels[i].name, name) == 0) {
			options->log_level = log_levels[i].level;
			options->broker.log_level = log_levels[i].root;
			return TRUE;
		}
	}
	return fail(error, EINVAL, "--log-level %s: not error, warning, info or debug", name);
}

/* Take the operands: the mountpoint, before it what fstab(5) calls the source. */
static gboolean
take_operands(Options *options, GStrv operands, char **name, GError **error)
{
	guint count = operands != NULL ? g_strv_length(operands) : 0;

	if (options->version)
		return TRUE;
	if (count < 1 || count > 2)
		return fail(error, EINVAL, "usage: mitofs [OPTIONS] [SOURCE] MOUNTPOINT");
	options->mountpoint = g_strdup(operands[count - 1]);
	if (count == 2 && *name == NULL && strcmp(operands[0], "none") != 0)
		*name = g_strdup(operands[0]);
	return TRUE;
}

/* What every mount of ours has. */
static void
add_fixed(const Options *options, GPtrArray *fuse, const char *name)
{
	static const char *const fixed[] = { "subtype=mitofs", "nosuid", "nodev", "noexec" };
	g_autofree char *fsname =
		g_strdup_printf("fsname=%s", name != NULL && *name != '\0' ? name : "mitofs");

	pass_option(fuse, fsname);
	for (guint i = 0; i < G_N_ELEMENTS(fixed); i++)
		pass_option(fuse, fixed[i]);
	if (options->shared)
		pass_option(fuse, "default_permissions");
	g_ptr_array_add(fuse, NULL);
}

/* From the line to the options. */
static gboolean
read_line(Options *options, const Line *line, GError **error)
{
	g_autoptr(GPtrArray) fuse = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *name = NULL;

	options->debug = line->debug;
	options->foreground = line->foreground || line->debug;
	options->version = line->version;
	options->log_level = G_LOG_LEVEL_WARNING;
	options->broker.log_level = broker_default_options.log_level;
	if (line->debug && !parse_level(options, "debug", error))
		return FALSE;
	if (line->log_level != NULL && !parse_level(options, line->log_level, error))
		return FALSE;
	for (guint i = 0; line->lists != NULL && line->lists[i] != NULL; i++) {
		if (!take_list(options, fuse, line->lists[i], &name, error))
			return FALSE;
	}
	for (guint i = 0; i < line->given->len; i++) {
		if (!take_option(options, fuse, line->given->pdata[i], &name, error))
			return FALSE;
	}
	if (!take_operands(options, line->operands, &name, error))
		return FALSE;
	add_fixed(options, fuse, name);
	options->fuse = (GStrv)g_ptr_array_steal(fuse, NULL);
	return TRUE;
}

Options *
options_parse(int argc, char **argv, GError **error)
{
	g_autoptr(Options) options = g_new0(Options, 1);
	Line line = { .given = g_ptr_array_new_with_free_func(g_free) };
	gboolean parsed;

	options->broker = broker_default_options;
	parsed = parse_line(&line, argc, argv, error) && read_line(options, &line, error);
	g_free(line.log_level);
	g_strfreev(line.lists);
	g_strfreev(line.operands);
	g_ptr_array_unref(line.given);
	return parsed ? g_steal_pointer(&options) : NULL;
}

void
options_free(Options *options)
{
	g_free(options->mountpoint);
	g_strfreev(options->fuse);
	g_free(options);
}
