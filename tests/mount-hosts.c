/* The bed `hosts` itself: what the tests of other programs rely on. */
#include "tests/mount.h"

#include <glib.h>

#define SSH "s() { ssh -F $SSHCONF \"$@\" < /dev/null; }\n"

/* For python3: near(host) connects to a host's sshd and gives the seconds that it took. */
#define NEAR                                                                                 \
	"import os, socket, subprocess, time\n"                                              \
	"def hosts(*words): subprocess.run([os.environ['HOSTS'], *words], check=True)\n"     \
	"def connect(host, seconds=10):\n"                                                   \
	"    s = socket.socket(); s.settimeout(seconds)\n"                                   \
	"    s.connect(('198.51.100.%d' % (4 * host + 2), 22)); return s\n"                  \
	"def near(host):\n"                                                                  \
	"    begin = time.monotonic(); s = connect(host); took = time.monotonic() - begin\n" \
	"    s.close(); return took\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/beds/hosts/three-machines",
		.shells = "bash",
		.script = SSH "echo here > /tmp/mitofs-bed.$$; for h in h1 h2 h3; do s $h \"hostname; cat /proc/1/comm; ls -A /tmp; ls -A /root; tty; echo $h > /etc/mitofs-bed\"; done; s h1 cat /etc/mitofs-bed; cat /etc/mitofs-bed 2>&1 | grep -o 'No such file'; rm /tmp/mitofs-bed.$$",
		.output = "h1\nsshd\n.ssh\nnot a tty\nh2\nsshd\n.ssh\nnot a tty\nh3\nsshd\n.ssh\nnot a tty\nh1\nNo such file\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/beds/hosts/through-another",
		.shells = "bash",
		.script = SSH "s h1 ssh h2 ssh h3 \"'hostname; exit 3'\"; echo $?",
		.output = "h3\n3\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/beds/hosts/delay",
		.shells = "python3",
		.script = NEAR "hosts('reset')\n"
			  "print(min(near(1) for i in range(20)) < 0.04)\n"
			  "hosts('delay', 'h1', '25')\n"
			  "print(0.05 <= min(near(1) for i in range(20)) < 0.1, min(near(2) for i in range(20)) < 0.04)\n"
			  "hosts('reset')\n"
			  "print(min(near(1) for i in range(20)) < 0.04)\n",
		.output = "True\nTrue True\nTrue\n",
	},
	{
		.path = "/mount/beds/hosts/cut-join",
		.shells = "python3",
		.script = NEAR "hosts('reset')\n"
			  "s = connect(1)\n"
			  "print(s.recv(4))\n"
			  "hosts('cut', 'h1')\n"
			  "try: connect(1, 0.5); print('there')\n"
			  "except TimeoutError: print('cut')\n"
			  "print(connect(2).recv(4))\n"
			  "hosts('join', 'h1')\n"
			  "print(connect(1).recv(4))\n",
		.output = "b'SSH-'\ncut\nb'SSH-'\nb'SSH-'\n",
	},
	{
		.path = "/mount/beds/hosts/loss-and-rate",
		.shells = "python3",
		.script = NEAR "hosts('reset')\n"
			  "hosts('loss', 'h1', '100')\n"
			  "try: connect(1, 0.5)\n"
			  "except TimeoutError: print('lost')\n"
			  "hosts('reset'); hosts('rate', 'h1', '100')\n"
			  "begin = time.monotonic()\n"
			  "run = subprocess.run(['ssh', '-F', os.environ['SSHCONF'], 'h1', 'head -c 100000 /dev/zero'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)\n"
			  "print(len(run.stdout), time.monotonic() - begin > 0.9)\n"
			  "hosts('reset')\n",
		.output = "lost\n100000 True\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/beds/hosts/crash-boot",
		.shells = "bash",
		.script = SSH "$HOSTS reset; mkfifo $T/out; s h1 'touch /tmp/file /etc/file; echo up; exec sleep 1000' > $T/out 2> $T/err & exec 3< $T/out; read x <&3; echo $x; $HOSTS crash h1; wait $!; echo $?; s h1 true 2> $T/err; grep -o 'Connection refused' $T/err; s h2 hostname; $HOSTS boot h1; s h1 'hostname; ls /tmp; ls /etc/file' 2> $T/err; grep -o 'No such file' $T/err",
		.output = "up\n255\nConnection refused\nh2\nh1\nNo such file\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/beds/hosts/power-failure",
		.shells = "bash",
		.script = SSH "$HOSTS reset; mkfifo $T/out; s -o ServerAliveInterval=1 -o ServerAliveCountMax=1 h2 'echo up; exec sleep 1000' > $T/out 2> $T/err & exec 3< $T/out; read x <&3; echo $x; $HOSTS cut h2; $HOSTS crash h2; kill -0 $! && echo waits; wait $!; echo $?; $HOSTS reset; s h2 hostname",
		.output = "up\nwaits\n255\nh2\n",
		.setup = { .seconds = 60 },
	},
};
/* clang-format on */

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	mount_test_bed("hosts");
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	return mount_test_run();
}
