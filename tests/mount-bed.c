/* That a bed is in namespaces of its own: it leaves nothing behind, however its program ends, and
 * nothing outside is changed meanwhile. The program that is looked at is mount-beds, which stands
 * beside `try`. */
#include "tests/mount.h"

#include <glib.h>

/* world: what a bed could have changed. beds ARGUMENT...: the program, with $T/tmp for what it
 * leaves. GLib frees no row of a test that -p did not choose. */
#define TOOLS                                                                                     \
	"world() { cat /etc/passwd /etc/shadow /etc/group /etc/hosts /etc/nsswitch.conf; ls -lR " \
	"/etc /run/sshd /var/lib/sudo 2>&1; hostname; cat /proc/self/mountinfo /proc/net/dev "    \
	"/proc/net/route; }\n"                                                                    \
	"mkdir $T/tmp; beds() { TMPDIR=$T/tmp ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 exec "    \
	"${TRY%/*}/mount-beds --tap \"$@\"; }\n"                                                  \
	"TRY=$(command -v try)\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/bed/leaves-nothing",
		.shells = "bash",
		.script = TOOLS "world > $T/before; (beds -p /mount/beds/users/no-password -p /mount/beds/ssh/noise > $T/out); echo $?; grep -c ^ok $T/out; world | diff $T/before - && ls -A $T/tmp",
		.output = "0\n2\n",
		.setup = { .seconds = 90 },
	},
	/* What it started is dead before its init is. An empty directory is all that KILL leaves. */
	{
		.path = "/mount/bed/killed",
		.shells = "bash",
		.script = TOOLS "world > $T/before; for s in KILL TERM; do beds -p /mount/beds/users > $T/out & p=$!; until grep -q ^ok $T/out; do kill -0 $p || break; done; read init < /proc/$p/task/$p/children; kill -$s $p; wait $p; echo $?; until [ ! -e /proc/$init ] || grep -qs ') Z ' /proc/$init/stat; do :; done; done; world | diff $T/before -; ls -d $T/tmp/mitofs-bed-* | wc -l",
		.output = "137\n143\n1\n",
		.errors = "Killed",
		.setup = { .seconds = 90 },
	},
	{
		.path = "/mount/bed/without-root",
		.shells = "python3",
		.script = "import os, re, shutil, subprocess\n"
			  "program = os.open(os.path.dirname(shutil.which('try')) + '/mount-beds', os.O_RDONLY)\n"
			  "run = subprocess.run(['mount-beds', '--tap'], executable='/proc/self/fd/%d' % program, pass_fds=[program], preexec_fn=lambda: os.setresuid(65534, 65534, 65534), stdout=subprocess.PIPE, text=True)\n"
			  "lines = [l for l in run.stdout.splitlines() if re.match('(not )?ok', l)]\n"
			  "print(run.returncode, len(lines) > 5, all('# SKIP its bed needs root' in l for l in lines))\n",
		.output = "0 True True\n",
	},
};
/* clang-format on */

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	return mount_test_run();
}
