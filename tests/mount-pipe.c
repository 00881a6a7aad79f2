/* The setting `pipe`: the broker's own way from one command's stdout to another's stdin. Every
 * byte arrives once and in order, at the pace of the slower side; the end goes with them; what
 * cannot be is refused; and all of it between places of either kind: by descriptors (the local
 * agent) and by frames (`connect local`, and one below another). */
#include "tests/mount.h"

/* Contexts a b c; a pipes to b. */
#define TWO "cd $M/children; mkdir a b c; echo 'pipe /b' > a/ctl\n"
/* The processes of a kind of place: $1 is the context, $2 how deep its place is. */
#define PLACES                                                                                  \
	"cd $M/children; mkdir a b n n/children/a n/children/b; echo 'connect local' > n/ctl; " \
	"echo 'connect local' > n/children/b/ctl\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/pipe/two",
		.shells = "all",
		.script = TWO "echo 'exec wc -c' > b/ctl; echo 'exec printf hello' > a/ctl; cat b/stdout a/stdout; echo; cat a/wait b/wait | cut -d ' ' -f 1-4; cat a/ctl | sed 1,2d",
		.output = "5\nhello\n0 exit 0 run=1\n0 exit 0 run=1\npipe /b\n",
	},
	/* The target may start later: what has come is staged, and the source waits. */
	{
		.path = "/mount/pipe/target-starts-later",
		.shells = "all",
		.script = TWO "echo 'exec seq 100000' > a/ctl; until grep -qx 'stdout 588895' a/status; do :; done; echo 'exec cksum' > b/ctl; cat b/stdout; seq 100000 | cksum",
		.output = "2052179976 588895\n2052179976 588895\n",
	},
	{
		.path = "/mount/pipe/checksum",
		.shells = "bash",
		.script = TWO "echo 'exec md5sum' > b/ctl; echo 'sh seq 3000000' > a/ctl; cat b/stdout; seq 3000000 | md5sum; grep -E '^stdout(|.dropped) ' a/status",
		.output = "603ea3c5a8c80940ca761f015046e950  -\n603ea3c5a8c80940ca761f015046e950  -\nstdout 22888896\nstdout.dropped 0\n",
	},
	{
		.path = "/mount/pipe/three-in-a-row",
		.shells = "bash",
		.script = TWO "echo 'pipe /c' > b/ctl; echo 'exec md5sum' > c/ctl; echo 'exec tr 0-9 a-j' > b/ctl; echo 'exec seq 1000000' > a/ctl\n"
			  "cat c/stdout; seq 1000000 | tr 0-9 a-j | md5sum; cat */wait | cut -d ' ' -f 1-3",
		.output = "0438114215483df1fc291403f4f106f4  -\n0438114215483df1fc291403f4f106f4  -\n0 exit 0\n0 exit 0\n0 exit 0\n",
	},
	/* A target that does not read holds its source: at most what is kept and in flight was
	 * taken. */
	{
		.path = "/mount/pipe/back-pressure",
		.shells = "bash",
		.script = TWO "mkfifo $T/go; echo \"sh read x < $T/go; exec head -c 10000000\" > b/ctl; printf 'retain 64K\\nexec yes\\n' > a/ctl\n"
			  "until grep -qx 'stdout.blocked 1' a/status; do :; done; [ $(sed -n 's/^stdout //p' a/status) -lt 1000000 ] && echo held\n"
			  "echo > $T/go; cat b/stdout | cksum; yes | head -c 10000000 | cksum; grep ^state a/status",
		.output = "held\n2883972657 10000000\n2883972657 10000000\nstate running\n",
	},
	/* A slow target gets all of it, with a reader of the source's stdout beside it. */
	{
		.path = "/mount/pipe/reader-beside-it",
		.shells = "bash",
		.script = TWO "echo 'retain 64K' > a/ctl; echo 'sh while head -c 20000 | grep -q .; do :; done; echo end' > b/ctl; echo 'sh read x; exec seq 200000' > a/ctl; cat a/stdout > $T/out & p=$!; try parked $p; echo > a/stdin; cat b/stdout; wait $p; seq 200000 | cmp - $T/out && echo same",
		.output = "end\nsame\n",
	},
	{
		.path = "/mount/pipe/several-runs",
		.shells = "bash",
		.script = TWO "for i in 1 2 3; do echo 'exec cat' > b/ctl; echo \"exec echo $i\" > a/ctl; cat b/stdout; cat b/wait > $T/w; done; grep '^run ' b/status",
		.output = "1\n2\n3\nrun 3\n",
	},
	{
		.path = "/mount/pipe/append",
		.shells = "all",
		.script = TWO "echo 'pipe -a /b' > a/ctl; echo 'exec cat' > b/ctl; for i in 1 2 3; do echo \"exec echo $i\" > a/ctl; cat a/wait > $T/w; done\n"
			  "echo 'pipe -a /b' > c/ctl; echo 'exec echo 4' > c/ctl; cat c/wait > $T/w; cat a/ctl | tail -n 1; until grep -qx 'stdout 8' b/status; do :; done; grep ^stdin b/status; echo 5 > b/stdin; cat b/stdout",
		.output = "pipe -a /b\nstdin open\n1\n2\n3\n4\n5\n",
	},
	/* Two sources: the end comes with the last. */
	{
		.path = "/mount/pipe/two-sources",
		.shells = "bash",
		.script = TWO "echo 'pipe /b' > c/ctl; echo 'exec sort' > b/ctl; echo 'sh read x; echo $x' > a/ctl; echo 'sh read x; echo $x' > c/ctl; echo z > a/stdin; cat a/wait > $T/w\n"
			  "grep ^stdin b/status; echo y > c/stdin; cat b/stdout",
		.output = "stdin open\ny\nz\n",
	},
	/* Set while a command runs, it begins at the oldest byte kept. */
	{
		.path = "/mount/pipe/set-while-running",
		.shells = "all",
		.script = "cd $M/children; mkdir a b; echo 'sh echo one; read x; echo two' > a/ctl; read -r x < a/stdout; echo 'exec cat' > b/ctl; echo 'pipe /b' > a/ctl; echo > a/stdin; cat b/stdout",
		.output = "one\ntwo\n",
	},
	/* Set behind a run, it takes nothing of that; set anew to the same, nothing comes twice. */
	{
		.path = "/mount/pipe/set-behind-a-run",
		.shells = "bash",
		.script = "cd $M/children; mkdir a b; echo 'exec echo old' > a/ctl; cat a/wait > $T/w; cat a/stdout; echo 'pipe /b' > a/ctl; echo 'exec cat' > b/ctl; echo 'exec echo new' > a/ctl; cat b/stdout",
		.output = "old\nnew\n",
	},
	{
		.path = "/mount/pipe/set-to-the-same",
		.shells = "bash",
		.script = TWO "echo 'exec cat' > b/ctl; echo 'sh echo one; read x; echo two' > a/ctl; until grep -qx 'stdout 4' b/status; do :; done; echo 'pipe /b' > a/ctl; grep ^stdin b/status; echo > a/stdin; cat b/stdout",
		.output = "stdin open\none\ntwo\n",
	},
	{
		.path = "/mount/pipe/taken-away",
		.shells = "all",
		.script = TWO "echo 'exec cat' > b/ctl; echo 'sh echo one; read x; echo two' > a/ctl; until grep -qx 'stdout 4' b/status; do :; done; echo pipe > a/ctl; cat b/stdout; echo > a/stdin; cat a/stdout; sed 1d a/ctl",
		.output = "one\none\ntwo\ndefaults\n",
	},
	{
		.path = "/mount/pipe/refusals",
		.shells = "bash",
		.script = TWO "for p in '-a' '-a /c /b' '/c /b' '-b /c' \"''\"; do try write a/ctl \"pipe $p\\n\"; done; sed 1,2d a/ctl; for p in /c / /b/ 'b'; do try write a/ctl \"pipe $p\\n\"; sed 1,2d a/ctl; done",
		.output = "EINVAL\nEINVAL\nEINVAL\nEINVAL\nEINVAL\npipe /b\n8\npipe /c\n7\npipe /\n9\npipe /b/\nEINVAL\npipe /b/\n",
	},
	{
		.path = "/mount/pipe/ELOOP",
		.shells = "all",
		.script = TWO "try write a/ctl 'pipe /a\\n'; echo 'pipe /c' > b/ctl; try write c/ctl 'pipe /a\\n'; try write c/ctl 'pipe -a /b\\n'; grep -c 'ELOOP pipe: ' c/error; sed 1d c/ctl; sed 1,2d a/ctl",
		.output = "ELOOP\nELOOP\nELOOP\n2\ndefaults\npipe /b\n",
	},
	{
		.path = "/mount/pipe/ENOENT",
		.shells = "all",
		.script = TWO "try write a/ctl 'pipe /nosuch\\n'; try write a/ctl 'pipe /b/x\\n'; grep -c 'ENOENT pipe: there is no context \"/' a/error; sed 1,2d a/ctl; rmdir b; try write a/ctl 'exec echo x\\n'; cat a/stdout; tail -n 1 a/error | grep -o 'ENOENT pipe: .*'",
		.output = "ENOENT\nENOENT\n2\npipe /b\n12\nx\nENOENT pipe: there is no context \"/b\"\n",
	},
	/* A target that ends early takes no more; the source goes on and its output is there. */
	{
		.path = "/mount/pipe/target-ends-early",
		.shells = "bash",
		.script = TWO "echo 'exec head -n 1' > b/ctl; echo 'sh echo one; read x; exec seq 100000' > a/ctl; cat b/stdout; cat b/wait | cut -c 1-8; echo > a/stdin; cat a/wait | cut -c 1-8; tail -n 1 a/stdout; grep -c 'pipe: the other end takes no more' a/log",
		.output = "one\n0 exit 0\n0 exit 0\n100000\n1\n",
	},
	{
		.path = "/mount/pipe/target-is-removed",
		.shells = "bash",
		.script = TWO "echo 'exec cat' > b/ctl; echo 'sh echo one; read x; echo two' > a/ctl; until grep -qx 'stdout 4' b/status; do :; done; echo destroy > b/ctl; echo > a/stdin; cat a/stdout; cat a/wait | cut -c 1-8",
		.output = "one\ntwo\n0 exit 0\n",
	},
	{
		.path = "/mount/pipe/source-is-killed",
		.shells = "bash",
		.script = TWO "echo 'exec wc -l' > b/ctl; echo 'sh echo one; exec sleep 1000' > a/ctl; read x < a/stdout; echo kill > a/ctl; cat b/stdout b/wait | cut -c 1-8; mkdir d e; echo 'pipe /e' > d/ctl; echo 'exec wc -l' > e/ctl; echo 'sh echo one; exec sleep 1000' > d/ctl; read x < d/stdout; echo destroy > d/ctl; cat e/stdout",
		.output = "1\n0 exit 0\n1\n",
	},
	{
		.path = "/mount/pipe/not-inherited",
		.shells = "all",
		.script = TWO "mkdir a/children/x; sed 1d a/children/x/ctl",
		.output = "defaults\n",
	},
	{
		.path = "/mount/pipe/pty",
		.shells = "bash",
		.script = TWO "echo 'pty on' > a/ctl; echo 'exec cat' > b/ctl; echo 'exec seq 3' > a/ctl; cat b/stdout",
		.output = "1\r\n2\r\n3\r\n",
	},
	/* Between places: descriptors to frames, frames to descriptors, within one link, and to
	 * a link within a link. */
	{
		.path = "/mount/pipe/places",
		.shells = "bash",
		.script = PLACES "sum=$(seq 1000000 | md5sum)\n"
			  "while read from to path; do\n"
			  "	echo \"pipe $path\" > $from/ctl; echo 'exec md5sum' > $to/ctl; echo 'exec seq 1000000' > $from/ctl\n"
			  "	[ \"$(cat $to/stdout)\" = \"$sum\" ] && echo $from $to; cat $to/wait $from/wait | cut -c 1-8 | uniq -c | tr -s ' '; echo pipe > $from/ctl\n"
			  "done <<'END'\n"
			  "a n /n\n"
			  "n a /a\n"
			  "n n/children/a /n/a\n"
			  "n/children/a n/children/b /n/b\n"
			  "n/children/b n/children/a /n/a\n"
			  "b n/children/b /n/b\n"
			  "n/children/b b /b\n"
			  "END\n",
		.output = "a n\n 2 0 exit 0\nn a\n 2 0 exit 0\nn n/children/a\n 2 0 exit 0\nn/children/a n/children/b\n 2 0 exit 0\n"
			  "n/children/b n/children/a\n 2 0 exit 0\nb n/children/b\n 2 0 exit 0\nn/children/b b\n 2 0 exit 0\n",
	},
	{
		.path = "/mount/pipe/places/back-pressure",
		.shells = "bash",
		.script = PLACES "for p in 'a n/children/b /n/b' 'n/children/b a /a'; do set -- $p; [ -p $T/go ] || mkfifo $T/go\n"
			  "	echo \"pipe $3\" > $1/ctl; echo \"sh read x < $T/go; exec head -c 5000000\" > $2/ctl; printf 'retain 64K\\nexec yes\\n' > $1/ctl\n"
			  "	until grep -qx 'stdout.blocked 1' $1/status; do :; done; [ $(sed -n 's/^stdout //p' $1/status) -lt 1500000 ] && echo held\n"
			  "	echo > $T/go; cat $2/stdout | cksum; echo kill > $1/ctl; cat $1/wait | cut -d ' ' -f 1; echo pipe > $1/ctl; echo reset > $1/ctl; echo reset > $2/ctl\n"
			  "done; yes | head -c 5000000 | cksum",
		.output = "held\n968020842 5000000\n137\nheld\n968020842 5000000\n137\n968020842 5000000\n",
	},
	/* A source whose link is lost: what came is there, and then the end. */
	{
		.path = "/mount/pipe/places/source-is-lost",
		.shells = "bash",
		.script = PLACES "echo 'pipe /a' > n/ctl; echo 'exec cat' > a/ctl; echo 'sh echo $PPID; exec sleep 1000' > n/ctl; read w < n/stdout; until grep -q '^stdout [1-9]' a/status; do :; done; kill -KILL $w; cat n/wait | cut -d ' ' -f 1-3; cat a/stdout | grep -cx $w; cat a/wait | cut -c 1-8",
		.output = "255 lost ECONNRESET\n1\n0 exit 0\n",
	},
	{
		.path = "/mount/pipe/places/target-is-lost",
		.shells = "bash",
		.script = PLACES "echo 'pipe /n' > a/ctl; echo 'sh echo $PPID; exec sleep 1000' > n/ctl; read w < n/stdout; echo 'sh echo one; read x; echo two' > a/ctl; kill -KILL $w; cat n/wait | cut -d ' ' -f 1-3; echo > a/stdin; cat a/stdout; cat a/wait | cut -c 1-8",
		.output = "255 lost ECONNRESET\none\ntwo\n0 exit 0\n",
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
