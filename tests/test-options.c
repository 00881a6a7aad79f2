/* The command line, and what else is read before the mount: mountinfo, the kernel's time limits. */
#include "fs/mountinfo.h"
#include "fs/options.h"
#include "fs/timeouts.h"

#include "broker/error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Parse @line, split at blanks. */
static Options *
parse(const char *line, GError **error)
{
	g_auto(GStrv) argv = g_strsplit(line, " ", -1);

	return options_parse((int)g_strv_length(argv), argv, error);
}

/* What a line without options gives. */
static void
test_plain(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Options) options = parse("mitofs /mnt", &error);

	g_assert_no_error(error);
	g_assert_cmpstr(options->mountpoint, ==, "/mnt");
	g_assert_false(options->foreground);
	g_assert_false(options->shared);
	g_assert_cmpuint(options->broker.max_contexts, ==, broker_default_options.max_contexts);
	g_assert_true(g_strv_contains((const char *const *)options->fuse, "fsname=mitofs"));
	g_assert_true(g_strv_contains((const char *const *)options->fuse, "subtype=mitofs"));
	g_assert_true(g_strv_contains((const char *const *)options->fuse, "nosuid"));
	g_assert_true(g_strv_contains((const char *const *)options->fuse, "nodev"));
	g_assert_true(g_strv_contains((const char *const *)options->fuse, "noexec"));
}

/* The line that mount(8) makes of fstab(5). */
static void
test_fstab(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Options) options =
		parse("mitofs my,src /mnt -o rw,suid,dev,exec,noauto,nofail,_netdev,user=joe,"
		      "x-systemd.automount,defaults,max_contexts=7,allow_other",
		      &error);

	g_assert_no_error(error);
	g_assert_cmpstr(options->mountpoint, ==, "/mnt");
	g_assert_cmpuint(options->broker.max_contexts, ==, 7);
	g_assert_true(options->shared);
	g_assert_true(g_strv_contains((const char *const *)options->fuse, "fsname=my\\,src"));
	g_assert_true(g_strv_contains((const char *const *)options->fuse, "allow_other"));
	g_assert_true(g_strv_contains((const char *const *)options->fuse, "default_permissions"));
	g_assert_false(g_strv_contains((const char *const *)options->fuse, "suid"));
}

/* "none" is no name, and fsname= goes before the source. */
static void
test_name(void)
{
	g_autoptr(Options) none = parse("mitofs none /mnt", NULL);
	g_autoptr(Options) named = parse("mitofs -o fsname=a\\,b src /mnt", NULL);

	g_assert_true(g_strv_contains((const char *const *)none->fuse, "fsname=mitofs"));
	g_assert_true(g_strv_contains((const char *const *)named->fuse, "fsname=a\\,b"));
}

/* Limits, either way, and flags. */
static void
test_limits(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Options) options =
		parse("mitofs -f --log-level debug --max-contexts 5 --max-children=6 "
		      "-o max_depth=7,retain_total=8M -o max_retain=9K,frames_per_turn=3,nonempty "
		      "/mnt",
		      &error);

	g_assert_no_error(error);
	g_assert_true(options->foreground);
	g_assert_true(options->nonempty);
	g_assert_cmpint(options->log_level, ==, G_LOG_LEVEL_DEBUG);
	g_assert_cmpuint(options->broker.max_contexts, ==, 5);
	g_assert_cmpuint(options->broker.max_children, ==, 6);
	g_assert_cmpuint(options->broker.max_depth, ==, 7);
	g_assert_cmpuint(options->broker.retain_total, ==, 8 << 20);
	g_assert_cmpuint(options->broker.max_retain, ==, 9 << 10);
	g_assert_cmpuint(options->broker.frames_per_turn, ==, 3);
}

/* -d implies the foreground; -V needs no mountpoint. */
static void
test_flags(void)
{
	g_autoptr(Options) debug = parse("mitofs -d /mnt", NULL);
	g_autoptr(Options) version = parse("mitofs -V", NULL);

	g_assert_true(debug->foreground);
	g_assert_cmpint(debug->log_level, ==, G_LOG_LEVEL_DEBUG);
	g_assert_true(version->version);
}

/* What is refused. */
static void
test_refused(gconstpointer line)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(parse(line, &error));
	g_assert_nonnull(error);
	g_assert_cmpstr(error->message, !=, "");
}

/* Lines of mountinfo. */
static void
test_mountinfo(void)
{
	char path[PATH_MAX];
	MountInfo info;

	g_assert_true(mountinfo_parse(
		"42 27 0:39 / /tmp/a\\040b\\134c rw,nosuid shared:3 master:1 - fuse.mitofs src "
		"rw,user_id=0\n",
		&info, path));
	g_assert_cmpint(info.id, ==, 42);
	g_assert_cmpuint(info.device, ==, makedev(0, 39));
	g_assert_cmpstr(info.type, ==, MOUNTINFO_TYPE);
	g_assert_cmpstr(path, ==, "/tmp/a b\\c");
	g_assert_true(mountinfo_parse("1 1 8:1 /x / rw - ext4 /dev/sda1 rw", &info, path));
	g_assert_cmpstr(path, ==, "/");
	g_assert_false(mountinfo_parse("", &info, path));
	g_assert_false(mountinfo_parse("1 1 8:1 /x / rw", &info, path));
	g_assert_false(mountinfo_parse("x y z", &info, path));
	g_assert_true(mountinfo_at("/proc", &info));
	g_assert_cmpstr(info.type, ==, "proc");
}

/* The lower limit holds, halved, in ms; none is 0. */
static void
test_timeouts(void)
{
	static const struct {
		const char *usual, *highest;
		guint64 limit;
	} limits[] = {
		{ NULL, NULL, 0 },	  { "0\n", "0\n", 0 },	     { "60\n", "0\n", 30000 },
		{ "0\n", "40\n", 20000 }, { "60\n", "20\n", 10000 }, { "20\n", "60\n", 10000 },
		{ "1\n", "0\n", 500 },
	};
	g_autofree char *directory = g_dir_make_tmp("mitofs-timeouts-XXXXXX", NULL);
	g_autofree char *usual = g_build_filename(directory, "default_request_timeout", NULL);
	g_autofree char *highest = g_build_filename(directory, "max_request_timeout", NULL);

	for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
		if (limits[i].usual != NULL) {
			g_assert_true(g_file_set_contents(usual, limits[i].usual, -1, NULL));
			g_assert_true(g_file_set_contents(highest, limits[i].highest, -1, NULL));
		}
		g_assert_cmpuint(timeouts_limit(directory), ==, limits[i].limit);
	}
	g_unlink(usual);
	g_unlink(highest);
	g_rmdir(directory);
}

int
main(int argc, char **argv)
{
	static const char *const refused[] = {
		"mitofs",
		"mitofs a b c",
		"mitofs -o bogus /mnt",
		"mitofs --bogus /mnt",
		"mitofs --log-level loud /mnt",
		"mitofs -o max_contexts=0 /mnt",
		"mitofs -o max_contexts=-1 /mnt",
		"mitofs -o max_contexts= /mnt",
		"mitofs -o max_contexts /mnt",
		"mitofs --max-depth 3x /mnt",
		"mitofs -o retain_total=1T /mnt",
	};

	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/options/plain", test_plain);
	g_test_add_func("/options/fstab", test_fstab);
	g_test_add_func("/options/name", test_name);
	g_test_add_func("/options/limits", test_limits);
	g_test_add_func("/options/flags", test_flags);
	for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autofree char *path = g_strdup_printf("/options/refused/%u", i);

		g_test_add_data_func(path, refused[i], test_refused);
	}
	g_test_add_func("/options/mountinfo", test_mountinfo);
	g_test_add_func("/options/L12/timeouts", test_timeouts);
	return g_test_run();
}
