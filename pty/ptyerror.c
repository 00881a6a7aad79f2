/* Why there was no pseudo terminal to be had, in a sentence.
 *
 * A person who runs out of terminals needs to know which of several limits it was, what it is
 * set to, and what to type. On Linux these are kernel.pty.max for the whole system (of which
 * kernel.pty.reserve are kept for the first devpts mount), the max= option of one devpts mount
 * (containers set it), and the descriptors; all are read under @proc. Other systems have one
 * knob each, in a table. Sources: the kernel's devpts.rst and fs/devpts/inode.c; Darwin's and
 * NetBSD's sysctl(3), FreeBSD's login.conf(5) and posix_openpt(2), OpenBSD's pty(4). */
#include "pty/pty.h"

#include "pty/errname.h"
#include "pty/number.h"
#include "pty/procfile.h"
#include "pty/textbuf.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

static const struct {
	const char *sysname, *hint;
} hints[] = {
	{ "Darwin", "raise kern.tty.ptmx_max: sysctl -w kern.tty.ptmx_max=999" },
	{ "NetBSD", "raise kern.maxptys: sysctl -w kern.maxptys=4096" },
	{ "FreeBSD",
	  "raise \"pseudoterminals\" of the login class in /etc/login.conf (limits -p shows it)" },
	{ "OpenBSD", "make more of them: cd /dev && sh MAKEDEV pty1 (up to pty15)" },
	{ "DragonFly", "close some: the kernel's number of them is fixed" },
};

/* The number in @proc/@name, or 0. */
static uint64_t
proc_number(const char *proc, const char *name)
{
	char path[256];
	struct textbuf buf;
	uint64_t number = 0;

	textbuf_init(&buf, path, sizeof(path));
	textbuf_add_all(&buf, proc, "/", name, NULL);
	return procfile_number(path, &number) < 0 ? 0 : number;
}

/* What follows @word on the line that @text, maybe at its newline, begins; or NULL. */
static const char *
line_find(const char *text, const char *word)
{
	size_t length = strlen(word);

	do {
		if (!strncmp(text, word, length))
			return text + length;
	} while (*text && *++text != '\n' && *text);
	return NULL;
}

/* Look for max= among the devpts mounts of @proc/self/mountinfo; 0 when none is limited. A line
 * is "ID PARENT DEV ROOT MOUNTPOINT OPTIONS ... - devpts SOURCE SUPEROPTIONS", with blanks in
 * names escaped. */
static uint64_t
devpts_max(const char *proc)
{
	char path[256], text[16384];
	struct textbuf buf;
	const char *option;
	uint64_t max = 0;

	textbuf_init(&buf, path, sizeof(path));
	textbuf_add_all(&buf, proc, "/self/mountinfo", NULL);
	if (procfile_read(path, text, sizeof(text)) < 0)
		return 0;
	for (const char *line = text; line; line = strchr(line + 1, '\n')) {
		option = line_find(line, " - devpts ");
		option = option ? line_find(option, ",max=") : NULL;
		if (option)
			(void)number_take(&option, &max);
	}
	return max;
}

/* Which of the limits on terminals was reached on Linux. */
static void
add_linux_exhausted(struct textbuf *buf, const char *proc)
{
	uint64_t max = proc_number(proc, "sys/kernel/pty/max"),
		 used = proc_number(proc, "sys/kernel/pty/nr");
	uint64_t reserve = proc_number(proc, "sys/kernel/pty/reserve"),
		 mount_max = devpts_max(proc);

	textbuf_add(buf, "no pseudo terminal left: ");
	if (mount_max && (!max || used + reserve < max)) {
		textbuf_add(buf, "the devpts mount has max=");
		textbuf_add_unsigned(buf, mount_max);
		textbuf_add(buf, "; raise it: mount -o remount,max=");
		textbuf_add_unsigned(buf, mount_max * 2);
		textbuf_add(buf, " /dev/pts");
		return;
	}
	textbuf_add(buf, "kernel.pty.max is ");
	textbuf_add_unsigned(buf, max);
	textbuf_add(buf, ", ");
	textbuf_add_unsigned(buf, used);
	textbuf_add(buf, " in use, ");
	textbuf_add_unsigned(buf, reserve);
	textbuf_add(buf,
		    " reserved for the first devpts mount; raise it: sysctl -w kernel.pty.max=");
	textbuf_add_unsigned(buf, max ? max * 2 : 8192);
}

/* What to do about too few terminals on @sysname. */
static void
add_exhausted(struct textbuf *buf, const char *sysname, const char *proc)
{
	if (!strcmp(sysname, "Linux")) {
		add_linux_exhausted(buf, proc);
		return;
	}
	textbuf_add(buf, "no pseudo terminal left");
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (!strcmp(hints[i].sysname, sysname))
			textbuf_add_all(buf, "; ", hints[i].hint, NULL);
}

/* The descriptor limit of this process, or of the system. */
static void
add_descriptors(struct textbuf *buf, int error, const char *proc)
{
	struct rlimit limit = { 0 };

	if (error == ENFILE) {
		textbuf_add(buf, "no open file left in the whole system: fs.file-max is ");
		textbuf_add_unsigned(buf, proc_number(proc, "sys/fs/file-max"));
		textbuf_add(buf, "; raise it: sysctl -w fs.file-max=N");
		return;
	}
	prlimit(0, RLIMIT_NOFILE, NULL, &limit);
	textbuf_add(buf, "no file descriptor left for a pseudo terminal: RLIMIT_NOFILE is ");
	textbuf_add_unsigned(buf, limit.rlim_cur);
	textbuf_add(buf, "; raise it: ulimit -Hn, or nofile in /etc/security/limits.conf");
}

void
pty_error_text(int error, const char *sysname, const char *proc, char *text, size_t size)
{
	bool is_linux = !strcmp(sysname, "Linux");
	struct textbuf buf;

	textbuf_init(&buf, text, size);
	if (error == ENOSPC || error == EAGAIN || (!is_linux && error == ENXIO)) {
		add_exhausted(&buf, sysname, proc);
	} else if (error == EMFILE || error == ENFILE) {
		add_descriptors(&buf, error, proc);
	} else if (error == ENOENT || error == ENXIO || error == ENODEV) {
		textbuf_add(&buf, "no pseudo terminals here: /dev/ptmx: " ERRNO_WORDS);
		if (is_linux)
			textbuf_add(&buf, "; mount them: mount -t devpts devpts /dev/pts");
	} else {
		textbuf_add(&buf, "no pseudo terminal: /dev/ptmx: " ERRNO_WORDS);
		if (is_linux && (error == EACCES || error == EPERM))
			textbuf_add(&buf, "; give rights: mount -o remount,ptmxmode=666 /dev/pts");
	}
}
