/* Pseudo terminals, and the sentences for having none. */
#include "pty/autofd.h"
#include "pty/errname.h"
#include "pty/pty.h"
#include "tests/residue.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

static void
test_open(void)
{
	struct winsize size;
	struct pty pty;
	char text[8] = "";

	g_assert_cmpint(pty_open(&pty, 132, 43), ==, 0);
	g_assert_true(isatty(pty.slave));
	g_assert_cmpint(fcntl(pty.master, F_GETFD), ==, FD_CLOEXEC);
	g_assert_cmpint(fcntl(pty.slave, F_GETFD), ==, FD_CLOEXEC);
	g_assert_no_errno(ioctl(pty.slave, TIOCGWINSZ, &size));
	g_assert_cmpint(size.ws_col, ==, 132);
	g_assert_cmpint(size.ws_row, ==, 43);
	g_assert_cmpint(write(pty.master, "hi\n", 3), ==, 3);
	g_assert_cmpint(read(pty.slave, text, sizeof(text)), ==, 3);
	g_assert_cmpmem(text, 3, "hi\n", 3);
	close(pty.master);
	close(pty.slave);
}

static void
test_resize(void)
{
	struct winsize size;
	struct pty pty;

	g_assert_cmpint(pty_open(&pty, 80, 24), ==, 0);
	g_assert_cmpint(pty_resize(pty.master, 65535, 1), ==, 0);
	g_assert_no_errno(ioctl(pty.slave, TIOCGWINSZ, &size));
	g_assert_cmpint(size.ws_col, ==, 65535);
	g_assert_cmpint(size.ws_row, ==, 1);
	close(pty.master);
	close(pty.slave);
	g_assert_cmpint(pty_resize(-1, 80, 24), ==, -EBADF);
}

static void
test_foreground(void)
{
	struct pty pty;
	int ends[2];
	pid_t pid;
	char byte;

	g_assert_cmpint(pty_open(&pty, 80, 24), ==, 0);
	g_assert_cmpint(pty_foreground(pty.master), ==, -ESRCH);
	g_assert_no_errno(pipe(ends));
	pid = fork();
	if (pid == 0) {
		setsid();
		if (ioctl(pty.slave, TIOCSCTTY, 0) < 0 || write(ends[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	g_assert_cmpint(read(ends[0], &byte, 1), ==, 1);
	g_assert_cmpint(pty_foreground(pty.master), ==, pid);
	kill(pid, SIGKILL);
	g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
	g_assert_cmpint(pty_foreground(pty.master), ==, -ESRCH);
	close(ends[0]);
	close(ends[1]);
	close(pty.master);
	close(pty.slave);
	g_assert_cmpint(pty_foreground(-1), ==, -EBADF);
}

static void
test_eof_character(void)
{
	struct termios modes;
	struct pty pty;

	g_assert_cmpint(pty_open(&pty, 80, 24), ==, 0);
	g_assert_cmpint(pty_eof_character(pty.master), ==, 4);
	g_assert_no_errno(tcgetattr(pty.slave, &modes));
	modes.c_cc[VEOF] = 26;
	g_assert_no_errno(tcsetattr(pty.slave, TCSANOW, &modes));
	g_assert_cmpint(pty_eof_character(pty.master), ==, 26);
	close(pty.master);
	close(pty.slave);
	g_assert_cmpint(pty_eof_character(-1), ==, -EBADF);
}

/* A /proc with these files in it; the caller removes it. */
static char *
proc_make(const char *max, const char *nr, const char *reserve, const char *mountinfo)
{
	const char *files[][2] = { { "sys/kernel/pty/max", max },
				   { "sys/kernel/pty/nr", nr },
				   { "sys/kernel/pty/reserve", reserve },
				   { "self/mountinfo", mountinfo },
				   { "sys/fs/file-max", "777\n" } };
	char *proc = g_dir_make_tmp("mitofs-test-XXXXXX", NULL);

	g_assert_nonnull(proc);
	for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(proc, files[i][0], NULL);
		g_autofree char *directory = g_path_get_dirname(path);

		g_assert_cmpint(g_mkdir_with_parents(directory, 0700), ==, 0);
		g_assert_true(g_file_set_contents(path, files[i][1], -1, NULL));
	}
	return proc;
}

static void
proc_remove(const char *proc)
{
	static const char *const names[] = { "sys/kernel/pty/max",
					     "sys/kernel/pty/nr",
					     "sys/kernel/pty/reserve",
					     "self/mountinfo",
					     "sys/fs/file-max",
					     "sys/kernel/pty",
					     "sys/kernel",
					     "sys/fs",
					     "sys",
					     "self",
					     "" };

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(proc, names[i], NULL);
		g_assert_cmpint(g_remove(path), ==, 0);
	}
}

#define DEVPTS \
	"24 22 0:22 / /dev/pts rw,nosuid shared:3 - devpts devpts rw,gid=5,mode=620,ptmxmode=000"

static const struct {
	int error;
	const char *sysname, *max, *nr, *reserve, *mountinfo;
	const char *has[3];
} texts[] = {
	{ ENOSPC,
	  "Linux",
	  "100\n",
	  "60\n",
	  "40\n",
	  DEVPTS "\n",
	  { "kernel.pty.max is 100, 60 in use, 40 reserved", "sysctl -w kernel.pty.max=200" } },
	{ ENOSPC,
	  "Linux",
	  "4096\n",
	  "7\n",
	  "1024\n",
	  "1 1 0:1 / / rw - ext4 a rw,max=9\n" DEVPTS ",max=16\n",
	  { "the devpts mount has max=16", "mount -o remount,max=32 /dev/pts" } },
	{ ENOSPC,
	  "Linux",
	  "100\n",
	  "60\n",
	  "40\n",
	  DEVPTS ",max=4096\n",
	  { "kernel.pty.max is 100" } },
	{ EMFILE, "Linux", "1", "1", "1", "", { "RLIMIT_NOFILE is ", "ulimit" } },
	{ ENFILE, "Linux", "1", "1", "1", "", { "fs.file-max is 777" } },
	{ EACCES, "Linux", "1", "1", "1", "", { ERRNO_WORDS, "ptmxmode" } },
	{ EPERM, "Linux", "1", "1", "1", "", { ERRNO_WORDS, "ptmxmode" } },
	{ ENOENT, "Linux", "1", "1", "1", "", { ERRNO_WORDS, "mount -t devpts" } },
	{ ENOMEM, "Linux", "1", "1", "1", "", { ERRNO_WORDS } },
	{ ENXIO, "Darwin", "1", "1", "1", "", { "kern.tty.ptmx_max" } },
	{ EAGAIN, "FreeBSD", "1", "1", "1", "", { "pseudoterminals", "login.conf" } },
	{ ENOSPC, "NetBSD", "1", "1", "1", "", { "kern.maxptys" } },
	{ ENXIO, "OpenBSD", "1", "1", "1", "", { "MAKEDEV" } },
	{ ENOSPC, "DragonFly", "1", "1", "1", "", { "no pseudo terminal left" } },
	{ ENOSPC, "Plan9", "1", "1", "1", "", { "no pseudo terminal left" } },
};

static void
test_error_text(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *proc =
			proc_make(texts[i].max, texts[i].nr, texts[i].reserve, texts[i].mountinfo);
		char text[512], cut[8];

		pty_error_text(texts[i].error, texts[i].sysname, proc, text, sizeof(text));
		g_test_message("%s", text);
		for (guint j = 0; texts[i].has[j]; j++)
			g_assert_nonnull(strstr(text, texts[i].has[j]));
		pty_error_text(texts[i].error, texts[i].sysname, proc, cut, sizeof(cut));
		g_assert_cmpuint(strlen(cut), ==, sizeof(cut) - 1);
		proc_remove(proc);
	}
}

static void
test_error_text_no_proc(void)
{
	char text[512];

	pty_error_text(ENOSPC, "Linux", "/nonexistent", text, sizeof(text));
	g_assert_nonnull(strstr(text, "kernel.pty.max"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pty/open", test_open);
	g_test_add_func("/pty/resize", test_resize);
	g_test_add_func("/pty/foreground", test_foreground);
	g_test_add_func("/pty/eof-character", test_eof_character);
	g_test_add_func("/pty/error-text", test_error_text);
	g_test_add_func("/pty/error-text/no-proc", test_error_text_no_proc);
	return residue_run();
}
