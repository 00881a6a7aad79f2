/* A far side that lies (tests/far.py): a client whose program speaks for the first stage and for the agent, and
 * breaks the rules at one place or another. Each ends its own link, with one named error; a sibling at the same
 * place sees nothing of it (rows R70, R76, R78, R87 to R93, R114, cases T12 to T14, T52). */
#include "tests/mount.h"

#include <glib.h>

/* dial CASE: connect to it, and say the errno and the word, or "up". why CASE: the newest sentence of its
 * `error`. The sibling s runs before all, and `sibling` says whether it does still. */
#define TOOLS                                                                                 \
	"cd $M/children; far=\"command python3 $MITOFS_BEDS/../far.py\"; mkdir s; "           \
	"echo 'connect local' > s/ctl; echo 'exec cat' > s/ctl\n"                             \
	"dial() { mkdir $1; r=$(try write $1/ctl \"connect $far $1\\n\"); case $r in E*) "    \
	"echo $r $(sed -n 's/^failure //p' $1/status);; *) sed -n 's/^link //p' $1/status;; " \
	"esac; }\n"                                                                           \
	"why() { tail -n 1 $1/error | cut -d ' ' -f 3-; }\n"                                  \
	"sibling() { echo alive > s/stdin; cat s/stdout; }\n"

/* Which of CASES come to what, directly and from a second place. */
#define REFUSED(PATH, CASES, LINES)                                                 \
	{                                                                           \
		.path = "/mount/hostile/" PATH, .shells = "bash",                   \
		.script = TOOLS "for c in " CASES                                   \
				"; do echo $c $(dial $c) $(why $c); done; sibling", \
		.output = LINES "alive\n", .setup = { .seconds = 60 },              \
	}
#define FAILURE(CASE, ERRNO, WORD, TEXT) \
	CASE " " ERRNO " " WORD " " ERRNO " connect: command: " TEXT "\n"
#define NOISE(CASE) FAILURE(CASE, "EPROTO", "noise", "too much noise before the first stage")
#define NO_ARCH(CASE, TEXT) FAILURE(CASE, "ENOEXEC", "no-arch", "no agent for this machine: " TEXT)
#define PROTOCOL(CASE, TEXT) FAILURE(CASE, "EPROTO", "protocol", "protocol: " TEXT)
#define ENDS(CASE) FAILURE(CASE, "ECONNABORTED", "eof", "the client ended: exit code 0")

/* As a command is started. */
#define LOST(CASE, TEXT) CASE " lost lost ENOTCONN exec: no link: link lost: " TEXT "\n"
#define BROKEN(CASE, TEXT) LOST(CASE, "protocol: " TEXT)
#define WATCH                                                                                    \
	"lose() { exec 4< $M/events; dial $1 > $T/out; try write $1/ctl 'async exec true\\n' > " \
	"$T/out; "                                                                               \
	"until grep -q '^link lost' $1/status; do read -r t p w x <&4; done; "                   \
	"try write $1/ctl 'exec true\\n' > $T/out; "                                             \
	"echo $1 $(sed -n 's/^\\(link\\|failure\\) //p' $1/status) $(why $1); }\n"

/* clang-format off */
static const ShCase cases[] = {
	REFUSED("R70/R76/R78/T12/first-stage",
		"noise noise-lines nul machine no-arch system never more no complaints closes in-image",
		NOISE("noise") NOISE("noise-lines") NOISE("nul")
		PROTOCOL("machine", "the first stage says no machine")
		NO_ARCH("no-arch", "Linux riscv128") NO_ARCH("system", "Plan9 x86_64")
		PROTOCOL("never", "the first stage says what it never says")
		PROTOCOL("more", "the first stage says what it never says")
		PROTOCOL("no", "the first stage finds no end")
		PROTOCOL("complaints", "the first stage says too much")
		ENDS("closes") ENDS("in-image")),
	REFUSED("T13/T52/R87/no-agent",
		"no-hello garbage version short-hello log-first length type",
		ENDS("no-hello")
		PROTOCOL("garbage", "a frame's header is malformed")
		PROTOCOL("version", "the agent is of another version")
		PROTOCOL("short-hello", "HELLO is malformed")
		PROTOCOL("log-first", "a frame that may not come here")
		PROTOCOL("length", "a frame's header is malformed")
		PROTOCOL("type", "a frame's header is malformed")),
	{
		.path = "/mount/hostile/R87/R88/R89/R90/T46/T47/T49/T51/T52/agent",
		.shells = "bash",
		.script = TOOLS WATCH "for c in ends hello-twice channel direction log pong truncated early-data credit "
			"credit-overflow descriptors exits-twice; do lose $c; done; sibling",
		.output = LOST("ends", "the agent is gone") BROKEN("hello-twice", "HELLO is malformed")
			BROKEN("channel", "a frame that may not come here")
			BROKEN("direction", "a frame that may not come here") BROKEN("log", "LOG is malformed")
			BROKEN("pong", "PONG is malformed") LOST("truncated", "the agent is gone")
			BROKEN("early-data", "a frame that may not come here")
			BROKEN("credit", "DATA is malformed or beyond its credit")
			BROKEN("credit-overflow", "CREDIT is malformed")
			BROKEN("descriptors", "STARTED is malformed")
			BROKEN("exits-twice", "EXIT is malformed") "alive\n",
		.setup = { .seconds = 60 },
	},
	/* The hop carries the bytes, and has no part in them. */
	{
		.path = "/mount/hostile/R87/R89/hop",
		.shells = "bash",
		.script = TOOLS WATCH "mkdir h; echo 'connect local' > h/ctl; mkdir h/children/s; echo 'exec cat' > h/children/s/ctl; "
			"cd h/children; for c in garbage noise; do echo $c $(dial $c); done; for c in channel credit; do lose $c; done; sibling; cd ../..; sibling",
		.output = "garbage EPROTO protocol\nnoise EPROTO noise\n"
			BROKEN("channel", "a frame that may not come here")
			BROKEN("credit", "DATA is malformed or beyond its credit") "alive\nalive\n",
	},
	{
		.path = "/mount/hostile/T14/stalled-image",
		.shells = "bash",
		.script = TOOLS "echo 'connect-timeout 2' > ../ctl; dial stalls; why stalls; grep ^phase stalls/status; sibling",
		.output = "ETIMEDOUT timeout\nETIMEDOUT connect: command: timeout: no agent within 2000 ms (image): stalls\nphase image\nalive\n",
	},
	{
		.path = "/mount/hostile/R92/R114/T05/escapes",
		.shells = "bash",
		.script = TOOLS "dial escapes; grep -E '^(host|link|state) ' escapes/status; until grep -q title escapes/log; do :; done; "
			"cut -d ' ' -f 2- escapes/log; ! LC_ALL=C grep '[^ -~]' escapes/log escapes/status ../log; sibling",
		.output = "up\nhost \\x1b[31mred\\nlink up\nlink up\nstate idle\n"
			"info /escapes: connected to user@\\x1b[31mred\\nlink up, Linux x86_64\n"
			"warning /escapes: agent: \\x1b]0;title\\x07\\nstate idle\nalive\n",
	},
	/* It says as much as it can, and others have their turn. */
	{
		.path = "/mount/hostile/R90/flood",
		.shells = "bash",
		.script = TOOLS "dial flood; for i in {1..20}; do echo 'sh echo $((6 * 7))' > ../ctl; cat ../stdout; done | uniq -c | tr -s ' '; sibling; "
			"sed -n 's/^link //p' flood/status; rmdir flood && ls",
		.output = "up\n 20 42\nalive\nup\ns\n",
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
