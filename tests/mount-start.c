/* How a mount comes to be, or does not: the command line, the mountpoint, the lock, mount(8),
 * the limits.
 *
 * R103: every mountpoint that will not do is refused with one line, before anything is done to
 * it. R104: of two brokers that start at once one wins and the other names it. R12: a mount
 * cannot be put into a mount. R39 and R106: the limits hold, each with its errno and its name in
 * `error`, and nothing else is hurt. The scripts start and end mitofs themselves; whatever they
 * forget the harness finds. */
#include "tests/agents.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>

/* Behind the start in a script: end it, and wait until it is unmounted. */
#define END "; echo shutdown > $M/ctl; while grep -q \" $M \" /proc/self/mountinfo; do :; done"
/* Without a word from the place where this was started. */
#define STRIP " 2>&1 | sed -e \"s|$M|M|g\" -e \"s|$T|T|g\""

#define ALONE .setup = { .unmounted = TRUE }

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/start/R103/refused", .shells = "bash", ALONE,
		.script = "cd $T; : > file; mkdir full; : > full/x; ln -s nowhere dangling; ln -s file tofile\n"
			  "for m in $T/missing $T/file $T/full $T/dangling $T/tofile '' $T/file/x; do\n"
			  "	for f in '' -f; do timeout 10 $MITOFS $f \"$m\" > out 2>&1; echo $? $(wc -l < out) $(sed \"s|$T|T|g\" out); done\n"
			  "done; ls full; grep -c \"$T\" /proc/self/mountinfo",
		.output = "1 1 mitofs: T/missing: No such file or directory\n1 1 mitofs: T/missing: No such file or directory\n"
			  "1 1 mitofs: T/file: not a directory\n1 1 mitofs: T/file: not a directory\n"
			  "1 1 mitofs: T/full: not empty (mount over it with -o nonempty)\n"
			  "1 1 mitofs: T/full: not empty (mount over it with -o nonempty)\n"
			  "1 1 mitofs: T/dangling: No such file or directory\n1 1 mitofs: T/dangling: No such file or directory\n"
			  "1 1 mitofs: T/file: not a directory\n1 1 mitofs: T/file: not a directory\n"
			  "1 1 mitofs: : No such file or directory\n1 1 mitofs: : No such file or directory\n"
			  "1 1 mitofs: T/file/x: Not a directory\n1 1 mitofs: T/file/x: Not a directory\nx\n0\n",
		.code = 1,
	},
	{
		.path = "/mount/start/R103/not-mine", .shells = "bash",
		.setup = {.unmounted = TRUE, .uid = 65534},
		.script = "for m in / /etc /root /tmp; do timeout 10 $MITOFS -o nonempty $m; echo $?; done" STRIP,
		.output = "mitofs: /: you may not write there\n1\nmitofs: /etc: you may not write there\n1\n"
			  "mitofs: /root: you may not write there\n1\nmitofs: /tmp: not yours\n1\n",
	},
	{
		.path = "/mount/start/R103/nonempty", .shells = "all", ALONE,
		.script = "mkdir $M/old; $MITOFS -o nonempty $M && ls $M | grep -x c.*[nl]" END "; ls $M",
		.output = "children\nctl\nold\n",
	},
	{
		.path = "/mount/start/R103/already", .shells = "bash", ALONE,
		.script = "$MITOFS $M; p=$(pgrep -n -f \"^$MITOFS $M\"); ln -s $M $T/link\n"
			  "for m in $M $M/ $M/. $T/link $M/../mnt; do timeout 10 $MITOFS $m 2>&1 | sed -e \"s|$M|M|;s|pid $p$|PID|\"; done\n"
			  "timeout 10 $MITOFS -o nonempty $M 2> /dev/null; echo $?; XDG_RUNTIME_DIR=$T timeout 10 $MITOFS $M" STRIP "\n"
			  "grep -c \" $M \" /proc/self/mountinfo; echo 'exec echo alive' > $M/ctl; cat $M/stdout" END,
		.output = "mitofs: M: already mounted or being mounted by PID\nmitofs: M: already mounted or being mounted by PID\n"
			  "mitofs: M: already mounted or being mounted by PID\nmitofs: M: already mounted or being mounted by PID\n"
			  "mitofs: M: already mounted or being mounted by PID\n1\nmitofs: M: mitofs is mounted there already\n1\nalive\n",
	},
	{
		.path = "/mount/start/R103/broker-stopped", .shells = "bash", ALONE,
		.script = "$MITOFS $M; p=$(pgrep -n -f \"^$MITOFS $M\"); kill -STOP $p\n"
			  "timeout 10 $MITOFS $M 2>&1 | sed \"s|$M|M|;s|pid $p$|PID|\"; kill -CONT $p" END,
		.output = "mitofs: M: already mounted or being mounted by PID\n",
	},
	{
		.path = "/mount/start/R12/inside", .shells = "bash",
		.script = "mkdir $M/children/a; for d in $M/children $M/children/a $M/children/a/children; do\n"
			  "timeout 10 $MITOFS -o nonempty $d; echo $?; done" STRIP "; timeout 10 $MITOFS $M/ctl" STRIP "\n"
			  "echo 'exec echo alive' > $M/ctl; cat $M/stdout",
		.output = "mitofs: M/children: inside a mitofs mount\n1\nmitofs: M/children/a: inside a mitofs mount\n1\n"
			  "mitofs: M/children/a/children: inside a mitofs mount\n1\nmitofs: M/ctl: not a directory\nalive\n",
	},
	{
		/* The broker opens nothing on its own mount: a place there is the command's
		 * affair. */
		.path = "/mount/start/R12/own-mount-as-cwd", .shells = "bash",
		.script = "cd $M; mkdir children/a; readlink /proc/$(pgrep -n -f \"$MITOFS.*$M\")/cwd\n"
			  "echo \"cwd $M\" > children/a/ctl; echo 'sh pwd -P; read -r k v < status; echo $k' > children/a/ctl\n"
			  "cat children/a/stdout | sed \"s|$M|M|\"; cut -d' ' -f1 children/a/wait\n"
			  "(HOME=$M; export HOME; cd $M; echo 'exec echo alive' > ctl; cat stdout)",
		.output = "/\nM\nid\n0\nalive\n",
	},
	{
		.path = "/mount/start/R104/two-at-once", .shells = "bash", ALONE,
		.script = "for round in 1 2 3 4 5 6; do\n"
			  "	p=; for i in 1 2 3 4; do timeout 20 $MITOFS $M 2> $T/$i & p=\"$p $!\"; done\n"
			  "	won=0; for q in $p; do wait $q && won=$((won + 1)); done\n"
			  "	echo $won $(cat $T/? | sed -E 's/.*(already (mounted or )?being mounted).*/\\1/' | sort -u | grep -c -v '^already') $(grep -c \" $M \" /proc/self/mountinfo)\n"
			  "	echo shutdown > $M/ctl; while grep -q \" $M \" /proc/self/mountinfo; do :; done\n"
			  /* It gives its lock back last. */
			  "	while pgrep -f \"^$MITOFS $M\" > /dev/null; do :; done\n"
			  "done",
		.output = "1 0 1\n1 0 1\n1 0 1\n1 0 1\n1 0 1\n1 0 1\n",
	},
	{
		.path = "/mount/start/R104/T63/again-and-again", .shells = "bash", ALONE,
		.script = "for i in 1 2 3 4 5 6 7 8; do\n"
			  "	until $MITOFS $M 2> $T/error; do grep -q already $T/error || { cat $T/error; exit; }; done\n"
			  "	fusermount3 -u $M || exit\n"
			  "done; ls -A $M",
		.output = "",
	},
	{
		.path = "/mount/start/background/returns-when-mounted", .shells = "all", ALONE,
		.script = "for i in 1 2 3; do\n"
			  "	until $MITOFS $M 2> /dev/null; do :; done; echo \"exec echo $i\" > $M/ctl; cat $M/stdout" END "\n"
			  "done",
		.output = "1\n2\n3\n",
	},
	{
		/* Nothing in the background holds the caller's streams, directory or session. */
		.path = "/mount/start/background/lets-go", .shells = "all", ALONE,
		.script = "cd $T; mkdir here; cd here; x=$(timeout 20 $MITOFS $M 2>&1); echo \"$?$x\"; cd ..; rmdir here\n"
			  "p=$(pgrep -n -f \"^$MITOFS $M\"); for f in 0 1 2; do readlink /proc/$p/fd/$f; done; readlink /proc/$p/cwd\n"
			  "[ $(cut -d' ' -f6 /proc/$p/stat) != $(cut -d' ' -f6 /proc/$$/stat) ] && echo session" END,
		.output = "0\n/dev/null\n/dev/null\n/dev/null\n/\nsession\n",
	},
	{
		.path = "/mount/start/background/closed-streams", .shells = "all", ALONE,
		.script = "$MITOFS $M <&- >&- 2>&-; echo $?; echo 'exec cat' > $M/ctl; echo text > $M/stdin; cat $M/stdout" END,
		.output = "0\ntext\n",
	},
	{
		.path = "/mount/start/background/odd-signals", .shells = "bash", ALONE,
		.script = "trap '' CHLD PIPE TERM HUP INT; $MITOFS $M; echo 'exec grep -E ^Sig(Blk|Ign) /proc/self/status' > $M/ctl\n"
			  "cat $M/stdout; cut -d' ' -f1-3 $M/wait; fusermount3 -u $M",
		.output = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0 exit 0\n",
	},
	{
		.path = "/mount/start/options/help-and-version", .shells = "bash", ALONE,
		.script = "$MITOFS -h > $T/h; echo $?; grep -c -E -- '--(foreground|debug|log-level|options|max-contexts|max-children|max-depth|version)' $T/h\n"
			  "$MITOFS --help | cmp - $T/h; $MITOFS -V | grep -c -E '^mitofs [0-9.]+, FUSE library 3'; $MITOFS --version | grep -c -E '^(first stage|agent x86_64): [0-9]+ bytes'; $MITOFS -V nonsense more > /dev/null; echo $?",
		.output = "0\n8\n1\n2\n0\n",
	},
	{
		/* One line each, and the exit code of wrong use. */
		.path = "/mount/start/options/wrong", .shells = "bash", ALONE,
		.script = "t() { timeout 10 $MITOFS \"$@\" > $T/o 2>&1; echo $? $(wc -l < $T/o) $(sed \"s|$M|M|g\" $T/o); }\n"
			  "t; t a b c; t --bogus $M; t -q $M; t -o bogus $M; t -o fsname=a,bogus=1 $M; t --log-level loud $M; t $M --log-level\n"
			  "t --max-contexts=0 $M; t --max-depth=-1 $M; t -o max_children= $M; t -o max_children $M; t -o max_contexts=0x10 $M; t -o max_contexts=99999999999 $M\n"
			  "t --retain-total=1T $M; t -o max_retain=many $M; t -f= $M; ls -A $M; grep -c \" $M \" /proc/self/mountinfo",
		.output = "2 1 mitofs: usage: mitofs [OPTIONS] [SOURCE] MOUNTPOINT\n2 1 mitofs: usage: mitofs [OPTIONS] [SOURCE] MOUNTPOINT\n"
			  "2 1 mitofs: Unknown option --bogus\n2 1 mitofs: Unknown option -q\n"
			  "2 1 mitofs: unknown option: -o bogus\n2 1 mitofs: unknown option: -o bogus=1\n"
			  "2 1 mitofs: --log-level loud: not error, warning, info or debug\n2 1 mitofs: Missing argument for --log-level\n"
			  "2 1 mitofs: max_contexts=0: not a number from 1 on\n2 1 mitofs: max_depth=-1: not a number from 1 on\n"
			  "2 1 mitofs: max_children=: not a number from 1 on\n2 1 mitofs: unknown option: -o max_children\n"
			  "2 1 mitofs: max_contexts=0x10: not a number from 1 on\n2 1 mitofs: max_contexts=99999999999: not a number from 1 on\n"
			  "2 1 mitofs: retain_total=1T: not a number of bytes\n2 1 mitofs: max_retain=many: not a number of bytes\n"
			  "2 1 mitofs: Unknown option -f=\n0\n",
		.code = 1,
	},
	{
		.path = "/mount/start/options/dash-dash", .shells = "bash", ALONE,
		.script = "cd $T; mkdir -- -dir; $MITOFS -- -dir && ls -- -dir | grep -x children && fusermount3 -u -- \"$T/-dir\"",
		.output = "children\n",
	},
	{
		.path = "/mount/start/options/odd-mountpoint", .shells = "bash", ALONE,
		.script = "cd $T; d=$'a b\\\\c\\td,e\\377\"'; mkdir \"$d\"; $MITOFS \"$d\" && ls \"$d\" | grep -x children; $MITOFS \"$d\" 2> /dev/null; echo $?\n"
			  "p=$(pgrep -n -f \"^$MITOFS a b\"); kill -KILL $p; until ls -A \"$d\" 2> /dev/null && [ ! -e \"$d/ctl\" ]; do :; done\n"
			  "until $MITOFS \"$d\" 2> /dev/null; do :; done; echo shutdown > \"$d/ctl\"; while [ -e \"$d/ctl\" ]; do :; done",
		.output = "children\n1\n",
		.errors = "",
	},
	{
		.path = "/mount/start/options/fuse", .shells = "bash", ALONE,
		.script = "m() { sed -n \"s| $M | M |p\" /proc/self/mountinfo | cut -d' ' -f 5-; }\n"
			  "s() { while pgrep -f \"^$MITOFS \" | grep -q -x $1; do :; done; }\n"
			  "for o in fsname=web rw,suid,dev,exec,noatime,relatime allow_other,default_permissions x-systemd.automount,_netdev,user=me,comment=x ,,; do\n"
			  "	until $MITOFS -o $o $M 2> $T/e; do grep -q already $T/e || { cat $T/e; exit; }; done; m | sed 's/ rw,user_id/ user_id/;s/ - / /'; fusermount3 -u $M; done",
		.regex = "M rw,nosuid,nodev,noexec,relatime fuse.mitofs web user_id=0,group_id=0\n"
			 "M rw,nosuid,nodev,noexec,noatime fuse.mitofs mitofs user_id=0,group_id=0\n"
			 "M rw,nosuid,nodev,noexec,relatime fuse.mitofs mitofs user_id=0,group_id=0,default_permissions,allow_other\n"
			 "M rw,nosuid,nodev,noexec,relatime fuse.mitofs mitofs user_id=0,group_id=0\n"
			 "M rw,nosuid,nodev,noexec,relatime fuse.mitofs mitofs user_id=0,group_id=0\n",
	},
	{
		.path = "/mount/start/options/ro", .shells = "bash",
		.setup = {.arguments = "-o ro"},
		.script = "cd $M; try mkdir children/a; try open ctl wronly; sed -n 's/^state //p' status",
		.output = "EROFS\nEROFS\nidle\n",
	},
	{
		.path = "/mount/start/limits/R106/max-contexts", .shells = "bash",
		.setup = {.arguments = "-o max_contexts=3"},
		.script = "cd $M/children; try mkdir a; try mkdir a/children/b; try mkdir c; try mkdir a/children/d\n"
			  "cut -d' ' -f 3- ../error; cut -d' ' -f 3- a/error; ls; echo 'exec echo alive' > a/ctl; cat a/stdout\n"
			  "rmdir a/children/b; try mkdir c; echo destroy > a/ctl; try mkdir e; ls",
		.output = "ok\nok\nEDQUOT\nEDQUOT\nEDQUOT mkdir: this mount has max_contexts=3 contexts already\n"
			  "EDQUOT mkdir: this mount has max_contexts=3 contexts already\na\nalive\nok\nok\nc\ne\n",
	},
	{
		.path = "/mount/start/limits/R106/T64/max-children", .shells = "all",
		.setup = {.arguments = "--max-children 2"},
		.script = "cd $M/children; try mkdir a; try mkdir b; try mkdir c; try mkdir a/children/b; cut -d' ' -f 3- ../error; ls\n"
			  "rmdir b; try mkdir c; ls",
		.output = "ok\nok\nEDQUOT\nok\nEDQUOT mkdir: this context has max_children=2 children already\na\nb\nok\na\nc\n",
	},
	{
		.path = "/mount/start/limits/R39/max-depth", .shells = "bash",
		.setup = {.arguments = "--max-depth=2"},
		.script = "cd $M/children; try mkdir a; try mkdir a/children/b; try mkdir a/children/b/children/c\n"
			  "cut -d' ' -f 3- a/children/b/error; ls a/children/b/children",
		.output = "ok\nok\nELOOP\nELOOP mkdir: contexts are nested max_depth=2 deep at most\n",
	},
	{
		/* The path grows far beyond what fits in one system call; each step is a
		 * relative one. */
		.path = "/mount/start/limits/R39/deep", .shells = "bash",
		.script = "n=$(printf '%0250d' 0); cd $M; for ((i = 0; i < 64; i++)); do mkdir children/$n && cd -P ./children/$n || exit; done 2> /dev/null\n"
			  "try mkdir children/x; echo 'exec echo deep' > ctl; cat stdout; sed -n 's/^path //p' status | wc -c\n"
			  "grep -c 'max_depth=64' error; try open $M/$(printf '/children/%0250d' $(seq 20)) rdonly",
		.output = "ELOOP\ndeep\n16065\n1\nENAMETOOLONG\n",
	},
	{
		/* What comes and goes leaves nothing: the harness compares descriptors, this the
		 * memory. */
		.path = "/mount/start/limits/R106/mkdir-rmdir", .shells = "python3",
		.setup = {.seconds = 60},
		.script = "import os, subprocess\n"
			  "os.chdir(os.environ['M'] + '/children')\n"
			  "pid = subprocess.run(['pgrep', '-n', '-f', os.environ['MITOFS'] + ' .*' + os.environ['M']], capture_output=True, text=True).stdout.strip()\n"
			  "def rss(): return [int(l.split()[1]) for l in open('/proc/%s/status' % pid) if l.startswith('VmRSS')][0]\n"
			  "def churn(n):\n"
			  "    for i in range(n):\n"
			  "        os.mkdir('x%d' % i); os.stat('x%d/status' % i); os.rmdir('x%d' % i)\n"
			  "churn(2000); before = rss(); churn(8000); after = rss()\n"
			  "print('ASAN_OPTIONS' in os.environ or after - before < 1024 or (before, after), os.listdir('.'))",
		.output = "True []\n",
	},
	{
		.path = "/mount/start/limits/R106/many", .shells = "python3",
		.setup = {.arguments = "-o max_contexts=2001", .seconds = 60},
		.script = "import errno, os\n"
			  "os.chdir(os.environ['M'] + '/children')\n"
			  "for i in range(2000): os.mkdir('%d' % i)\n"
			  "try: os.mkdir('more')\n"
			  "except OSError as e: print(errno.errorcode[e.errno])\n"
			  "print(len(os.listdir('.')), sum('state idle' in open('%d/status' % i).read() for i in range(2000)))\n"
			  "for i in range(2000): os.rmdir('%d' % i)\n"
			  "print(os.listdir('.'))",
		.output = "EDQUOT\n2000 2000\n[]\n",
	},
};
/* clang-format on */

/* Put a directory with `mitofs` in it where mount(8) looks for programs: its PATH is a fixed
 * one. */
static void
install(Mount *mount)
{
	g_assert_no_errno(unshare(CLONE_NEWNS));
	mount_expect(mount, "dash",
		     "mount -t tmpfs tmpfs /usr/local/sbin && cp $MITOFS /usr/local/sbin/mitofs && "
		     "umask 022 && chmod 755 /usr/local/sbin/mitofs",
		     "", 0);
}

/* mount -t fuse.mitofs. */
static void
by_mount(Mount *mount)
{
	install(mount);
	mount_expect(
		mount, "bash",
		"x=$(timeout 20 mount -t fuse.mitofs none $M -o max_contexts=2,noauto,user,nofail "
		"2>&1); echo \"$?$x\"\n"
		"sed -n \"s| $M | M |p\" /proc/self/mountinfo | cut -d' ' -f 5,6,8-10; mkdir "
		"$M/children/a; try mkdir $M/children/b\n"
		"echo 'exec echo alive' > $M/ctl; cat $M/stdout; umount $M; ls -A $M\n"
		"mount -t fuse.mitofs web $M/missing 2>&1 | sed \"s|$M|M|\"; mount -t fuse.mitofs "
		"web $M -o bogus 2>&1; echo $?",
		"0\nM rw,nosuid,nodev,noexec,relatime fuse.mitofs mitofs "
		"rw,user_id=0,group_id=0\nEDQUOT\nalive\n"
		"mitofs: M/missing: No such file or directory\nmitofs: unknown option: -o "
		"bogus\n2\n",
		0);
}

/* Lines of fstab(5), as in mitofs(1): what is systemd's and mount(8)'s own is no option of mitofs. */
static void
by_fstab(Mount *mount)
{
	install(mount);
	mount_expect(
		mount, "bash",
		"f() { echo \"$2 $M fuse.mitofs $3 0 0\" > $T/$1; }\n"
		"f 1 none noauto,user; f 2 src defaults,max_children=1\n"
		"f 3 ann noauto,nofail,_netdev,x-systemd.automount,"
		"x-systemd.requires=network-online.target,x-mount.mkdir=0700,allow_other\n"
		"for i in 1 2 3; do\n"
		"	until timeout 20 mount -T $T/$i $M 2> $T/e; do grep -q already $T/e || { "
		"cat $T/e; exit; }; done\n"
		"	sed -n \"s| $M | M |p\" /proc/self/mountinfo | cut -d' ' -f 8-; try mkdir "
		"$M/children/a; try mkdir $M/children/b\n"
		"	umount $M\n"
		"done; ls -A $M",
		"fuse.mitofs mitofs rw,user_id=0,group_id=0\nok\nok\n"
		"fuse.mitofs src rw,user_id=0,group_id=0\nok\nEDQUOT\n"
		"fuse.mitofs ann rw,user_id=0,group_id=0,default_permissions,allow_other\nok\nok\n",
		0);
}

/* Run @script by dash as root, whoever the test is for. */
static void
as_root(Mount *mount, const char *script)
{
	g_autofree char *point = mount_path(mount, "");
	g_autofree char *words =
		g_strdup_printf("export M=%s T=%s MITOFS=%s\n%s", point, mount_scratch(mount),
				g_getenv("MITOFS_BIN"), script);

	g_assert_cmpint(system(words), ==, 0);
}

/* The option `user`: an ordinary user mounts and unmounts by the mountpoint alone. */
static void
by_user(Mount *mount)
{
	g_assert_no_errno(unshare(CLONE_NEWNS));
	as_root(mount, "set -e; mount -t tmpfs tmpfs /usr/local/sbin; umask 022\n"
		       "cp $MITOFS /usr/local/sbin/mitofs; chmod 755 /usr/local/sbin/mitofs\n"
		       "echo \"none $M fuse.mitofs noauto,user 0 0\" > $T/fstab\n"
		       "[ -e /etc/fstab ] || : > /etc/fstab; mount --bind $T/fstab /etc/fstab");
	mount_expect(mount, "dash",
		     "timeout 20 mount $M; echo $?; sed -n \"s| $M | M |p\" /proc/self/mountinfo | "
		     "cut -d' ' -f 5,6,8-\n"
		     "echo 'exec id -u' > $M/ctl; cat $M/stdout; umount $M; echo $?; ls -A $M",
		     "0\nM rw,nosuid,nodev,noexec,relatime fuse.mitofs mitofs "
		     "rw,user_id=1000,group_id=1000\n1000\n0\n",
		     0);
}

int
main(int argc, char **argv)
{
	static const MountSetup alone = { .unmounted = TRUE };
	static const MountSetup user_alone = { .unmounted = TRUE, .uid = 1000 };
	mount_test_init(&argc, &argv);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	mount_test_add("/mount/start/mount-8", by_mount, &alone);
	mount_test_add("/mount/start/fstab", by_fstab, &alone);
	mount_test_add("/mount/start/fstab-user", by_user, &user_alone);
	return mount_test_run();
}
