/* scripts/mito: what there is, as a table, a picture and a log. */
#include "tests/mito.h"
#include "tests/mount.h"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/mito/log",
		.shells = "all",
		.script = MITO "TZ=UTC; export TZ; mito new -p a/b; mito new c; mito run a/b true; mito run c sh -c 'exit 3'; mito log a | grep -c '/c/'; mito log a > $T/a; mito log > $T/all; grep -o ': run 1: [0-9] exit.*' $T/all; grep -vc '^20[0-9][0-9]-[01][0-9]-[0-3][0-9] [0-9:]\\{8\\} [a-z]* /' $T/all; mito log x; echo $?; mito log -q; echo $?",
		.output = "0\n: run 1: 0 exit 0\n: run 1: 3 exit 3\n0\n255\n2\n",
		.errors = "mito: x: no such context; make it with: mito new -p x\nmito: log [-f] [CTX]; see: mito help\n",
	},
	{
		.path = "/mount/mito/log/follow",
		.shells = "all",
		.script = MITO "mito new a; $MITO_SH log -f a > $T/log & p=$!; for i in 1 2; do mito run a true; until [ \"$(grep -c 'run 1: 0 exit' $T/log)\" = $i ]; do :; done; done; kill $p; wait $p; echo $?; mito ls a",
		.output = "143\n",
		.errors = "",
	},
	{
		.path = "/mount/mito/graph",
		.shells = "all",
		.script = MITO "mito new -p 'a/b,a/\"x\\\\y' ; mito connect a/b local; mito new a/b/c; echo 'exec sleep 1000' > $M/children/a/ctl; mito graph > $T/dot; cat $T/dot | sed 's/local .*\\\"/local HOST\"/'; dot -Tplain $T/dot | cut -d' ' -f1 | sort | uniq -c | tr -s ' '; mito graph -T svg -o $T/svg a/b; grep -c '<svg' $T/svg; mito graph -T svg a/b | cmp - $T/svg; mito graph -T nosuch; echo $?; mito graph -o x; echo $?",
		.output = "digraph mitofs {\n\tnode [shape=box, fontname=\"sans-serif\", style=rounded];\n\t\"/\" [label=\"/\\nlocal HOST\", style=bold];\n\t\"/a\" [label=\"a\\nrunning: sleep 1000\", color=blue];\n\t\"/\" -> \"/a\";\n"
			  "\t\"/a/\\\"x\\\\\\\\y\" [label=\"\\\"x\\\\\\\\y\"];\n\t\"/a\" -> \"/a/\\\"x\\\\\\\\y\";\n\t\"/a/b\" [label=\"b\\nlocal HOST\", style=bold];\n\t\"/a\" -> \"/a/b\";\n\t\"/a/b/c\" [label=\"c\"];\n\t\"/a/b\" -> \"/a/b/c\";\n}\n"
			  " 4 edge\n 1 graph\n 5 node\n 1 stop\n1\n255\n2\n",
		.errors = "mito: graph: dot could not draw it as nosuch\nmito: graph: -o needs -T and a format, such as svg or png; see: mito help\n",
	},
	{
		.path = "/mount/mito/graph/without-graphviz",
		.shells = "bash",
		.script = MITO "mkdir $T/bin; for p in sh bash dash busybox awk id cat sed tr printf; do ln -s $(type -P $p) $T/bin; done; PATH=$T/bin $MITO_SH graph -T svg -o $T/x; echo $?; PATH=$T/bin $MITO_SH graph | tail -n 1",
		.output = "127\n}\n",
		.errors = "mito: graph: there is no dot here to draw it; install graphviz\n",
	},
	{
		.path = "/mount/mito/top/once",
		.shells = "all",
		.script = MITO "mito new -p a/b c; mito connect c local; echo 'exec printf %2000d 0' > $M/children/a/ctl; cat $M/children/a/wait > /dev/null; cat $M/children/a/stdout > /dev/null; echo 'exec sleep 1000' > $M/children/c/ctl; mito top > $T/top; tr -s ' ' < $T/top | sed 's/local [^ ]* /local HOST /; s/ 0\\.[0-9]* / CPU /'; mito top a | wc -l; mito top -n x; echo $?; mito top nix; echo $?",
		.output = "CONTEXT PLACE LINK STATE CPU OUT COMMAND\n/ local HOST up idle CPU 0 -\n/a - up exited CPU 2.0K printf %2000d 0\n/a/b - up idle CPU 0 -\n/c local HOST up running CPU 0 sleep 1000\n3\n2\n255\n",
		.errors = "mito: top: x is no number of times; see: mito help\nmito: nix: no such context; make it with: mito new -p nix\n",
	},
	{
		.path = "/mount/mito/top/again",
		.shells = "all",
		.script = MITO "mito new a; mkfifo $T/f; exec 5<> $T/f; $MITO_SH top -n 3 > $T/f & p=$!; n=0; while [ $n -lt 3 ]; do read -r line <&5; case $line in CONTEXT*) n=$((n + 1)); mito new new$n;; esac; done; wait $p; echo $?; mito ls | tr '\\n' ' '",
		.output = "0\na new1 new2 new3 ",
	},
	{
		.path = "/mount/mito/top/terminal",
		.shells = "all",
		.script = SCREEN "mito new a b; keys 'mito top; echo code-$?' Enter; see '^/b .*idle'; echo 'exec sleep 1000' > $M/children/b/ctl; see '^/b .*running .*sleep 1000'; mito new late; see ^/late; keys q; see ^code-0; tm capture-pane -p | grep -c ^/late; keys \"stty -a | grep -ow '[-]*echo'; tput cols\" Enter; see '^echo'; keys 'clear; mito top -n 1; echo once-$?' Enter; see ^once-0; keys 'mito top a' Enter; see ^CONTEXT; keys C-c; see '^:$'; keys 'echo code-$?' Enter; see ^code-130; keys 'mito top late; echo gone-$?' Enter; see ^/late; mito rm late; see ^gone-0; tm kill-server",
		.output = "^/b .*idle\n^/b .*running .*sleep 1000\n^/late\n^code-0\n0\n^echo\n^once-0\n^CONTEXT\n^:$\n^code-130\n^/late\n^gone-0\n",
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
