/* Preloaded into a broker: the wall clock jumps while a file exists.
 *
 * $CLOCK_FILE holds seconds to be added to CLOCK_REALTIME, and is read at each call; without it,
 * or without the file, nothing changes. The monotonic clocks are never touched: whoever measures
 * time by them does not notice. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef int (*GetTime)(clockid_t clock, struct timespec *time);

int clock_gettime(clockid_t clock, struct timespec *time);
int gettimeofday(struct timeval *restrict time, void *restrict zone);
time_t time(time_t *time);

/* The seconds by which it is wrong. */
static long
jump(void)
{
	const char *path = getenv("CLOCK_FILE");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	char text[32] = "";

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strtol(text, NULL, 10);
}

int
clock_gettime(clockid_t clock, struct timespec *time)
{
	GetTime real = (GetTime)dlsym(RTLD_NEXT, "clock_gettime");
	int result = real(clock, time);

	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		time->tv_sec += jump();
	return result;
}

int
gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	struct timespec now;
	int result = clock_gettime(CLOCK_REALTIME, &now);

	time->tv_sec = now.tv_sec;
	time->tv_usec = now.tv_nsec / 1000;
	return result;
}

time_t
time(time_t *ret_time)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret_time != NULL)
		*ret_time = now.tv_sec;
	return now.tv_sec;
}
