/* bench-contexts MOUNT BROKER-PID: what the broker's memory grows by with 8000 contexts, for
 * each (so many that what its allocator has in store counts little); then make 1000 contexts,
 * read their statuses, and remove them. */
#include "tests/bench.h"

#include <sys/stat.h>

#define ROUNDS 5
#define CONTEXTS 1000
#define MANY 8000

static char *
child_path(const char *mount, int number, const char *file)
{
	return g_strdup_printf("%s/children/bench-%04d/%s", mount, number, file);
}

/* KiB of a line of /proc/PID/smaps_rollup. */
static double
memory(const char *pid, const char *key)
{
	g_autofree char *path = g_strdup_printf("/proc/%s/smaps_rollup", pid);
	g_autofree char *text = NULL;
	const char *line = g_file_get_contents(path, &text, NULL, NULL) ? strstr(text, key) : NULL;
	if (line == NULL)
		bench_fail(path);
	return strtod(line + strlen(key), NULL);
}

static double
make_all(const char *mount, int count)
{
	double start = bench_now();
	for (int i = 0; i < count; i++) {
		g_autofree char *path = child_path(mount, i, "");
		if (mkdir(path, 0700) != 0)
			bench_fail(path);
	}
	return bench_now() - start;
}

static double
read_all(const char *mount)
{
	double start = bench_now();
	for (int i = 0; i < CONTEXTS; i++) {
		g_autofree char *path = child_path(mount, i, "status");
		char text[4096];
		int fd = bench_open(path, O_RDONLY);
		if (read(fd, text, sizeof(text)) <= 0)
			bench_fail(path);
		close(fd);
	}
	return bench_now() - start;
}

static double
remove_all(const char *mount, int count)
{
	double start = bench_now();
	for (int i = 0; i < count; i++) {
		g_autofree char *path = child_path(mount, i, "");
		if (rmdir(path) != 0)
			bench_fail(path);
	}
	return bench_now() - start;
}

int
main(int argc, char **argv)
{
	double made[ROUNDS], read_in[ROUNDS], gone[ROUNDS];

	if (argc != 3)
		return 2;
	double rss = memory(argv[2], "\nRss:"), pss = memory(argv[2], "\nPss:");
	make_all(argv[1], MANY);
	rss = memory(argv[2], "\nRss:") - rss;
	pss = memory(argv[2], "\nPss:") - pss;
	remove_all(argv[1], MANY);
	for (int round = 0; round < ROUNDS; round++) {
		made[round] = make_all(argv[1], CONTEXTS);
		read_in[round] = read_all(argv[1]);
		gone[round] = remove_all(argv[1], CONTEXTS);
	}
	printf("| 1000 contexts made | %.3f s | | |\n", bench_median(made, ROUNDS));
	printf("| broker memory for each of 8000 contexts | %.2f KiB (RSS: %.2f KiB) | | |\n",
	       pss / MANY, rss / MANY);
	printf("| 1000 statuses read | %.3f s | | |\n", bench_median(read_in, ROUNDS));
	printf("| 1000 contexts removed | %.3f s | | |\n", bench_median(gone, ROUNDS));
	return 0;
}
