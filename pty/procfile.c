/* Small files of /proc and /sys.
 *
 * Used for finding trees of processes, for the usage of runs, and for the limits that an error
 * names. The kernel prints each of these files whole into one read(2) of enough size, so nothing
 * here loops. Nothing is allocated. A process may end between any two reads: callers take an
 * error as "gone". */
#include "pty/procfile.h"

#include "pty/autofd.h"
#include "pty/number.h"
#include "pty/textbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

ssize_t
procfile_read(const char *path, char *text, size_t size)
{
	autofd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, text, size - 1);
	if (got < 0)
		return -errno;
	text[got] = '\0';
	return got;
}

int
procfile_number(const char *path, uint64_t *ret)
{
	char text[32];
	const char *next = text;
	ssize_t got = procfile_read(path, text, sizeof(text));

	return got < 0 ? (int)got : number_take(&next, ret);
}

const char *
procfile_line(const char *text, const char *title)
{
	size_t length = strlen(title);

	while (strncmp(text, title, length)) {
		text = strchr(text, '\n');
		if (!text)
			return NULL;
		text++;
	}
	text += length;
	return text + strspn(text, " \t");
}

void
procfile_path(char *path, pid_t pid, const char *name)
{
	struct textbuf buf;

	textbuf_init(&buf, path, PROCFILE_PATH);
	textbuf_add(&buf, "/proc/");
	textbuf_add_unsigned(&buf, (uint64_t)pid);
	textbuf_add_all(&buf, "/", name, NULL);
}

/* NSpid has a number for each pid namespace from the one of this /proc down to ours. Kernels before 4.1
 * have no such line. */
bool
procfile_is_ours(void)
{
	char text[4096];
	const char *pid, *numbers;
	uint64_t number;

	if (procfile_read("/proc/self/status", text, sizeof(text)) < 0)
		return false;
	pid = procfile_line(text, "Pid:");
	numbers = procfile_line(text, "NSpid:");
	return pid && !number_take(&pid, &number) && number == (uint64_t)getpid() &&
	       (!numbers || (!number_take(&numbers, &number) && *numbers == '\n'));
}

/* The fields of proc(5) by their numbers there, from 4 (ppid) to 24 (rss); a negative one counts
 * as 0. */
static int
procstat_fields(const char *next, uint64_t fields[25])
{
	for (int i = 4; i <= 24; i++) {
		if (*next++ != ' ')
			return -EINVAL;
		const char *digits = *next == '-' ? next + 1 : next;
		if (number_take(&digits, &fields[i]) < 0)
			return -EINVAL;
		if (*next == '-')
			fields[i] = 0;
		next = digits;
	}
	return 0;
}

int
procstat_read(pid_t pid, struct procstat *ret)
{
	char path[PROCFILE_PATH], text[512];
	uint64_t fields[25];
	const char *name_end;
	ssize_t got;

	procfile_path(path, pid, "stat");
	got = procfile_read(path, text, sizeof(text));
	if (got < 0)
		return (int)got;
	/* The name stands in parentheses and may hold any byte, parentheses too. */
	name_end = strrchr(text, ')');
	if (!name_end || name_end[1] != ' ' || !name_end[2] ||
	    procstat_fields(name_end + 3, fields) < 0)
		return -EINVAL;
	*ret = (struct procstat){
		.pid = pid,
		.state = name_end[2],
		.parent = (pid_t)fields[4],
		.group = (pid_t)fields[5],
		.flags = (unsigned)fields[9],
		.user_ticks = fields[14] + fields[16],
		.system_ticks = fields[15] + fields[17],
		.threads = (unsigned)fields[20],
		.start = fields[22],
		.resident = fields[24],
	};
	return 0;
}
