/* The beds `users` and `ssh` themselves, reached by the plain clients: what the tests of other programs rely on. */
#include "tests/mount.h"

#include <glib.h>

/* as USER COMMAND...: as somebody else, from a directory that everybody can enter. */
#define AS "as() { setpriv --reuid $1 --regid $1 --init-groups env -C / \"${@:2}\"; }\n"

/* pty USER PASSWORD COMMAND: on a terminal of its own, where a password is asked for and given. */
#define PTY                                                                         \
	"pty() { python3 -c '\n"                                                    \
	"import os, pty, sys\n"                                                     \
	"user, password, command = sys.argv[1:]\n"                                  \
	"pid, fd = pty.fork()\n"                                                    \
	"if pid == 0:\n"                                                            \
	"    os.chdir(\"/\")\n"                                                     \
	"    os.execvp(\"setpriv\", [\"setpriv\", \"--reuid\", user, \"--regid\", " \
	"user, \"--init-groups\", \"sh\", \"-c\", command])\n"                      \
	"said = b\"\"\n"                                                            \
	"while b\"assword\" not in said: said += os.read(fd, 4096)\n"               \
	"os.write(fd, password.encode() + b\"\\n\")\n"                              \
	"said = b\"\"\n"                                                            \
	"try:\n"                                                                    \
	"    while True:\n"                                                         \
	"        more = os.read(fd, 4096)\n"                                        \
	"        if not more: break\n"                                              \
	"        said += more\n"                                                    \
	"except OSError: pass\n"                                                    \
	"print(said.decode().split()[-1])' \"$@\"; }\n"

#define SSH "s() { ssh -F $SSHCONF \"$@\" < /dev/null; }\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/beds/users/no-password",
		.shells = "bash",
		.script = AS "for u in bob dave erin; do as $u sudo -n id -un; done; as bob doas id -un; as bob sudo -n -u alice id -un",
		.output = "root\nroot\nroot\nroot\nalice\n",
	},
	{
		.path = "/mount/beds/users/password-over-a-pipe",
		.shells = "bash",
		.script = AS "for i in 1 2; do (echo alice-pw; echo text) | as alice sudo -S -p '' sh -c 'echo $(id -un) $(cat)'; done; (echo alice-pw; echo 'id -un') | as bob su alice -c sh; (echo wrong; echo 'id -un') | as bob su alice -c sh; echo $?",
		.output = "root text\nroot text\nalice\n1\n",
		.errors = "Authentication failure",
	},
	{
		.path = "/mount/beds/users/password-on-a-terminal",
		.shells = "bash",
		.script = PTY "pty alice alice-pw 'doas id -un'; pty alice alice-pw 'sudo id -un'; pty bob alice-pw 'su alice -c \"id -un\"'; pty alice wrong 'doas id -un'",
		.output = "root\nroot\nalice\nfailed\n",
	},
	{
		.path = "/mount/beds/users/refusals",
		.shells = "bash",
		.script = AS "as alice sudo -n true 2> $T/1; echo $?; as alice doas -n true 2> $T/2; echo $?; as carol sudo -n true 2> $T/3; echo $?; as carol script -qec 'sudo -n id -un' /dev/null < /dev/null | tr -d '^@\\r'; as nologin sudo -n true 2> $T/4; echo $?; cat $T/[123]",
		.regex = "1\n1\n1\nroot\n1\nsudo: a password is required\ndoas: Auth.* required\nsudo: .*tty.*\n",
	},
	/* Nobody's login shell says anything of its own, and each runs what it is told. */
	{
		.path = "/mount/beds/users/login-shells",
		.shells = "bash",
		.script = "for s in $LOGIN_SHELLS; do [ \"$(ls -A $BED/home/u-$s | tr -d '\\n')\" = \"$([ $s != zsh ] || echo .zshrc)\" ] || echo $s has rc files; su - u-$s -c 'echo text; exit 3' < /dev/null; echo $? $s; done > $T/out 2>&1; [ $(grep -cx text $T/out) = $(echo $LOGIN_SHELLS | wc -w) ] && grep -v -e text -e '^3 ' $T/out; echo $LOGIN_SHELLS; su - nologin -c true < /dev/null; echo $?; su - noisy -c true < /dev/null",
		.output = "sh bash dash zsh ksh fish csh tcsh rc busybox ash\nThis account is currently not available.\n1\nwelcome from .bash_profile\n",
		.errors = "warning from .bash_profile\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/beds/ssh/key",
		.shells = "bash",
		.script = SSH "for u in root alice bob noisy; do s $u 'id -un; exit 3' 2> $T/err; echo $?; done; cat $T/err; s nologin true; echo $?",
		.output = "root\n3\nalice\n3\nbob\n3\nwelcome from .bashrc\nnoisy\n3\nwarning from .bashrc\nThis account is currently not available.\n1\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/beds/ssh/login-shells",
		.shells = "bash",
		.script = SSH "for i in $LOGIN_SHELLS; do s u-$i 'id -un' & done | sort | tr '\\n' ' '; wait; echo; for i in $LOGIN_SHELLS; do echo u-$i; done | sort | tr '\\n' ' '",
		.regex = "(.*) \n\\1 ",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/beds/ssh/password",
		.shells = "bash",
		.script = SSH "printf '#!/bin/sh\\necho $PASSWORD\\n' > $T/ask; chmod +x $T/ask; export SSH_ASKPASS=$T/ask SSH_ASKPASS_REQUIRE=force PASSWORD=alice-pw; s alice-password id -un; s alice-keyboard id -un; PASSWORD=wrong s alice-password id -un; echo $?",
		.output = "alice\nalice\n255\n",
		.errors = "Permission denied",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/beds/ssh/refusals",
		.shells = "bash",
		.script = SSH "for h in denied unknown-key ask-key changed-key refused unresolvable; do s $h true 2> $T/err; echo $? $h; grep -ohE 'Permission denied|No .* key is known|REMOTE HOST IDENTIFICATION|Connection refused|Could not resolve|Host key verification failed' $T/err; done; s -o ConnectTimeout=1 silent true 2> $T/err; echo $?; grep -q 'timed out' $T/err && echo silence",
		.output = "255 denied\nPermission denied\n255 unknown-key\nNo ED25519 host key is known\nHost key verification failed\n255 ask-key\nHost key verification failed\n255 changed-key\nREMOTE HOST IDENTIFICATION\nHost key verification failed\n255 refused\nConnection refused\n255 unresolvable\nCould not resolve\n255\nsilence\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/beds/ssh/noise",
		.shells = "bash",
		.script = SSH "s banner 'echo text' 2> $T/err; grep -c password $T/err; s banner-long 'echo text' 2> $T/err; [ $(wc -c < $T/err) -ge 65536 ] && echo long; echo 'echo text' | ssh -F $SSHCONF -T motd",
		.output = "text\n2\ntext\nlong\nWelcome to the bed.\nThis is the message of the day.\ntext\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/beds/ssh/restrictions",
		.shells = "bash",
		.script = SSH "s forced 'id -un'; echo $?; s sftp-only id; echo $?; echo pwd | sftp -F $SSHCONF -q -b - sftp-only | tail -n 1; s -tt no-pty 'echo text' 2> $T/err; echo $?; grep -o 'PTY allocation request failed' $T/err; s no-pty 'echo text'",
		.regex = "forced: id -un\n0\nThis service allows sftp connections only.\n1\nRemote working directory: .*/home/root\n255\nPTY allocation request failed\ntext\n",
		.errors = "",
		.setup = { .seconds = 60 },
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
