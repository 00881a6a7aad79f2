/* Who may do what: an ordinary user's mount, and other users at it (R108, R109, R110).
 *
 * The user mounts through fusermount3, on a /dev/fuse that is open to all in this program's
 * mount namespace only; so is the /etc/fuse.conf that allows allow_other. Without allow_other
 * nobody else gets in, root neither; with it others may look, and only the owner and root may
 * write. Which user it is the kernel says; a pid is never asked for. And a mount that nobody
 * serves any more goes for the user too. */
#include "tests/agents.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define USER 1000
#define OTHER 1001

/* Run @script by dash as @uid (with no groups but its own), and compare what it prints. */
static void
expect_as(Mount *mount, uid_t uid, const char *script, const char *output)
{
	g_autofree char *point = mount_path(mount, "");
	g_autofree char *bin = g_path_get_dirname(g_getenv("MITOFS_TRY"));
	g_autofree char *words = g_strdup_printf("M=%s T=%s PATH=%s:$PATH\n%s", point,
						 mount_scratch(mount), bin, script);
	char user[16];
	g_snprintf(user, sizeof(user), "%u", uid);
	const char *argv[] = { "setpriv",	 "--reuid", user, "--regid", user,
			       "--clear-groups", "dash",    "-c", words,     NULL };
	g_autofree char *got = NULL;
	g_autofree char *errors = NULL;
	g_autoptr(GError) error = NULL;
	g_spawn_sync("/", (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &got, &errors, NULL,
		     &error);
	g_assert_no_error(error);
	g_assert_cmpstr(errors, ==, "");
	g_assert_cmpstr(got, ==, output);
}

/* Let everybody reach the mountpoint's path, so that it is the mount that says no. */
static void
open_path(Mount *mount)
{
	g_autofree char *dir = g_path_get_dirname(mount_scratch(mount));
	g_assert_no_errno(chmod(dir, 0755));
	g_assert_no_errno(chmod(mount_scratch(mount), 0777));
}

/* Everything that one could try from outside: all of it EACCES. */
#define OUTSIDE                                                                         \
	"for f in '' ctl status stdout children; do try mode $M/$f; done; try open $M " \
	"rdonly,directory\n"                                                            \
	"try open $M/ctl wronly; try mkdir $M/children/x; try rename $M/children/a "    \
	"$M/children/b; try rmdir $M/children/a\n"                                      \
	"try open $M/status rdonly; try truncate $M/stdin 0; try open $M/x creat,wronly\n"
#define REFUSED                                                                                    \
	"EACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\n" \
	"EACCES\nEACCES\n"

/* Whoever is not the owner is outside: another user, and root on an ordinary user's mount. */
static void
outsiders(Mount *mount)
{
	open_path(mount);
	mount_expect(mount, "dash", "mkdir $M/children/a", "", 0);
	expect_as(mount, OTHER, OUTSIDE, REFUSED);
	expect_as(mount, 0, OUTSIDE, REFUSED);
	mount_expect(mount, "dash",
		     "cd $M; ls children; sed -n 's/^state //p' status; wc -c < error",
		     "a\nidle\n0\n", 0);
}

/* A process of the owner's that has another effective user is not the owner: a set-user-ID
 * program gets no further. */
static void
setuid_caller(Mount *mount)
{
	open_path(mount);
	g_autofree char *program = g_build_filename(mount_scratch(mount), "set", NULL);
	g_autofree char *copy =
		g_strdup_printf("cp %s %s && chown %d %s && chmod 4755 %s", g_getenv("MITOFS_TRY"),
				program, OTHER, program, program);
	g_assert_cmpint(system(copy), ==, 0);
	mount_expect(mount, "dash", "$T/set open $M/status rdonly; try open $M/status rdonly",
		     "EACCES\nok\n", 0);
}

/* A command in a context of the user's is the user and nobody else. */
static void
who_runs(Mount *mount)
{
	mount_expect(mount, "bash",
		     "cd $M; echo 'sh id -u; id -g; id -G; grep -E ^CapEff /proc/self/status' > "
		     "ctl; cat stdout\n"
		     "[ \"$(sed -n 's/^user //p' status)\" = \"$(id -un 2> /dev/null || id -u)\" ] "
		     "&& echo named; stat -c '%u %g %a' . ctl children status",
		     "1000\n1000\n1000\nCapEff:\t0000000000000000\nnamed\n1000 1000 700\n1000 1000 "
		     "600\n1000 1000 700\n1000 1000 400\n",
		     0);
}

/* Root's own mount without allow_other: the same for the others. */
static void
root_mount(Mount *mount)
{
	open_path(mount);
	mount_expect(mount, "dash", "mkdir $M/children/a", "", 0);
	expect_as(mount, OTHER, OUTSIDE, REFUSED);
	mount_expect(mount, "dash", "ls $M/children", "a\n", 0);
}

/* With allow_other: modes are the modes, so what is 0700 stays shut; and whatever the kernel
 * lets through, a write it is not. */
#define LOOKING                                                                                    \
	"for f in . ctl status children; do try mode $M/$f; done\n"                                \
	"try open $M/status rdonly; try open $M/stdout rdonly; try open $M rdonly,directory\n"     \
	"try open $M/ctl wronly; try open $M/ctl rdwr; try open $M/stdin wronly,append; try open " \
	"$M/signal wronly\n"                                                                       \
	"try open $M/error wronly,trunc; try truncate $M/stdin 0; try utimens $M/ctl; try mkdir "  \
	"$M/children/x\n"                                                                          \
	"try rmdir $M/children/a; try rename $M/children/a $M/children/b"

static void
allow_other_of_root(Mount *mount)
{
	open_path(mount);
	mount_expect(mount, "dash", "mkdir $M/children/a; echo 'exec cat' > $M/ctl", "", 0);
	expect_as(mount, OTHER, LOOKING,
		  "EACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\n"
		  "EACCES\nEACCES\nEACCES\nEACCES\n"
		  "EACCES\nEACCES\nEACCES\n");
	/* CAP_DAC_OVERRIDE opens what the modes shut, but does not make an owner of its holder. */
	g_autofree char *script =
		g_strdup_printf("setpriv --reuid %d --regid %d --clear-groups --inh-caps "
				"+dac_override --ambient-caps +dac_override dash -c '%s'",
				OTHER, OTHER, LOOKING);
	mount_expect(mount, "dash", script,
		     "40700\n100600\n100400\n40700\nok\nok\nok\nEACCES\nEACCES\nEACCES\nEACCES\nEAC"
		     "CES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\n",
		     0);
	mount_expect(mount, "dash", "cd $M; ls children; echo text > stdin; cat stdout",
		     "a\ntext\n", 0);
}

/* For this mount namespace: an /etc/fuse.conf that allows it. */
static void
allow_users(Mount *mount, gboolean allowed)
{
	g_autofree char *file = g_build_filename(mount_scratch(mount), "fuse.conf", NULL);
	if (!allowed) {
		g_assert_no_errno(umount2("/etc/fuse.conf", MNT_DETACH));
		return;
	}
	g_assert_true(g_file_set_contents(file, "user_allow_other\n", -1, NULL));
	g_autofree char *command = g_strdup_printf("chmod 644 %s; [ -e /etc/fuse.conf ] || : > "
						   "/etc/fuse.conf; mount --bind %s /etc/fuse.conf",
						   file, file);
	g_assert_cmpint(system(command), ==, 0);
}

/* An ordinary user may give allow_other only where the machine says so; then root gets in, and
 * may write, and others not. */
static void
allow_other_of_user(Mount *mount)
{
	open_path(mount);
	g_autoptr(ShResult) refused =
		mount_sh(mount, "dash", "timeout 20 $MITOFS -o allow_other $M");
	g_assert_cmpint(refused->code, ==, 1);
	g_assert_nonnull(strstr(refused->errors, "user_allow_other"));
	allow_users(mount, TRUE);
	g_autoptr(ShResult) started =
		mount_sh(mount, "dash", "until timeout 20 $MITOFS -o allow_other $M; do :; done");
	allow_users(mount, FALSE);
	g_assert_cmpint(started->code, ==, 0);
	mount_expect(mount, "dash", "mkdir $M/children/a; echo 'exec cat' > $M/ctl", "", 0);
	expect_as(mount, OTHER,
		  "try open $M/status rdonly; try open $M/ctl wronly; try mkdir $M/children/x",
		  "EACCES\nEACCES\nEACCES\n");
	expect_as(mount, 0,
		  "cd $M; sed -n 's/^state //p' status; echo text > stdin; cat stdout; try mkdir "
		  "children/b; rmdir children/a\n"
		  "echo 'exec id -u' > children/b/ctl; cat children/b/stdout",
		  "running\ntext\nok\n1000\n");
	mount_expect(mount, "dash",
		     "ls $M/children; echo shutdown > $M/ctl; while grep -q \" $M \" "
		     "/proc/self/mountinfo; do :; done",
		     "b\n", 0);
}

/* kill -9 of a user's broker: the watcher takes the mount away, through fusermount3. */
static void
killed(Mount *mount)
{
	mount_expect(mount, "dash",
		     "cd $M; mkdir children/a; echo 'sh setsid sleep 1000 & exec sleep 1000' > "
		     "children/a/ctl",
		     "", 0);
	Background reader = background_start(
		mount, "bash", "try read $M/children/a/wait 10 & try parked $!; echo ready; wait");
	mount_end(mount, SIGKILL, SIGKILL);
	background_expect(&reader, "ECONNABORTED\n", 0);
	mount_expect(mount, "dash",
		     "while grep -q \" $M \" /proc/self/mountinfo; do :; done; ls -A $M; until "
		     "$MITOFS $M 2> /dev/null; do :; done\n"
		     "ls $M | grep -x children; fusermount3 -u $M",
		     "children\n", 0);
}

/* And where the watcher is dead too, the next start does it. */
static void
killed_with_watcher(Mount *mount)
{
	g_assert_no_errno(kill(child_named(mount_pid(mount), MOUNT_WATCHER_NAME), SIGKILL));
	mount_end(mount, SIGKILL, SIGKILL);
	mount_expect(
		mount, "dash",
		"try open $M/ctl rdonly; $MITOFS $M 2>&1 | sed \"s|$M|M|\"; ls $M | grep -x "
		"children; "
		"fusermount3 -u $M",
		"ENOTCONN\nmitofs: M: cleared the stale mount of a broker that died\nchildren\n",
		0);
}

/* Somebody else's stale mount, that the user may not take away: one line that says so, and
 * nothing else happens. */
static void
stale_of_root(Mount *mount)
{
	g_autofree char *point = mount_path(mount, "");
	g_autofree char *command = g_strdup_printf(
		"%s %s && p=$(pgrep -n -f '^%s %s$') && kill -KILL $(pgrep -P $p mount-watcher) $p",
		g_getenv("MITOFS_BIN"), point, g_getenv("MITOFS_BIN"), point);
	open_path(mount);
	g_assert_cmpint(system(command), ==, 0);
	mount_expect(mount, "dash",
		     "timeout 20 $MITOFS $M 2> $T/e; echo $?; grep -c '' $T/e; grep -o 'mitofs: "
		     ".*' $T/e | sed \"s|$M|M|\"",
		     "1\n1\nmitofs: M: mitofs is mounted there already\n", 0);
	g_assert_no_errno(umount2(point, MNT_DETACH));
}

/* Callers from another pid namespace, whose pid the kernel gives as 0, and requests without a
 * caller: the uid decides. */
/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/user/R110/other-pid-namespace",
		.shells = "bash",
		.script = "cd $M; mkdir children/a; unshare --pid --fork --mount-proc=/proc bash -c '\n"
			  "	try mkdir children/b; echo \"exec cat\" > children/a/ctl; echo text > children/a/stdin; cat children/a/stdout\n"
			  "	echo \"exec sleep 1000\" > children/b/ctl; echo TERM > children/b/signal; try read children/b/wait 3; echo; try write children/a/ctl \"exec nosuch\\n\"\n"
			  "' 2>&1; ls children",
		.output = "ok\ntext\n143\nENOENT\na\nb\n",
		.errors = "",
	},
	{
		/* A command without its newline runs at release, which has no caller. */
		.path = "/mount/user/R110/release",
		.shells = "all",
		.setup = {.uid = USER},
		.script = "cd $M; cat events > $T/e & p=$!; try parked $p; printf 'exec echo text' > ctl\n"
			  "until grep -q exited $T/e; do :; done; kill $p; cat stdout",
		.output = "text\n",
	},
	{
		.path = "/mount/user/mounts-by-fusermount3",
		.shells = "all",
		.setup = {.uid = USER},
		.script = "cd $M; sed -n \"s| $M | M |p\" /proc/self/mountinfo | cut -d' ' -f 5,6,8- | sed 's/ - / /'\n"
			  "mkdir children/a; echo 'connect local' > children/a/ctl; echo 'exec cat' > children/a/ctl\n"
			  "echo text > children/a/stdin; cat children/a/stdout",
		.output = "M rw,nosuid,nodev,noexec,relatime fuse.mitofs mitofs rw,user_id=1000,group_id=1000\ntext\n",
	},
	{
		/* No word of the user's environment or options can turn the set-user-ID helper. */
		.path = "/mount/user/options",
		.shells = "bash",
		.setup = {.uid = USER, .unmounted = TRUE},
		.script = "LD_PRELOAD=$T/no.so $MITOFS -o 'suid,dev,exec,fsname=a\\,allow_other' $M 2> /dev/null\n"
			  "sed -n \"s| $M | M |p\" /proc/self/mountinfo | cut -d' ' -f 5,6,8- | sed 's/ - / /'; fusermount3 -u $M\n"
			  "ls -A $M",
		.output = "M rw,nosuid,nodev,noexec,relatime fuse.mitofs a,allow_other rw,user_id=1000,group_id=1000\n",
	},
	{
		.path = "/mount/user/umount-by-user",
		.shells = "dash",
		.setup = {.uid = USER, .unmounted = TRUE},
		.script = "$MITOFS $M && echo 'exec sleep 1000' > $M/ctl && fusermount3 -u $M && ls -A $M",
		.output = "",
	},
	{
		/* An abort() of an ordinary user's broker leaves as little as its kill -9. */
		.path = "/mount/user/R96/crash",
		.shells = "bash",
		.setup = {.uid = USER, .unmounted = TRUE},
		.script = "ulimit -c 0; for s in SEGV ABRT BUS; do\n"
			  "	until $MITOFS $M 2> /dev/null; do :; done; echo 'sh setsid sleep 1000 & exec sleep 1000' > $M/ctl\n"
			  "	kill -$s $(pgrep -n -f \"^$MITOFS $M\"); while grep -q \" $M \" /proc/self/mountinfo; do :; done\n"
			  "done; ls -A $M",
		.output = "",
	},
};

/* clang-format on */

int
main(int argc, char **argv)
{
	static const MountSetup user = { .uid = USER };
	static const MountSetup user_alone = { .uid = USER, .unmounted = TRUE };
	static const MountSetup shared = { .arguments = "-o allow_other" };
	mount_test_init(&argc, &argv);
	mount_test_add("/mount/user/R108/outsiders", outsiders, &user);
	mount_test_add("/mount/user/R108/setuid-caller", setuid_caller, &user);
	mount_test_add("/mount/user/R108/roots-mount", root_mount, NULL);
	mount_test_add("/mount/user/R109/root", allow_other_of_root, &shared);
	mount_test_add("/mount/user/R109/user", allow_other_of_user, &user_alone);
	mount_test_add("/mount/user/who-runs", who_runs, &user);
	mount_test_add("/mount/user/R96/killed", killed, &user);
	mount_test_add("/mount/user/R96/killed-with-watcher", killed_with_watcher, &user);
	mount_test_add("/mount/user/R96/stale-of-root", stale_of_root, &user_alone);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	return mount_test_run();
}
