#include "tests/mount-fixture.h"
#include "tests/bed.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUSE_DEVICE "/dev/fuse"
#define MOUNT_TABLE "/proc/self/mountinfo"

/* What has no business on the broker's stderr. */
static const char *const suspicious[] = {
	"CRITICAL",    "Sanitizer", "runtime error:", "Assertion", "Function not implemented",
	"double free", "fuse: bad",
};

void
mount_fail(Mount *mount, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	if (!mount->failed)
		g_printerr("\n%s\n", g_test_get_path());
	g_printerr("FAILED: %s\n", text);
	mount->failed = TRUE;
}

void
mount_dump(Mount *mount)
{
	g_autoptr(GPtrArray) all = process_below(getpid(), 0);
	process_dump(all);
	g_autofree char *log = mount_stderr(mount);
	gsize size = strlen(log);
	g_printerr("the broker said:\n%s\n", size > 8192 ? log + size - 8192 : log);
}

void
mount_continue(Mount *mount)
{
	if (mount->broker != 0)
		kill(mount->broker, SIGCONT);
}

void
mount_stuck(Mount *mount)
{
	if (mount->broker == 0)
		return;
	kill(mount->broker, SIGKILL);
	mount->shared->ended = TRUE;
	mount->shared->status = SIGKILL;
	process_reap(mount->broker, deadline_in(5));
}

static char *
read_table(void)
{
	char *table = NULL;
	g_file_get_contents(MOUNT_TABLE, &table, NULL, NULL);
	return table;
}

/* Wait until the mountpoint is (@there) or is not in the mount table, or the broker ends (unless
 * its end is what is waited for). FALSE at the deadline. */
static gboolean
wait_for_table(Mount *mount, gboolean there, gint64 deadline)
{
	int fd = open(MOUNT_TABLE, O_RDONLY | O_CLOEXEC);
	g_autofree char *entry = g_strdup_printf(" %s ", mount->point);
	gboolean reached = FALSE;
	for (;;) {
		g_autofree char *table = read_table();
		reached = (strstr(table, entry) != NULL) == there;
		struct pollfd polls[] = { { fd, POLLPRI, 0 },
					  { there ? mount->pidfd : -1, POLLIN, 0 } };
		if (reached || poll(polls, 2, deadline_left(deadline)) <= 0 ||
		    polls[1].revents != 0)
			break;
	}
	close(fd);
	return reached;
}

void
mount_exec(const Mount *mount, char **argv)
{
	uid_t uid = mount->setup->uid;
	if (uid != 0 && (setgroups(0, NULL) != 0 || setgid(uid) != 0 || setuid(uid) != 0))
		_exit(125);
	/* After setuid(2), which would clear it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || chdir("/") != 0)
		_exit(125);
	environ = mount->environment; /* its PATH is searched */
	execvp(argv[0], argv);
	_exit(127);
}

/* "WRAPPER... MITOFS -f ARGUMENTS... POINT" */
static GStrv
broker_argv(Mount *mount)
{
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();
	const char *texts[] = { g_getenv("MITOFS_WRAPPER"), NULL, mount->setup->arguments };
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_auto(GStrv) more = NULL;
		if (texts[i] != NULL && g_shell_parse_argv(texts[i], NULL, &more, NULL))
			g_strv_builder_addv(words, (const char **)more);
		if (i == 0) {
			g_strv_builder_add(words, mount->program);
			g_strv_builder_add(words, "-f");
		}
	}
	g_strv_builder_add(words, mount->point);
	return g_strv_builder_end(words);
}

static void
start_broker(Mount *mount)
{
	g_auto(GStrv) argv = broker_argv(mount);
	mount->broker = fork();
	if (mount->broker == 0) {
		int log = open(mount->log, O_WRONLY | O_CREAT | O_APPEND, 0666);
		int null = open("/dev/null", O_RDONLY);
		if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
			_exit(125);
		syscall(SYS_close_range, 3, ~0U, 0);
		setsid();
		mount_exec(mount, argv);
	}
	mount->pidfd = (int)syscall(SYS_pidfd_open, mount->broker, 0);
	g_assert_cmpint(mount->pidfd, >=, 0);
}

static gboolean
attach(const char *what, const char *where, const char *type, gulong flags, const char *options)
{
	return mount(what, where, type, flags, options) == 0;
}

/* An ordinary user needs a device that it may open; only in this mount namespace. */
static void
open_fuse_device(Mount *mount)
{
	struct stat device;
	g_autofree char *dev = g_build_filename(mount->dir, "dev", NULL);
	g_autofree char *node = g_build_filename(dev, "fuse", NULL);
	if (stat(FUSE_DEVICE, &device) == 0 && (device.st_mode & 0006) == 0006)
		return;
	if (g_mkdir(dev, 0755) != 0 || !attach("tmpfs", dev, "tmpfs", MS_NOSUID, "mode=755") ||
	    mknod(node, S_IFCHR | 0666, makedev(10, 229)) != 0 || chmod(node, 0666) != 0 ||
	    !attach(node, FUSE_DEVICE, NULL, MS_BIND, NULL))
		mount_fail(mount, "no %s for a user: %s", FUSE_DEVICE, g_strerror(errno));
}

static void
close_fuse_device(Mount *mount)
{
	g_autofree char *dev = g_build_filename(mount->dir, "dev", NULL);
	if (g_file_test(dev, G_FILE_TEST_IS_DIR)) {
		umount2(FUSE_DEVICE, MNT_DETACH);
		umount2(dev, MNT_DETACH);
	}
}

/* A user may not be able to reach the build directory: give it copies. */
static char *
copy_program(Mount *mount, const char *path, const char *name)
{
	g_autofree char *data = NULL;
	gsize size;
	char *copy = g_build_filename(mount->dir, name, NULL);
	g_autoptr(GError) error = NULL;
	if (!g_file_get_contents(path, &data, &size, &error) ||
	    !g_file_set_contents(copy, data, (gssize)size, &error) || chmod(copy, 0755) != 0)
		g_error("%s: %s", copy, error != NULL ? error->message : g_strerror(errno));
	return copy;
}

static void
make_directory(Mount *mount)
{
	uid_t uid = mount->setup->uid;
	g_autoptr(GError) error = NULL;
	mount->dir = g_dir_make_tmp("mitofs-XXXXXX", &error);
	g_assert_no_error(error);
	mount->point = g_build_filename(mount->dir, "mnt", NULL);
	mount->scratch = g_build_filename(mount->dir, "tmp", NULL);
	mount->log = g_build_filename(mount->dir, "log", NULL);
	g_assert_no_errno(g_mkdir(mount->point, 0755));
	g_assert_no_errno(g_mkdir(mount->scratch, 0755));
	if (uid == 0)
		return;
	g_assert_no_errno(chown(mount->dir, uid, uid));
	g_assert_no_errno(chown(mount->point, uid, uid));
	g_assert_no_errno(chown(mount->scratch, uid, uid));
}

static void
make_environment(Mount *mount)
{
	static guint count;
	const char *try = g_getenv("MITOFS_TRY");
	g_autofree char *bin = g_path_get_dirname(try);
	if (mount->setup->uid != 0) {
		g_free(copy_program(mount, try, "try"));
		g_free(bin);
		bin = g_strdup(mount->dir);
		mount->program = copy_program(mount, g_getenv("MITOFS_BIN"), "mitofs");
	} else {
		mount->program = g_strdup(g_getenv("MITOFS_BIN"));
	}
	const char *first = g_getenv("BED_PATH"); /* of a bed whose programs hide the real ones */
	g_autofree char *path = g_strdup_printf("%s:%s/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
						bin, first != NULL ? first : "");
	g_autofree char *test = g_strdup_printf("%d-%u", (int)getpid(), ++count);
	const char *const values[][2] = {
		{ "PATH", path },	 { "HOME", mount->scratch },	   { "M", mount->point },
		{ "T", mount->scratch }, { "MITOFS", mount->program },	   { "MITOFS_TEST", test },
		{ "LC_ALL", "C.UTF-8" }, { "G_DEBUG", "fatal-criticals" },
	};
	mount->environment = g_get_environ();
	for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
		mount->environment =
			g_environ_setenv(mount->environment, values[i][0], values[i][1], TRUE);
	mount->mark = g_strdup_printf("MITOFS_TEST=%s", test);
}

static void
probe(Mount *mount)
{
	mount_expect(mount, "dash", "read -r key value < $M/status; echo $key", "id\n", 0);
}

static void
run_before(Mount *mount)
{
	mount_expect(mount, "dash", mount->setup->before, "", 0);
}

static gboolean
start_mount(Mount *mount)
{
	start_broker(mount);
	if (!wait_for_table(mount, TRUE, deadline_in(15))) {
		mount_fail(mount, "mitofs did not mount");
		mount_dump(mount);
		return FALSE;
	}
	if (!mount_guard(mount, "first look at the mount", probe, 15))
		return FALSE;
	mount->base = process_below(mount->broker, 0);
	g_autofree char *fds = process_fds(mount->broker);
	for (const char *c = fds; *c != '\0'; c++)
		mount->base_fds += *c == '\n';
	return TRUE;
}

Mount *
mount_new(const MountSetup *setup)
{
	Mount *mount = g_new0(Mount, 1);
	mount->setup = setup;
	mount->pidfd = -1;
	mount->table = read_table();
	mount->others = bed_entered() ? process_all() : NULL;
	mount->shared = mmap(NULL, sizeof(*mount->shared), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	g_assert_true(mount->shared != MAP_FAILED);
	make_directory(mount);
	make_environment(mount);
	if (setup->uid != 0)
		open_fuse_device(mount);
	if (setup->before == NULL || mount_guard(mount, "script before", run_before, 30))
		if (!setup->unmounted)
			start_mount(mount);
	return mount;
}

/* Everything that the test made, gone again, by the means that a user has. */
static const char removal[] = "cd $M || exit\n"
			      "for c in children/*; do\n"
			      "	[ ! -d \"$c\" ] || echo destroy > \"$c/ctl\"\n"
			      "done\n"
			      "echo kill > ctl\n"
			      "read -r line < wait\n"
			      "echo 'close stdout' > ctl\n"
			      "echo 'close stderr' > ctl\n"
			      "echo reset > ctl\n"
			      ": > error\n";

static void
remove_contexts(Mount *mount)
{
	sh_result_free(mount_sh(mount, "dash", removal));
}

/* The broker's descriptors and processes against those at the start: what is too much, or NULL. */
static char *
surplus(Mount *mount)
{
	g_autoptr(GPtrArray) now = process_below(mount->broker, 0);
	GString *text = g_string_new(NULL);
	g_autofree char *fds = process_fds(mount->broker);
	guint count = 0;
	for (const char *c = fds; *c != '\0'; c++)
		count += *c == '\n';
	if (count > mount->base_fds)
		g_string_append_printf(text, "the broker had %u descriptors and has %u:\n%s",
				       mount->base_fds, count, fds);
	if (now->len > mount->base->len)
		g_string_append_printf(text, "%u processes too many\n",
				       now->len - mount->base->len);
	for (guint i = 0; i < now->len; i++) {
		const Process *process = now->pdata[i];
		if (process->state == 'Z')
			g_string_append_printf(text, "%d %s is a zombie\n", (int)process->pid,
					       process->name);
		for (guint b = 0; b < mount->base->len; b++) {
			const Process *base = mount->base->pdata[b];
			if (base->pid == process->pid && base->fds < process->fds) {
				g_autofree char *its = process_fds(process->pid);
				g_string_append_printf(text,
						       "%d %s had %u descriptors and has %u:\n%s",
						       (int)process->pid, process->name, base->fds,
						       process->fds, its);
			}
		}
	}
	return g_string_free(text, text->len == 0);
}

/* The kernel tells nobody when a descriptor closes, so look until it is right or the deadline
 * comes. */
static void
check_settled(Mount *mount)
{
	gint64 deadline = deadline_in(5);
	g_autofree char *text = surplus(mount);
	while (text != NULL && deadline_left(deadline) > 0) {
		poll(NULL, 0, 2);
		g_free(text);
		text = surplus(mount);
	}
	if (text != NULL) {
		g_autoptr(GPtrArray) now = process_below(mount->broker, 0);
		mount_fail(mount, "left over while the broker runs: %s", text);
		process_dump(now);
	}
}

/* Whatever the scripts left running is theirs to leave; but a mitofs that they started they have
 * to end. */
static void
end_scripts(Mount *mount)
{
	if (mount->setup->unmounted)
		process_reap(0, deadline_in(10));
	for (;;) {
		g_autoptr(GPtrArray) left = process_below(getpid(), mount->broker);
		if (left->len == 0)
			return;
		if (mount->setup->unmounted) {
			mount_fail(mount, "left over of the test:");
			process_dump(left);
		}
		process_kill(left);
		if (!process_reap(mount->broker, deadline_in(5))) {
			mount_fail(mount, "cannot be killed:");
			mount_dump(mount);
			mount_stuck(mount);
			return;
		}
	}
}

/* End the broker if the test has not, and see how it ended. */
static void
end_broker(Mount *mount)
{
	int status = 0, expected = mount->shared->ended ? mount->shared->status : 0;
	if (!mount->shared->ended)
		kill(mount->broker, SIGTERM);
	struct pollfd ended = { mount->pidfd, POLLIN, 0 };
	if (poll(&ended, 1, deadline_left(deadline_in(15))) <= 0) {
		mount_fail(mount, "the broker did not end");
		mount_dump(mount);
		kill(mount->broker, SIGKILL);
	}
	waitpid(mount->broker, &status, 0);
	mount->broker = 0;
	if (status != expected)
		mount_fail(mount, "the broker's wait status is 0x%x instead of 0x%x", (guint)status,
			   (guint)expected);
}

static void
check_processes(Mount *mount)
{
	gboolean reaped = process_reap(0, deadline_in(10));
	g_autoptr(GPtrArray) marked = process_marked(mount->mark);
	if (reaped && marked->len == 0)
		return;
	g_autoptr(GPtrArray) below = process_below(getpid(), 0);
	mount_fail(mount, "processes are left:");
	process_dump(below);
	process_dump(marked);
	process_kill(below);
	process_kill(marked);
	process_reap(0, deadline_in(5));
}

/* The processes that were not there before the test and are not the bed's: what the test left at
 * the far side of a connection. */
static GPtrArray *
strangers(Mount *mount)
{
	GPtrArray *all = process_all();
	for (guint i = all->len; i > 0; i--) {
		const Process *process = all->pdata[i - 1];
		if (process->pid == getpid() || process_listed(mount->others, process->pid) ||
		    bed_owns(process->pid))
			g_ptr_array_remove_index(all, i - 1);
	}
	return all;
}

/* They see the end of their connection a little later than we do. */
static void
check_strangers(Mount *mount)
{
	gint64 deadline = deadline_in(10);
	g_autoptr(GPtrArray) left = strangers(mount);
	while (left->len > 0 && deadline_left(deadline) > 0) {
		poll(NULL, 0, 2);
		g_ptr_array_unref(left);
		left = strangers(mount);
	}
	if (left->len == 0)
		return;
	mount_fail(mount, "processes are left on the bed:");
	process_dump(left);
	process_kill(left);
}

static void
check_table(Mount *mount)
{
	if (!wait_for_table(mount, FALSE, deadline_in(5))) {
		mount_fail(mount, "%s is still mounted", mount->point);
		if (umount2(mount->point, MNT_DETACH) != 0) {
			g_autofree char *command =
				g_strdup_printf("fusermount3 -u -z %s", mount->point);
			g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
		}
	}
	close_fuse_device(mount);
	g_autofree char *table = read_table();
	if (geteuid() == 0 && g_strcmp0(table, mount->table) != 0)
		mount_fail(mount, "the mount table was\n%s and is\n%s", mount->table, table);
}

static void
check_stderr(Mount *mount)
{
	g_autofree char *log = mount_stderr(mount);
	for (gsize i = 0; i < G_N_ELEMENTS(suspicious); i++)
		if (strstr(log, suspicious[i]) != NULL)
			mount_fail(mount, "the broker said \"%s\"", suspicious[i]);
	if (mount->failed && *log != '\0')
		g_printerr("the broker said:\n%s\n", log);
}

static void
remove_directory(Mount *mount)
{
	g_autofree char *command = g_strdup_printf("rm -rf --one-file-system %s", mount->dir);
	g_autofree char *table = read_table();
	if (g_getenv("MITOFS_KEEP") == NULL && strstr(table, mount->dir) == NULL)
		g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
}

void
mount_free(Mount *mount)
{
	mount_continue(mount);
	end_scripts(mount);
	if (mount->broker != 0 && mount->base != NULL && !mount->shared->ended) {
		mount_guard(mount, "removing all contexts", remove_contexts, 30);
		end_scripts(mount);
		check_settled(mount);
	}
	if (mount->broker != 0)
		end_broker(mount);
	check_processes(mount);
	if (mount->others != NULL)
		check_strangers(mount);
	check_table(mount);
	check_stderr(mount);
	remove_directory(mount);
	if (mount->failed)
		g_test_fail();
	if (mount->pidfd >= 0)
		close(mount->pidfd);
	g_clear_pointer(&mount->base, g_ptr_array_unref);
	g_clear_pointer(&mount->others, g_ptr_array_unref);
	munmap(mount->shared, sizeof(*mount->shared));
	g_strfreev(mount->environment);
	g_free(mount->mark);
	g_free(mount->dir);
	g_free(mount->point);
	g_free(mount->scratch);
	g_free(mount->log);
	g_free(mount->program);
	g_free(mount->table);
	g_free(mount);
}
