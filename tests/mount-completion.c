/* What bash, zsh and fish offer behind `mito` and `mitofs`: scripts/completions, and what they ask,
 * `mito complete`. Names of contexts are as odd as they may be, and what is inserted has to mean the
 * context. */
#include "tests/mount.h"

/* Contexts, files, and `mito` and `mitofs` in PATH. */
#define SCENE                                                                                   \
	"s=dash; case $(readlink /proc/$$/exe) in *bash) s=bash;; *busybox*) s='busybox sh';; " \
	"esac; mkdir $T/bin; PATH=$T/bin:$PATH; export MITO=$M; cd $T\n"                        \
	"printf '#!/bin/sh\\nexec %s %s \"$@\"\\n' \"$s\" $MITOFS_MITO > bin/mito; chmod 755 "  \
	"bin/mito; ln -s $MITOFS bin/mitofs; C=${MITOFS_MITO%/mito}/completions\n"              \
	"mito new -p \"it's a b/x y\" web1 web2/db 'q\"$*'; mkdir docs; : > 'a file'\n"         \
	"c() { mito complete mito \"$@\"; }; tab=$(printf '\\t')\n"

/* A terminal for a shell; key TEXT types it and a TAB, see TEXT waits until it stands there. */
#define SCREEN                                                                                     \
	SCENE "tm() { tmux -S $T/tmux -f /dev/null \"$@\"; }\n"                                    \
	      "see() { until tm capture-pane -p | grep -q -F -e \"$1\"; do :; done; echo \"$1\"; " \
	      "}\n"                                                                                \
	      "key() { tm send-keys -l \"$1\"; tm send-keys Tab; see \"$2\"; tm send-keys C-u; "   \
	      "}\n"

/* bash's words for its completion function: comp WORD... prints what it offers, with the cursor at
 * the end of the last one, of which readline replaces what is behind an open quote. compopt works
 * nowhere else, so it only says what it was asked. */
#define COMP                                                                                       \
	SCENE ". $C/mito.bash; compopt() { echo \"compopt $*\"; }; q=$'[\\'\"]'\n"                 \
	      "comp() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); : ${COMP_LINE:=\"$*\"}\n"     \
	      "COMP_POINT=${#COMP_LINE}; set -- \"${!#}\"; _mito mito \"${1#$q}\" x; COMP_LINE=\n" \
	      "printf '%s\\n' \"${COMPREPLY[@]}\"; }\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/completion/contexts", .shells = "all",
		.script = SCENE "for w in '' w web2/ it \"it's a b/\" /we nosuch nosuch/x ../ 'q\"$'; do echo \"-$w\"; c run \"$w\"; done; c -m $M run web1; c -m $T run web; MITO=$T c run web; echo $?",
		.output = "-\nit's a b\t\nit's a b/\t\nq\"$*\t\nweb1\t\nweb2\t\nweb2/\t\n-w\nweb1\t\nweb2\t\nweb2/\t\n-web2/\nweb2/db\t\n"
			  "-it\nit's a b\t\nit's a b/\t\n-it's a b/\nit's a b/x y\t\n-/we\n/web1\t\n/web2\t\n/web2/\t\n-nosuch\n-nosuch/x\n-../\n-q\"$\nq\"$*\t\nweb1\t\n255\n",
	},
	{
		.path = "/mount/completion/words", .shells = "all",
		.script = SCENE "c stat | cut -f 1; c run -; c run -n -e A=b web2/; c run -nd ''; c run -d / web1 ''; c run web1 ls -; c run -- web1; c status web1 stdo; c rsh -p; c rm web1 web2/; c tree web1 ''; c -m '' | cut -f 1 | grep -x -F $M | sed \"s|$M|M|\"\n"
			  "c connect web1 ss; c connect web1 ssh ''; c connect web1 docker ''; c connect web1 command ''; c connect web1 local ''; c nosuch ''; c 'x//;e echo e >&2;#' ''; c ctl web1 'x//;w f\n' ''; c connect web1 '.*' ''; ls",
		.output = "status\n-n\t\n-d\t\n-e\t\nweb2/db\t\n\tdirectories\n\tcommand 4\n\tcommand 2\nweb1\t\nstdout\t\nstdout.dropped\t\nstdout.blocked\t\n\tcommand 1 ssh\nweb2/db\t\nM\n"
			  "ssh\t[OPTIONS] [USER@]HOST\n\tcommand 3 ssh\n\tcommand 3 docker exec\n\tcommand 3\na file\nbin\ndocs\n",
	},
	{
		.path = "/mount/completion/many", .shells = "all",
		.script = SCENE "c map --j; c map -b we; c map -bk web1,we; c map -x web1 web2/; c map web1 ls; c map --joblog ''; c cp --c; c cp -r we; c cp web1:/etc/x web2/; c cp ./x ./; c log -f web2/; c top -n 1 web2/; c graph -T sv; c graph -o ''",
		.output = "--joblog\t\nweb1\t\nweb2\t\nweb2/\t\nweb1,web1\t\nweb1,web2\t\nweb1,web2/\t\nweb2/db\t\n\tcommand 2\n\tfiles\n"
			  "--checksum\t\nweb1:\t\nweb2:\t\nweb2/\t\n\tfiles\n\tfiles\n\tfiles\nweb2/db\t\nweb2/db\t\nsvg\t\n\tfiles\n",
	},
	{
		.path = "/mount/completion/ctl", .shells = "all",
		.script = SCENE "c ctl web1 eo; c ctl web1 eofmode ''; c ctl web1 rlimit nof; c ctl web1 pipe -a web2/; c ctl web1 pipe /web2/; c ctl web1 cwd ''; c ctl web1 exec ls; c ctl web1 connect ssh x; c ctl web1 loglevel d; c signal web1 TER; c signal web1 TERM t",
		.output = "eof\t\neofmode\ttrunc|close|never\ntrunc\t\nclose\t\nnever\t\nnofile\t\n/web2/db\t\n\tdirectories\n\tcommand 3\n\tcommand 4 ssh\ndebug\t\nTERM\t\ntree\t\n",
	},
	{
		/* Neither more nor fewer than the broker has. */
		.path = "/mount/completion/verbs", .shells = "dash",
		.script = SCENE "c ctl web1 '' | cut -f 1 | sort > have; B=${MITOFS_MITO%/*/mito}/broker\n"
			  "sed -n 's/^\t{ \"\\([a-z-]*\\)\", [0-9]*, [0-9A-Z_]*, \"\\1.*/\\1/p' $B/verbs.c $B/settings-table.c | sort > want; diff have want && wc -l < want",
		.regex = "[3-9][0-9]\n",
	},
	{
		/* Rows of the user's own, and those that are built in. */
		.path = "/mount/completion/methods", .shells = "all",
		.script = SCENE "mkdir -p .config/mitofs; printf '# x\\n[vm]\\nusage = NAME\\nclient = virsh console --force\\n[ssh]\\nclient=dbclient -y\\n' > .config/mitofs/methods.conf\n"
			  "c connect web1 vm; c connect web1 vm ''; c connect web1 ssh ''; c connect web1 '' | cut -f 1 | sort > have\n"
			  "{ echo local; echo vm; sed -n 's/^\\[\\(.*\\)\\]$/\\1/p' ${MITOFS_MITO%/*/mito}/broker/methods.conf; } | sort | diff have - && echo same",
		.output = "vm\tNAME\n\tcommand 3 virsh console\n\tcommand 3 dbclient\nsame\n",
	},
	{
		.path = "/mount/completion/mitofs", .shells = "all",
		.script = SCENE "m() { mito complete mitofs \"$@\"; }; m --log; m --log-level=d; m -o allow_o; m -o ro,max_c; m -f x; m --max-depth ''\n"
			  /* All that there is. */
			  "mitofs --help | grep -o -E -e '--[a-z-]+' | sort -u > want; m -- | sed 's/[=\t].*//' | sort -u | diff - want",
		.output = "--log-level=\t\n--log-level=debug\t\nallow_other\t\nro,max_contexts=\t\nro,max_children=\t\n\tdirectories\n",
	},
	{
		.path = "/mount/completion/bash/function", .shells = "bash",
		.script = COMP "comp mito stat; comp mito run it; comp mito run \"'it\"; comp mito run '\"it'; comp mito run \"it\\\\'s\\\\ a\\\\ b/\"; comp mito run 'q\\\"'; comp mito run -d ''\n"
			  /* readline parts a word at =; the pipeline before is not its affair. */
			  "COMP_LINE='mitofs --log-level=d'; comp mitofs --log-level = d; COMP_LINE='x | mito run web2/'; comp mito run web2/; comp mito run web1 '<' a; comp mito connect web1 mach; comp mito ctl web1 pty o; comp mito run web1 systemd-nsp",
		.output = "status\nit\\'s\\ a\\ b\nit\\'s\\ a\\ b/\n"
			  "it'\\''s a b\nit'\\''s a b/\n"
			  "it's a b\nit's a b/\n"
			  "it\\'s\\ a\\ b/x\\ y\nq\\\"\\$\\*\ncompopt -o dirnames\n\n"
			  "debug\nweb2/db\ncompopt -o default\n\nmachinectl\non\noff\ncompopt -o default\nsystemd-nspawn\n",
	},
	{
		.path = "/mount/completion/bash/terminal", .shells = "bash",
		.script = SCREEN "PS1=: tm new-session -d -x 90 -y 20 'exec bash --norc'; tm send-keys \". $C/mito.bash; echo rea''dy\" Enter; see ready\n"
			  "key 'mito run it' \"run it\\\\'s\\\\ a\\\\ b\"; key \"mito run it\\\\'s\\\\ a\\\\ b/\" 'b/x\\ y'; key \"mito run 'it'\\\\''s a b/\" \"b/x y'\"; key 'mito run \"q' 'run \"q\\\"\\$*\"'\n"
			  "key 'mito run web1 cat a' 'cat a\\ file'; key 'mitofs --log-level=d' '=debug'; key 'mitofs d' 'mitofs docs/'; key 'mito run web2/' 'run web2/db'; tm kill-server",
		.output = "ready\nrun it\\'s\\ a\\ b\nb/x\\ y\nb/x y'\nrun \"q\\\"\\$*\"\ncat a\\ file\n=debug\nmitofs docs/\nrun web2/db\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/completion/zsh/terminal", .shells = "bash",
		.script = SCREEN "tm new-session -d -x 90 -y 20 'exec zsh -f'; tm send-keys \"fpath=($C \\$fpath); autoload -U compinit; compinit -u -D; PS1=:; echo rea''dy\" Enter; see ready\n"
			  "key 'mito run it' \"run it\\\\'s\\\\ a\\\\ b\"; key \"mito run it\\\\'s\\\\ a\\\\ b/\" 'b/x\\ y'; key \"mito run 'it'\\\\''s a b/\" \"b/x y'\"; key 'mito run \"q' 'run \"q\\\"\\$*\"'\n"
			  "key 'mito run web1 cat a' 'cat a\\ file'; key 'mitofs --log-level=d' '=debug'; key 'mitofs d' 'mitofs docs/'; key 'mito run web2/' 'run web2/db'; tm kill-server",
		.output = "ready\nrun it\\'s\\ a\\ b\nb/x\\ y\nb/x y'\nrun \"q\\\"\\$*\"\ncat a\\ file\n=debug\nmitofs docs/\nrun web2/db\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/completion/fish", .shells = "bash",
		.script = SCENE "cat > lines <<'END'\nmito stat\nmito run it\nmito run 'it\nmito run \"it\nmito run it\\'s\\ a\\ b/\nmito run 'it\\'s a b/\nmito run web1 cat a\nmitofs --log-level=d\nmitofs d\nmito connect web1 vi\nmito signal web1 TER\nmito run -d d\nEND\n"
			  "fish --no-config -c \"source $C/mito.fish\nwhile read -l line; echo \\\"-\\$line\\\"; complete -C \\$line | string split -m 1 -f 1 \\t; end\" < lines",
		.output = "-mito stat\nstatus\n-mito run it\nit's a b\nit's a b/\n-mito run 'it\nit's a b\nit's a b/\n-mito run \"it\nit's a b\nit's a b/\n"
			  "-mito run it\\'s\\ a\\ b/\nit's a b/x y\n-mito run 'it\\'s a b/\nit's a b/x y\n-mito run web1 cat a\na file\n-mitofs --log-level=d\n--log-level=debug\n"
			  "-mitofs d\ndocs/\n-mito connect web1 vi\n-mito signal web1 TER\nTERM\n-mito run -d d\ndocs/\n",
	},
	{
		.path = "/mount/completion/no-mount", .shells = "all", .setup = { .unmounted = TRUE },
		.script = "for w in 'run x' 'status x k' 'signal a T'; do $MITOFS_MITO -m $T complete mito $w; echo $?; done; $MITOFS_MITO complete; echo $?",
		.output = "255\n255\n255\n2\n",
		.errors = "mito: complete PROGRAM WORD...",
	},
	{
		.path = "/mount/completion/verbs-written", .shells = "all",
		.script = SCENE "mito ctl web1 env \"A=it's\"; mito ctl web1 sh 'echo \"$A\"; exec sleep 1000'; read -r x < $M/children/web1/stdout; echo $x; mito signal web1 TERM; cut -d' ' -f 1-3 $M/children/web1/wait\n"
			  "mito ctl web1 frob; echo $?; mito signal web1 TERM; echo $?; mito signal web1 NIX; echo $?; mito ctl web1; echo $?; mito ctl web1 destroy; echo $?; mito ctl web1 eof; echo $?",
		.output = "it's\n143 signal TERM\n255\n255\n255\n2\n0\n255\n",
		.errors = "mito: web1: frob: ",
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
