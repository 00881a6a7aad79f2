/* try: make one system call, for the scripts of the mount tests, and print what came of it: "ok", a
 *number, the bytes, or the errno's name. The exit code is 0 in either case; 2 is for wrong words.
 *
 *	try open PATH FLAG,FLAG...        rdonly wronly rdwr creat excl trunc append sync direct
 *nonblock directory try write PATH TEXT [FLAG,...]    one write(2) on a file opened wronly and so;
 *the number of bytes try read PATH SIZE [OFFSET] [FLAG,...]   one pread(2) (without OFFSET a
 *read(2)); the bytes try poll PATH EVENTS [FLAG,...]   poll(2) that does not wait: in,out,hup,err
 *or "none"; EVENTS 10000 waits 10 s try parked PID...                 wait until each is blocked in
 *a request to a FUSE mount and the rest of the table below.
 *
 * In PATH and TEXT, C's escapes stand for bytes: \n, \t, \\, \377. */
#include "tests/parked.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PARKED_SECONDS 20

typedef struct Word {
	const char *name;
	int value;
} Word;

static const Word flags[] = {
	{ "rdonly", O_RDONLY },	      { "wronly", O_WRONLY },	{ "rdwr", O_RDWR },
	{ "creat", O_CREAT },	      { "excl", O_EXCL },	{ "trunc", O_TRUNC },
	{ "append", O_APPEND },	      { "sync", O_SYNC },	{ "direct", O_DIRECT },
	{ "path", O_PATH },	      { "tmpfile", O_TMPFILE }, { "nonblock", O_NONBLOCK },
	{ "directory", O_DIRECTORY },
};
static const Word events[] = {
	{ "in", POLLIN },
	{ "out", POLLOUT },
	{ "hup", POLLHUP },
	{ "err", POLLERR },
};

static int
parse_flags(const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, ",", 0);
	int value = 0;
	for (gsize i = 0; words[i] != NULL; i++)
		for (gsize f = 0; f < G_N_ELEMENTS(flags); f++)
			if (strcmp(flags[f].name, words[i]) == 0)
				value |= flags[f].value;
	return value;
}

static int
answer(long result)
{
	if (result < 0)
		puts(strerrorname_np(errno));
	else
		puts("ok");
	return 0;
}

static int
answer_number(long result)
{
	if (result < 0)
		return answer(result);
	printf("%ld\n", result);
	return 0;
}

static int
answer_bytes(const char *bytes, long result)
{
	if (result < 0)
		return answer(result);
	fwrite(bytes, 1, (size_t)result, stdout);
	return 0;
}

/* Open, or print why not and end. */
static int
must_open(const char *path, const char *more, int mode)
{
	int fd = open(path, mode | O_CLOEXEC | (more != NULL ? parse_flags(more) : 0), 0600);
	if (fd < 0)
		exit(answer(-1));
	return fd;
}

static int
try_open(char **words)
{
	return answer(open(words[0], O_CLOEXEC | parse_flags(words[1]), 0600));
}

static int
try_write(char **words)
{
	int fd = must_open(words[0], words[2], O_WRONLY);
	return answer_number(write(fd, words[1], strlen(words[1])));
}

static int
try_read(char **words)
{
	gboolean offset = words[2] != NULL && g_ascii_isdigit(*words[2]);
	const char *more = offset ? words[3] : words[2];
	int fd = must_open(words[0], more, O_RDONLY);
	size_t size = strtoul(words[1], NULL, 10);
	g_autofree char *bytes = g_malloc(size + 1);
	ssize_t got = offset ? pread(fd, bytes, size, (off_t)strtoll(words[2], NULL, 10))
			     : read(fd, bytes, size);
	return answer_bytes(bytes, got);
}

static int
try_poll(char **words)
{
	int fd = must_open(words[0], words[2], strcmp(words[1], "out") == 0 ? O_WRONLY : O_RDONLY);
	struct pollfd one = { fd, POLLIN | POLLOUT, 0 };
	int count = poll(&one, 1, g_ascii_isdigit(*words[1]) ? atoi(words[1]) : 0);
	const char *comma = "";
	if (count <= 0) {
		puts(count == 0 ? "none" : strerrorname_np(errno));
		return 0;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(events); i++)
		if ((one.revents & events[i].value) != 0) {
			printf("%s%s", comma, events[i].name);
			comma = ",";
		}
	puts("");
	return 0;
}

static int
try_parked(char **words)
{
	gint64 end = g_get_monotonic_time() + PARKED_SECONDS * G_USEC_PER_SEC;
	for (; *words != NULL; words++)
		for (;;) {
			gboolean gone;
			if (parked_in_mount((pid_t)atoi(*words), &gone))
				break;
			if (gone || g_get_monotonic_time() > end) {
				printf("%s\n", gone ? "gone" : "not parked");
				return 0;
			}
			poll(NULL, 0, 2);
		}
	return 0;
}

static int
try_mkdir(char **words)
{
	return answer(mkdir(words[0], 0700));
}

static int
try_rmdir(char **words)
{
	return answer(rmdir(words[0]));
}

static int
try_unlink(char **words)
{
	return answer(unlink(words[0]));
}

static int
try_mknod(char **words)
{
	return answer(mknod(words[0], S_IFREG | 0600, 0));
}

static int
try_mkfifo(char **words)
{
	return answer(mkfifo(words[0], 0600));
}

static int
try_symlink(char **words)
{
	return answer(symlink(words[0], words[1]));
}

static int
try_link(char **words)
{
	return answer(link(words[0], words[1]));
}

static int
try_rename(char **words)
{
	unsigned how = words[2] == NULL			    ? 0
		       : strcmp(words[2], "exchange") == 0  ? RENAME_EXCHANGE
		       : strcmp(words[2], "noreplace") == 0 ? RENAME_NOREPLACE
							    : RENAME_WHITEOUT;
	return answer(renameat2(AT_FDCWD, words[0], AT_FDCWD, words[1], how));
}

static int
try_chmod(char **words)
{
	return answer(chmod(words[0], (mode_t)strtol(words[1], NULL, 8)));
}

static int
try_chown(char **words)
{
	return answer(chown(words[0], (uid_t)atoi(words[1]), (gid_t)-1));
}

static int
try_truncate(char **words)
{
	return answer(truncate(words[0], strtoll(words[1], NULL, 10)));
}

static int
try_utimens(char **words)
{
	return answer(utimensat(AT_FDCWD, words[0], NULL, 0));
}

static int
try_setxattr(char **words)
{
	return answer(setxattr(words[0], "user.mitofs", "x", 1, 0));
}

static int
try_getxattr(char **words)
{
	char value[64];
	return answer_number(getxattr(words[0], "user.mitofs", value, sizeof(value)));
}

static int
try_listxattr(char **words)
{
	char list[256];
	return answer_number(listxattr(words[0], list, sizeof(list)));
}

static int
try_ioctl(char **words)
{
	int unknown = 0;
	return answer(ioctl(must_open(words[0], words[1], O_RDONLY), _IOR('m', 1, int), &unknown));
}

static int
try_isatty(char **words)
{
	printf("%s\n", isatty(must_open(words[0], NULL, O_RDONLY)) ? "yes" : "no");
	return 0;
}

/* Two open files of one path: the second lock has to be refused at once. */
static int
try_flock(char **words)
{
	int first = must_open(words[0], NULL, O_RDONLY);
	int second = must_open(words[0], NULL, O_RDONLY);
	if (flock(first, LOCK_EX | LOCK_NB) != 0)
		return answer(-1);
	return answer(flock(second, LOCK_EX | LOCK_NB));
}

static int
try_seek(char **words)
{
	return answer_number(
		lseek(must_open(words[0], NULL, O_RDONLY), strtoll(words[1], NULL, 10), SEEK_SET));
}

static int
try_size(char **words)
{
	struct stat status;
	return answer_number(stat(words[0], &status) == 0 ? (long)status.st_size : -1);
}

static int
try_mode(char **words)
{
	struct stat status;
	if (lstat(words[0], &status) != 0)
		return answer(-1);
	printf("%o\n", (unsigned)status.st_mode);
	return 0;
}

/* Touch the first byte through a mapping; a SIGBUS ends this process. */
static int
try_mmap(char **words)
{
	const char *map =
		mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, must_open(words[0], NULL, O_RDONLY), 0);
	if (map == MAP_FAILED)
		return answer(-1);
	printf("%c\n", *(volatile const char *)map);
	return 0;
}

/* What splice(2) moves into a pipe in one call. */
static int
try_splice(char **words)
{
	int fds[2];
	char bytes[65536];
	if (pipe2(fds, O_CLOEXEC) != 0)
		return answer(-1);
	ssize_t moved =
		splice(must_open(words[0], NULL, O_RDONLY), NULL, fds[1], NULL, sizeof(bytes), 0);
	return answer_bytes(bytes, moved < 0 ? -1 : read(fds[0], bytes, (size_t)moved));
}

static int
try_sendfile(char **words)
{
	int fds[2];
	char bytes[65536];
	if (pipe2(fds, O_CLOEXEC) != 0)
		return answer(-1);
	ssize_t moved = sendfile(fds[1], must_open(words[0], NULL, O_RDONLY), NULL, sizeof(bytes));
	return answer_bytes(bytes, moved < 0 ? -1 : read(fds[0], bytes, (size_t)moved));
}

static int
try_copy(char **words)
{
	int in = must_open(words[0], NULL, O_RDONLY),
	    out = must_open(words[1], "creat,trunc", O_WRONLY);
	return answer_number(copy_file_range(in, NULL, out, NULL, 65536, 0));
}

static int
try_exec(char **words)
{
	char *argv[] = { words[0], NULL };
	execv(words[0], argv);
	return answer(-1);
}

typedef struct Row {
	const char *name;
	guint least; /* words behind the name */
	int (*func)(char **words);
} Row;

static const Row rows[] = {
	{ "open", 2, try_open },	 { "write", 2, try_write },
	{ "read", 2, try_read },	 { "poll", 2, try_poll },
	{ "parked", 1, try_parked },	 { "mkdir", 1, try_mkdir },
	{ "rmdir", 1, try_rmdir },	 { "unlink", 1, try_unlink },
	{ "mknod", 1, try_mknod },	 { "mkfifo", 1, try_mkfifo },
	{ "symlink", 2, try_symlink },	 { "link", 2, try_link },
	{ "rename", 2, try_rename },	 { "chmod", 2, try_chmod },
	{ "chown", 2, try_chown },	 { "truncate", 2, try_truncate },
	{ "utimens", 1, try_utimens },	 { "setxattr", 1, try_setxattr },
	{ "getxattr", 1, try_getxattr }, { "listxattr", 1, try_listxattr },
	{ "ioctl", 1, try_ioctl },	 { "isatty", 1, try_isatty },
	{ "flock", 1, try_flock },	 { "seek", 2, try_seek },
	{ "size", 1, try_size },	 { "mode", 1, try_mode },
	{ "mmap", 1, try_mmap },	 { "splice", 1, try_splice },
	{ "sendfile", 1, try_sendfile }, { "copy", 2, try_copy },
	{ "exec", 1, try_exec },
};

int
main(int argc, char **argv)
{
	static char *words[64]; /* static: theirs to the end, as the leak check sees it */
	guint count = 0;
	for (int i = 2; i < argc && count < G_N_ELEMENTS(words) - 1; i++)
		words[count++] = g_strcompress(argv[i]);
	for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS(rows); i++)
		if (strcmp(rows[i].name, argv[1]) == 0 && count >= rows[i].least)
			return rows[i].func(words);
	fprintf(stderr, "try: wrong words\n");
	return 2;
}
