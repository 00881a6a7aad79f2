/* The recipes of mitofs(7), run as they are written there. In its source a comment before the
 * examples of a recipe names it, and what it needs: `local`, or the bed `web`:
 *
 *	.\" recipe NAME BED
 *	.EX
 *	$ for host in web1 web2; do
 *	>     mito run $host hostname
 *	> done
 *	web1
 *	web2
 *	.EE
 *
 * All examples up to the next such comment are one session of a shell, which begins in the home
 * directory. A line with "$ " is typed, with what "> " says behind it; the rest is what it prints,
 * on either output, where "..." stands for anything.
 * What a recipe leaves on the machines of the bed stays there, so those are run once, by one shell. */
#include "tests/bed.h"
#include "tests/mito.h"
#include "tests/mount.h"

#include <string.h>
#include <unistd.h>

/* Printed behind each command. */
#define SEPARATOR "\036"

typedef struct Recipe {
	char *name;
	gboolean needs_bed;
	GPtrArray *commands; /* text, lines */
	GPtrArray *outputs;  /* GString, of the command with the same index */
} Recipe;

static GPtrArray *recipes;
static const char *const shells[] = { "dash", "bash" };

/* What roff prints for the escapes that the page uses. */
static char *
unescape(const char *line)
{
	static const char *const escapes[][2] = {
		{ "\\-", "-" },	  { "\\(aq", "'" }, { "\\(dq", "\"" }, { "\\e", "\\" },
		{ "\\(ti", "~" }, { "\\(ha", "^" }, { "\\(ga", "`" },  { "\\&", "" },
	};
	GString *text = g_string_new(NULL);

	while (*line != '\0') {
		gsize known = 0;
		for (gsize i = 0; *line == '\\' && known == 0 && i < G_N_ELEMENTS(escapes); i++)
			if (g_str_has_prefix(line, escapes[i][0])) {
				g_string_append(text, escapes[i][1]);
				known = strlen(escapes[i][0]);
			}
		if (*line == '\\' && known == 0)
			g_error("mitofs.7: what is printed for: %s", line);
		if (known == 0)
			g_string_append_c(text, *line);
		line += MAX(known, 1);
	}
	return g_string_free(text, FALSE);
}

static Recipe *
recipe_new(const char *words)
{
	g_auto(GStrv) word = g_strsplit(words, " ", 2);
	Recipe *recipe = g_new0(Recipe, 1);

	g_assert_nonnull(word[1]);
	recipe->name = g_strdup(word[0]);
	recipe->needs_bed = strcmp(word[1], "web") == 0;
	if (!recipe->needs_bed)
		g_assert_cmpstr(word[1], ==, "local");
	recipe->commands = g_ptr_array_new();
	recipe->outputs = g_ptr_array_new();
	g_ptr_array_add(recipes, recipe);
	return recipe;
}

/* A line of an example. */
static void
recipe_add(Recipe *recipe, const char *source)
{
	g_autofree char *line = unescape(source);

	if (g_str_has_prefix(line, "$ ")) {
		g_ptr_array_add(recipe->commands, g_string_new(line + 2));
		g_ptr_array_add(recipe->outputs, g_string_new(NULL));
		return;
	}
	guint count = recipe->commands->len;
	g_assert_cmpuint(count, >, 0);
	if (g_str_has_prefix(line, "> "))
		g_string_append_printf(recipe->commands->pdata[count - 1], "\n%s", line + 2);
	else
		g_string_append_printf(recipe->outputs->pdata[count - 1], "%s\n", line);
}

/* Read the page. No example of it stands outside of a recipe. */
static void
read_page(void)
{
	g_autofree char *page = NULL;
	g_autoptr(GError) error = NULL;
	Recipe *recipe = NULL;
	gboolean inside = FALSE;

	recipes = g_ptr_array_new();
	g_file_get_contents(g_getenv("MITOFS_COOKBOOK"), &page, NULL, &error);
	g_assert_no_error(error);
	g_auto(GStrv) lines = g_strsplit(page, "\n", -1);
	for (guint i = 0; lines[i] != NULL; i++) {
		const char *line = lines[i];
		if (g_str_has_prefix(line, ".\\\" recipe "))
			recipe = recipe_new(line + strlen(".\\\" recipe "));
		else if (strcmp(line, ".EX") == 0 || strcmp(line, ".EE") == 0)
			inside = strcmp(line, ".EX") == 0;
		else if (inside && recipe == NULL)
			g_error("mitofs.7: an example of no recipe: %s", line);
		else if (inside)
			recipe_add(recipe, line);
	}
}

/* Whose test runs, and in which of the shells. */
static const Recipe *
recipe_running(const char **ret_shell)
{
	g_auto(GStrv) parts = g_strsplit(g_test_get_path(), "/", -1);
	const Recipe *found = NULL;

	for (guint i = 0; i < recipes->len; i++)
		if (strcmp(((Recipe *)recipes->pdata[i])->name, parts[3]) == 0)
			found = recipes->pdata[i];
	g_assert_nonnull(found);
	*ret_shell = strcmp(parts[4], shells[0]) == 0 ? shells[0] : shells[1];
	return found;
}

/* Fail unless @got is what the page shows. */
static void
compare(const char *command, const char *expected, const char *got)
{
	g_autofree char *escaped = g_regex_escape_string(expected, -1);
	g_auto(GStrv) parts = g_strsplit(escaped, "\\.\\.\\.", -1);
	g_autofree char *middle = g_strjoinv(".*", parts);
	g_autofree char *pattern = g_strdup_printf("\\A%s\\z", middle);

	if (g_regex_match_simple(pattern, got, G_REGEX_DOTALL, 0))
		return;
	g_printerr("%s: $ %s\nshown:\n%s\nprinted:\n%s\n", g_test_get_path(), command, expected,
		   got);
	g_test_fail();
}

static void
cook(Mount *mount)
{
	const char *shell = NULL;
	const Recipe *recipe = recipe_running(&shell);
	g_autoptr(GString) script = g_string_new("exec 2>&1\n" MITO_PROGRAM "cd\n");

	for (guint i = 0; i < recipe->commands->len; i++)
		g_string_append_printf(script, "%s\nprintf '" SEPARATOR "'\n",
				       ((GString *)recipe->commands->pdata[i])->str);
	g_autoptr(ShResult) result = mount_sh(mount, shell, script->str);
	g_auto(GStrv) parts = g_strsplit(result->output, SEPARATOR, -1);
	for (guint i = 0; i < recipe->commands->len && parts[i] != NULL; i++)
		compare(((GString *)recipe->commands->pdata[i])->str,
			((GString *)recipe->outputs->pdata[i])->str, parts[i]);
	g_assert_cmpuint(g_strv_length(parts), ==, recipe->commands->len + 1);
	g_assert_cmpstr(result->errors, ==, "");
}

static void
skip(const void *unused)
{
	g_test_skip("needs root, for hosts to connect to");
}

static void
add_test(const Recipe *recipe, const char *shell)
{
	static const MountSetup setup = { .before = "ln -s $M $T/ctx", .seconds = 60 };
	g_autofree char *path = g_strdup_printf("/mount/cookbook/%s/%s", recipe->name, shell);

	if (recipe->needs_bed && geteuid() != 0)
		g_test_add_data_func(path, NULL, skip);
	else
		mount_test_add(path, cook, &setup);
}

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	read_page();
	if (geteuid() == 0)
		mount_test_bed("web");
	for (guint i = 0; i < recipes->len; i++)
		for (guint n = 0; n < G_N_ELEMENTS(shells); n++)
			if (n == 0 || !((Recipe *)recipes->pdata[i])->needs_bed)
				add_test(recipes->pdata[i], shells[n]);
	return mount_test_run();
}
