/* Places below places, and the ends of connections: 32 deep, many at once through one hop, and what is taken
 * back while it is under way (row R79, R86, cases T15, T53, T90, T92, T95). */
#include "tests/mount.h"

#include <glib.h>

/* A client that says on a FIFO who it is and waits for a line on another; it is a shell then. gone PID: wait
 * until it is. */
#define SLOW                                                                                      \
	"cd $M/children; mkfifo $T/came $T/go; exec 8<>$T/came 9<>$T/go\n"                        \
	"printf '%s\\n' 'echo $$ >&8' 'read -r x <&9' 'exec /bin/sh' > $T/slow.in\n"              \
	"printf '#!/bin/bash\\nexec 8<>%s/came 9<>%s/go\\n' $T $T | cat - $T/slow.in > $T/slow\n" \
	"chmod +x $T/slow\n"                                                                      \
	"gone() { until [ ! -e /proc/$1 ] || grep -qs ') Z ' /proc/$1/stat; do :; done; echo "    \
	"gone; }\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/nests/T92/T53/R86/depth-32",
		.shells = "bash",
		.script = "cd $M; words=(local 'chroot /' 'unshare -m' 'command sh'); d=.; for i in {1..32}; do "
			"d=$d/children/c; mkdir $d; try write $d/ctl \"connect ${words[i % 4]}\\n\" | grep E; all+=($d); done\n"
			"status() { for d in ${all[@]}; do sed -n 's/^link //p' $d/status; done | uniq -c | tr -s ' '; }; status\n"
			"d=${all[31]}; echo 'sh cat; echo deepest' > $d/ctl; echo text > $d/stdin; cat $d/stdout\n"
			"s=${all[14]}/children/s; mkdir $s; echo 'connect local' > $s/ctl; echo 'exec cat' > $s/ctl; echo 'exec cat' > ${all[20]}/ctl; "
			"echo 'exec sleep 1000' > $d/ctl; "
			"echo 'sh kill -9 $PPID' > ${all[15]}/ctl 2> $T/killed; for i in 31 20; do cut -d ' ' -f 1-3 ${all[i]}/wait; done; status; "
			"echo alive > $s/stdin; cat $s/stdout; echo 'exec echo there' > ${all[14]}/ctl; cat ${all[14]}/stdout\n"
			"try write $d/ctl 'exec true\\n'; for i in 15 16; do try write ${all[i]}/ctl 'connect local\\n' | tr -d 0-9; done; "
			"echo 'exec echo again' > ${all[16]}/ctl; cat ${all[16]}/stdout",
		.output = " 32 up\ntext\ndeepest\n255 lost ECONNRESET\n255 lost ECONNRESET\n 15 up\n 17 lost\nalive\nthere\nENOTCONN\n\n\nagain\n",
		.setup = { .seconds = 90 },
	},
	/* All are under way before the first is there, and a hop with so many still connects another. */
	{
		.path = "/mount/nests/T90/at-once",
		.shells = "bash",
		.script = SLOW "mkdir h; echo 'connect local' > h/ctl; cd h/children; exec 4< ../events; for i in {1..12}; do mkdir $i; echo \"async connect command $T/slow\" > $i/ctl; done; "
			"for i in {1..12}; do read -r x <&8; done; grep -h ^link */status | sort | uniq -c | tr -s ' '; mkdir x; echo 'connect command sh' > x/ctl; grep ^link x/status; "
			"for i in {1..12}; do echo go >&9; done; for i in {1..12}; do echo 'exec echo there' > $i/ctl; cat $i/stdout; done | uniq -c | tr -s ' '",
		.output = " 12 link connecting\nlink up\n 12 there\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/nests/R79/T95/taken-back",
		.shells = "bash",
		.script = SLOW "for v in 'rmdir a' 'echo cancel > a/ctl' 'echo destroy > a/ctl' 'kill $!'; do mkdir -p a; try write a/ctl \"connect command $T/slow\\n\" & read -r p <&8; eval \"$v\"; wait $! 2> $T/err; gone $p; done; "
			"grep -E '^(link|failure) ' a/status; echo go >&9; echo 'connect command sh' > a/ctl; grep ^link a/status",
		.output = "ECANCELED\ngone\nECANCELED\ngone\nECANCELED\ngone\ngone\nlink lost\nfailure cancelled\nlink up\n",
	},
};
/* clang-format on */

/* A connect that is under way when the broker ends. */
static void
test_shutdown(Mount *mount)
{
	g_autofree char *script = g_strconcat(
		SLOW,
		"mkdir a; try write a/ctl \"connect command $T/slow\\n\" & read -r p <&8; "
		"echo shutdown > $M/ctl; wait $!; gone $p",
		NULL);

	mount_expect(mount, "bash", script, "ESHUTDOWN\ngone\n", 0);
	mount_end(mount, 0, 0);
}

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	mount_test_bed("users"); /* chroot and unshare want root */
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	mount_test_add("/mount/nests/T15/shutdown", test_shutdown, NULL);
	return mount_test_run();
}
