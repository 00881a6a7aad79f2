/* What the image has instead of a C library: the start, and calls that are not one row of calls.S.
 *
 * An agent crosses every new connection, and half of what a static C library would add to it is
 * threads, locale and a dynamic loader's needs that a program of one thread has no use for. Here
 * is what this program calls, declared by the system's own headers, and no more: what is missing
 * is an error of the linker. The host build has the system's library instead, and the same tests
 * run on both. Strings are in string.c, memory is in heap.c. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define KERNEL_SIGSET 8 /* bytes of the kernel's signal sets */

/* The kernel's struct, where no handler is ever set. */
struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags, restorer, mask;
};

struct __dirstream {
	int fd;
	long next, end; /* what of the buffer is still to be given */
	_Alignas(struct dirent) char buffer[2048];
};

int main(int argc, char **argv);
void start(long *stack);

/* Rows of calls.S. */
extern int call_errno;
int call_clone(unsigned long flags, void *stack, int *parent, int *child, unsigned long tls);
int call_dup3(int from, int to, int flags);
int call_epoll_pwait(int fd, struct epoll_event *events, int count, int timeout,
		     const sigset_t *mask, size_t size);
int call_faccessat(int directory, const char *path, int mode);
long call_getdents64(int fd, void *buffer, size_t size);
int call_openat(int directory, const char *path, int flags, mode_t mode);
int call_ppoll(struct pollfd *fds, nfds_t count, struct timespec *timeout, const sigset_t *mask,
	       size_t size);
int call_rt_sigaction(int number, const struct kernel_sigaction *action,
		      struct kernel_sigaction *before, size_t size);
int call_rt_sigprocmask(int how, const sigset_t *set, sigset_t *before, size_t size);
int call_rt_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout,
			 size_t size);
int call_signalfd4(int fd, const sigset_t *mask, size_t size, int flags);
int call_unlinkat(int directory, const char *path, int flags);

char **environ;

/* What _start calls with what the kernel left on the stack. */
__attribute__((used)) void
start(long *stack)
{
	char **argv = (char **)(stack + 1);

	environ = argv + *stack + 1;
	_exit(main((int)*stack, argv));
}

int *
__errno_location(void)
{
	return &call_errno;
}

char *
getenv(const char *name)
{
	size_t length = strlen(name);

	for (char **entry = environ; *entry; entry++)
		if (!strncmp(*entry, name, length) && (*entry)[length] == '=')
			return *entry + length + 1;
	return NULL;
}

pid_t
_Fork(void)
{
	return call_clone(SIGCHLD, NULL, NULL, NULL, 0);
}

pid_t
waitpid(pid_t pid, int *status, int options)
{
	return wait4(pid, status, options, NULL);
}

/* No file is ever made: there is no mode. */
int
open(const char *path, int flags, ...)
{
	return call_openat(AT_FDCWD, path, flags, 0);
}

int
access(const char *path, int mode)
{
	return call_faccessat(AT_FDCWD, path, mode);
}

int
unlink(const char *path)
{
	return call_unlinkat(AT_FDCWD, path, 0);
}

int
rmdir(const char *path)
{
	return call_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int
dup2(int from, int to)
{
	return call_dup3(from, to, 0);
}

int
tcgetattr(int fd, struct termios *modes)
{
	return ioctl(fd, TCGETS, modes);
}

DIR *
opendir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : calloc(1, sizeof(*directory));

	if (directory)
		directory->fd = fd;
	else if (fd >= 0)
		close(fd);
	return directory;
}

struct dirent *
readdir(DIR *directory)
{
	struct dirent *entry;

	if (directory->next >= directory->end) {
		directory->next = 0;
		directory->end = call_getdents64(directory->fd, directory->buffer,
						 sizeof(directory->buffer));
		if (directory->end <= 0)
			return NULL;
	}
	entry = (void *)(directory->buffer + directory->next);
	directory->next += entry->d_reclen;
	return entry;
}

int
closedir(DIR *directory)
{
	close(directory->fd);
	free(directory);
	return 0;
}

int
epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
	return call_epoll_pwait(fd, events, count, timeout, NULL, 0);
}

int
poll(struct pollfd *fds, nfds_t count, int timeout)
{
	return call_ppoll(
		fds, count,
		&(struct timespec){ .tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000 },
		NULL, 0);
}

int
__sched_cpucount(size_t size, const cpu_set_t *set)
{
	int count = 0;

	for (size_t i = 0; i < size * 8; i++)
		count += ((const uint8_t *)set)[i / 8] >> i % 8 & 1;
	return count;
}

int
sigemptyset(sigset_t *set)
{
	memset(set, 0, sizeof(*set));
	return 0;
}

int
sigfillset(sigset_t *set)
{
	memset(set, 0xff, sizeof(*set));
	return 0;
}

int
sigaddset(sigset_t *set, int number)
{
	((unsigned long *)set)[0] |= 1ul << (number - 1);
	return 0;
}

/* For SIG_DFL and SIG_IGN. */
void (*signal(int number, void (*handler)(int)))(int)
{
	call_rt_sigaction(number, &(struct kernel_sigaction){ .handler = handler }, NULL,
			  KERNEL_SIGSET);
	return SIG_DFL;
}

int
sigprocmask(int how, const sigset_t *set, sigset_t *before)
{
	return call_rt_sigprocmask(how, set, before, KERNEL_SIGSET);
}

int
sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	return call_rt_sigtimedwait(set, info, timeout, KERNEL_SIGSET);
}

int
sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	return sigtimedwait(set, info, NULL);
}

int
signalfd(int fd, const sigset_t *mask, int flags)
{
	return call_signalfd4(fd, mask, KERNEL_SIGSET, flags);
}
