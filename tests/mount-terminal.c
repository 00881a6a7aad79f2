/* Full-screen programs and job control through `mito attach`, at a terminal of tmux: what a person
 * sees, and what his keys do. mount-pty.c has the terminals themselves. */
#include "tests/mito.h"
#include "tests/mount.h"

/* An interactive shell in the context `a`, and our terminal on it. enter WORDS types a line there.
 * What is typed just before the detach key may still come to our own shell, which forgets it. */
#define THERE                                                                                    \
	"export LC_ALL=C.UTF-8\n" SCREEN "mito new a; printf '%s\\n' 'pty on' 'grace 0.1' "      \
	"'rlimit core 0' 'env TERM=screen' 'env LC_ALL=C.UTF-8' "                                \
	"'env PS1=there:' 'env HISTFILE=' 'env LESSHISTFILE=-' \"cwd $T\" "                      \
	"'exec bash --norc --noprofile -i' > $M/children/a/ctl\n"                                \
	"enter() { keys -l \"$1\"; keys Enter; }; "                                              \
	"gone() { while tm capture-pane -p | grep -q -- \"$1\"; do :; done; echo \"no $1\"; }; " \
	"attach() { enter 'clear; mito attach a'; }; "                                           \
	"detach() { keys C-]; see '^mito: detached'; keys C-u; }\n"                              \
	"attach; see '^there:$'\n"

#define END "; tm kill-server"

/* clang-format off */
static const ShCase cases[] = {
	/* An editor: text that is typed, with characters of two, three and four bytes. */
#define EDITOR(NAME, COMMAND, READY, TYPING, TYPED) \
	{ \
		.path = "/mount/terminal/vi/" NAME, \
		.shells = "bash", \
		.script = THERE "enter '" COMMAND " text'; see '" READY "'; keys i; see '" TYPING "'; keys -l 'grüße ✓ 世界 😀'; see '^grüße ✓ 世界 😀'; keys Escape; " TYPED "; keys -l o; keys -l 'second line'; see '^second line'; keys Escape; " TYPED "; keys -l 1GyyP; enter ':wq'; see '^there:$'; cat $T/text; mito status a state" END, \
		.output = "^there:$\n" READY "\n" TYPING "\n^grüße ✓ 世界 😀\n^second line\n^there:$\ngrüße ✓ 世界 😀\ngrüße ✓ 世界 😀\nsecond line\nrunning\n", \
		.setup = { .seconds = 60 }, \
	}
	EDITOR("busybox", "busybox vi", "^- text", "^I text", "see '^- text' > $T/w"),
	EDITOR("vim", "vim.tiny -N -u NONE", "^~", "^-- INSERT --", "gone '^-- INSERT --' > $T/w"),
	{
		.path = "/mount/terminal/less",
		.shells = "bash",
		.script = THERE "seq -f 'line %g ✓' 1000 > $T/text; enter 'less text'; see '^line 19 ✓'; keys Space; see '^line 38 ✓'; enter /777; see '^line 777 ✓'; keys G; see '^line 1000 ✓'; keys -l 5g; see '^line 5 ✓'; tm resize-window -x 70 -y 30; see '^line 33 ✓'; keys q; see '^there:$'; enter 'stty size'; see '^30 70'" END,
		.output = "^there:$\n^line 19 ✓\n^line 38 ✓\n^line 777 ✓\n^line 1000 ✓\n^line 5 ✓\n^line 33 ✓\n^there:$\n^30 70\n",
		.setup = { .seconds = 60 },
	},
	/* It draws anew each second, and at once when the terminal has another size. */
	{
		.path = "/mount/terminal/top",
		.shells = "bash",
		.script = THERE "enter 'top -d 1 -p $$'; see 'PID USER'; see 'bash$'; tm resize-window -x 60 -y 15; tm capture-pane -p > $T/w; see 'PID USER'; keys q; see '^there:$'; enter 'stty size'; see '^15 60'" END,
		.output = "^there:$\nPID USER\nbash$\nPID USER\n^there:$\n^15 60\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/terminal/job-control",
		.shells = "bash",
		.script = "cat > $T/job <<'END'\n"
			"import os, signal, time\n"
			"signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
			"was = None\n"
			"while True:\n"
			"    front = os.tcgetpgrp(0) == os.getpgrp()\n"
			"    if front != was: print('in front' if front else 'behind', flush=True)\n"
			"    was = front\n"
			"    time.sleep(.01)\n"
			"END\n"
			THERE "enter 'python3 job'; see '^in front'; keys C-z; see 'Stopped  *python3 job'; enter bg; see behind; enter clear; gone behind; enter jobs; see 'Running  *python3 job &'; enter fg; see '^in front'; keys C-c; see '^there:$'; enter 'echo code-$?'; see '^code-130'\n"
			"enter clear; gone code; printf 'text\\n' > $T/text; enter 'busybox vi text'; see '^- text'; keys C-z; see 'Stopped  *busybox'; enter clear; gone Stopped; enter fg; see '^- text'; enter :q; see '^there:$'; mito status a state\n"
			"enter 'python3 job | cat'; see '^in front'; keys 'C-\\'; see Quit; enter 'echo code-${PIPESTATUS[0]}'; see '^code-131'; mito status a state" END,
		.output = "^there:$\n^in front\nStopped  *python3 job\nbehind\nno behind\nRunning  *python3 job &\n^in front\n^there:$\n^code-130\nno code\n^- text\nStopped  *busybox\nno Stopped\n^- text\n^there:$\nrunning\n^in front\nQuit\n^code-131\nrunning\n",
		.setup = { .seconds = 60 },
	},
	/* What goes on while nobody looks; and two who look at the same. */
	{
		.path = "/mount/terminal/detach",
		.shells = "bash",
		.script = THERE "mkfifo $T/go; enter 'echo up; read x < go; echo \"and $x\"; cat'; see '^up'; detach; enter clear; gone detached; echo on > $T/go; attach; see '^and on'; tm split-window 'PS1=: exec bash --norc'; enter 'exec mito attach a'; see '^and on'; enter both; until [ \"$(tm capture-pane -p -t 0 | grep -c both)\" = 2 ]; do :; done; see both; detach=$(tm display -p '#{pane_id}'); keys C-]; until [ \"$(tm list-panes | wc -l)\" = 1 ]; do :; done; enter still; see still; keys C-d; enter 'echo code-$?'; see '^code-0'; enter 'exit 7'; see '^:$'; enter 'echo here-$?'; see '^here-7'" END,
		.output = "^there:$\n^up\n^mito: detached\nno detached\n^and on\n^and on\nboth\nstill\n^code-0\n^:$\n^here-7\n",
		.setup = { .seconds = 60 },
	},
#define SHOWN "^line 19\n^mito: detached\nno line\n^line 1$\n^line 5$\n^line 19$\nno line\n"
	/* A screen that was drawn long ago is drawn again. */
	{
		.path = "/mount/terminal/redraw",
		.shells = "bash",
		.script = THERE "seq -f 'line %g' 1000 > $T/text; for c in 'vim.tiny -N -u NONE -c \"set ruler\"' 'busybox vi' less; do enter clear; enter \"$c text\"; see '^line 19'; was=$(mito status a stdout); until [ $(mito status a stdout) -gt $((was + 6000)) ]; do keys jkjkjkjkjkjkjkjkjkjkjkjk; done; detach; enter clear; gone line; attach; see '^line 1$'; see '^line 5$'; see '^line 19$'; keys -l :q; keys Enter; gone line; done" END,
		.output = "^there:$\n" SHOWN SHOWN SHOWN,
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
