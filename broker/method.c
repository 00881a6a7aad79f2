/* Methods out of key files.
 *
 * The files are small and read anew at each connect, so that a change counts at once; reading is
 * bounded by FILE_MAX, and a file that is not there is no error. A row that is wrong fails the
 * connect that wants it, and no other; a file that is no key file fails all but `local`. */
#include "broker/method.h"

#include "broker/error.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (256 * 1024)
#define SYSTEM_FILE "/etc/mitofs/methods.conf"
#define FAIL_PREFIX "fail."

typedef struct Pattern Pattern;
struct Pattern {
	FailureKind kind;
	GRegex *regex;
};

struct Method {
	char *name;
	gboolean local;
	GStrv client, end;
	char *usage;
	guint min; /* arguments */
	MethodStage stage;
	MethodQuestions questions;
	gboolean flight;
	GRegex *hostkey_question; /* or NULL */
	GArray *patterns;	  /* of Pattern, in the file's order */
};

static const char builtin_text[] = {
#include "broker/methods.inc"
	'\0'
};

static void
pattern_clear(void *data)
{
	g_regex_unref(((Pattern *)data)->regex);
}

static Method *
method_new(const char *name)
{
	Method *method = g_new0(Method, 1);

	method->name = g_strdup(name);
	method->patterns = g_array_new(FALSE, FALSE, sizeof(Pattern));
	g_array_set_clear_func(method->patterns, pattern_clear);
	return method;
}

Method *
method_new_local(void)
{
	Method *method = method_new("local");

	method->local = TRUE;
	method->usage = g_strdup("");
	return method;
}

void
method_free(Method *method)
{
	g_free(method->name);
	g_strfreev(method->client);
	g_strfreev(method->end);
	g_free(method->usage);
	g_clear_pointer(&method->hostkey_question, g_regex_unref);
	g_array_unref(method->patterns);
	g_free(method);
}

/* Lay the groups of one file over what is in @rows. */
static gboolean
rows_add(GKeyFile *rows, const char *text, gsize size, const char *file, GError **error)
{
	g_autoptr(GKeyFile) more = g_key_file_new();
	g_autoptr(GError) wrong = NULL;

	if (!g_key_file_load_from_data(more, text, size, G_KEY_FILE_NONE, &wrong))
		return fail(error, EINVAL, "%s: %s", file, wrong->message);
	g_auto(GStrv) groups = g_key_file_get_groups(more, NULL);
	for (guint i = 0; groups[i] != NULL; i++) {
		g_auto(GStrv) keys = g_key_file_get_keys(more, groups[i], NULL, NULL);

		for (guint k = 0; keys[k] != NULL; k++) {
			g_autofree char *value =
				g_key_file_get_value(more, groups[i], keys[k], NULL);

			g_key_file_set_value(rows, groups[i], keys[k], value);
		}
	}
	return TRUE;
}

/* The same for a file, if it is there. */
static gboolean
rows_add_file(GKeyFile *rows, const char *path, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) wrong = NULL;
	struct stat info;
	gsize size;

	if (stat(path, &info) < 0)
		return TRUE;
	if (!S_ISREG(info.st_mode) || info.st_size > FILE_MAX)
		return fail(error, EINVAL, "%s: not a file of at most %d bytes", path, FILE_MAX);
	if (!g_file_get_contents(path, &text, &size, &wrong))
		return fail(error, EINVAL, "%s", wrong->message);
	return rows_add(rows, text, size, path, error);
}

/* All rows as they are now, or NULL. */
static GKeyFile *
rows_load(GError **error)
{
	g_autoptr(GKeyFile) rows = g_key_file_new();
	g_autofree char *user =
		g_build_filename(g_get_user_config_dir(), "mitofs", "methods.conf", NULL);

	if (!rows_add(rows, builtin_text, strlen(builtin_text), "methods.conf", error) ||
	    !rows_add_file(rows, SYSTEM_FILE, error) || !rows_add_file(rows, user, error))
		return NULL;
	return g_steal_pointer(&rows);
}

/* The words of @key; none where it is missing or empty. */
static gboolean
row_words(GKeyFile *rows, const char *name, const char *key, GStrv *ret_words, GError **error)
{
	g_autofree char *value = g_key_file_get_value(rows, name, key, NULL);
	g_autoptr(GError) wrong = NULL;

	if (value == NULL || *g_strstrip(value) == '\0') {
		*ret_words = g_new0(char *, 1);
		return TRUE;
	}
	if (!g_shell_parse_argv(value, NULL, ret_words, &wrong))
		return fail(error, EINVAL, "method %s: %s: %s", name, key, wrong->message);
	return TRUE;
}

/* Which of @words (ended by NULL) the value of @key is; the first where it is missing. */
static gboolean
row_choice(GKeyFile *rows, const char *name, const char *key, const char *const *words,
	   guint *ret_choice, GError **error)
{
	g_autofree char *value = g_key_file_get_string(rows, name, key, NULL);

	for (guint i = 0; words[i] != NULL; i++) {
		if (value == NULL || strcmp(words[i], value) == 0) {
			*ret_choice = i;
			return TRUE;
		}
	}
	return fail(error, EINVAL, "method %s: %s=%s is not known", name, key, value);
}

static GRegex *
row_regex(GKeyFile *rows, const char *name, const char *key, GError **error)
{
	g_autoptr(GError) wrong = NULL;
	g_autofree char *value = g_key_file_get_string(rows, name, key, &wrong);
	GRegex *regex = NULL;

	if (wrong == NULL) /* there is a value even where an escape in it was wrong */
		regex = g_regex_new(value, G_REGEX_RAW, 0, &wrong);
	if (regex == NULL)
		fail(error, EINVAL, "method %s: %s: %s", name, key, wrong->message);
	return regex;
}

/* The row's fail.KIND keys. */
static gboolean
row_patterns(GKeyFile *rows, Method *method, GError **error)
{
	g_auto(GStrv) keys = g_key_file_get_keys(rows, method->name, NULL, NULL);

	for (guint i = 0; keys[i] != NULL; i++) {
		if (!g_str_has_prefix(keys[i], FAIL_PREFIX))
			continue;
		Pattern pattern = { .kind = failure_find(keys[i] + strlen(FAIL_PREFIX)) };
		if (pattern.kind == FAILURE_NONE)
			return fail(error, EINVAL, "method %s: there is no kind \"%s\"",
				    method->name, keys[i] + strlen(FAIL_PREFIX));
		pattern.regex = row_regex(rows, method->name, keys[i], error);
		if (pattern.regex == NULL)
			return FALSE;
		g_array_append_val(method->patterns, pattern);
	}
	return TRUE;
}

/* How many arguments a usage demands: its words that are not in brackets. */
static guint
usage_min(const char *usage)
{
	guint depth = 0, count = 0;

	for (; *usage != '\0'; usage++) {
		if (*usage == '[')
			depth++;
		else if (*usage == ']' && depth > 0)
			depth--;
		else if (depth == 0 && *usage != ' ')
			count += usage[1] == ' ' || usage[1] == '[' || usage[1] == '\0';
	}
	return count;
}

static gboolean
row_fill(GKeyFile *rows, Method *method, GError **error)
{
	static const char *const stages[] = { "line", "words", "stdin", NULL };
	static const char *const places[] = { "none", "terminal", "stderr", NULL };
	static const char *const answers[] = { "no", "yes", NULL };
	guint stage = 0, questions = 0, flight = 0;

	method->usage = g_key_file_get_string(rows, method->name, "usage", NULL);
	if (method->usage == NULL)
		method->usage = g_strdup("[ARGUMENTS]");
	method->min = usage_min(method->usage);
	if (g_key_file_has_key(rows, method->name, "hostkey-question", NULL)) {
		method->hostkey_question = row_regex(rows, method->name, "hostkey-question", error);
		if (method->hostkey_question == NULL)
			return FALSE;
	}
	if (!row_words(rows, method->name, "client", &method->client, error) ||
	    !row_words(rows, method->name, "end", &method->end, error) ||
	    !row_choice(rows, method->name, "stage", stages, &stage, error) ||
	    !row_choice(rows, method->name, "questions", places, &questions, error) ||
	    !row_choice(rows, method->name, "flight", answers, &flight, error))
		return FALSE;
	if (method->client[0] == NULL && method->min == 0)
		return fail(error, EINVAL, "method %s: client: no program", method->name);
	method->stage = (MethodStage)stage;
	method->questions = (MethodQuestions)questions;
	method->flight = flight == 1 && method->stage != STAGE_STDIN;
	return row_patterns(rows, method, error);
}

Method *
method_find(const char *name, GError **error)
{
	if (strcmp(name, "local") == 0)
		return method_new_local();
	g_autoptr(GKeyFile) rows = rows_load(error);
	if (rows == NULL)
		return NULL;
	if (!g_key_file_has_group(rows, name)) {
		g_auto(GStrv) groups = g_key_file_get_groups(rows, NULL);
		g_autofree char *all = g_strjoinv(" ", groups);

		fail(error, EINVAL, "there is no method \"%s\" (there are: local %s)", name, all);
		return NULL;
	}
	g_autoptr(Method) method = method_new(name);
	return row_fill(rows, method, error) ? g_steal_pointer(&method) : NULL;
}

const char *
method_name(const Method *method)
{
	return method->name;
}

gboolean
method_is_local(const Method *method)
{
	return method->local;
}

MethodStage
method_stage(const Method *method)
{
	return method->stage;
}

MethodQuestions
method_questions(const Method *method)
{
	return method->questions;
}

gboolean
method_flight(const Method *method)
{
	return method->flight;
}

gboolean
method_is_hostkey_question(const Method *method, const char *question)
{
	return method->hostkey_question != NULL &&
	       g_regex_match(method->hostkey_question, question, 0, NULL);
}

FailureKind
method_classify(const Method *method, const char *line)
{
	for (guint i = 0; i < method->patterns->len; i++) {
		const Pattern *pattern = &g_array_index(method->patterns, Pattern, i);

		if (g_regex_match(pattern->regex, line, 0, NULL))
			return pattern->kind;
	}
	return FAILURE_NONE;
}

gboolean
method_check(const Method *method, char *const *args, GError **error)
{
	guint count = g_strv_length((char **)args) - 1;

	if (count < method->min || (method->local && count > 0))
		return fail(error, EINVAL, "usage: connect %s%s%s", method->name,
			    method->usage[0] != '\0' ? " " : "", method->usage);
	return TRUE;
}

GStrv
method_argv(const Method *method, char *const *args, const char *stage)
{
	GStrvBuilder *builder = g_strv_builder_new();
	GStrv argv;

	g_strv_builder_addv(builder, (const char **)method->client);
	g_strv_builder_addv(builder, (const char **)args + 1);
	g_strv_builder_addv(builder, (const char **)method->end);
	if (method->stage == STAGE_WORDS)
		g_strv_builder_add_many(builder, "/bin/sh", "-c", NULL);
	if (method->stage != STAGE_STDIN)
		g_strv_builder_add(builder, stage);
	argv = g_strv_builder_end(builder);
	g_strv_builder_unref(builder);
	return argv;
}
