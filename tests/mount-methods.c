/* Places in chroots, containers, namespaces and nodes, each by its own method and through others: that a
 * command there is as one here, that nothing is left there, and how each is refused (rows R73, R75, cases
 * T04 to T09, T93, T95, T99). */
#include "tests/dial.h"
#include "tests/mount.h"

#include <glib.h>
#include <signal.h>

/* why C: the newest sentence of its `error`.
 * look C WORDS: the same, and a command's outputs and code.
 * leave: print what is left where the agent was put, and rmdir.
 * proof C WORDS: all of it, and between a megabyte there and back, and a signal.
 * hop C WORDS: go on below a new context that is connected so. */
#define TOOLS                                                                                      \
	"cd $M/children; head -c 1048576 /dev/urandom > $T/sent\n" DIAL                            \
	"why() { tail -n 1 $1/error | cut -d ' ' -f 3-; }\n"                                       \
	"hop() { mkdir $1 && echo \"connect ${*:2}\" > $1/ctl && cd $1/children; }\n"              \
	"look() { dial \"$@\"; echo 'sh echo out; echo err >&2; exit 3' > $c/ctl; "                \
	"cat $c/stdout $c/stderr; cut -d ' ' -f 1-3 $c/wait; }\n"                                  \
	"leave() { echo 'sh for d in \"$XDG_RUNTIME_DIR\" /dev/shm /tmp /var/tmp \"$HOME\" /; do " \
	"ls -A \"$d\"/.mitofs-*; done 2>&1 | grep -v o.such' > $c/ctl; cat $c/stdout; cat "        \
	"$c/wait > /dev/null; rmdir $c; "                                                          \
	"}\n"                                                                                      \
	"proof() { look \"$@\"; echo 'exec cat' > $c/ctl; cat $T/sent > $c/stdin; "                \
	"cmp $T/sent $c/stdout && echo same; read -r x < $c/wait; "                                \
	"echo 'exec sleep 1000' > $c/ctl; echo TERM > $c/signal; cut -d ' ' -f 1-3 $c/wait; "      \
	"leave; "                                                                                  \
	"}\n"

#define PROVED "up\nout\nerr\n3 exit 3\nsame\n143 signal TERM\n"

/* Directly, and from a second place of this machine. */
#define WORKS(NAME, WORDS)                                                        \
	{                                                                         \
		.path = "/mount/methods/T93/works/" NAME, .shells = "bash",       \
		.script = TOOLS "proof a " WORDS "; hop h local; proof a " WORDS, \
		.output = PROVED PROVED, .setup = { .seconds = 60 },              \
	}

/* A chroot whose HOME is one that it has. */
#define AT_HOME                                                                                    \
	"mkdir -p $T/.config/mitofs; printf '[chroot]\\nclient=env -u XDG_RUNTIME_DIR HOME=/root " \
	"chroot\\n' > "                                                                            \
	"$T/.config/mitofs/methods.conf\n"

/* clang-format off */
static const ShCase cases[] = {
	WORKS("podman", "podman c1"),
	WORKS("nsenter", "nsenter -t $NS_PID -a"),
	WORKS("unshare", "unshare -m -p -u -i -n -f --mount-proc"),
	WORKS("chroot", "chroot $CHROOT/plain"),
	WORKS("lxc", "lxc -P $LXC_PATH -n c1"),
	WORKS("nspawn", "nspawn --register=no --keep-unit --private-network -D $NSPAWN_ROOT"),
	WORKS("srun", "srun -w n1"),
	WORKS("T04/command", "command env FROM=here sh"),
	{
		.path = "/mount/methods/T93/who",
		.shells = "bash",
		.script = TOOLS "who() { dial \"$@\"; echo 'sh hostname; pwd' > $c/ctl; cat $c/stdout; "
			"sed -n 's/^\\(host\\|user\\|method\\) //p' $c/status | tr '\\n' ' '; echo; }; "
			"who a podman -u app c1; who b podman c2; who c nsenter -t $NS_PID -a; who d nsenter -t $NS_USER_PID -a; "
			"who e lxc -P $LXC_PATH -n c1; who f chroot --userspec=app $CHROOT/plain; who g srun -w n2; "
			"echo 'sh echo $SLURMD_NODENAME' > g/ctl; cat g/stdout",
		.regex = "up\n([0-9a-f]{12})\n/home/app\npodman \\1 app \nup\n([0-9a-f]{12})\n/home/app\npodman \\2 app \n"
			"up\nns\n/\\S*\nnsenter ns root \nup\nns-user\n/\\S*\nnsenter ns-user root \n"
			"up\nc1\n/root\nlxc c1 root \nup\nbed\n/home/app\nchroot bed app \n"
			"up\nbed\n/\\S*\nsrun bed root \nn2\n",
	},
	{
		.path = "/mount/methods/T93/by-user",
		.shells = "bash",
		.script = TOOLS "hop u su alice; proof a unshare -U -r -m -p -f; "
			"proof b nsenter -t $NS_USER_PID -U --preserve-credentials -m -u -n -p; "
			"dial c unshare -m; why c; dial d chroot $CHROOT/plain; why d; dial e nsenter -t $NS_PID -a; why e",
		.regex = PROVED PROVED
			"EACCES auth-failed\nEACCES connect: unshare from bed: authentication failed: .*Operation not permitted\n"
			"EACCES auth-failed\nEACCES connect: chroot from bed: authentication failed: .*Operation not permitted\n"
			"EACCES auth-failed\nEACCES connect: nsenter from bed: authentication failed: .*(Permission denied|Operation not permitted)\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/methods/T93/nests",
		.shells = "bash",
		.script = TOOLS "(hop a su root; hop b chroot $CHROOT/writable; proof c unshare -m -p -f); "
			"(hop d podman c1; hop e chroot /; proof f command sh); "
			"(hop g ssh -F $SSHCONF root; hop h nsenter -t $NS_PID -a; proof i chroot $CHROOT/plain)",
		.output = PROVED PROVED PROVED,
		.setup = { .seconds = 90 },
	},
	/* What lacks a program or most directories is good enough. */
	{
		.path = "/mount/methods/R73/R75/T99/poor-places",
		.shells = "bash",
		.script = TOOLS AT_HOME "for p in no-gzip no-head no-dd no-mktemp no-proc no-dev home home-only; do "
			"(look $p chroot $CHROOT/$p; leave) | tr '\\n' ' '; find $CHROOT/$p -name '.mitofs-*'; echo $p; done",
#define POOR "up out err 3 exit 3 "
		.output = POOR "no-gzip\n" POOR "no-head\n" POOR "no-dd\n" POOR "no-mktemp\n" POOR "no-proc\n"
			POOR "no-dev\n" POOR "home\n" POOR "home-only\n",
		.setup = { .seconds = 90 },
	},
	{
		.path = "/mount/methods/R73/T99/no-place",
		.shells = "bash",
		.script = TOOLS AT_HOME "for p in nowhere full small; do dial $p chroot $CHROOT/$p; why $p; "
			"find $CHROOT/$p -name '.mitofs-*'; done",
#define NO_PLACE "ENOSPC no-place\nENOSPC connect: chroot: no place to run the agent: "
#define AT_ROOT "; [^;]* directory '\\.': Read-only file system\n"
#define NO_SPACE "[^;]* No space left on device; "
#define AND(DIRECTORY) "; (?:" NO_SPACE ")?" DIRECTORY ": the agent cannot be executed"
#define ALL_FULL NO_PLACE NO_SPACE "/dev/shm: the agent cannot be executed" AND("/tmp") AND("/var/tmp") \
	AND("/root") AT_ROOT
		.regex = NO_PLACE "[^;]*/dev/shm: Permission denied; [^;]*/tmp: Permission denied; "
			"[^;]*/var/tmp: Permission denied; [^;]*/root: Permission denied" AT_ROOT ALL_FULL ALL_FULL,
	},
	{
		.path = "/mount/methods/R72/no-shell",
		.shells = "bash",
		.script = TOOLS "dial a chroot $CHROOT/no-sh; why a; dial b command cat /dev/null; why b; dial c nsenter -t $NS_PID -a nosuch; why c",
		.regex = "EPERM no-shell\nEPERM connect: chroot: no shell: chroot: failed to run command ./bin/sh.: No such file or directory\n"
			"ECONNABORTED eof\nECONNABORTED connect: command: the client ended: exit code 0\n"
			"EPERM no-shell\nEPERM connect: nsenter: no shell: [^\n]*nsenter: failed to execute nosuch: No such file or directory\n",
	},
	{
		.path = "/mount/methods/R63/refusals",
		.shells = "bash",
		.script = TOOLS "n=0; t() { : $((n++)); dial $n \"$@\"; why $n; }; t podman nosuch; t podman stopped; "
			"t nsenter -t 999999 -a; t lxc -P $LXC_PATH -n nosuch; t lxc -P $LXC_PATH -n stopped; "
			"t nspawn --register=no --keep-unit -D $NSPAWN_ROOT/nosuch; t srun -w n9; t chroot $CHROOT/nosuch; "
			"t podman -u nosuch c1; t unshare --nosuch; t podman; t nosuch",
#define NO_CONTAINER(METHOD) "ENXIO no-such-container\nENXIO connect: " METHOD ": no such container: "
		.regex = NO_CONTAINER("podman") "Error: no container with name or ID \"nosuch\" found: no such container\n"
			NO_CONTAINER("podman") "Error: can only create exec sessions on running containers[^\n]*\n"
			NO_CONTAINER("nsenter") "nsenter: stat of /proc/999999/ns/user failed: No such file or directory\n"
			NO_CONTAINER("lxc") "lxc-attach: nosuch: [^\n]* Failed to get init pid\n"
			NO_CONTAINER("lxc") "lxc-attach: stopped: [^\n]* Failed to get init pid\n"
			NO_CONTAINER("nspawn") "Failed to resolve path \\S*/nosuch: No such file or directory\n"
			NO_CONTAINER("srun") "srun: error: Unable to allocate resources: Invalid node name specified\n"
			NO_CONTAINER("chroot") "chroot: cannot change root directory to \\S*/nosuch\\S*: No such file or directory\n"
			"EACCES auth-failed\nEACCES connect: podman: authentication failed: Error: unable to find user nosuch[^\n]*\n"
			"ECONNABORTED eof\nECONNABORTED connect: unshare: the client ended: exit code 1: [^\n]*unshare[^\n]*\n"
			"EINVAL -\nEINVAL connect: usage: connect podman \\[OPTIONS\\] CONTAINER\n"
			"EINVAL -\nEINVAL connect: there is no method \"nosuch\" \\(there are: local ssh .* command\\)\n",
		.setup = { .seconds = 60 },
	},
	/* The hop that it was started at lives on. */
	{
		.path = "/mount/methods/T06/T07/T08/ends-at-once",
		.shells = "bash",
		.script = TOOLS "t() { dial c command false; why c; dial c \"command sh -c 'echo because >&2; exit 4'\"; why c; "
			"dial c \"command sh -c 'echo because; exit 4'\"; why c; dial c command nosuch word; why c; "
			"dial c command /; why c; }; t; hop h local; t; echo 'exec echo alive' > ../ctl; cat ../stdout; "
			"dial c command sh",
#define ENDS(FROM) \
	"ECONNABORTED eof\nECONNABORTED connect: command" FROM ": the client ended: exit code 1\n" \
	"ECONNABORTED eof\nECONNABORTED connect: command" FROM ": the client ended: exit code 4: because\n" \
	"EPERM no-shell\nEPERM connect: command" FROM ": no shell: because\n" \
	"ENOENT no-client\nENOENT connect: command" FROM ": the client program is missing: \"nosuch\" not found in PATH=\\S+\n" \
	"EACCES eof\nEACCES connect: command" FROM ": \"/\": Permission denied\n"
		.regex = ENDS("") ENDS(" from bed") "alive\nup\n",
	},
	{
		.path = "/mount/methods/T09/T14/silent",
		.shells = "bash",
		.script = TOOLS "gone() { until [ ! -e /proc/$1 ] || grep -qs ') Z ' /proc/$1/stat; do :; done; echo gone; }\n"
			"t() { mkdir c; echo \"connect-timeout $2\" > c/ctl; dial c \"command sh -c 'echo \\$\\$ > $T/pid; $1'\"; "
			"why c; grep ^phase c/status; read -r p < $T/pid; gone $p; rmdir c; }\n"
			"t 'exec sleep 1000' 0.5; t 'echo welcome; exec sleep 1000' 2; hop h local; t 'exec sleep 1000' 0.5; "
			"echo 'exec echo alive' > ../ctl; cat ../stdout",
		.output = "ETIMEDOUT timeout\nETIMEDOUT connect: command: timeout: no agent within 500 ms (dial)\nphase dial\ngone\n"
			"EPERM no-shell\nEPERM connect: command: no shell: welcome\nphase marker\ngone\n"
			"ETIMEDOUT timeout\nETIMEDOUT connect: command from bed: timeout: no agent within 500 ms (dial)\nphase dial\ngone\nalive\n",
	},
	{
		.path = "/mount/methods/rows/of-a-user",
		.shells = "bash",
		.script = TOOLS "f=$T/.config/mitofs/methods.conf; mkdir -p ${f%/*}\n"
			"printf '%s\\n' '# mine' '[chroot]' 'client=env FROM=row chroot' '[bare]' 'client=chroot --userspec=app' 'usage=DIRECTORY' 'stage=words' 'fail.refused=such file' > $f\n"
			"dial a chroot $CHROOT/plain; echo 'sh echo $FROM' > a/ctl; cat a/stdout; "
			"dial b bare $CHROOT/plain; grep -E '^(method|user) ' b/status; dial c bare; why c; dial c bare /nosuch; "
			"dial d chroot /nosuch; dial e chroot $CHROOT/no-sh",
		.output = "up\nrow\nup\nmethod bare\nuser app\nEINVAL -\nEINVAL connect: usage: connect bare DIRECTORY\n"
			"ECONNREFUSED refused\nENXIO no-such-container\nEPERM no-shell\n",
	},
	{
		.path = "/mount/methods/R77/environment",
		.shells = "bash",
		.script = TOOLS "dial a command env -i /bin/sh; echo 'sh echo out' > a/ctl; cat a/stdout; rmdir a; "
			"for w in 'env HOME=/nosuch XDG_RUNTIME_DIR=/nosuch LANG=nosuch LC_ALL=nosuch' 'env -u HOME' 'env ENV=/nosuch BASH_ENV=/nosuch IFS=/ CDPATH=/'; do "
			"dial a command $w /bin/sh; rmdir a; done; for w in 'sh -e' 'sh -u' 'sh -x' 'bash --posix' 'busybox sh'; do dial a command $w; rmdir a; done; "
			"for w in 'PATH=/nosuch /bin/sh' 'PATH= /bin/sh'; do dial a command env $w; rmdir a; done",
		.output = "up\nout\nup\nup\nup\nup\nup\nup\nup\nup\nup\nup\n",
		.setup = { .seconds = 60 },
	},
	/* A /proc of another pid namespace has other processes under our numbers. */
	{
		.path = "/mount/methods/R18/proc-of-others",
		.shells = "bash",
		.script = TOOLS "t() { dial \"$@\"; for v in kill stop; do echo 'sh sleep 1000 & wait' > $c/ctl; "
			"echo $v > $c/ctl; cut -d ' ' -f 1-3 $c/wait; done; grep -c 'no /proc here' $c/log; }; "
			"t a unshare -p -f; t b nsenter -t $NS_PID -p; t c chroot $CHROOT/no-proc",
#define KILLED "up\n137 signal KILL\n143 signal TERM\n1\n"
		.output = KILLED KILLED KILLED,
	},
	/* What is wrong in a file is named, and stops neither `local` nor what is connected already. */
	{
		.path = "/mount/methods/rows/broken",
		.shells = "bash",
		.script = TOOLS "f=$T/.config/mitofs/methods.conf; mkdir -p ${f%/*}; dial a command sh; "
			"t() { printf \"$1\" > $f; dial b ${2:-command sh} | tr '\\n' ' '; why b | sed \"s|$T|T|\"; }\n"
			"t 'nonsense\\n'; dial c local; echo 'exec echo alive' > a/ctl; cat a/stdout\n"
			"t '[su]\\nstage=nowhere\\n' 'su root'; t '[su]\\nfail.nosuch=x\\n' 'su root'; t '[su]\\nfail.refused=(\\n' 'su root'; "
			"t '[su]\\nclient=\"su\\n' 'su root'; t '[none]\\nusage=[X]\\n' none; "
			"dial d command sh; rm $f; mkdir $f; dial e command sh; why e; rmdir $f; dial e command sh",
		.regex = "up\nEINVAL - EINVAL connect: T/.config/mitofs/methods.conf: [^\n]*nonsense[^\n]*\nup\nalive\n"
			"EINVAL - EINVAL connect: method su: stage=nowhere is not known\n"
			"EINVAL - EINVAL connect: method su: there is no kind \"nosuch\"\n"
			"EINVAL - EINVAL connect: method su: fail.refused: [^\n]+\n"
			"EINVAL - EINVAL connect: method su: client: [^\n]+\n"
			"EINVAL - EINVAL connect: method none: client: no program\n"
			"up\nEINVAL -\nEINVAL connect: \\S*methods.conf: not a file of at most 262144 bytes\nup\n",
	},
};
/* clang-format on */

/* Whether all processes are in @data, a list. */
static gboolean
nothing_new(void *data)
{
	const GPtrArray *before = data;
	g_autoptr(GPtrArray) now = process_all();

	for (guint i = 0; i < now->len; i++)
		if (!process_listed(before, ((Process *)now->pdata[i])->pid))
			return FALSE;
	return TRUE;
}

static const char *const ways[] = {
	"local",
	"command sh",
	"su bob",
	"ssh -F $SSHCONF alice",
	"podman c1",
	"podman c2", /* nobody reaps there */
	"nsenter -t $NS_PID -a",
	"unshare -m -p -f",
	"chroot $CHROOT/no-proc",
	"lxc -P $LXC_PATH -n c1",
	"nspawn --register=no --keep-unit --private-network -D $NSPAWN_ROOT",
	"srun -w n3",
};

/* A new context, connected by @words, in which a command runs. */
static void
connect_by(Mount *mount, const char *words)
{
	g_autofree char *script =
		g_strdup_printf("cd $M/children; mkdir c; echo \"connect %s\" > c/ctl; "
				"echo 'exec sleep 1000' > c/ctl; sed -n 's/^state //p' c/status",
				words);

	mount_expect(mount, "bash", script, "running\n", 0);
}

/* rmdir is the end of the client, and of all that it had started at the far side. */
static void
test_rmdir(Mount *mount)
{
	for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autoptr(GPtrArray) before = process_all();

		connect_by(mount, ways[i]);
		g_assert_false(nothing_new(before));
		mount_expect(mount, "bash",
			     "cd $M/children; echo kill > c/ctl; read -r x < c/wait; rmdir c", "",
			     0);
		mount_until(nothing_new, before);
	}
}

/* The first process that is not in @before. */
static pid_t
first_new(const GPtrArray *before)
{
	g_autoptr(GPtrArray) now = process_all();
	pid_t first = 0;

	for (guint i = 0; i < now->len; i++) {
		pid_t pid = ((Process *)now->pdata[i])->pid;

		if (!process_listed(before, pid) && (first == 0 || pid < first))
			first = pid;
	}
	return first;
}

/* So is the client's own death. */
static void
test_client_killed(Mount *mount)
{
	for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autoptr(GPtrArray) before = process_all();

		connect_by(mount, ways[i]);
		g_assert_no_errno(kill(first_new(before), SIGKILL));
		mount_expect(mount, "bash",
			     "cd $M/children/c; cut -d ' ' -f 1-3 wait; "
			     "grep -E '^(link|failure|state) ' status",
			     "255 lost ECONNRESET\nlink lost\nfailure lost\nstate lost\n", 0);
		mount_until(nothing_new, before);
		mount_expect(mount, "bash", "rmdir $M/children/c", "", 0);
	}
}

int
main(int argc, char **argv)
{
	static const MountSetup longer = { .seconds = 90 };
	static const char *const beds[] = { "ssh",   "chroot", "namespaces", "podman",
					    "slurm", "lxc",    "nspawn" };
	mount_test_init(&argc, &argv);
	for (gsize i = 0; i < G_N_ELEMENTS(beds); i++)
		mount_test_bed(beds[i]);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	mount_test_add("/mount/methods/T95/R79/rmdir", test_rmdir, &longer);
	mount_test_add("/mount/methods/R80/client-killed", test_client_killed, &longer);
	return mount_test_run();
}
