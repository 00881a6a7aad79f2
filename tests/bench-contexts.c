/* bench-contexts MOUNT BROKER-PID TRUE: what the broker's memory grows by with 8000 contexts, for
 * each (so many that what its allocator has in store counts little); then make 1000 contexts,
 * read their statuses, run one command in each of them, by all/ and by a shell's loop in turn, and
 * remove them. */
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

/* Read @path to its end; the lines. */
static int
read_lines(const char *path)
{
	char text[65536];
	ssize_t got;
	int fd = bench_open(path, O_RDONLY), lines = 0;

	while ((got = read(fd, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < got; i++)
			lines += text[i] == '\n';
	}
	close(fd);
	return lines;
}

/* Run @program in all contexts by one write, and see the end of each. */
static double
run_by_all(const char *mount, const char *program)
{
	g_autofree char *ctl_path = g_strdup_printf("%s/all/ctl", mount);
	g_autofree char *wait_path = g_strdup_printf("%s/all/wait", mount);
	g_autofree char *line = g_strdup_printf("exec %s\n", program);
	double start = bench_now();
	int ctl = bench_open(ctl_path, O_WRONLY);

	bench_command(ctl, line);
	close(ctl);
	if (read_lines(wait_path) != CONTEXTS)
		bench_fail(wait_path);
	return bench_now() - start;
}

/* The same by a loop of dash(1). */
static double
run_by_loop(const char *mount, const char *program)
{
	g_autofree char *script =
		g_strdup_printf("cd '%s/children' && for c in *; do echo 'exec %s' > $c/ctl; done;"
				"for c in *; do read -r code rest < $c/wait; done",
				mount, program);
	g_autofree char *quoted = g_shell_quote(script);
	g_autofree char *command = g_strdup_printf("sh -c %s", quoted);
	double start = bench_now();

	if (system(command) != 0)
		bench_fail("sh");
	return bench_now() - start;
}

int
main(int argc, char **argv)
{
	double made[ROUNDS], read_in[ROUNDS], by_all[ROUNDS], by_loop[ROUNDS], gone[ROUNDS];

	if (argc != 4)
		return 2;
	double rss = memory(argv[2], "\nRss:"), pss = memory(argv[2], "\nPss:");
	make_all(argv[1], MANY);
	rss = memory(argv[2], "\nRss:") - rss;
	pss = memory(argv[2], "\nPss:") - pss;
	remove_all(argv[1], MANY);
	for (int round = 0; round < ROUNDS; round++) {
		made[round] = make_all(argv[1], CONTEXTS);
		read_in[round] = read_all(argv[1]);
		by_all[round] = run_by_all(argv[1], argv[3]);
		by_loop[round] = run_by_loop(argv[1], argv[3]);
		gone[round] = remove_all(argv[1], CONTEXTS);
	}
	printf("| 1000 contexts made | %.3f s | | |\n", bench_median(made, ROUNDS));
	printf("| broker memory for each of 8000 contexts | %.2f KiB (RSS: %.2f KiB) | | |\n",
	       pss / MANY, rss / MANY);
	printf("| 1000 statuses read | %.3f s | | |\n", bench_median(read_in, ROUNDS));
	double all = bench_median(by_all, ROUNDS), loop = bench_median(by_loop, ROUNDS);
	printf("| exec of a static `true` in 1000 contexts by `all/ctl`, to the end of `all/wait` "
	       "| "
	       "%.3f s | %.3f s (a shell's loop over them) | %.2f |\n",
	       all, loop, all / loop);
	printf("| 1000 contexts removed | %.3f s | | |\n", bench_median(gone, ROUNDS));
	return 0;
}
