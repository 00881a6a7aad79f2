/* Settings: every row with good and bad values, and what ctl prints of it.
 *
 * A good value is applied to the defaults and printed; what was printed, applied to the defaults
 * again, must print the same: that is what makes one context like another. A bad value has to
 * leave everything as it was, with EINVAL and a sentence. */
#include "broker/error.h"
#include "broker/settings.h"
#include "tests/unit.h"

#include <string.h>

/* Apply the words of @line to @settings. */
static gboolean
apply(Settings *settings, const char *line, GError **error)
{
	g_auto(GStrv) words = NULL;
	g_autoptr(GError) wrong = NULL;

	g_assert_true(g_shell_parse_argv(line, NULL, &words, &wrong));
	const SettingRow *row = setting_find(words[0]);
	g_assert_nonnull(row);
	return setting_apply(row, settings, words + 1, &broker_default_options, error);
}

/* All that ctl prints of @settings. */
static char *
text_of(const Settings *settings)
{
	GString *out = g_string_new(NULL);

	settings_text(settings, out);
	return g_string_free(out, FALSE);
}

/* Apply each line of @lines, which must be good. */
static void
apply_lines(Settings *settings, const char *lines)
{
	g_auto(GStrv) each = g_strsplit(lines, "\n", -1);

	for (guint i = 0; each[i] != NULL; i++) {
		g_autoptr(GError) error = NULL;

		if (each[i][0] == '\0')
			continue;
		apply(settings, each[i], &error);
		g_assert_no_error(error);
	}
}

static const struct {
	const char *lines, *printed;
} good[] = {
	{ "cwd /tmp", "cwd /tmp\n" },
	{ "cwd '/a b'", "cwd '/a b'\n" },
	{ "cwd /tmp\ncwd '~'", "" },
	{ "clearenv", "clearenv\n" },
	{ "unenv HOME", "unenv HOME\n" },
	{ "unenv HOME\nunenv HOME", "unenv HOME\n" },
	{ "env A=1", "env A=1\n" },
	{ "env 'A=x y=z'", "env 'A=x y=z'\n" },
	{ "env A=", "env A=\n" },
	{ "env A=1\nenv AB=2\nenv A=3", "env AB=2\nenv A=3\n" },
	{ "env A=1\nunenv A", "unenv A\n" },
	{ "unenv A\nenv A=1", "env A=1\n" },
	{ "env B=1\nunenv A\nclearenv\nenv C=1\nunenv D", "clearenv\nenv C=1\n" },
	{ "umask 22", "umask 0022\n" },
	{ "umask 0777", "umask 0777\n" },
	{ "umask 0", "umask 0000\n" },
	{ "nice 19", "nice 19\n" },
	{ "nice -20", "nice -20\n" },
	{ "nice 0", "nice 0\n" },
	{ "affinity 0-3,8", "affinity 0-3,8\n" },
	{ "oom -1000", "oom -1000\n" },
	{ "oom 1000", "oom 1000\n" },
	{ "rlimit nofile 64", "rlimit nofile 64\n" },
	{ "rlimit nofile 64:128", "rlimit nofile 64:128\n" },
	{ "rlimit core unlimited", "rlimit core unlimited\n" },
	{ "rlimit core 0:unlimited", "rlimit core 0:unlimited\n" },
	{ "rlimit nofile 64:128\nrlimit core 0\nrlimit nofile 32",
	  "rlimit nofile 32\nrlimit core 0\n" },
	{ "shell /bin/bash", "shell /bin/bash\n" },
	{ "preexec taskset -c 2", "preexec taskset -c 2\n" },
	{ "preexec env 'A=b c' ''", "preexec env 'A=b c' ''\n" },
	{ "preexec nice\npreexec", "" },
	{ "pty on", "pty on\n" },
	{ "pty on\npty off", "" },
	{ "winsize 132 43", "winsize 132 43\n" },
	{ "winsize 80 25", "winsize 80 25\n" },
	{ "winsize 132 43\nwinsize 80 24", "" },
	{ "timeout 60", "timeout 60\n" },
	{ "timeout 0.25", "timeout 0.250\n" },
	{ "timeout 60\ntimeout none", "" },
	{ "grace 0", "grace 0\n" },
	{ "grace 1.5", "grace 1.500\n" },
	{ "grace 1\ngrace 5", "" },
	{ "retain 64K", "retain 65536\n" },
	{ "retain 1", "retain 4096\n" },
	{ "retain 16M", "" },
	{ "retain 1G", "retain 1073741824\n" },
	{ "overflow drop", "overflow drop\n" },
	{ "overflow drop\noverflow block", "" },
	{ "eofmode close", "eofmode close\n" },
	{ "eofmode never", "eofmode never\n" },
	{ "eofmode never\neofmode trunc", "" },
	{ "onclose hup", "onclose hup\n" },
	{ "onclose kill", "onclose kill\n" },
	{ "onclose kill\nonclose none", "" },
	{ "pipe /a/b", "pipe /a/b\n" },
	{ "pipe -a '/a b'", "pipe -a '/a b'\n" },
	{ "pipe -a /a\npipe /b", "pipe /b\n" },
	{ "pipe -a /a\npipe", "" },
	{ "members /a '/b c/d'", "members /a\nmembers -a '/b c/d'\n" },
	{ "members /a\nmembers -a /b /c", "members /a\nmembers -a /b\nmembers -a /c\n" },
	{ "members -a /a\nmembers /b", "members /b\n" },
	{ "members /a\nmembers", "" },
	{ "connect-timeout 1.001", "connect-timeout 1.001\n" },
	{ "connect-timeout 30", "" },
	{ "keepalive 1", "keepalive 1\n" },
	{ "keepalive 15", "" },
	{ "loglevel error", "loglevel error\n" },
	{ "loglevel warning", "loglevel warning\n" },
	{ "loglevel debug", "loglevel debug\n" },
	{ "loglevel debug\nloglevel info", "" },
	{ "fanout 1", "fanout 1\n" },
	{ "fanout 65536", "fanout 65536\n" },
	{ "fanout 64", "" },
};

/* Good values are printed so that they make the same again, in a copy too. */
static void
settings_good(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(Settings) settings = settings_new();
		g_autoptr(Settings) again = settings_new();

		apply_lines(settings, good[i].lines);
		g_autofree char *printed = text_of(settings);
		g_assert_cmpstr(printed, ==, good[i].printed);
		apply_lines(again, printed);
		g_autoptr(Settings) copy = settings_copy(again);
		g_clear_pointer(&again, settings_unref);
		g_autofree char *reprinted = text_of(copy);
		g_assert_cmpstr(reprinted, ==, printed);
	}
}

/* Whatever keepalive prints for "none", it is none. */
static void
settings_none(void)
{
	g_autoptr(Settings) settings = settings_new();
	g_autoptr(Settings) again = settings_new();

	apply_lines(settings, "keepalive none");
	g_autofree char *printed = text_of(settings);
	apply_lines(again, printed);
	g_assert_cmpuint(again->keepalive_ms, ==, 0);
}

static const char *const bad[] = {
	"cwd",
	"cwd ''",
	"cwd a b",
	"clearenv x",
	"unenv",
	"unenv ''",
	"unenv A=B",
	"unenv A B",
	"env",
	"env A",
	"env =x",
	"env ''",
	"env A=1 B=2",
	"umask",
	"umask 8",
	"umask 1000",
	"umask 77777",
	"umask -1",
	"umask ''",
	"umask u=rwx",
	"nice",
	"nice 20",
	"nice -21",
	"nice +1",
	"nice 1.5",
	"nice x",
	"affinity",
	"affinity ''",
	"affinity x",
	"affinity 3-1",
	"affinity 0,",
	"affinity 99999",
	"oom",
	"oom 1001",
	"oom -1001",
	"oom x",
	"rlimit",
	"rlimit nofile",
	"rlimit nosuch 1",
	"rlimit nofile x",
	"rlimit nofile 2:1",
	"rlimit nofile 1:2:3",
	"rlimit nofile ''",
	"rlimit nofile 1 2",
	"shell",
	"shell bash",
	"shell ''",
	"preexec ''",
	"preexec '' a",
	"pty",
	"pty maybe",
	"pty ON",
	"winsize 80",
	"winsize 0 24",
	"winsize 80 0",
	"winsize 65536 24",
	"winsize 80 65536",
	"winsize 80 24 1",
	"timeout",
	"timeout -1",
	"timeout x",
	"timeout 1s",
	"timeout 9999999999",
	"grace",
	"grace none",
	"grace 86401",
	"grace x",
	"retain",
	"retain 0",
	"retain x",
	"retain 2G",
	"retain -1",
	"overflow",
	"overflow x",
	"eofmode",
	"eofmode x",
	"eofmode truncate",
	"onclose",
	"onclose x",
	"pipe a",
	"pipe ''",
	"pipe -a",
	"pipe -a b",
	"pipe /a /b",
	"pipe -a /a /b",
	"pipe -b /a",
	"members a",
	"members -a",
	"members /a b",
	"connect-timeout",
	"connect-timeout 0",
	"connect-timeout none",
	"connect-timeout x",
	"keepalive",
	"keepalive x",
	"keepalive -1",
	"loglevel",
	"loglevel x",
	"loglevel 6",
	"fanout",
	"fanout 0",
	"fanout 65537",
	"fanout x",
};

/* Bad values change nothing, and say what is wrong. */
static void
settings_bad(void)
{
	g_autoptr(Settings) settings = settings_new();

	apply_lines(settings, "cwd /x\nenv A=1\nunenv B\numask 7\nrlimit nofile 5:6\nwinsize 3 "
			      "4\npipe -a /p\npreexec q");
	g_autofree char *before = text_of(settings);
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		if (apply(settings, bad[i], &error))
			g_error("\"%s\" was taken", bad[i]);
		g_assert_error(error, MITOFS_ERROR, EINVAL);
		if (strlen(error->message) < 10)
			g_error("%s: %s", bad[i], error->message);
		g_autofree char *after = text_of(settings);
		g_assert_cmpstr(after, ==, before);
	}
}

/* The cap of the mount is named. */
static void
settings_max_retain(void)
{
	g_autoptr(Settings) settings = settings_new();
	BrokerOptions options = broker_default_options;
	char *args[] = { (char *)"65537", NULL };
	g_autoptr(GError) error = NULL;

	options.max_retain = 65536;
	g_assert_false(setting_apply(setting_find("retain"), settings, args, &options, &error));
	g_assert_error(error, MITOFS_ERROR, EINVAL);
	g_assert_nonnull(strstr(error->message, "max_retain"));
	args[0] = (char *)"64K";
	g_assert_true(setting_apply(setting_find("retain"), settings, args, &options, NULL));
	g_assert_cmpuint(settings->retain, ==, 65536);
}

/* The defaults print nothing, and are those of the manual page. */
static void
settings_defaults(void)
{
	g_autoptr(Settings) settings = settings_new();
	g_autofree char *printed = text_of(settings);

	g_assert_cmpstr(printed, ==, "");
	g_assert_cmpstr(settings->cwd, ==, "~");
	g_assert_cmpuint(settings->columns, ==, 80);
	g_assert_cmpuint(settings->rows, ==, 24);
	g_assert_cmpuint(settings->timeout_ms, ==, 0);
	g_assert_cmpuint(settings->grace_ms, ==, 5000);
	g_assert_cmpuint(settings->retain, ==, 16 * 1024 * 1024);
	g_assert_false(settings->drop);
	g_assert_cmpint(settings->eof_mode, ==, INPUT_EOF_TRUNC);
	g_assert_cmpint(settings->on_close, ==, ON_CLOSE_NONE);
	g_assert_cmpuint(settings->connect_timeout_ms, ==, 30000);
	g_assert_cmpuint(settings->keepalive_ms, ==, 15000);
	g_assert_cmpint(settings->log_level, ==, WIRE_INFO);
	g_assert_cmpuint(settings->fanout, ==, 64);
}

/* The lines come in one order, whatever order they were said in. */
static void
settings_order(void)
{
	g_autoptr(Settings) settings = settings_new();

	apply_lines(settings, "fanout 3\nenv A=1\npipe /x\ncwd /\nwinsize 1 2\nunenv B\nnice 1");
	g_autofree char *printed = text_of(settings);
	g_assert_cmpstr(printed, ==,
			"cwd /\nunenv B\nenv A=1\nnice 1\nwinsize 1 2\npipe /x\nfanout 3\n");
}

/* A child shares its parent's settings, all but the pipe; a change of a copy stays the copy's. */
static void
settings_inherited(void)
{
	g_autoptr(Settings) settings = settings_new();

	apply_lines(settings, "env A=1\nrlimit core 0\npreexec x\nshell /s");
	g_autoptr(Settings) same = settings_inherit(settings);
	g_assert_true(same == settings);
	apply_lines(settings, "pipe -a /x\nmembers /y");
	g_autoptr(Settings) child = settings_inherit(settings);
	g_autofree char *printed = text_of(child);
	g_assert_cmpstr(printed, ==, "env A=1\nrlimit core 0\nshell /s\npreexec x\n");
	g_assert_false(child->pipe_append);
	g_autoptr(Settings) copy = settings_copy(child);
	apply_lines(
		copy,
		"env A=2\nenv B=1\nunenv C\nrlimit core 1\npreexec\nshell /t\ncwd /c\naffinity 1");
	g_autofree char *after = text_of(child);
	g_assert_cmpstr(after, ==, printed);
}

static const struct {
	const char *verb;
	gboolean while_running, at_place;
} flags[] = {
	{ "cwd", FALSE, FALSE },       { "env", FALSE, FALSE },
	{ "unenv", FALSE, FALSE },     { "clearenv", FALSE, FALSE },
	{ "umask", FALSE, FALSE },     { "rlimit", FALSE, FALSE },
	{ "shell", FALSE, FALSE },     { "preexec", FALSE, FALSE },
	{ "pty", FALSE, FALSE },       { "nice", TRUE, TRUE },
	{ "affinity", TRUE, TRUE },    { "oom", TRUE, TRUE },
	{ "winsize", TRUE, FALSE },    { "timeout", TRUE, FALSE },
	{ "grace", TRUE, FALSE },      { "retain", TRUE, FALSE },
	{ "overflow", TRUE, FALSE },   { "eofmode", TRUE, FALSE },
	{ "onclose", TRUE, FALSE },    { "pipe", TRUE, FALSE },
	{ "members", TRUE, FALSE },    { "connect-timeout", FALSE, FALSE },
	{ "keepalive", FALSE, FALSE }, { "loglevel", TRUE, FALSE },
	{ "fanout", TRUE, FALSE },
};

/* Which may change while a command runs, and which the agent has to be asked for. */
static void
settings_flags(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(flags); i++) {
		const SettingRow *row = setting_find(flags[i].verb);

		g_assert_nonnull(row);
		g_assert_cmpstr(setting_name(row), ==, flags[i].verb);
		g_assert_cmpint(setting_while_running(row), ==, flags[i].while_running);
		g_assert_cmpint(setting_at_place(row), ==, flags[i].at_place);
	}
	g_assert_null(setting_find("exec"));
	g_assert_null(setting_find(""));
}

/* What a command is started with. */
static void
settings_filled(void)
{
	g_autoptr(Settings) settings = settings_new();
	struct spawn_spec spec = { 0 };

	settings_fill(settings, &spec);
	g_assert_null(spec.set_env[0]);
	g_assert_null(spec.unset_env[0]);
	g_assert_cmpint(spec.umask, ==, SPAWN_KEEP);
	g_assert_cmpint(spec.nice, ==, SPAWN_KEEP);
	g_assert_cmpint(spec.oom, ==, SPAWN_KEEP);
	g_assert_cmpstr(spec.affinity, ==, "");
	apply_lines(settings, "env A=1\nenv B=2\nunenv C\nclearenv\nenv D=3\nrlimit core "
			      "0:1\numask 77\nnice 3\npty on");
	apply_lines(settings, "winsize 100 50\naffinity 0\noom 5\ncwd /x");
	for (guint i = 0; i < 2; i++)
		settings_fill(settings, &spec);
	g_assert_true(spec.clear_env);
	g_assert_cmpstr(spec.set_env[0], ==, "D=3");
	g_assert_null(spec.set_env[1]);
	g_assert_null(spec.unset_env[0]);
	g_assert_cmpuint(spec.rlimit_count, ==, 1);
	g_assert_cmpstr(spec.rlimits[0].name, ==, "core");
	g_assert_cmpuint(spec.rlimits[0].hard, ==, 1);
	g_assert_true(spec.rlimits[0].has_hard);
	g_assert_cmpint(spec.umask, ==, 077);
	g_assert_cmpint(spec.nice, ==, 3);
	g_assert_cmpint(spec.oom, ==, 5);
	g_assert_true(spec.pty);
	g_assert_cmpuint(spec.columns, ==, 100);
	g_assert_cmpuint(spec.rows, ==, 50);
	g_assert_cmpstr(spec.affinity, ==, "0");
	g_assert_cmpstr(spec.cwd, ==, "/x");
}

static const UnitTest tests[] = {
	{ "/settings/good", settings_good },
	{ "/settings/none", settings_none },
	{ "/settings/bad", settings_bad },
	{ "/settings/max-retain", settings_max_retain },
	{ "/settings/defaults", settings_defaults },
	{ "/settings/order", settings_order },
	{ "/settings/inherit", settings_inherited },
	{ "/settings/flags", settings_flags },
	{ "/settings/fill", settings_filled },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
