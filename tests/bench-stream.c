/* bench-stream MOUNT: a command's output of 1 GB to cat, through a shell's pipe and through a
 * context's stdout. */
#include "tests/bench.h"

#include <sys/stat.h>

#define ROUNDS 7
#define BYTES 1000000000.0

typedef struct Writer {
	const char *name, *command;
} Writer;

static const Writer writers[] = {
	{ "`head -c 1000000000 /dev/zero`", "head -c 1000000000 /dev/zero" },
	{ "`dd bs=1M`", "dd if=/dev/zero bs=1000000 count=1000 status=none" },
};

static void
bench_writer(const char *context, const Writer *writer)
{
	double piped[ROUNDS], through[ROUNDS];
	g_autofree char *pipe = g_strdup_printf("%s | cat > /dev/null", writer->command);
	g_autofree char *mount =
		g_strdup_printf("cd %s && echo 'exec %s' > ctl && cat stdout > /dev/null", context,
				writer->command);
	for (int round = -1; round < ROUNDS; round++) { /* the first warms up */
		piped[MAX(round, 0)] = bench_sh(pipe);
		through[MAX(round, 0)] = bench_sh(mount);
	}
	double pipe_speed = BYTES / bench_median(piped, ROUNDS) / 1e9;
	double mount_speed = BYTES / bench_median(through, ROUNDS) / 1e9;
	printf("| `cat stdout` of 1 GB, %s | %.2f GB/s | through a shell's pipe: %.2f GB/s | %.2f "
	       "|\n",
	       writer->name, mount_speed, pipe_speed, mount_speed / pipe_speed);
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	g_autofree char *context = g_build_filename(argv[1], "children", "bench-stream", NULL);
	if (mkdir(context, 0700) != 0)
		bench_fail(context);
	for (size_t i = 0; i < G_N_ELEMENTS(writers); i++)
		bench_writer(context, &writers[i]);
	return rmdir(context) == 0 ? 0 : 1;
}
