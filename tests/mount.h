/* The mount tests: a real mount of the built mitofs for each test, driven by real shells and
 *programs.
 *
 * How to add one. Most are a row: a script, the shells that run it, and what it has to print.
 *
 *	static const ShCase cases[] = {
 *		{ .path = "/mount/stdin/R34/wc", .shells = "all", .script =
 *			"cd $M; printf 'a\\nb\\n' > stdin; echo 'exec wc -l' > ctl; cat stdout",
 *.output = "2\n" }, { .path = "/mount/ctl/R19/unknown-verb", .shells = "bash", .script = "try write
 *$M/ctl 'frobnicate\\n'", .output = "EOPNOTSUPP\n" },
 *	};
 *
 *	int
 *	main(int argc, char **argv)
 *	{
 *		mount_test_init(&argc, &argv);
 *		mount_test_add_cases(cases, G_N_ELEMENTS(cases));
 *		mount_test_add("/mount/poll/wait", test_poll_wait, NULL);
 *		return mount_test_run();
 *	}
 *
 * What needs C is a function that takes the Mount: it may open and poll files itself, run scripts
 *by mount_sh() and mount_expect(), start one and leave it running (mount_start, process_parked), or
 *end the broker (mount_end). Then name the program in the table of tests/meson.build. The path of a
 *test carries the id of the law or row it stands for.
 *
 * Scripts find these variables: $M the mount, $T an empty directory of the test's own (also HOME),
 *$MITOFS the program, and in PATH `try` (tests/try.c), which makes one system call and prints what
 *came of it: a number, "ok", or the errno's name. A script must wait for something that it can see
 *(a read of `wait`, of `stdout`, of `events`), and never sleep; `try parked PID` waits until that
 *process is blocked in the mount.
 *
 * What happens around a test. A mount namespace for the program (as root); a temporary directory;
 *mitofs -f on it, its stderr in a file; then the body in a process of its own, so that a failed
 *assertion, a crash or a hang costs that test alone. A body that takes longer than its deadline is
 *killed and fails, with the kernel stacks of everything that lives. Behind it comes the check for
 *leftovers, which every test passes or fails with:
 *	- whatever the script left running is killed;
 *	- all contexts are removed (`destroy`) and the root's run is ended and reset: then the
 *broker and its agents have to come back to the processes, and to the open descriptors, that they
 *had at the start, with no zombie;
 *	- SIGTERM: the broker exits with 0; no process is left, whoever its parent is; the mount is
 *gone, and the mount table is what it was; nothing on the broker's stderr smells of a bug.
 *
 * Beds: mount_test_bed("ssh") puts the program into namespaces (pid, mounts, network, hostname) in
 * which tests/beds/ssh has set things up. $BED is a directory there, and the bed's variables are in
 * the environment of all scripts (see the head of each tests/beds/NAME). Its daemons are not below
 * the test program and are left alone; but after each test no other process may be there in the
 * whole namespace that was not there before it: no session of an sshd, no agent, no command.
 *
 * From the environment: MITOFS_BIN the program, MITOFS_TRY the helper, MITOFS_BEDS the directory of the
 * beds, MITOFS_WRAPPER words to put
 *before it
 * ("valgrind --error-exitcode=99 ..."; deadlines grow tenfold), MITOFS_SLOW a factor for all
 *deadlines, MITOFS_KEEP keeps the temporary directories. All options of g_test work: -l lists, -p
 *PATH selects. */
#ifndef MITOFS_TESTS_MOUNT_H
#define MITOFS_TESTS_MOUNT_H

#include "tests/process.h"

#include <glib.h>
#include <sys/types.h>

typedef struct Mount Mount;
typedef struct MountSetup MountSetup;
typedef struct ShCase ShCase;
typedef struct ShResult ShResult;
typedef void (*MountTest)(Mount *mount);

/* Zero is the ordinary case. */
struct MountSetup {
	const char *arguments; /* of mitofs, before the mountpoint: "-o max_children=3" */
	const char
		*before; /* a dash script that runs before mitofs is started; $M and $T are there */
	gboolean unmounted; /* start no mitofs: the body starts $MITOFS itself, and ends it too */
	uid_t uid; /* mitofs and the scripts run as this user; needs root (else it is skipped) */
	guint seconds; /* the body's deadline; 0: 30 */
};

struct ShCase {
	const char *path;
	const char *shells; /* "bash", "dash", "busybox", "python3"; several: one test for each;
			       "all": the three */
	const char *script;
	const char *output; /* its stdout, exactly; or, where this is NULL, */
	const char *regex;  /* what all of its stdout has to match, anchored at both ends, . matches
			       newlines */
	const char *errors; /* a part of its stderr, "" for any; NULL: stderr is empty */
	int code;	    /* exit code; 128 + signal */
	MountSetup setup;
};

struct ShResult {
	int code; /* exit code; 128 + signal */
	char *output, *errors;
};
void sh_result_free(ShResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ShResult, sh_result_free)

void mount_test_init(int *argc, char ***argv);
/* Ask for tests/beds/NAME around the tests, between mount_test_init() and mount_test_run(). Several
 * may be asked for, and one brings those that it stands on. Needs root; where a bed cannot be had,
 * every test of the program is skipped. */
void mount_test_bed(const char *name);
void mount_test_add(const char *path, MountTest test, const MountSetup *setup);
void mount_test_add_cases(const ShCase *cases, gsize count);
/* Each case twice, in a context of its own where the script begins: /direct, where the broker
 * holds the command's pipes itself, and /linked, where all bytes go through an agent (`connect
 * local`). */
void mount_test_add_both(const ShCase *cases, gsize count);
int mount_test_run(void);

/* For the bodies of tests. */

/* The path of @file in the mount; "" for the mountpoint. Caller frees. */
char *mount_path(const Mount *mount, const char *file);
const char *mount_scratch(const Mount *mount); /* $T */
pid_t mount_pid(const Mount *mount);	/* of the broker (or of the wrapper that became it) */
char *mount_stderr(const Mount *mount); /* what the broker has said so far; caller frees */

/* Run @script to its end; the deadline is the body's. */
ShResult *mount_sh(Mount *mount, const char *shell, const char *script);
/* And compare. */
void mount_expect(Mount *mount, const char *shell, const char *script, const char *output,
		  int code);
/* Start it and return its pid, a child of the caller: it is killed behind the test if it still
 * lives. stdout and stderr go to @output_fd (borrowed; -1: /dev/null). */
pid_t mount_start(Mount *mount, const char *shell, const char *script, int output_fd);
/* Wait for it; as ShResult.code. */
int mount_wait(pid_t pid);

/* Wait until @pid, or something below it, is blocked in a request to a FUSE mount. */
void process_parked(pid_t pid);
/* Wait until @condition holds: looks again every few ms, where the kernel has no event for it. */
void mount_until(gboolean (*condition)(void *data), void *data);

/* End the broker by @signal (0: it ends by itself, wait for it) and wait until it has; @status is
 * what wait(2) has to say of it: 0 for exit 0, SIGKILL for killed. The check for leftovers goes by
 * that. */
void mount_end(Mount *mount, int signal, int status);

#endif
