/* Tools that reach another machine by a program such as ssh, and are given `mito rsh`: rsync, git,
 * tar and expect, with a real sshd. */
#include "tests/mito.h"
#include "tests/mount.h"

/* RSH, words that the tools take for ssh. */
#define BED MITO_PROGRAM "RSH=\"mito rsh -F $SSHCONF\"\n"

/* A tree of many files in $T/from, some with odd names. */
#define TREE                                                                              \
	"mkdir -p $T/from/sub/deep $T/from/many; cd $T/from; for n in plain 'two words' " \
	"\"it's\" '-dash' '*' 'new\nline' '$x' '#c' ';' '\\'; do echo \"text of $n\" > "  \
	"sub/\"$n\"; done; head -c 3000000 /dev/urandom > sub/deep/big; ln -s plain "     \
	"sub/link; chmod 750 sub/plain; for i in $(seq 500); do echo $i > many/$i; done\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/rsh/rsync",
		.shells = "bash",
		.script = BED TREE "r() { rsync -e \"$RSH\" --checksum --delete -a \"$@\"; }\n"
			"r $T/from/ alice:copy/; r alice:copy/ $T/back/; diff -r --no-dereference $T/from $T/back && echo same; [ -e $BED/home/alice/copy/sub/deep/big ] && stat -c '%U %a' $BED/home/alice/copy/sub/plain\n"
			"rm many/[1-4]* sub/'two words'; echo changed > sub/plain; r -i $T/from/ alice:copy/ | grep -c '^\\*deleting'; r -i $T/from/ alice:copy/; r alice:copy/ $T/back/; diff -r --no-dereference $T/from $T/back && echo same\n"
			"rsync -e \"$RSH\" -a alice:'copy/sub/it'\"'\"'s' alice:'copy/sub/$x' $T/some/; ls $T/some; rsync -e \"$RSH\" alice:nosuch $T/; echo $?; mito ls -l",
		.output = "same\nalice 750\n445\nsame\n$x\nit's\n23\nalice                    ssh up           idle\n",
		.errors = "rsync: [sender] link_stat ",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/rsh/git",
		.shells = "all",
		.script = BED "export GIT_SSH_COMMAND=\"$RSH\" GIT_CONFIG_GLOBAL=$T/gitconfig; git config --global user.name Ann; git config --global user.email ann@example.org; git config --global init.defaultBranch main; git config --global advice.detachedHead false; cd $T\n"
			"mito rsh -F $SSHCONF bob \"git init -q --bare -b main store$$.git\"; git clone -q bob:store$$.git one 2> $T/empty; grep -c empty $T/empty; cd one; head -c 500000 /dev/urandom > big; echo 1 > text; git add .; git commit -q -m first; git push -q origin main; cd ..\n"
			"git clone -q ssh://bob/~/store$$.git two; cmp one/big two/big && cd two; echo 2 >> text; git commit -q -a -m second; git push -q; git tag v1; git push -q --tags; cd ../one; git fetch -q; git log --format=%s origin/main; git pull -q; cat text; git ls-remote -q --tags | cut -f 2; git push -q origin :v1; git ls-remote -q --tags | wc -l; git fetch -q bob:nosuch.git 2> $T/err; echo $?; grep -c 'nosuch.git' $T/err; mito ls -l",
		.output = "1\nsecond\nfirst\n1\n2\nrefs/tags/v1\n0\n128\n1\nbob                      ssh up           idle\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/rsh/tar",
		.shells = "all",
		.script = BED TREE "tar c . | $RSH bob \"mkdir there$$; cd there$$; tar x\"; $RSH bob \"cd there$$; tar cz .\" | tar xz -C $T/back; /usr/bin/diff -r --no-dereference $T/from $T/back && echo same; $RSH -n bob \"find there$$ -type f | wc -l\"",
		.output = "same\n512\n",
		.setup = { .before = "mkdir $T/back", .seconds = 60 },
	},
	/* Several at once over one connection, made once. */
	{
		.path = "/mount/rsh/parallel",
		.shells = "bash",
		.script = BED "export HOME=$T; mkdir $T/.parallel; : > $T/.parallel/will-cite; seq 12 | parallel -k -j8 \"$RSH\" -n alice \"'echo {} \\$(id -un)'\" | paste -sd' '; mito ls -l; grep -c 'alice: connected' $M/log",
		.output = "1 alice 2 alice 3 alice 4 alice 5 alice 6 alice 7 alice 8 alice 9 alice 10 alice 11 alice 12 alice\nalice                    ssh up           idle\n1\n",
		.setup = { .seconds = 60 },
	},
	/* ssh itself, by way of a machine that a context leads to; and sftp and scp, which run an ssh. */
	{
		.path = "/mount/rsh/ssh",
		.shells = "bash",
		.script = BED "ssh -F $SSHCONF -o ProxyCommand=\"$RSH bob socat STDIO TCP:127.0.0.1:22\" alice 'id -un; cat' < $MITOFS_MITO > $T/out; head -n 1 $T/out; tail -n +2 $T/out | cmp - $MITOFS_MITO && echo same; printf '#!/bin/sh\nwhile [ \"${1#-}\" != \"$1\" ]; do case $1 in -o) shift;; -s) s=yes;; esac; shift; done\n[ \"$1\" ] && exec %s \"$1\" /usr/lib/openssh/sftp-server\n' \"$RSH\" > $T/ssh; chmod 755 $T/ssh; "
			  "scp -q -S $T/ssh $MITOFS_MITO alice:by-scp; scp -q -S $T/ssh alice:by-scp $T/back; cmp $T/back $MITOFS_MITO && echo same; mito ls",
		.output = "alice\nsame\nsame\nalice\nbob\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/rsh/expect",
		.shells = "bash",
		.script = BED "cat > $T/script <<'END'\n"
			"set timeout 60; log_user 0\n"
			"spawn mito connect alice ssh -F $env(SSHCONF) alice-password\n"
			"expect -re {([a-z@.0-9]+)'s password:} { puts $expect_out(1,string); send alice-pw\\r }\n"
			"expect eof; puts [lindex [wait] 3]\n"
			"spawn mito connect alice/root sudo\n"
			"expect {password for alice:} { send alice-pw\\r }\n"
			"expect eof; puts [lindex [wait] 3]\n"
			"END\n"
			"expect $T/script; mito run alice/root id -un",
		.output = "alice@bed\n0\n0\nroot\n",
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
