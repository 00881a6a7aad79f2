/* Places behind ssh: a real sshd, many kinds of hosts, and every way to fail (rows R63 to R82, cases
 * T02 to T34, T89, T91, T102). */
#include "tests/dial.h"
#include "tests/mount.h"

/* ssh C ARGS: dial, by ssh with the bed's configuration. */
#define SSH "cd $M/children\n" DIAL "ssh() { c=$1; shift; dial $c ssh -F $SSHCONF \"$*\"; }\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/ssh/T02/run",
		.shells = "all",
		.script = SSH "ssh a root; echo 'sh id -un; echo $0; cat; echo err >&2; exit 3' > a/ctl; echo text > a/stdin; cat a/stdout a/stderr; cut -d ' ' -f 1-3 a/wait; grep -E '^(method|user|link|phase|failure) ' a/status; sed 1d a/ctl",
		.regex = "up\nroot\n/bin/bash\ntext\nerr\n3 exit 3\nmethod ssh\nuser root\nlink up\nphase -\nfailure -\ndefaults\nasync connect ssh -F \\S+ root\n",
	},
	/* Each login shell takes the first stage, and nothing of it is left. */
	{
		.path = "/mount/ssh/R71/T16/login-shells",
		.shells = "bash",
		.script = SSH "for s in $LOGIN_SHELLS; do ssh $s u-$s; echo 'sh id -un' > $s/ctl; cat $s/stdout; done > $T/out; for s in $LOGIN_SHELLS; do printf 'up\\nu-%s\\n' $s; done | diff - $T/out && echo $LOGIN_SHELLS | wc -w; ls -A /dev/shm /tmp /var/tmp | grep -c mitofs-................................",
		.regex = "([5-9]|1\\d)\n0\n",
		.code = 1,
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/ssh/R66/T18/R70/noise",
		.shells = "bash",
		.script = SSH "for h in noisy banner banner-long motd; do ssh $h $h; echo 'exec echo clean' > $h/ctl; cat $h/stdout; done; grep -c 'before the first stage: welcome' noisy/log; grep -c 'client: password:' banner/log",
		.output = "up\nclean\nup\nclean\nup\nclean\nup\nclean\n1\n1\n",
	},
	{
		.path = "/mount/ssh/R63/R64/T102/T31/failures",
		.shells = "bash",
		.script = SSH "for h in denied unknown-key changed-key refused unresolvable nologin forced sftp-only; do echo $h $(echo 'connect-timeout 5' > ctl; ssh $h $h); done; ssh x; cat */error | cut -d ' ' -f 3- ",
		.regex = "denied EACCES auth-failed\nunknown-key EKEYREJECTED hostkey-unknown\nchanged-key EKEYREJECTED hostkey-changed\nrefused ECONNREFUSED refused\nunresolvable ENXIO no-such-host\nnologin EPERM no-shell\nforced EPERM no-shell\nsftp-only .*",
		.errors = "",
	},
	{
		.path = "/mount/ssh/T30/T91/password",
		.shells = "bash",
		.script = SSH "mkdir a; echo alice-pw > a/prompt; ssh a alice-password; echo 'sh id -un' > a/ctl; cat a/stdout; mkdir b; echo wrong > b/prompt; ssh b alice-password; tail -n 1 b/error; echo 'connect-timeout 1' > ../ctl; mkdir c; ssh c alice-password; tail -n 1 c/error; cat c/prompt",
		.regex = "up\nalice\nEACCES auth-failed\n.*\nEACCES auth-required\n.*nobody answered.*password:\n",
	},
	{
		.path = "/mount/ssh/R112/T32/host-key-question",
		.shells = "bash",
		.script = SSH "mkdir a b; echo 'connect-timeout 2' > b/ctl; echo secret > b/prompt; ssh b ask-key; cat b/error; exec 4< ../events; printf 'async connect ssh -F '$SSHCONF' ask-key\\n' > a/ctl; while read -r t p w q <&4; do [ $w != prompting ] || break; done; cat a/prompt; grep ^link a/status; echo yes > a/prompt; echo 'exec echo in' > a/ctl; cat a/stdout a/prompt",
		.regex = ".*",
	},
};
/* clang-format on */

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	mount_test_bed("ssh");
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	return mount_test_run();
}
