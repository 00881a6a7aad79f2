/* The user's entry in /etc/passwd.
 *
 * Read by hand: getpwuid(3) of a static program brings stdio and a name service client along and
 * reads no more than this file either. Users that only a directory service knows are described
 * by $USER, $HOME and $SHELL, which their login has set. What the entry names must be usable
 * here (a home that was never made, a shell that is not installed), else the next source is
 * asked. */
#include "broker/agent/account.h"

#include "pty/autofd.h"
#include "pty/number.h"
#include "pty/textbuf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (16 * 1024 * 1024)

enum {
	FIELD_USER,
	FIELD_PASSWORD,
	FIELD_UID,
	FIELD_GID,
	FIELD_NAME,
	FIELD_HOME,
	FIELD_SHELL,
	FIELD_COUNT
};

/* All of /etc/passwd, for free(3), or NULL. */
static char *
passwd_read(void)
{
	autofd fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	off_t length = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	size_t size = 0;
	char *text;
	ssize_t got;

	if (length < 0 || length > FILE_MAX)
		return NULL;
	text = malloc((size_t)length + 1);
	while (text && size < (size_t)length &&
	       (got = pread(fd, text + size, (size_t)length - size, (off_t)size)) > 0)
		size += (size_t)got;
	if (text)
		text[size] = '\0';
	return text;
}

/* Cut @line at its colons. Whether it has all fields. */
static bool
line_split(char *line, char *fields[FIELD_COUNT])
{
	for (int i = 0; i < FIELD_COUNT; i++) {
		fields[i] = line;
		line += strcspn(line, ":");
		if (*line)
			*line++ = '\0';
		else if (i < FIELD_SHELL)
			return false;
	}
	return true;
}

/* Find the line of @uid in @text, which is cut up. */
static bool
passwd_find(char *text, uid_t uid, char *fields[FIELD_COUNT])
{
	uint64_t number;

	while (*text) {
		char *line = text;

		text += strcspn(text, "\n");
		if (*text)
			*text++ = '\0';
		if (line_split(line, fields) &&
		    !number_parse(fields[FIELD_UID], UINT32_MAX, &number) && number == uid)
			return true;
	}
	return false;
}

static bool
is_directory(const char *path)
{
	autofd fd = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd >= 0 && !access(path, X_OK);
}

static bool
is_program(const char *path)
{
	return path && *path == '/' && !access(path, X_OK);
}

static const char *
user_fallback(void)
{
	static char digits[16];
	const char *user = getenv("USER");
	struct textbuf buf;

	if (user && *user)
		return user;
	textbuf_init(&buf, digits, sizeof(digits));
	textbuf_add_unsigned(&buf, getuid());
	return digits;
}

void
account_read(struct account *ret)
{
	char *fields[FIELD_COUNT] = { NULL };
	bool found = (ret->text = passwd_read()) && passwd_find(ret->text, getuid(), fields);
	const char *home = found ? fields[FIELD_HOME] : NULL,
		   *shell = found ? fields[FIELD_SHELL] : NULL;

	if (!is_directory(home))
		home = getenv("HOME");
	if (shell && !*shell) /* passwd(5): then it is /bin/sh */
		shell = "/bin/sh";
	if (!is_program(shell))
		shell = getenv("SHELL");
	ret->user = found ? fields[FIELD_USER] : user_fallback();
	ret->home_found = is_directory(home);
	ret->home = ret->home_found ? home : "/";
	ret->shell_found = is_program(shell);
	ret->shell = ret->shell_found ? shell : "/bin/sh";
}
