/* bench-exec MOUNT PROGRAM: execute PROGRAM until its end is known, once by vfork, exec and wait
 * in this process, and through a context: a line to ctl, the line of wait. */
#include "tests/bench.h"

#include <sys/stat.h>
#include <sys/wait.h>

#define ROUNDS 9
#define RUNS 200 /* of each kind in a round */

static char *program;
static char *line; /* for ctl */
static char *ctl_path, *wait_path;
static int ctl;

static void
run_vfork(void)
{
	int status;
	pid_t pid =
		vfork(); // NOLINT(clang-analyzer-security.insecureAPI.vfork): it is what is compared with
	if (pid == 0) {
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		bench_fail(program);
}

static void
read_wait(void)
{
	char text[256];
	int fd = bench_open(wait_path, O_RDONLY);
	ssize_t size = read(fd, text, sizeof(text));
	if (size < 7 || strncmp(text, "0 exit ", 7) != 0)
		bench_fail(wait_path);
	close(fd);
}

static void
run_kept(void)
{
	bench_command(ctl, line);
	read_wait();
}

static void
run_fresh(void)
{
	int fd = bench_open(ctl_path, O_WRONLY | O_TRUNC);
	bench_command(fd, line);
	close(fd);
	read_wait();
}

/* Seconds for one, the mean of a round. */
static double
round_of(void (*run)(void))
{
	double start = bench_now();
	for (int i = 0; i < RUNS; i++)
		run();
	return (bench_now() - start) / RUNS;
}

int
main(int argc, char **argv)
{
	static void (*const kinds[])(void) = { run_vfork, run_kept, run_fresh };
	static const char *const names[] = { "", "ctl kept open", "ctl opened for each" };
	double seconds[G_N_ELEMENTS(kinds)][ROUNDS], medians[G_N_ELEMENTS(kinds)];

	if (argc != 3)
		return 2;
	program = argv[2];
	line = g_strdup_printf("exec %s\n", program);
	g_autofree char *context = g_build_filename(argv[1], "children", "bench-exec", NULL);
	ctl_path = g_build_filename(context, "ctl", NULL);
	wait_path = g_build_filename(context, "wait", NULL);
	if (mkdir(context, 0700) != 0)
		bench_fail(context);
	ctl = bench_open(ctl_path, O_WRONLY);
	for (int round = -1; round < ROUNDS; round++) /* the first warms up */
		for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
			seconds[kind][MAX(round, 0)] = round_of(kinds[kind]);
	for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
		medians[kind] = bench_median(seconds[kind], ROUNDS);
	for (size_t kind = 1; kind < G_N_ELEMENTS(kinds); kind++)
		printf("| exec of a static `true` until its `wait` line is read, %s | %.0f us | "
		       "vfork, exec and wait: "
		       "%.0f us | %.2f |\n",
		       names[kind], medians[kind] * 1e6, medians[0] * 1e6,
		       medians[kind] / medians[0]);
	close(ctl);
	return rmdir(context) == 0 ? 0 : 1;
}
