/* scripts/mito: many contexts at once. Lists of them, map. */
#include "tests/mito.h"
#include "tests/mount.h"

/* An inventory, and a file of names. */
#define LISTS                                                                                  \
	"cat > $T/inventory <<'END'\n"                                                         \
	"lone ansible_host=192.0.2.1\n"                                                        \
	"; no host\n"                                                                          \
	"[web]\nw[01:03].example:2222 x=y\n[db:vars]\nuser=me\n[db]\nd[a:c]\n[top:children]\n" \
	"web\ndb\n"                                                                            \
	"END\n"                                                                                \
	"printf '# names\\none, two # and\\n\\nthree[1-2]\\n' > $T/names; "                    \
	"awk=awk; list() { LIST=$1 EXCEPT=${2-} INVENTORY=$T/inventory MODE=names $awk -f "    \
	"${MITOFS_MITO%/*}/mito.d/hosts.awk | tr '\\n' ' '; echo; }\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/mito/lists/ranges",
		.shells = "bash",
		.script = LISTS "ranges() { for l in 'web[1-3,7].example,db[01-04]' 'a[1-2]b[x-z]' 'x[09-11]' 'n[1-10/3]' '/a//b/,c' 'r\\[1\\]\\,x,\\@a' 'a,a[1],a' '[8-10],[08-10],[098-101]' ',,'; do list \"$l\"; done; list 'w[1-30]' 'w[1-28],w?9,x'; list 'web[1-3].a,web1xa' 'web?.a'; list 'w[1-100000]' | wc -w; }; ranges; ranges > $T/1; awk='busybox awk'; ranges | diff $T/1 -",
		.output = "web1.example web2.example web3.example web7.example db01 db02 db03 db04 \n"
			  "a1bx a1by a1bz a2bx a2by a2bz \nx09 x10 x11 \nn1 n4 n7 n10 \na/b c \nr[1],x @a \na a1 \n8 9 10 08 09 098 099 100 101 \n\nw30 \nweb1xa \n100000\n",
	},
	{
		.path = "/mount/mito/lists/errors",
		.shells = "dash",
		.script = MITO LISTS "exec 2>&1; cd $T; MITO_INVENTORY=inventory; export MITO_INVENTORY; for l in 'a[3-1]' 'a[1-' 'a]' 'a[]' 'a[1-2-3]' 'a[x1]' 'w[1-100001]' '[0-9][0-9999][0-99]' '[1-99999999999999999999]' '@none' '^none' ',' 'a[1-2/0]'; do mito new \"$l\"; echo $?; done; unset MITO_INVENTORY; mito new @web; mito map '@web' true; echo $?; mito ls",
		.output = "mito: [3-1]: a range that runs backwards; see: mito help\n2\n"
			  "mito: a[1-: a bracket without the other; a range is written [1-3,7]; see: mito help\n2\n"
			  "mito: a]: a bracket without the other; a range is written [1-3,7]; see: mito help\n2\n"
			  "mito: []: an empty range; see: mito help\n2\n"
			  "mito: [1-2-3]: no range; it is written [1-3,7]; see: mito help\n2\n"
			  "mito: [x1]: no range; it is written [1-3,7]; see: mito help\n2\n"
			  "mito: more than 100000 names; see: mito help\n2\nmito: more than 100000 names; see: mito help\n2\nmito: [1-99999999999999999999]: more than 100000 names; see: mito help\n2\n"
			  "mito: @none: no such group in inventory; see: mito help\n2\nmito: none: cannot be read; see: mito help\n2\nmito: ,: names no context; see: mito help\n2\n"
			  "mito: [1-2/0]: a range that runs backwards; see: mito help\n2\n"
			  "mito: @web: there is no inventory; name one with -I FILE or $MITO_INVENTORY; see: mito help\nmito: @web: there is no inventory; name one with -I FILE or $MITO_INVENTORY; see: mito help\n2\n",
	},
	{
		.path = "/mount/mito/lists/inventory",
		.shells = "all",
		.script = MITO LISTS "MITO_INVENTORY=$T/inventory; export MITO_INVENTORY; mito new @web; mito new -p @top,@ungrouped; mito ls; unset MITO_INVENTORY; mito map -I $T/inventory -x @db -k @all echo x; list @top",
		.output = "da\ndb\ndc\nlone\nw01.example\nw02.example\nw03.example\nlone: x\nw01.example: x\nw02.example: x\nw03.example: x\nw01.example w02.example w03.example da db dc \n",
	},
	{
		.path = "/mount/mito/lists/files",
		.shells = "all",
		.script = MITO LISTS "mito new \"^$T/names\"; printf 'four five[1-2]' | mito new -; mito ls; echo one two | mito map -k -,four echo",
		.output = "five1\nfive2\nfour\none\nthree1\nthree2\ntwo\none: \ntwo: \nfour: \n",
	},
	{
		.path = "/mount/mito/lists/patterns",
		.shells = "all",
		.script = MITO "mito new -p 'rack[1-2]/n[1-3]' \"it's *x\" 'r\\[1\\]x'; cd $M/children; for l in '*' 'rack?/n*' 'rack*/n2,rack1/*' '*/n?' \"it's *\" 'r\\[*'; do mito map -k \"$l\" echo; echo =; done; mito map -k -x '*1/*,rack2/n[1-2]' '*/*' echo; mito map 'rack1/x*' true; echo $?; mito map 'run.*' true; echo $?",
		.output = "it's *x: \nr[1]x: \nrack1: \nrack2: \n=\n"
			  "rack1/n1: \nrack1/n2: \nrack1/n3: \nrack2/n1: \nrack2/n2: \nrack2/n3: \n=\n"
			  "rack1/n2: \nrack2/n2: \nrack1/n1: \nrack1/n3: \n=\n"
			  "rack1/n1: \nrack1/n2: \nrack1/n3: \nrack2/n1: \nrack2/n2: \nrack2/n3: \n=\nit's *x: \n=\nr[1]x: \n=\nrack2/n3: \n255\n255\n",
		.errors = "mito: rack1/x*: matches no context\nmito: run.*: matches no context\n",
	},
	/* connect. */
	{
		.path = "/mount/mito/connect-many",
		.shells = "all",
		.script = MITO "mito new -p rack/n1; mito connect 'rack/n[1-40]' command env 'X=it {} is' sh; echo $?; mito map -b 'rack/*' true; mito status rack/n7 link; grep -o 'connect.*' $M/children/rack/children/n7/ctl; mito connect 'j[1-3]' command sh -c 'if [ {} = j2 ]; then echo no such; exit 3; fi; exec sh'; echo $?; mito status j1 link; mito status j2 link; mito connect 'k[1-2]' nosuch; echo $?; /usr/bin/setsid -w $MITO_SH connect q1,q2 command sh -c 'printf Code: > /dev/tty; read -r x < /dev/tty; exec sh' 2> $T/err; echo $?; cut -d, -f1 $T/err | sort; mito rm -r rack",
		.output = "0\nup\nconnect command env 'X=it n7 is' sh\n255\nup\nlost\n255\n255\nmito: q1: asks \"Code:\"\nmito: q2: asks \"Code:\"\n",
		.errors = "mito: j2: connect: command: no shell: no such\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/mito/connect-many/T30/questions",
		.shells = "all",
		.script = SCREEN "cat > $T/client <<'END'\n"
			  "exec 3<> /dev/tty; stty -echo <&3; printf 'First:' >&3; read -r x <&3; [ \"$x\" = correct ] && exec sh\n"
			  "END\n"
			  "keys \"mito connect 'q[1-2]' command sh $T/client; echo code-\\$?\" Enter; see '^q[12]: First: *$'; keys correct Enter; keys correct Enter; see '^code-0'; tm capture-pane -p | grep -c 'q[12]: First'; mito map -k q1,q2 echo in\n"
			  "keys \"clear; mito connect 'r[1-2]' command sh $T/client\" Enter; see '^r[12]: First: *$'; keys C-c; see '^:$'; keys \"echo code-\\$?; stty -a | grep -ow '[-]*echo'\" Enter; see '^code-130'; see '^echo$'; mito status r1 link; mito status r2 link; tm kill-server",
		.output = "^q[12]: First: *$\n^code-0\n2\nq1: in\nq2: in\n^r[12]: First: *$\n^:$\n^code-130\n^echo$\nlost\nlost\n",
		.setup = { .seconds = 60 },
	},
	/* map. */
	{
		.path = "/mount/mito/map/lines",
		.shells = "all",
		.script = MITO "mito new 'a[1-3]'; mito map 'a*' sh -c 'echo out; printf \"no end\"; echo err >&2' > $T/out 2> $T/err; echo $?; sort $T/out; sort $T/err; mito map / echo at the root; mito tree | wc -l",
		.output = "0\na1: no end\na1: out\na2: no end\na2: out\na3: no end\na3: out\na1: err\na2: err\na3: err\n/: at the root\n4\n",
	},
	/* Lines come as they are written, and whole. */
	{
		.path = "/mount/mito/map/live",
		.shells = "all",
		.script = MITO "mito new 'a[1-2]'; mkfifo $T/go $T/out; exec 5<> $T/out 6<> $T/go; mito map 'a*' sh -c \"echo up; read x < $T/go; echo over\" > $T/out & read -r x <&5; read -r y <&5; echo $x $y | tr ' ' '\\n' | sort; echo >&6; echo >&6; wait $!; read -r x <&5; read -r y <&5; echo $x; mito ls -l",
		.regex = "a1:\na2:\nup\nup\na[12]: over\na1 .* idle\na2 .* idle\n",
	},
	{
		.path = "/mount/mito/map/whole-lines",
		.shells = "all",
		.script = MITO "mito new 'a[1-4]'; mito map 'a*' sh -c 'i=0; while [ $i -lt 300 ]; do printf \"%0500d\\n\" 0; printf \"%0500d\\n\" 0 >&2; i=$((i + 1)); done' > $T/out 2>&1; grep -cx 'a[1-4]: 0\\{500\\}' $T/out; wc -l < $T/out",
		.output = "2400\n2400\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/mito/map/codes",
		.shells = "all",
		.script = MITO "mito new 'a[1-12]'; mito map 'a*' sh -c 'exit ${PPID##*[1-9]}' > $T/x 2>&1; mito map 'a*' true; echo $?; mito map -k 'a[1-12]' sh -c 'exit 3'; echo $?; mito map 'a[3-4],a1' nosuch 2> $T/err; echo $?; cut -d' ' -f1-4 $T/err; mito map 'a[1-2]' /etc 2>&1 | cut -d: -f 1-4; mito map 'a[1-2]' sh -c 'kill -9 $$'; echo $?; mito map a1,nix,a2 true; echo $?; mito ls a1",
		.output = "0\n3\n127\nmito: a[1,3-4]: exec: \"nosuch\"\nmito: a[1-2]: exec: \"/etc\"\n137\n255\n",
		.errors = "mito: a[1-12]: exit code 3\nmito: a[1-2]: ended by signal KILL\nmito: nix: no such context; make it with: mito new -p nix\n",
	},
	{
		.path = "/mount/mito/map/fold",
		.shells = "all",
		.script = MITO "mito new -p 'web[08-12]' 'x[1-2]/y' x9; for n in web09 x1/y x9; do echo 'env A=other' > $M/children/$(echo $n | sed 's,/,/children/,')/ctl; done; mito map -b 'web*,x*/y,x9' sh -c 'echo a; echo ${A-same}'; mito map -b 'x9,web1?' sh -c 'echo $A >&2' 2>&1 | sort; mito map -b -e A=1 -d / 'web?*' sh -c 'echo $A$PWD'; mito map -bx 'web1*' 'web[08-10]' true",
		.output = "---------------\nweb[08,10-12],x2/y (5)\n---------------\na\nsame\n---------------\nweb09,x1/y,x9 (3)\n---------------\na\nother\nweb10: \nweb11: \nweb12: \nx9: other\n---------------\nweb[08-12] (5)\n---------------\n1/\n",
	},
	{
		.path = "/mount/mito/map/input",
		.shells = "all",
		.script = MITO "mito new 'a[1-3]'; seq 1000 | mito map -ik 'a*' wc -l; seq 1000 | mito map -k 'a*' wc -l; seq 200000 | mito map -ib 'a*' md5sum; seq 200000 | md5sum",
		.regex = "a1: 1000\na2: 1000\na3: 1000\na1: 0\na2: 0\na3: 0\n-+\na\\[1-3\\] \\(3\\)\n-+\n([0-9a-f]+  -\n)\\1",
	},
	{
		.path = "/mount/mito/map/joblog",
		.shells = "all",
		.script = MITO "mito new 'a[1-2]'; mito map -k --joblog $T/log 'a*' sh -c 'echo four; exit 3'; mito map --joblog=$T/log2 'a*' sh -c 'kill -TERM $$'; sed 's/[0-9]\\{9,\\}\\.[0-9]*\\t[0-9.]*\\t/T\\tR\\t/' $T/log; cut -f 7,8 $T/log2",
		.output = "a1: four\na2: four\nSeq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n1\ta1\tT\tR\t0\t5\t3\t0\tsh -c 'echo four; exit 3'\n2\ta2\tT\tR\t0\t5\t3\t0\tsh -c 'echo four; exit 3'\nExitval\tSignal\n143\t15\n143\t15\n",
		.errors = "",
	},
	/* The first signal goes to all, and they may take their time; the second is the end. */
	{
		.path = "/mount/mito/map/signals",
		.shells = "all",
		.script = MITO "mito new 'a[1-3]'; mkfifo $T/f; exec 5<> $T/f; for s in HUP USR1 TERM; do $MITO_SH map 'a*' sh -c \"trap 'echo $s; exit 7' $s; echo up; while :; do read -r x < $T/never; done 2> /dev/null\" > $T/f & p=$!; read -r x <&5; read -r x <&5; read -r x <&5; kill -$s $p; wait $p; echo $?; for i in 1 2 3; do read -r x y <&5; echo $y; done; done\n"
			  "$MITO_SH map 'a*' sh -c \"trap '' TERM; echo up; exec sleep 1000\" > $T/f & p=$!; read -r x <&5; read -r x <&5; read -r x <&5; while ! grep -q zombie /proc/$p/status 2> /dev/null && kill -TERM $p 2> /dev/null; do :; done; wait $p 2> /dev/null; echo $?; while mito ls a1 | grep -q .; do :; done",
		.output = "7\nHUP\nHUP\nHUP\n7\nUSR1\nUSR1\nUSR1\n7\nTERM\nTERM\nTERM\n143\n",
		.errors = "mito: a[1-3]: exit code 7\n",
	},
	/* A signal that comes while they are started takes all back, or goes to them; no shell waits for ever. */
	{
		.path = "/mount/mito/map/signals-at-the-start",
		.shells = "all",
		.script = MITO "mito new 'a[1-3]'; mkfifo $T/f; exec 5<> $T/f; for i in 1 2 3 4 5 6 7 8; do $MITO_SH map 'a*' sh -c \"trap 'exit 7' USR1; echo > $T/f; while :; do read -r x < $T/never; done 2> /dev/null\" 2> /dev/null & p=$!; read -r x <&5; read -r x <&5; read -r x <&5; kill -USR1 $p; wait $p 2> /dev/null; case $? in 7 | 138) ;; *) echo $?; esac; done 2> /dev/null; mito ls a1; mito ls",
		.output = "a1\na2\na3\n",
	},
	{
		.path = "/mount/mito/map/terminal",
		.shells = "all",
		.script = SCREEN "mito new 'a[1-3]'; mkfifo $T/f; keys \"mito map 'a*' sh -c 'trap \\\"exit 7\\\" INT; echo up; while :; do read x < $T/never; done 2> /dev/null'\" Enter; see 'a1: up'; see 'a2: up'; see 'a3: up'; keys C-c; see 'mito: a.1-3.: exit code 7'; keys 'echo code-$?' Enter; see ^code-7; tm capture-pane -p | grep -c ' [0-3]/3'\n"
			  "keys \"clear; mito map a1,a2 sh -c 'trap \\\"echo got\\\" INT; read x < $T/f; echo over; while :; do read x < $T/never; done 2> /dev/null'\" Enter; see ' 0/2'; exec 6<> $T/f; echo >&6; echo >&6; see 'a1: over'; see 'a2: over'; keys C-c; see 'a1: got'; see 'a2: got'; keys C-c; see '^:$'; keys 'echo code-$?' Enter; see ^code-130; mito ls a1; tm kill-server",
		.output = "a1: up\na2: up\na3: up\nmito: a.1-3.: exit code 7\n^code-7\n0\n 0/2\na1: over\na2: over\na1: got\na2: got\n^:$\n^code-130\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/mito/map/bar",
		.shells = "all",
		.script = SCREEN "mito new 'a[1-4]'; mkfifo $T/f; exec 6<> $T/f; keys \"mito map 'a*' sh -c 'read x < $T/f'\" Enter; see '^.\\.*. 0/4'; echo >&6; see ' 1/4'; echo >&6; see ' 2/4'; echo >&6; echo >&6; see '^:$'; tm capture-pane -p | grep -c '[0-4]/4'; tm kill-server",
		.output = "^.\\.*. 0/4\n 1/4\n 2/4\n^:$\n0\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/mito/map/killed",
		.shells = "all",
		.script = MITO "mito new 'a[1-3]'; mkfifo $T/f; exec 5<> $T/f 7< $M/events; $MITO_SH map 'a*' sh -c 'echo up; exec sleep 1000' > $T/f & p=$!; read -r x <&5; kill -KILL $p; n=0; while [ $n -lt 4 ]; do read -r t path what rest <&7; [ $what != removed ] || n=$((n + 1)); done; mito ls; mito ls a1",
		.output = "a1\na2\na3\n",
		.errors = "",
	},
	/* Who reads no more ends those who write. */
	{
		.path = "/mount/mito/map/reader-gone",
		.shells = "all",
		.script = MITO "mito new 'a[1-3]'; mito map 'a*' yes 2> $T/err | head -n 1 | cut -d: -f2; mito ls -l | cut -c 42-; cat $T/err",
		.output = " y\n idle\n idle\n idle\nmito: a[1-3]: ended by signal PIPE\n",
	},
	{
		.path = "/mount/mito/map/lost",
		.shells = "all",
		.script = MITO "mito connect a local; mito connect b local; mito new c; echo 'env K=yes' > $M/children/b/ctl; echo | mito map -ik '?' sh -c '[ ! \"$K\" ] || { read -r x; kill -KILL $PPID; exec sleep 1000; }; echo here'; echo $?; mito map -k '?' echo here; echo $?; mito ls b; mito connect b local; mito map b true; echo $?",
		.output = "a: here\nc: here\n255\na: here\nc: here\n255\n0\n",
		.errors = "mito: b: the link was lost (ECONNRESET)\nmito: b: exec: no link: link lost: the agent is gone\n",
	},
	{
		.path = "/mount/mito/map/many",
		.shells = "all",
		.script = MITO "mito new 'a[001-300]'; mito map -b 'a*' sh -c 'cat; echo x'; mito map 'a*' true; echo $?; mito ls | wc -l",
		.output = "---------------\na[001-300] (300)\n---------------\nx\n0\n300\n",
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
