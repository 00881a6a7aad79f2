/* Which limit kept a command from being started.
 *
 * fork(2) says EAGAIN for three different limits (the user's processes, the cgroup's pids.max,
 * the system's threads); a person needs their values and where to raise them. Only cgroup v2 is
 * looked at, where it is mounted in its usual place. Sources: fork(2), getrlimit(2), the
 * kernel's cgroup-v2.rst. */
#include "broker/agent/limits.h"

#include "pty/errname.h"
#include "pty/procfile.h"
#include "pty/textbuf.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

static void
add_rlimit(struct textbuf *buf, const char *name, int resource)
{
	struct rlimit limit = { 0 };

	prlimit(0, resource, NULL, &limit);
	textbuf_add_all(buf, name, " is ", NULL);
	if (limit.rlim_cur == RLIM_INFINITY)
		textbuf_add(buf, "unlimited");
	else
		textbuf_add_unsigned(buf, limit.rlim_cur);
}

/* ", pids.max of its cgroup is 100", if that can be read. */
static void
add_cgroup(struct textbuf *buf)
{
	char text[512], path[640];
	struct textbuf file;
	const char *group;

	if (procfile_read("/proc/self/cgroup", text, sizeof(text)) < 0)
		return;
	group = procfile_line(text, "0::");
	if (!group)
		return;
	text[(size_t)(group - text) + strcspn(group, "\n")] = '\0';
	textbuf_init(&file, path, sizeof(path));
	textbuf_add_all(&file, "/sys/fs/cgroup", group, "/pids.max", NULL);
	if (procfile_read(path, text, sizeof(text)) <= 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	textbuf_add_all(buf, ", pids.max of its cgroup is ", text, NULL);
}

void
limits_text(int error, char *text, size_t size)
{
	struct textbuf buf;

	textbuf_init(&buf, text, size);
	if (error == EAGAIN) {
		textbuf_add(&buf, "no process left for this user: ");
		add_rlimit(&buf, "RLIMIT_NPROC", RLIMIT_NPROC);
		add_cgroup(&buf);
		textbuf_add(
			&buf,
			"; raise it: nproc in /etc/security/limits.conf, TasksMax= of the unit");
	} else if (error == EMFILE) {
		textbuf_add(&buf, "no file descriptor left in the agent: ");
		add_rlimit(&buf, "RLIMIT_NOFILE", RLIMIT_NOFILE);
		textbuf_add(&buf, "; raise it: nofile (hard) in /etc/security/limits.conf");
	} else if (error == ENFILE) {
		textbuf_add(
			&buf,
			"no open file left in the whole system; raise it: sysctl -w fs.file-max=N");
	} else {
		textbuf_add(&buf, ERRNO_WORDS);
	}
}
