#include "tests/bed.h"
#include "tests/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define UP_SECONDS 90
#define EXIT_MISSING 77 /* of `NAME up`: it cannot be had here, and stderr's last line says why */

static GPtrArray *names;	       /* of the beds that were asked for */
static char *directory;		       /* $BED */
static char *missing;		       /* why the tests cannot run */
static pid_t init_process;	       /* the second process, for the first one's signal handler */
static volatile sig_atomic_t ended_by; /* a signal that the first process got */

void
mount_test_bed(const char *name)
{
	if (names == NULL)
		names = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(names, g_strdup(name));
}

const char *
bed_missing(void)
{
	return missing;
}

gboolean
bed_entered(void)
{
	return directory != NULL;
}

gboolean
bed_owns(pid_t pid)
{
	g_autofree char *path = g_build_filename(directory, "daemons", NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *file = g_build_filename(path, name, NULL);
		g_autofree char *text = NULL;
		g_file_get_contents(file, &text, NULL, NULL);
		g_auto(GStrv) pids = g_strsplit_set(text != NULL ? text : "", " \n", 0);
		for (guint i = 0; pids[i] != NULL; i++)
			if (*pids[i] != '\0' && atoi(pids[i]) == pid)
				return TRUE;
	}
	return FALSE;
}

/* What the scripts find; the developer's own agents and askers stay out of it. */
static void
set_environment(void)
{
	static const char *const unwanted[] = { "SSH_AUTH_SOCK", "SSH_ASKPASS", "DISPLAY", "ENV",
						"BASH_ENV" };
	g_autofree char *bin = g_path_get_dirname(g_getenv("MITOFS_TRY"));
	g_autofree char *path =
		g_strdup_printf("%s:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", bin);
	g_setenv("PATH", path, TRUE);
	g_setenv("HOME", directory, TRUE);
	g_setenv("LC_ALL", "C.UTF-8", TRUE);
	g_setenv("BED", directory, TRUE);
	for (gsize i = 0; i < G_N_ELEMENTS(unwanted); i++)
		g_unsetenv(unwanted[i]);
}

/* Start `NAME VERB`, what it says going to these files (NULL: to our stderr). */
static pid_t
script_start(const char *name, const char *verb, const char *output, const char *errors)
{
	g_autofree char *script = g_build_filename(g_getenv("MITOFS_BEDS"), name, NULL);
	pid_t pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid > 0)
		return pid;
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = output != NULL ? open(output, flags, 0644) : 2;
	int err = errors != NULL ? open(errors, flags, 0644) : 2;
	if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 || chdir("/") != 0)
		_exit(125);
	setsid();
	umask(022);
	execl(script, script, verb, NULL);
	dprintf(2, "%s: %s\n", script, strerror(errno));
	_exit(127);
}

/* Its exit code; 128 + signal; when it takes too long it is killed. */
static int
script_wait(pid_t pid)
{
	struct pollfd ended = { (int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0 };
	if (poll(&ended, 1, deadline_left(deadline_in(UP_SECONDS))) <= 0)
		kill(-pid, SIGKILL);
	close(ended.fd);
	return mount_wait(pid);
}

/* Put the lines "NAME=VALUE" into the environment. */
static void
take_variables(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
	for (guint i = 0; lines[i] != NULL; i++) {
		char *value = strchr(lines[i], '=');
		if (value == NULL)
			continue;
		*value = '\0';
		g_setenv(lines[i], value + 1, TRUE);
	}
}

/* Set one bed up. If that fails the program ends here, since none of its tests would mean
 * anything. */
static void
bed_up(const char *name)
{
	g_autofree char *output = g_strdup_printf("%s/%s.variables", directory, name);
	g_autofree char *errors = g_strdup_printf("%s/%s.log", directory, name);
	g_autofree char *variables = NULL, *log = NULL;
	int code = script_wait(script_start(name, "up", output, errors));
	g_file_get_contents(output, &variables, NULL, NULL);
	g_file_get_contents(errors, &log, NULL, NULL);
	if (code == 0) {
		take_variables(variables);
		return;
	}
	if (code == EXIT_MISSING) {
		char *last = strrchr(g_strchomp(log), '\n');
		missing = g_strdup_printf("bed %s: %s", name, last != NULL ? last + 1 : log);
		return;
	}
	printf("Bail out! bed %s: exit code %d\n", name, code);
	fflush(stdout);
	g_printerr("bed %s: exit code %d\n%s\n", name, code, log != NULL ? log : "");
	_exit(1);
}

/* A new network namespace has a loopback device, which is down. */
static void
loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	g_assert_no_errno(ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

/* In the second process. */
static void
make_namespaces(void)
{
	g_assert_no_errno(prctl(PR_SET_PDEATHSIG, SIGKILL));
	g_assert_no_errno(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS));
	g_assert_no_errno(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	g_assert_no_errno(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	g_assert_no_errno(mount("tmpfs", directory, "tmpfs", MS_NODEV, "mode=755"));
	/* Where agents are put first: what others left there is not ours to find. */
	g_assert_no_errno(mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"));
	loopback_up();
}

static int
exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The second process from then on: the end of whatever has no parent, until the third ends. */
static void G_GNUC_NORETURN
be_init(pid_t program)
{
	int status = 0;
	pid_t pid;
	do {
		pid = waitpid(-1, &status, 0);
	} while (pid != program && (pid > 0 || errno == EINTR));
	_exit(exit_code(status));
}

/* The second process; returns in the third. */
static void
inside(void)
{
	make_namespaces();
	set_environment();
	for (guint i = 0; i < names->len && missing == NULL; i++)
		bed_up(names->pdata[i]);
	fflush(NULL);
	pid_t program = fork();
	g_assert_cmpint(program, >=, 0);
	if (program > 0)
		be_init(program);
}

static void
kill_init(int signal)
{
	ended_by = signal;
	kill(init_process, SIGKILL);
}

/* The first process: wait, and leave nothing. */
static void G_GNUC_NORETURN
outside(void)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction action = { .sa_handler = kill_init, .sa_flags = SA_RESTART };
	int status = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
		sigaction(ends[i], &action, NULL);
	waitpid(init_process, &status, 0);
	set_environment();
	for (guint i = names->len; i > 0; i--)
		script_wait(script_start(names->pdata[i - 1], "down", NULL, NULL));
	g_rmdir(directory);
	_exit(ended_by != 0 ? 128 + ended_by : exit_code(status));
}

gboolean
bed_enter(void)
{
	g_autoptr(GError) error = NULL;
	if (names == NULL)
		return FALSE;
	if (g_getenv("MITOFS_BEDS") == NULL)
		g_error("MITOFS_BEDS is not set: run it by meson test or scripts/test");
	if (geteuid() != 0) {
		missing = g_strdup("its bed needs root");
		return FALSE;
	}
	directory = g_dir_make_tmp("mitofs-bed-XXXXXX", &error);
	g_assert_no_error(error);
	g_assert_no_errno(chmod(directory, 0755));
	/* It holds for the children; and ours, behind the first, live outside again. */
	int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	g_assert_no_errno(unshare(CLONE_NEWPID));
	fflush(NULL);
	init_process = fork();
	g_assert_cmpint(init_process, >=, 0);
	if (init_process > 0) {
		g_assert_no_errno(setns(own, CLONE_NEWPID));
		outside();
	}
	close(own);
	inside();
	return TRUE;
}
