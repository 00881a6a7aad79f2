/* bench-remote PROGRAM: places behind ssh, on the beds `ssh` (the loopback address) and `hosts` (a
 * link that is slow at will), against ssh by itself. It sets the beds up and mounts in them, for
 * which it must be root; else it says so in place of its rows. MITOFS_BIN, MITOFS_TRY and MITOFS_BEDS
 * as for the mount tests. */
#include "tests/bed.h"
#include "tests/bench.h"
#include "tests/mount.h"

#include <signal.h>
#include <sys/stat.h>

#define CONNECTS 7
#define SLOW_CONNECTS 5
#define RUN_ROUNDS 5
#define RUNS 20 /* of each kind in a round */
#define STREAM_ROUNDS 3
#define MEBIBYTES 512.0
#define RTT 0.05

static char *top; /* .../children */
static guint quiet;

/* Run a line of sh, which must succeed; its seconds. */
static double G_GNUC_PRINTF(1, 2) time_sh(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *script = g_strdup_vprintf(format, args);
	va_end(args);
	return bench_sh(script);
}

/* Wait until no more processes are there than when all was quiet: what the last round left is not
 * to burden the next. */
static void
settle(void)
{
	for (guint count = quiet + 1; count > quiet;) {
		g_autoptr(GPtrArray) all = process_all();
		count = all->len;
		g_usleep(2000);
	}
}

static void
start_mitofs(const char *point)
{
	const char *program = g_getenv("MITOFS_BIN");
	struct stat before, now;
	if (mkdir(point, 0700) != 0 || stat(point, &before) != 0)
		bench_fail(point);
	if (fork() == 0) {
		execl(program, program, "-f", point, (char *)NULL);
		_exit(127);
	}
	do {
		g_usleep(2000);
	} while (stat(point, &now) != 0 || now.st_dev == before.st_dev);
}

/* Seconds of a connect to @host, which is left connected or taken down again. */
static double
connect_to(const char *host, gboolean stays)
{
	g_autofree char *context = g_build_filename(top, host, NULL);
	g_autofree char *ctl = g_build_filename(context, "ctl", NULL);
	g_autofree char *line =
		g_strdup_printf("connect ssh -F %s %s\n", g_getenv("SSHCONF"), host);
	double start = bench_now();
	if (mkdir(context, 0700) != 0)
		bench_fail(context);
	int fd = bench_open(ctl, O_WRONLY);
	bench_command(fd, line);
	close(fd);
	double seconds = bench_now() - start;
	if (!stays && rmdir(context) != 0)
		bench_fail(context);
	if (!stays)
		settle();
	return seconds;
}

static double
ssh_true(const char *host)
{
	double seconds = time_sh("ssh -F $SSHCONF %s true", host);
	settle();
	return seconds;
}

/* Medians of connects and of ssh, in turns. */
static void
bench_pair(const char *host, size_t rounds, double *ret_mitofs, double *ret_ssh)
{
	double mitofs[CONNECTS], ssh[CONNECTS];
	for (size_t i = 0; i < rounds + 1; i++) { /* the first warms up */
		ssh[i > 0 ? i - 1 : 0] = ssh_true(host);
		mitofs[i > 0 ? i - 1 : 0] = connect_to(host, FALSE);
	}
	*ret_mitofs = bench_median(mitofs, rounds);
	*ret_ssh = bench_median(ssh, rounds);
}

static void
bench_connect(void)
{
	double mitofs, ssh, mitofs_slow, ssh_slow;
	bench_pair("root", CONNECTS, &mitofs, &ssh);
	printf("| `connect ssh` on the loopback address | %.0f ms | `ssh true`: %.0f ms | %.2f |\n",
	       mitofs * 1e3, ssh * 1e3, mitofs / ssh);
	bench_pair("h1", SLOW_CONNECTS, &mitofs, &ssh);
	time_sh("$HOSTS delay h1 25");
	bench_pair("h1", SLOW_CONNECTS, &mitofs_slow, &ssh_slow);
	time_sh("$HOSTS reset");
	printf("| round trips of `connect ssh`, 50 ms each | %.1f (%.0f ms) | `ssh true`: %.1f "
	       "(%.0f "
	       "ms) | %+.1f |\n",
	       (mitofs_slow - mitofs) / RTT, mitofs_slow * 1e3, (ssh_slow - ssh) / RTT,
	       ssh_slow * 1e3, (mitofs_slow - mitofs - ssh_slow + ssh) / RTT);
}

/* Seconds of one run of @program in @context, the mean of RUNS. */
static double
time_runs(const char *context, const char *program)
{
	g_autofree char *ctl_path = g_build_filename(top, context, "ctl", NULL);
	g_autofree char *wait_path = g_build_filename(top, context, "wait", NULL);
	g_autofree char *line = g_strdup_printf("exec %s\n", program);
	int ctl = bench_open(ctl_path, O_WRONLY);
	double start = bench_now();
	for (int i = 0; i < RUNS; i++) {
		char text[256];
		bench_command(ctl, line);
		int fd = bench_open(wait_path, O_RDONLY);
		if (read(fd, text, sizeof(text)) < 7 || strncmp(text, "0 exit ", 7) != 0)
			bench_fail(wait_path);
		close(fd);
	}
	double seconds = (bench_now() - start) / RUNS;
	close(ctl);
	return seconds;
}

static double
time_shared(const char *program)
{
	return time_sh("for i in 1 2 3 4 5 6 7 8 9 10; do ssh -F $SSHCONF -o ControlPath=$BED/mux "
		       "root %s; done",
		       program) /
	       10;
}

static void
bench_runs(const char *program)
{
	double here[RUN_ROUNDS], further[RUN_ROUNDS], shared[RUN_ROUNDS];
	for (int i = -1; i < RUN_ROUNDS; i++) {
		here[MAX(i, 0)] = time_runs("root", program);
		further[MAX(i, 0)] = time_runs("root/children/further", program);
		shared[MAX(i, 0)] = time_shared(program);
	}
	double first = bench_median(here, RUN_ROUNDS), second = bench_median(further, RUN_ROUNDS);
	double ssh = bench_median(shared, RUN_ROUNDS);
	printf("| a static `true` behind ssh | %.2f ms | over a shared connection of ssh: %.2f ms "
	       "| "
	       "%.2f |\n",
	       first * 1e3, ssh * 1e3, first / ssh);
	printf("| the same one place further | %.2f ms | the first place: %.2f ms | %.2f |\n",
	       second * 1e3, first * 1e3, second / first);
}

#define WRITER "dd if=/dev/zero bs=131072 count=4096 status=none"

static double
time_stdout(const char *context)
{
	return time_sh("cd %s/%s && echo 'exec " WRITER "' > ctl && cat stdout > /dev/null", top,
		       context);
}

static void
bench_streams(void)
{
	double here[STREAM_ROUNDS], further[STREAM_ROUNDS], ssh[STREAM_ROUNDS];
	for (int i = -1; i < STREAM_ROUNDS; i++) {
		ssh[MAX(i, 0)] = time_sh("ssh -F $SSHCONF root '" WRITER "' > /dev/null");
		here[MAX(i, 0)] = time_stdout("root");
		further[MAX(i, 0)] = time_stdout("root/children/further");
	}
	double first = MEBIBYTES / bench_median(here, STREAM_ROUNDS);
	double second = MEBIBYTES / bench_median(further, STREAM_ROUNDS);
	double plain = MEBIBYTES / bench_median(ssh, STREAM_ROUNDS);
	printf("| `cat stdout` of 512 MiB behind ssh | %.0f MiB/s | `ssh` alone: %.0f MiB/s | %.2f "
	       "|\n",
	       first, plain, first / plain);
	printf("| the same one place further | %.0f MiB/s | the first place: %.0f MiB/s | %.2f |\n",
	       second, first, second / first);
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	mount_test_bed("ssh");
	mount_test_bed("hosts");
	gboolean entered = bed_enter();
	if (bed_missing() != NULL) {
		printf("| places behind ssh: not measured, %s | | | |\n", bed_missing());
		return 0;
	}
	if (!entered)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	g_autofree char *point = g_build_filename(g_getenv("BED"), "mnt", NULL);
	top = g_build_filename(point, "children", NULL);
	start_mitofs(point);
	time_sh("cd %s && echo 'exec true' > ctl && cat wait > /dev/null", point);
	g_autoptr(GPtrArray) all = process_all();
	quiet = all->len;
	bench_connect();
	connect_to("root", TRUE);
	time_sh("mkdir %s/root/children/further; echo 'connect local' > "
		"%s/root/children/further/ctl",
		top, top);
	time_sh("ssh -F $SSHCONF -o ControlPath=$BED/mux -o ControlMaster=yes -N -f root");
	bench_runs(argv[1]);
	bench_streams();
	time_sh("umount %s", point);
	return 0;
}
