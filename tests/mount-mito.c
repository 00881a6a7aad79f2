/* scripts/mito: contexts from the command line: one at a time. What is for many is in mount-mito-map.c. */
#include "tests/mito.h"
#include "tests/mount.h"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/mito/new-and-rm",
		.shells = "all",
		.script = MITO "mito new a b; mito new -p a c/d/e; mito ls; mito ls c; mito ls -l; mito tree c; mito rm b; mito rm -r c; mito ls; ls $M/children; mito new 'n[1-3]' 'n 4'; mito rm 'n[1-2]' 'n 4' 'n*'; mito ls",
		.output = "a\nb\nc\nd\n"
			  "a                        -                idle\n"
			  "b                        -                idle\n"
			  "c                        -                idle\n"
			  "c                        -                idle\n"
			  "  d                      -                idle\n"
			  "    e                    -                idle\n"
			  "a\na\na\n",
	},
	{
		.path = "/mount/mito/names",
		.shells = "all",
		.script = MITO "mito new \"it's a\" \"it's a/*\"; mito run \"it's a/*\" true; echo $?; mito ls \"/it's a/\"; mito status \"it's a/*\" path; mito rm -r \"it's a\"; mito ls",
		.output = "0\n*\n/it's a/*\n",
	},
	{
		.path = "/mount/mito/rm-of-a-running-one",
		.shells = "all",
		.script = MITO "mito new a; echo 'exec sleep 1000' > $M/children/a/ctl; mito rm a; echo $?; mito status a state; mito rm -r a; echo $?; mito ls",
		.output = "255\nrunning\n0\n",
		.errors = "mito: a: a command runs there; end it too with: mito rm -r a\n",
	},
	{
		.path = "/mount/mito/errors",
		.shells = "all",
		.script = MITO "exec 2>&1; mito new a; for c in 'new a' 'new x/y' 'rm x' 'ls x' 'run x true' 'status a nix' 'frob' 'run a' '-x' 'rm /' 'run a nosuch' 'run a /etc'; do mito $c; echo $?; done; MITO=$T; mito ls; echo $?",
		.regex = "mito: a: exists already\n255\n"
			 "mito: x/y: there is no context above it; .*\n255\n"
			 "mito: x: no such context; make it with: mito new -p x\n255\n"
			 "mito: x: no such .*\n255\n"
			 "mito: x: no such .*\n255\n"
			 "mito: status: there is no key nix; see: mito help\n2\n"
			 "mito: no such command: frob; .*\n2\n"
			 "mito: run: which context, and which command\\?.*\n2\n"
			 "mito: no such option: -x; .*\n2\n"
			 "mito: rm: the mount itself stays; .*\n2\n"
			 "mito: a: exec: \"nosuch\" not found .*\n127\n"
			 "mito: a: exec: \"/etc\": Permission denied .*\n126\n"
			 "mito: no mitofs is mounted at /.*; mount one with: .*\n255\n",
	},
	/* No other mount of this user is seen from a namespace of our own. */
	{
		.path = "/mount/mito/lookup",
		.shells = "all",
		.script = MITO "unset MITO; cat > $T/alone <<'END'\n"
			  "awk '$0 ~ / - fuse.mitofs / && $5 != ENVIRON[\"M\"] { print $5 }' /proc/self/mountinfo | while read -r at; do umount -l $at; done; \"$@\"; umount -l $M; \"$@\"; echo $?\n"
			  "END\n"
			  "unshare -m bash $T/alone $MITO_SH status / path; $MITO_SH -m $M status / path",
		.output = "/\n255\n/\n",
		.errors = "mito: no mitofs is mounted for root; mount one with: mkdir -p ~/ctx && mitofs ~/ctx\n",
	},
	/* The files of the commands are found where the program itself is, however it was named. */
	{
		.path = "/mount/mito/parts",
		.shells = "all",
		.script = MITO "mkdir $T/bin; ln -s $MITOFS_MITO $T/far; ln -s ../far $T/bin/near; mito new a; ${MITO_SH% *} $T/bin/near ls; cd $T/bin; ${MITO_SH% *} near ls; cp $MITOFS_MITO $T/alone; ${MITO_SH% *} $T/alone ls; echo $?",
		.output = "a\na\n255\n",
		.errors = "install it anew",
	},
	{
		.path = "/mount/mito/run/streams",
		.shells = "all",
		.script = MITO "mito new a; echo in | mito run a sh -c 'cat; echo err >&2; exit 3' 2> $T/err; echo $?; cat $T/err; mito ls a\n"
			  "mito run a printf '<%s>' 'a b' \"it's\" '' 'two\nlines' '#x' '$y' '\\' '~'; echo; mito run -d / -e 'A=b  c' a sh -c 'pwd; echo \"$A\"'",
		.output = "in\n3\nerr\n<a b><it's><><two\nlines><#x><$y><\\><~>\n/\nb  c\n",
	},
	{
		.path = "/mount/mito/run/binary",
		.shells = "all",
		.script = MITO "head -c 3000000 /dev/urandom > $T/in; mito new a; mito run a cat < $T/in | cmp - $T/in && echo same; cat $T/in | mito run a sh -c 'cat >&2' 2> $T/out; cmp $T/in $T/out && echo same; for n in 1 65536 65537; do mito run a head -c $n /dev/zero | wc -c; done",
		.output = "same\nsame\n1\n65536\n65537\n",
	},
	{
		.path = "/mount/mito/run/inputs",
		.shells = "all",
		.script = MITO "mito new a; mito run a cat < /dev/null; echo $?; mito run a cat <&-; echo $?; mkfifo $T/f; exec 5<> $T/f; mito run -n a cat <&5; echo $?; mito run a true <&5; echo $?; mito run a head -n 1 < $T/f & echo line >&5; wait; mito run a yes | head -n 1; yes | mito run a head -n 1; mito ls a",
		.output = "0\n0\n0\n0\nline\ny\ny\n",
	},
	/* Where a write would not wait: rsync's sockets. */
	{
		.path = "/mount/mito/run/without-waiting",
		.shells = "all",
		.script = MITO "mito new a; cat > $T/run.py <<'END'\n"
			  "import os, socket, subprocess, sys\n"
			  "for pair in lambda: [end.detach() for end in socket.socketpair()], os.pipe:\n"
			  "    pairs = pair(), pair()\n"
			  "    for _, end in pairs: os.set_blocking(end, False)\n"
			  "    run = subprocess.Popen(sys.argv[1:] + ['run', 'a', 'sh', '-c', 'head -c 2000000 /dev/zero; head -c 1000000 /dev/zero >&2'], stdin=subprocess.DEVNULL, stdout=pairs[0][1], stderr=pairs[1][1])\n"
			  "    for _, end in pairs: os.close(end)\n"
			  "    counts = [subprocess.Popen(['wc', '-c'], stdin=end, stdout=subprocess.PIPE) for end, _ in pairs]\n"
			  "    print(*[int(count.communicate()[0]) for count in counts], run.wait())\n"
			  "END\n"
			  "python3 $T/run.py $MITO_SH",
		.output = "2000000 1000000 0\n2000000 1000000 0\n",
	},
	{
		.path = "/mount/mito/run/ended-by-a-signal",
		.shells = "bash",
		.script = MITO "mito new a; for s in KILL TERM SEGV INT; do python3 -c 'import subprocess, sys; print(subprocess.call(sys.argv[1:]))' $MITO_SH run a sh -c \"kill -$s \\$\\$\"; done; mito ls a",
		.output = "-9\n-15\n-11\n-2\n",
		.errors = "",
	},
	{
		.path = "/mount/mito/run/signals",
		.shells = "all",
		.script = MITO "mito new a; mkfifo $T/f; exec 5<> $T/f; for s in HUP TERM USR1; do $MITO_SH run a sh -c \"trap 'echo $s; exit 7' $s; echo up; while :; do read -r x < $T/never; done 2> /dev/null\" > $T/f & p=$!; read -r x <&5; kill -$s $p; wait $p; echo $?; read -r x <&5; echo $x; done; mito ls a",
		.output = "7\nHUP\n7\nTERM\n7\nUSR1\n",
	},
	{
		/* What feeds the command ends at about the time of the signal, which bash may then forget. */
		.path = "/mount/mito/run/input-ends-at-a-signal",
		.shells = "bash",
		.script = MITO "mito new a; mkfifo $T/f; exec 5<> $T/f; for i in $(seq 40); do $MITO_SH run a sh -c \"trap 'exit 7' USR1; echo up; while :; do read -r x < $T/never; done 2> /dev/null\" < /dev/null > $T/f & p=$!; read -r x <&5; kill -USR1 $p; wait $p; echo $?; done | uniq; mito ls a",
		.output = "7\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/mito/run/killed",
		.shells = "all",
		.script = MITO "mito new a; mkfifo $T/f $T/in; exec 5<> $T/f 6<> $T/in 7< $M/children/a/events; $MITO_SH run a sh -c 'echo up; exec sleep 1000' < $T/in > $T/f & p=$!; read -r x <&5; kill -KILL $p; while read -r t path what rest <&7; do [ $what != removed ] || break; done; echo $what; mito ls a",
		.output = "removed\n",
		.errors = "",
	},
	{
		.path = "/mount/mito/run/many",
		.shells = "all",
		.script = MITO "mito new a; for i in 1 2 3 4 5 6 7 8; do mito run a sh -c \"cat; exit $i\" < $MITOFS_MITO > $T/out$i & eval p$i=$!; done; for i in 1 2 3 4 5 6 7 8; do eval wait \\$p$i; echo $?; cmp $T/out$i $MITOFS_MITO; done; mito ls a",
		.output = "1\n2\n3\n4\n5\n6\n7\n8\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/mito/run/lost",
		.shells = "all",
		.script = MITO "mito connect a local; mito status a link; echo | mito run a sh -c 'read -r x; kill -KILL $PPID; exec sleep 1000'; echo $?; mito run a true; echo $?; mito connect a local; mito run a echo again",
		.output = "up\n255\n255\nagain\n",
		.errors = "mito: a: the link was lost (ECONNRESET)\n",
	},
	{
		.path = "/mount/mito/connect/without-a-terminal",
		.shells = "all",
		.script = MITO "/usr/bin/setsid -w $MITO_SH connect a command sh -c 'printf Code: > /dev/tty; read -r x < /dev/tty; exec sh'; echo $?; mito connect b local; echo $?; mito connect c nosuch; echo $?",
		.output = "255\n0\n255\n",
		.errors = "mito: a: asks \"Code:\", and there is no terminal here; answer in advance: echo ANSWER > ",
	},
	{
		.path = "/mount/mito/run/terminal",
		.shells = "all",
		.script = SCREEN "mito new a; keys \"mito run a sh -c 'echo up; read x; echo got-\\$x; exec sleep 1000'\" Enter; see '^up'; keys typed Enter; see '^got-typed'; keys C-c; see '^:$'; keys 'echo code-$?' Enter; see '^code-130'; mito ls a; tm kill-server",
		.output = "^up\n^got-typed\n^:$\n^code-130\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/mito/connect/T30/questions",
		.shells = "all",
		.script = SCREEN "cat > $T/client <<'END'\n"
			  "exec 3<> /dev/tty; stty -echo <&3; printf 'First:' >&3; read -r x <&3; until [ \"$x\" = correct ]; do printf '\\nNo.\\nAgain:' >&3; read -r x <&3; done; exec sh\n"
			  "END\n"
			  "keys \"mito connect a command sh $T/client; echo code-\\$?; stty -a | grep -ow '[-]*echo'\" Enter; see '^First: *$'; keys wrong Enter; see 'Again: *$'; keys correct Enter; see '^code-0'; see '^echo$'; tm capture-pane -p | grep -e '^.*wrong' -e correct; mito run a echo in\n"
			  "keys \"clear; mito connect b command sh $T/client\" Enter; see '^First: *$'; keys C-c; see '^:$'; keys \"echo code-\\$?; stty -a | grep -ow '[-]*echo'\" Enter; see '^code-130'; see '^echo$'; tm kill-server",
		.output = "^First: *$\nAgain: *$\n^code-0\n^echo$\nin\n^First: *$\n^:$\n^code-130\n^echo$\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/mito/attach",
		.shells = "all",
		.script = SCREEN "mito new a; echo 'pty on' > $M/children/a/ctl; echo 'env PS1=there:' > $M/children/a/ctl; echo 'exec dash -i' > $M/children/a/ctl; keys 'mito attach a; echo code-$?; stty -a | grep -o \"[-]*icanon\"' Enter; see '^there:'; keys 'stty size' Enter; see '^20 90'; keys 'until [ \"$(stty size)\" = \"22 100\" ]; do :; done; echo re\"\"sized' Enter; tm resize-window -x 100 -y 22; see ^resized; keys 'echo ca\"\"t; cat > /dev/null' Enter; see '^cat$'; keys C-c; see '^.C'; keys 'echo af\"\"ter' Enter; see ^after; keys 'C-]'; see '^code-0'; see ^icanon; mito status a state; keys 'clear; mito attach a; echo code-$?' Enter; see after; keys 'exit 7' Enter; see ^code-7; tm kill-server",
		.output = "^there:\n^20 90\n^resized\n^cat$\n^.C\n^after\n^code-0\n^icanon\nrunning\nafter\n^code-7\n",
		.setup = { .seconds = 60 },
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
