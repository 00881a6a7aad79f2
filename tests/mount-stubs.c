/* The bed `stubs`: that its clients run the command as the real ones would, and fail as they do. */
#include "tests/mount.h"

#include <glib.h>

/* Through CLIENT a script with an exit code, and a megabyte there and back. */
#define PROOF(CLIENT)                                                    \
	"printf 'pwd; exit 3\\n' | " CLIENT " sh 2>/dev/null; echo $?; " \
	"head -c 1048576 /dev/urandom > $T/sent; " CLIENT                \
	" cat < $T/sent | cmp $T/sent - && echo same"

#define RUNS(NAME, CLIENT)                                                                    \
	{                                                                                     \
		.path = "/mount/stubs/runs/" NAME, .shells = "bash", .script = PROOF(CLIENT), \
		.output = "/\n3\nsame\n",                                                     \
	}

/* clang-format off */
static const ShCase cases[] = {
	RUNS("docker", "docker -H unix:///x exec -iu root -e A=b --workdir / c1"),
	RUNS("docker-run", "docker run -i --rm --network none image"),
	RUNS("podman", "podman --root /x container exec -i --user=app c1"),
	RUNS("buildah", "buildah run --user app c1 --"),
	RUNS("kubectl", "kubectl -n space exec -i pod/c1 -c main --"),
	RUNS("lxc", "lxc exec remote:c1 --cwd / --"),
	RUNS("lxc-no-dashes", "lxc exec c1"),
	RUNS("incus", "incus exec c1 --user 0 -T --"),
	RUNS("lxc-attach", "lxc-attach -P /x --name=c1 --clear-env --"),
	RUNS("machinectl", "machinectl shell -E A=b root@c1"),
	RUNS("systemd-nspawn", "systemd-nspawn -q --pipe -D /x"),
	RUNS("jexec", "jexec -l -U root c1"),
	RUNS("nsenter", "nsenter -at 1 -n/run/netns/x -S 0 --"),
	RUNS("chroot", "chroot --userspec=app /"),
	RUNS("srun", "srun -wn1 -n 1 --jobid=3"),
	{
		.path = "/mount/stubs/argv",
		.shells = "bash",
		.script = "docker exec -i c1 printf '%s' $'a\\nb' '\\n' '' ' c' > /dev/null; cat $BED/argv.docker",
		.output = "exec\n-i\nc1\nprintf\n%s\na\\nb\n\\\\n\n\n c\n",
	},
	{
		.path = "/mount/stubs/argv/user",
		.shells = "bash",
		.script = "setpriv --reuid 2001 --regid 2001 --clear-groups podman exec c1 true; cat $BED/argv.podman",
		.output = "exec\nc1\ntrue\n",
	},
	{
		.path = "/mount/stubs/environment",
		.shells = "bash",
		.script = "export SEEN=yes; for words in 'docker exec c1' 'lxc-attach -n c1' 'chroot /'; do "
			"$words sh -c 'echo ${SEEN-no}'; done",
		.output = "no\nyes\nyes\n",
	},
	{
		.path = "/mount/stubs/nosuch",
		.shells = "bash",
		.script = "for words in 'docker exec' 'podman exec' 'buildah run' 'lxc exec' 'incus exec' 'lxc-attach -n' "
			"'machinectl shell' 'systemd-nspawn -M' jexec chroot 'nsenter -t' 'srun -w'; do "
			"$words nosuch sh 2>&1; echo $?; done; kubectl exec nosuch -- sh 2>&1; echo $?",
		.output = "Error response from daemon: No such container: nosuch\n1\n"
			"Error: no container with name or ID \"nosuch\" found: no such container\n125\n"
			"Error: reading build container \"nosuch\": container not known\n125\n"
			"Error: Instance not found\n1\nError: Instance not found\n1\n"
			"lxc-attach: nosuch: ../src/lxc/attach.c: get_attach_context: 406 Connection refused - "
			"Failed to get init pid\n"
			"lxc-attach: nosuch: ../src/lxc/attach.c: lxc_attach: 1470 Connection refused - "
			"Failed to get attach context\n1\n"
			"Failed to get shell PTY: No machine 'nosuch' known\n1\n"
			"No image for machine 'nosuch'.\n1\n"
			"jexec: jail \"nosuch\" not found\n1\n"
			"chroot: cannot change root directory to 'nosuch': No such file or directory\n125\n"
			"nsenter: stat of /proc/nosuch/ns/user failed: No such file or directory\n1\n"
			"srun: error: Unable to allocate resources: Invalid node name specified\n1\n"
			"Error from server (NotFound): pods \"nosuch\" not found\n1\n",
	},
	{
		.path = "/mount/stubs/cases",
		.shells = "bash",
		.script = "for c in stopped refused warns noisy silent drops; do echo 'exit 3' | docker exec $c sh 2>&1; "
			"echo $c $?; done",
		.output = "Error response from daemon: Container stopped is not running\nstopped 1\n"
			"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
			"refused 1\ndocker: warning: this is a stub\nwarns 3\n"
			"Welcome.\n\nLast login: never\ndocker: warning: this is a stub\nand no more\nnoisy 3\n"
			"silent 1\ndrops 1\n",
	},
	{
		.path = "/mount/stubs/by-variable",
		.shells = "bash",
		.script = "STUB=nosuch nsenter -t 999999 -a sh 2>&1; echo $?; STUB=refused podman exec c1 sh 2>&1; echo $?",
		.output = "nsenter: stat of /proc/999999/ns/user failed: No such file or directory\n1\n"
			"stub: podman has no words for refused\n125\n",
	},
	{
		.path = "/mount/stubs/no-program",
		.shells = "bash",
		.script = "docker exec c1 nosuchprogram 2>/dev/null; echo $?; podman exec c1 nosuchprogram 2>/dev/null; "
			"echo $?; kubectl exec c1 sh 2>&1; echo $?",
		.output = "OCI runtime exec failed: exec failed: unable to start container process: exec: "
			"\"nosuchprogram\": executable file not found in $PATH: unknown\n126\n127\n"
			"error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n1\n",
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
