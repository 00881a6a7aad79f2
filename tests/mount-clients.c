/* Clients that this machine does not have, through the mount: stubs stand for them (tests/beds/stub), and run
 * the far side here. How each is started, and what its ways to fail come to (rows R63, R70, cases T42, T43,
 * T89, T93). */
#include "tests/dial.h"
#include "tests/mount.h"

#include <glib.h>

/* why C: the newest sentence of its `error`. */
#define TOOLS "cd $M/children\n" DIAL "why() { tail -n 1 $1/error | cut -d ' ' -f 3-; }\n"

/* WORDS, in which the client CLIENT was started as ARGV (its words, with a blank between), and works; what it
 * has to say when it has come up stands in `log`, and costs nothing. */
#define ARGV(NAME, CLIENT, WORDS, ARGV)                                                           \
	{                                                                                         \
		.path = "/mount/clients/T42/T89/T93/argv/" NAME, .shells = "bash",                \
		.script = TOOLS "t() { dial $1 " WORDS                                            \
				"; sed '/^\\/bin\\/sh$/,$d' $BED/argv." CLIENT                    \
				" | tr '\\n' ' '; sed -n '/^\\/bin\\/sh$/,$p' $BED/argv." CLIENT  \
				" | cut -c 1-10; echo 'sh cat; exit 3' > $c/ctl; echo text > "    \
				"$c/stdin; cat $c/stdout; "                                       \
				"cut -d ' ' -f 1-3 $c/wait; }\n"                                  \
				"t a; mkdir h; echo 'connect local' > h/ctl; cd h/children; t a", \
		.output = STARTED(ARGV) STARTED(ARGV),                                            \
	}
#define STARTED(ARGV) "up\n" ARGV " /bin/sh\n-c\nexec 3>&2 \ntext\n3 exit 3\n"

/* `connect METHOD WORDS`, in which $t is the target, fails in the ways that TARGETS name, and when the client
 * ends without a word, at once or later. */
#define FAILS(METHOD, WORDS, TARGETS, LINES)                                               \
	{                                                                                  \
		.path = "/mount/clients/R63/T43/fails/" METHOD, .shells = "bash",          \
		.script = TOOLS "for t in " TARGETS " silent drops; do "                   \
				"echo $t $(dial $t " METHOD " " WORDS ") $(why $t); done", \
		.regex = LINES DIES("silent", METHOD) DIES("drops", METHOD),               \
	}
#define FAILURE(TARGET, ERRNO, WORD, METHOD, PHRASE, TEXT) \
	TARGET " " ERRNO " " WORD " " ERRNO " connect: " METHOD ": " PHRASE ": " TEXT "\n"
#define NOSUCH(METHOD, TEXT) \
	FAILURE("nosuch", "ENXIO", "no-such-container", METHOD, "no such container", TEXT)
#define STOPPED(METHOD, TEXT) \
	FAILURE("stopped", "ENXIO", "no-such-container", METHOD, "no such container", TEXT)
#define REFUSED(METHOD, TEXT) \
	FAILURE("refused", "ECONNREFUSED", "refused", METHOD, "connection refused", TEXT)
#define DENIED(METHOD, TEXT) \
	FAILURE("denied", "EACCES", "auth-failed", METHOD, "authentication failed", TEXT)
#define DIES(TARGET, METHOD) \
	FAILURE(TARGET, "ECONNABORTED", "eof", METHOD, "the client ended", "exit code 1")

/* clang-format off */
static const ShCase cases[] = {
	ARGV("docker", "docker", "docker -u app -e A=b c1", "exec -i -u app -e A=b c1"),
	ARGV("podman", "podman", "podman c1", "exec -i c1"),
	ARGV("podman-user", "podman", "podman --user=app c1", "exec -i --user=app c1"),
	ARGV("buildah", "buildah", "buildah --user app c1", "run --user app c1 --"),
	ARGV("lxc", "lxc-attach", "lxc -n c1", "--clear-env -n c1 --"),
	ARGV("lxd", "lxc", "lxd c1", "exec --mode=non-interactive c1 --"),
	ARGV("incus", "incus", "incus --user 0 c1", "exec --mode=non-interactive --user 0 c1 --"),
	ARGV("kubectl", "kubectl", "kubectl -n space c1 -c main", "exec -i -n space c1 -c main --"),
	ARGV("nspawn", "systemd-nspawn", "nspawn -D /x", "--quiet --pipe -D /x"),
	ARGV("jail", "jexec", "jail -U root c1", "-U root c1"),
	ARGV("nsenter", "nsenter", "nsenter -t 1 -a", "-t 1 -a"),
	ARGV("chroot", "chroot", "chroot --userspec=app /", "--userspec=app /"),
	ARGV("srun", "srun", "srun -w n1", "--unbuffered -w n1"),
	FAILS("docker", "$t", "nosuch stopped refused denied",
		NOSUCH("docker", "Error response from daemon: No such container: nosuch")
		STOPPED("docker", "Error response from daemon: Container stopped is not running")
		REFUSED("docker", "Cannot connect to the Docker daemon [^\n]*")
		DENIED("docker", "permission denied while [^\n]*")),
	FAILS("podman", "$t", "nosuch stopped",
		NOSUCH("podman", "Error: no container with name or ID \"nosuch\" found: no such container")
		STOPPED("podman", "Error: can only create exec sessions on running containers[^\n]*")),
	FAILS("buildah", "$t", "nosuch", NOSUCH("buildah", "[^\n]* \"nosuch\": container not known")),
	FAILS("lxc", "-n $t", "nosuch stopped denied",
		NOSUCH("lxc", "lxc-attach: nosuch: [^\n]*") STOPPED("lxc", "lxc-attach: stopped: [^\n]*")
		DENIED("lxc", "lxc-attach: denied: [^\n]* You lack access to [^\n]*")),
#define INSTANCES(METHOD) \
	FAILS(METHOD, "$t", "nosuch stopped refused denied", \
		NOSUCH(METHOD, "Error: Instance not found") STOPPED(METHOD, "Error: Instance is not running") \
		REFUSED(METHOD, "Error: Get [^\n]*") DENIED(METHOD, "Error: Get [^\n]*"))
	INSTANCES("lxd"),
	INSTANCES("incus"),
	FAILS("kubectl", "$t", "nosuch stopped refused denied",
		NOSUCH("kubectl", "Error from server \\(NotFound\\): pods \"nosuch\" not found")
		STOPPED("kubectl", "error: cannot exec into a container in a completed pod[^\n]*")
		REFUSED("kubectl", "The connection to the server localhost:8080 was refused[^\n]*")
		DENIED("kubectl", "error: You must be logged in to the server \\(Unauthorized\\)")),
	FAILS("machinectl", "$t", "nosuch refused",
		NOSUCH("machinectl", "Failed to [^\n]*: No machine 'nosuch' known")
		REFUSED("machinectl", "System has not been booted with systemd [^\n]*")),
	FAILS("nspawn", "-M $t", "nosuch", NOSUCH("nspawn", "No image for machine 'nosuch'\\.")),
	FAILS("jail", "$t", "nosuch", NOSUCH("jail", "jexec: jail \"nosuch\" not found")),
	FAILS("nsenter", "-t $t", "nosuch denied",
		NOSUCH("nsenter", "nsenter: stat of /proc/nosuch/ns/user failed: No such file or directory")
		DENIED("nsenter", "nsenter: stat of /proc/denied/ns/user failed: Permission denied")),
	FAILS("chroot", "$t", "nosuch denied",
		NOSUCH("chroot", "chroot: cannot change root directory to 'nosuch': No such file or directory")
		DENIED("chroot", "chroot: cannot change root directory to 'denied': Operation not permitted")),
	FAILS("srun", "-w $t", "nosuch", NOSUCH("srun", "[^\n]* Invalid node name specified")),
	/* machinectl tells the machine's first process, which nsenter enters. */
	{
		.path = "/mount/clients/T42/argv/machinectl",
		.shells = "bash",
		.script = TOOLS "dial a machinectl c1; tr '\\n' ' ' < $BED/argv.machinectl; sed '/^\\/bin\\/sh$/,$d' $BED/argv.nsenter | tr '\\n' ' '; "
			"echo 'exec echo there' > a/ctl; cat a/stdout; dial b machinectl c1 -S 1000; sed '/^\\/bin\\/sh$/,$d' $BED/argv.nsenter | tr '\\n' ' '",
		.output = "up\nshow --property=Leader --value -- c1 -t 1 -m -u -i -n -p there\nup\n-t 1 -m -u -i -n -p -S 1000 ",
	},
	{
		.path = "/mount/clients/R70/T89/noise",
		.shells = "bash",
		.script = TOOLS "for m in 'docker noisy' 'lxd noisy' 'lxc -n noisy' 'podman warns' 'jail warns'; do "
			"dial \"${m%% *}\" $m; echo 'exec echo clean' > $c/ctl; cat $c/stdout; "
			"sed -n 's/^[^ ]* info [^ ]* \\(client:\\|before\\)/\\1/p' $c/log; done",
#define NOISE(CLIENT) "up\nclean\nbefore the first stage: Welcome.\nbefore the first stage: Last login: never\n" \
	"client: " CLIENT ": warning: this is a stub\nclient: and no more\n"
#define WARNS(CLIENT) "up\nclean\nclient: " CLIENT ": warning: this is a stub\n"
		.output = NOISE("docker") NOISE("lxc") NOISE("lxc-attach") WARNS("podman") WARNS("jexec"),
	},
	/* Once all is up, what a client says is a line of `log`, and means nothing. */
	{
		.path = "/mount/clients/T89/words-later",
		.shells = "bash",
		.script = TOOLS "mkfifo $T/go; dial a \"command sh -c '(read -r x < $T/go; echo connection refused >&2) & exec sh'\"; "
			"echo > $T/go; until grep -q 'client: connection refused' a/log; do :; done; echo 'exec echo alive' > a/ctl; "
			"cat a/stdout; grep -E '^(link|failure) ' a/status",
		.output = "up\nalive\nlink up\nfailure -\n",
	},
	{
		.path = "/mount/clients/T09/hangs",
		.shells = "bash",
		.script = TOOLS "echo 'connect-timeout 0.5' > ../ctl; for m in docker podman kubectl lxd machinectl jail; do dial $m $m hangs & done | sort -u; "
			"cat */error | cut -d ' ' -f 3- | sort; pgrep -xf 'sleep 1000000' | while read -r p; do until [ ! -e /proc/$p ] || grep -qs ') Z ' /proc/$p/stat; do :; done; done; echo gone",
#define HANGS(METHOD) "ETIMEDOUT connect: " METHOD ": timeout: no agent within 500 ms (dial)\n"
		.output = "ETIMEDOUT timeout\n" HANGS("docker") HANGS("jail") HANGS("kubectl") HANGS("lxd") HANGS("machinectl") HANGS("podman") "gone\n",
	},
};
/* clang-format on */

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	mount_test_bed("stubs");
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	return mount_test_run();
}
