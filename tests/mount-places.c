/* The beds of places (chroots, containers, namespaces, nodes), each reached by its plain client:
 * what the tests of mitofs' own connections rely on. A script arrives through stdin, an exit code
 * comes back, and a megabyte is the same there and back. */
#include "tests/mount.h"

#include <glib.h>

/* A shell at the end of CLIENT that says HOST, and a megabyte there and back. */
#define PROOF(CLIENT)                                                                     \
	"printf 'echo \"$(hostname)\"; exit 3\\n' | " CLIENT " sh 2>/dev/null; echo $?; " \
	"head -c 1048576 /dev/urandom > $T/sent; " CLIENT                                 \
	" cat < $T/sent > $T/came; cmp $T/sent $T/came && echo same"

/* Whether a program that is copied to each directory of a host can be executed there. */
#define WHERE(HOST)                                                                       \
	"chroot $CHROOT/" HOST " sh -c 'for d in /tmp /dev/shm /run /root /home/app; do " \
	"cp /bin/busybox $d/echo 2>/dev/null && $d/echo $d; rm -f $d/echo; done' 2>/dev/null"

#define AS_USER "setpriv --reuid 2001 --regid 2001 --clear-groups "

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/places/chroot/plain",
		.shells = "bash",
		.script = PROOF("chroot $CHROOT/plain"),
		.output = "bed\n3\nsame\n",
	},
	{
		.path = "/mount/places/chroot/unshare",
		.shells = "bash",
		.script = PROOF("unshare -R $CHROOT/plain -m -p -f"),
		.output = "bed\n3\nsame\n",
	},
	{
		.path = "/mount/places/chroot/user",
		.shells = "bash",
		.script = "echo id -u | chroot --userspec=app $CHROOT/plain sh",
		.output = "1000\n",
	},
	{
		.path = "/mount/places/chroot/where/plain",
		.shells = "bash",
		.script = WHERE("plain"),
		.output = "/tmp\n/dev/shm\n/run\n/root\n/home/app\n",
	},
	{
		.path = "/mount/places/chroot/where/home",
		.shells = "bash",
		.script = WHERE("home"),
		.output = "/root\n/home/app\n",
	},
	{
		.path = "/mount/places/chroot/where/home-only",
		.shells = "bash",
		.script = WHERE("home-only"),
		.output = "/root\n/home/app\n",
	},
	{
		.path = "/mount/places/chroot/where/none",
		.shells = "bash",
		.script = WHERE("nowhere") "; " WHERE("full") "; " WHERE("small") "; echo none",
		.output = "none\n",
	},
	{
		.path = "/mount/places/chroot/full-and-small",
		.shells = "bash",
		.script = "for h in full small; do chroot $CHROOT/$h sh -c 'for d in /tmp /dev/shm /run /root; do "
			"echo x > $d/x && echo room; done' 2>&1; done | sed 's/.*: //'",
		.output = "No space left on device\nNo space left on device\nNo space left on device\n"
			"No space left on device\nroom\nroom\nroom\nroom\n",
	},
	{
		.path = "/mount/places/chroot/read-only",
		.shells = "bash",
		.script = "for h in plain writable; do chroot $CHROOT/$h sh -c 'echo x > /x && echo written' 2>&1; done "
			"| sed 's/.*: //'",
		.output = "Read-only file system\nwritten\n",
	},
	{
		.path = "/mount/places/chroot/missing-programs",
		.shells = "bash",
		.script = "for h in writable no-gzip no-head no-dd no-mktemp; do echo $h "
			  "$(chroot $CHROOT/$h sh -c 'for p in gzip zcat head dd mktemp python3; do "
			  "$p --help 2>/dev/null; [ $? = 127 ] && echo $p; done'); done",
		.output = "writable python3\nno-gzip gzip zcat python3\nno-head head python3\n"
			  "no-dd dd python3\nno-mktemp mktemp python3\n",
	},
	{
		.path = "/mount/places/chroot/missing-files",
		.shells = "bash",
		.script = "for h in no-proc no-dev no-sh; do chroot $CHROOT/$h busybox ls -d /proc/self /dev/null /bin/sh "
			"2>/dev/null | xargs; done",
		.output = "/bin/sh /dev/null\n/bin/sh /proc/self\n/dev/null /proc/self\n",
	},
	{
		.path = "/mount/places/namespaces/nsenter",
		.shells = "bash",
		.script = PROOF("nsenter -t $NS_PID -a"),
		.output = "ns\n3\nsame\n",
	},
	{
		.path = "/mount/places/namespaces/nsenter-user-namespace",
		.shells = "bash",
		.script = PROOF("nsenter -t $NS_USER_PID -a"),
		.output = "ns-user\n3\nsame\n",
	},
	{
		.path = "/mount/places/namespaces/nsenter-by-user",
		.shells = "bash",
		.script = PROOF(AS_USER "nsenter -t $NS_USER_PID -U --preserve-credentials -m -u -n -p"),
		.output = "ns-user\n3\nsame\n",
	},
	{
		.path = "/mount/places/namespaces/unshare-by-user",
		.shells = "bash",
		.script = PROOF(AS_USER "unshare -U -r -m -p -f"),
		.output = "bed\n3\nsame\n",
	},
	{
		.path = "/mount/places/podman/exec",
		.shells = "bash",
		.script = PROOF("$PODMAN exec -i c1"),
		.regex = "[0-9a-f]{12}\n3\nsame\n",
		.setup = { .seconds = 90 },
	},
	{
		.path = "/mount/places/podman/by-configuration",
		.shells = "bash",
		.script = PROOF("podman exec -i c2"),
		.regex = "[0-9a-f]{12}\n3\nsame\n",
		.setup = { .seconds = 90 },
	},
	{
		.path = "/mount/places/podman/run",
		.shells = "bash",
		.script = PROOF("podman run -i $PODMAN_RUN bed"),
		.regex = "[0-9a-f]{12}\n3\nsame\n",
		.setup = { .seconds = 90 },
	},
	{
		.path = "/mount/places/podman/user",
		.shells = "bash",
		.script = "for words in '-u app c1' c1 c2; do podman exec -i $words id -u; done",
		.output = "1000\n0\n1000\n",
		.setup = { .seconds = 90 },
	},
	{
		.path = "/mount/places/podman/refusals",
		.shells = "bash",
		.script = "for c in nosuch stopped; do podman exec -i $c sh 2>&1; echo $?; done",
		.output = "Error: no container with name or ID \"nosuch\" found: no such container\n125\n"
			"Error: can only create exec sessions on running containers: container state improper\n255\n",
		.setup = { .seconds = 90 },
	},
	{
		.path = "/mount/places/slurm/srun",
		.shells = "bash",
		.script = PROOF("srun -w n1") "; for n in 1 2 3; do echo 'echo $SLURMD_NODENAME' | srun -w n$n sh; done",
		.output = "bed\n3\nsame\nn1\nn2\nn3\n",
		.setup = { .seconds = 90 },
	},
	{
		.path = "/mount/places/slurm/refusal",
		.shells = "bash",
		.script = "srun -w n9 sh 2>&1; echo $?",
		.output = "srun: error: Unable to allocate resources: Invalid node name specified\n1\n",
		.setup = { .seconds = 90 },
	},
	{
		.path = "/mount/places/lxc/attach",
		.shells = "bash",
		.script = PROOF("lxc-attach -P $LXC_PATH -n c1 --"),
		.output = "c1\n3\nsame\n",
		.setup = { .seconds = 90 },
	},
	{
		.path = "/mount/places/lxc/refusal",
		.shells = "bash",
		.script = "for c in nosuch stopped; do lxc-attach -P $LXC_PATH -n $c -- sh 2>&1; echo $?; done | "
			"sed 's/.* - //'",
		.output = "Failed to get init pid\nFailed to get attach context\n1\n"
			"Failed to get init pid\nFailed to get attach context\n1\n",
		.setup = { .seconds = 90 },
	},
	{
		.path = "/mount/places/nspawn/pipe",
		.shells = "bash",
		.script = PROOF("$NSPAWN"),
		.output = "nspawn\n3\nsame\n",
		.setup = { .seconds = 90 },
	},
};
/* clang-format on */

int
main(int argc, char **argv)
{
	static const char *const beds[] = { "chroot", "namespaces", "podman",
					    "slurm",  "lxc",	    "nspawn" };
	mount_test_init(&argc, &argv);
	for (gsize i = 0; i < G_N_ELEMENTS(beds); i++)
		mount_test_bed(beds[i]);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	return mount_test_run();
}
