/* scripts/mito: files to, from and between contexts. */
#include "tests/mito.h"
#include "tests/mount.h"

/* Contexts a1 a2 a3 that start in directories of their own, and something to copy. */
#define FILES                                                                                   \
	MITO "cd $T; mito new 'a[1-3]'; for i in 1 2 3; do mkdir a$i; echo host$i > a$i/name; " \
	     "echo \"cwd $T/a$i\" > $M/children/a$i/ctl; done\n"                                \
	     "mkdir -p out tree/d 'tree/e f'; head -c 300000 /dev/urandom > data; echo x > "    \
	     "tree/d/x; chmod 700 tree/d; ln -s x tree/d/l; echo .h > 'tree/e f/.h'; printf "   \
	     "'#!/bin/sh\\n' > prog; chmod 755 prog\n"                                          \
	     "left() { find . -name '.mito*'; mito ls a1; mito ls | grep -v '^a[123]$' || :; }\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/mito/cp/to",
		.shells = "all",
		.script = FILES "mito cp data 'a*:'; echo $?; mito cp data a1,a3:other; mito cp --checksum data prog 'a[1-2]:.'; mito cp data a2:$T/a3/third; for f in a?/data a?/other a3/third; do cmp data $f; done; find a? -type f -perm -100; echo a?/*; left",
		.output = "0\na1/prog\na2/prog\na1/data a1/name a1/other a1/prog a2/data a2/name a2/prog a3/data a3/name a3/other a3/third\n",
	},
	{
		.path = "/mount/mito/cp/from",
		.shells = "all",
		.script = FILES "mito cp a2:name out/; mito cp a2:name out/one; mito cp 'a*:name' out; echo $?; mito cp -x a1 'a*:name' a2:$T/prog out; cat out/*; ls -l out/prog | cut -c 1-10; mito cp a1:name a2:name nix; echo $?; mito cp -x a1 'a*:name' a1:name out; echo $?; left",
		.output = "0\nhost2\nhost1\nhost2\nhost3\nhost2\n#!/bin/sh\n-rwxr-xr-x\n255\n2\n",
		.errors = "mito: nix: no such directory, and there are several copies\nmito: a1: names no context; see: mito help\n",
	},
	{
		.path = "/mount/mito/cp/between",
		.shells = "all",
		.script = FILES "cp data a1; mito cp --checksum a1:data 'a[2-3]:copy'; echo $?; cmp data a2/copy; cmp data a3/copy; mito cp 'a[1-2]:name' a3:; cat a3/name.a1 a3/name.a2; mito cp -r a1:$T/tree a2:; diff -r tree a2/tree; mito new -p a1/b; mito cp a1/b,a2:name out; ls out; left",
		.output = "0\nhost1\nhost2\nname.a1_b\nname.a2\nb\n",
	},
	{
		.path = "/mount/mito/cp/directories",
		.shells = "all",
		.script = FILES "mito cp tree a1:; echo $?; mito cp -r --checksum tree 'a*:new'; echo $?; for i in 1 2 3; do diff -r tree a$i/new; done; ls -ld a1/new/d | cut -c 1-10; readlink a1/new/d/l; echo y > tree/d/x; echo keep > a1/new/d/mine; mito cp -r tree/. a1:new; cat a1/new/d/x a1/new/d/mine; mito cp -r tree a1:new; cmp tree/d/x a1/new/tree/d/x; mito cp -r 'a[2-3]:new' out; diff -r out/new.a2 out/new.a3; mito cp -r a2:new fresh; diff -r a2/new fresh; mkdir -p a3/new/d2; mkdir a2/z; echo > a2/z/d2; mito cp -r a2:z/. a3:new; echo $?; left",
		.output = "1\n0\ndrwx------\nx\ny\nkeep\n1\n",
		.errors = "mito: tree: is a directory; copy it with -r\nmito: a3: new/./d2: is a directory\n",
	},
	{
		.path = "/mount/mito/cp/preserve",
		.shells = "all",
		.script = FILES "touch -d @1000000000 data tree/d/x; chmod 640 data; mito cp -p data a1:; mito cp -rp tree a2:; mito cp -p a1:data out/d; mito cp data a3:; stat -c '%a %Y' a1/data a2/tree/d/x out/d; [ a3/data -nt data ] && echo newer; left",
		.output = "640 1000000000\n644 1000000000\n640 1000000000\nnewer\n",
	},
	/* What is there keeps its mode; a link is followed; what is no file is written to. */
	{
		.path = "/mount/mito/cp/targets",
		.shells = "all",
		.script = FILES "echo secret > a1/data; chmod 600 a1/data; ln -s ../far a2/data; echo far > far; mkfifo a3/data; md5sum < a3/data > sum & mito cp data 'a*:data'; echo $?; wait $!; stat -c %a a1/data; cmp data a1/data; readlink a2/data; cmp data far; md5sum < data | cmp - sum; [ -p a3/data ] && echo pipe; left",
		.output = "0\n600\n../far\npipe\n",
	},
	{
		.path = "/mount/mito/cp/errors",
		.shells = "dash",
		.script = FILES "exec 2>&1; mito cp nix 'a*:'; echo $?; mito cp 'a*:nix' out 2>&1 | sort; mito cp tree a1:; echo $?; mito cp data 'a[1-2]:no/x' 2>&1 | sort; mito cp data a9:; echo $?; mito cp a9:name out; echo $?; mito cp data prog a1:name; echo $?; mito cp data; echo $?; mito cp data prog; echo $?; mito cp data 'a[:'; echo $?; mito cp data 'b*:'; echo $?; mkdir a1/dir; echo > a2/dir; mito cp -r tree/d a2:dir; mkdir a3/dir a3/dir/data; mito cp data 'a[1-3]:dir' 2> e; echo $?; sort e; ls a1/dir; left",
		.output = "mito: nix: no such file or directory\n1\nmito: a1: nix: no such file or directory\nmito: a2: nix: no such file or directory\nmito: a3: nix: no such file or directory\n"
			  "mito: tree: is a directory; copy it with -r\n1\nmito: a1: no/x: No such file or directory\nmito: a2: no/x: No such file or directory\n"
			  "mito: a9: no such context; make it with: mito new -p a9\n255\nmito: a9: no such context; make it with: mito new -p a9\n255\n"
			  "mito: a1: name: no such directory\nmito: a1: name: no such directory\n1\nmito: cp [-rp] [--checksum] [-x PATTERN] [-I FILE] SRC... DST; one at a context is PATTERN:PATH; see: mito help\n2\n"
			  "mito: cp: data and prog are both here; use cp(1); see: mito help\n2\nmito: a[: a bracket without the other; a range is written [1-3,7]; see: mito help\n2\n"
			  "mito: b*: matches no context\n255\nmito: a2: dir: is there, and no directory\n1\nmito: a3: dir/data: is a directory\ndata\n",
	},
	/* One that is full stops no other. */
	{
		.path = "/mount/mito/cp/one-fails",
		.shells = "bash",
		.script = FILES "head -c 3000000 /dev/zero > data; echo old > a2/data; echo 'rlimit fsize 65536' > $M/children/a2/ctl; mito cp data 'a*:'; echo $?; cmp data a1/data; cmp data a3/data; cat a2/data; left",
		.output = "1\nold\n",
		.errors = "mito: a2: data: ",
	},
	/* One whose link is lost, before or meanwhile, is not waited for. What came of a pipe may stand there: nobody
	 * knows how much it is. */
	{
		.path = "/mount/mito/cp/lost",
		.shells = "all",
		.script = FILES "mito connect a2 local; mkfifo f; exec 5<> f; $MITO_SH cp f 'a*:x' & p=$!; echo begin >&5; until find a1/.mito* -name new -size +0 2> /dev/null | grep -q .; do :; done; mito run -n a2 sh -c 'kill -KILL $PPID; exec sleep 1000' 2> /dev/null; cat data > f; exec 5>&-; wait $p; echo $?; { echo begin; cat data; } | cmp - a1/x; cmp a1/x a3/x; rm -f a2/x; ls a2; mito cp data 'a*:'; echo $?; cmp data a1/data; cmp data a3/data; mito cp 'a*:name' out; echo $?; cat out/name.a1 out/name.a3; rm -rf a2/.mito*; rm -rf a2/.mito*; left",
		.output = "255\nname\n255\n255\nhost1\nhost3\n",
		.errors = "mito: a2: the link was lost (ECONNRESET)\nmito: a2: exec: no link: ",
	},
	/* The bytes at the target are looked at again. */
	{
		.path = "/mount/mito/cp/checksum",
		.shells = "all",
		.script = FILES "mkdir bin; printf '#!/bin/sh\\ncat > /dev/null\\necho bad\\n' > bin/sha256sum; chmod 755 bin/sha256sum; echo \"env PATH=$T/bin:$PATH\" > $M/children/a2/ctl; mito cp --checksum data 'a*:'; echo $?; ls a?/data; echo 'unenv PATH' > $M/children/a2/ctl; rm bin/sha256sum; for p in sh cat chmod cksum cp find mkdir mv readlink rm sort tail tr wc; do ln -s $(which $p) bin/$p; done; echo \"env PATH=$T/bin\" > $M/children/a2/ctl; mito cp --checksum data 'a[2-3]:'; echo $?; cmp data a2/data; left",
		.output = "1\na1/data\na3/data\n0\n",
		.errors = "mito: a2: data: its checksum is wrong\n",
	},
	/* The old file stays, and nothing else. */
	{
		.path = "/mount/mito/cp/interrupted",
		.shells = "all",
		.script = FILES "mkfifo f; for s in TERM HUP; do echo old > a1/x; exec 5<> f; $MITO_SH cp f 'a[1-2]:x' & p=$!; echo begin >&5; until find a1/.mito* -name new -size +0 2> /dev/null | grep -q .; do :; done; kill -$s $p; wait $p; echo $?; exec 5>&-; cat a1/x; done; ls a2; left",
		.output = "143\nold\n129\nold\nname\n",
		.errors = "",
	},
	{
		.path = "/mount/mito/cp/bar",
		.shells = "all",
		.script = SCREEN "cd $T; mito new 'a[1-2]'; head -c 20000000 /dev/zero > big; mkfifo f g; echo \"cwd $T\" > $M/children/a1/ctl; keys \"cd $T; clear; mito cp big a1:f\" Enter; see '^.[#.]*. [0-9]*% big'; cmp big f; see ':$'; keys 'clear; mito cp g a1:h' Enter; see '0 MiB g'; echo text > g; until [ -e h ]; do :; done; cat h; see '^:$'; tm capture-pane -p | grep -c MiB; tm kill-server",
		.output = "^.[#.]*. [0-9]*% big\n:$\n0 MiB g\ntext\n^:$\n0\n",
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
