/* Settings: each is applied in the child of a command, each failure is named by its stage and
 * changes nothing, those with a star also change a running command and all its descendants; they
 * are inherited, put back by `defaults`, and read back as text that makes another context alike
 * (rows R20, R29, R30, R61; cases T04, T16, T81).
 *
 * Every script starts in the mount. A stage is what `error` begins its sentence with; the ones
 * that need a right which root has run as another user. CPU stands for the last processor that
 * the test may use. */
#include "tests/mount.h"

#define CPU                                                                                \
	"cpu=$(taskset -cp $$ | sed 's/.*[^0-9]//'); first=$(taskset -cp $$ | sed 's/.*: " \
	"\\([0-9]*\\).*/\\1/')\n"
#define UNTIL(pattern, file) "until grep -q '" pattern "' " file "; do :; done\n"
/* What went wrong last, without its time. */
#define LAST "tail -n 1 error | cut -d' ' -f 3-"
#define NOBODY               \
	{                    \
		.uid = 65534 \
	}

/* clang-format off */
static const ShCase cases[] = {
	/* T81, T04: where nothing is set, the command has what mitofs was started with, and
	 * starts in the user's home. */
	{
		.path = "/mount/settings/T81/environment",
		.shells = "bash",
		.script = "cd $M; echo 'exec env' > ctl; env -u PWD -u OLDPWD -u SHLVL -u _ | sort > $T/mine; grep -vE '^(PWD|OLDPWD|SHLVL|_)=' stdout | sort | diff $T/mine -\n"
			  "grep -c ^MITOFS_TEST= stdout",
		.output = "1\n",
	},
	{
		.path = "/mount/settings/T81/cwd",
		.shells = "all",
		.script = "cd $M; mkdir -p $T/sub/deep; ln -s sub $T/link; touch $T/file; home=$(getent passwd $(id -u) | cut -d: -f6)\n"
			  "echo 'exec pwd' > ctl; read -r dir < stdout; [ \"$dir\" = \"$(cd $home && pwd -P)\" ] && echo home; cat wait > /dev/null\n"
			  "for dir in $T/sub '~' '~/' '/' \"'$T/sub/../sub/deep'\" $T/link/deep; do echo \"cwd $dir\" > ctl; echo 'exec pwd' > ctl; cat stdout; done | sed \"s:^$T:T:; s:^$home$:HOME:\"",
		.output = "home\nT/sub\nHOME\nHOME\n/\nT/sub/deep\nT/sub/deep\n",
	},
	{
		.path = "/mount/settings/T81/cwd-fails",
		.shells = "bash",
		.script = "cd $M; touch $T/file; for dir in $T/nosuch $T/file '~/no/such' \"'$T/a\nb'\"; do echo \"cwd $dir\" > ctl; try write ctl 'exec echo ran\\n'; " LAST "; cut -d' ' -f1-3 wait; done | sed \"s:$T:T:\"\n"
			  "try write ctl \"cwd ''\\n\"; try write ctl 'cwd\\n'; try write ctl 'cwd a b\\n'; cat stdout; echo 'cwd /' > ctl; echo 'exec pwd' > ctl; cat stdout",
		.regex = "ENOENT\nENOENT exec: cwd \"T/nosuch\": No such file or directory on [^\n]*\n126 exec ENOENT\n"
			 "ENOTDIR\nENOTDIR exec: cwd \"T/file\": Not a directory on [^\n]*\n126 exec ENOTDIR\n"
			 "ENOENT\nENOENT exec: cwd \"~/no/such\": No such file or directory on [^\n]*\n126 exec ENOENT\n"
			 "ENOENT\nENOENT exec: cwd \"T/a\\\\nb\": No such file or directory on [^\n]*\n126 exec ENOENT\n"
			 "EINVAL\nEINVAL\nEINVAL\n/\n",
	},
	/* The environment. */
	{
		.path = "/mount/settings/T04/env",
		.shells = "all",
		.script = "cd $M; printf '%s\\n' clearenv 'env A=1' 'env B=' \"env 'C=a b'\" \"env D='x=y'\" 'env A=2' \"env E=\\$'one\\\\ntwo'\" 'env F=$HOME' > ctl\n"
			  "echo 'exec env' > ctl; sort stdout; echo --\n"
			  "printf 'unenv A\\nunenv NOSUCH\\nenv B=3\\n' > ctl; echo 'exec env' > ctl; grep ^[AB] stdout",
		.output = "A=2\nB=\nC=a b\nD=x=y\nE=one\nF=$HOME\ntwo\n--\nB=3\n",
	},
	{
		.path = "/mount/settings/T04/unenv",
		.shells = "bash",
		.script = "cd $M; echo 'unenv HOME' > ctl; echo 'unenv MITOFS' > ctl; echo 'env MITOFS=x' > ctl; echo 'unenv T' > ctl; echo 'exec env' > ctl\n"
			  "grep -E '^(HOME|MITOFS|T)=' stdout; echo defaults > ctl; echo 'exec env' > ctl; grep -cE '^(HOME|MITOFS|T)=' stdout",
		.output = "MITOFS=x\n3\n",
	},
	/* The command is looked for by the PATH it will have. */
	{
		.path = "/mount/settings/T04/path",
		.shells = "bash",
		.script = "cd $M; mkdir $T/bin; printf '#!/bin/sh\\necho mine $0 \"$@\"\\n' > $T/bin/hello; chmod +x $T/bin/hello; try write ctl 'exec hello\\n'\n"
			  "echo \"env PATH=$T/nosuch:$T/bin:/usr/bin:/bin\" > ctl; echo 'exec hello a' > ctl; cat stdout | sed \"s:$T:T:\"\n"
			  "echo clearenv > ctl; echo 'exec sh -c \"echo $0\"' > ctl; cat stdout; try write ctl 'exec hello\\n'; " LAST,
		.regex = "ENOENT\nmine T/bin/hello a\nsh\nENOENT\nENOENT exec: \"hello\" not found in PATH=[^\n]* on [^\n]*\n",
	},
	{
		.path = "/mount/settings/R29/names",
		.shells = "bash",
		.script = "cd $M; for w in 'env' 'env A' 'env =1' \"env ''\" 'env A=1 B=2' 'unenv' 'unenv A=1' \"unenv ''\" 'unenv A B' 'clearenv A'; do try write ctl \"$w\\n\"; done | sort | uniq -c | tr -s ' '; tail -n +2 ctl",
		.output = " 10 EINVAL\ndefaults\n",
	},
	/* T16: words arrive as they were meant, whatever shells would make of them. */
	{
		.path = "/mount/settings/T16/words",
		.shells = "bash",
		.script = "cd $M; words=('' ' ' \"it's\" '\"' '\\' '$HOME' '`id`' '*' 'a&&b' ';' '#' '!x' $'a\\nb' $'\\377\\001\\t' '~' -- 'é' '{a,b}' $'\\r')\n"
			  "printf 'exec printf [%%s] ' > $T/line; printf '%q ' \"${words[@]}\" >> $T/line; echo >> $T/line; cat $T/line > ctl\n"
			  "cmp <(printf '[%s]' \"${words[@]}\") stdout && echo same; echo 'preexec printf [%s]' > ctl; cat $T/line > ctl; cmp <(printf '[%s]' printf '[%s]' \"${words[@]}\") stdout && echo chained",
		.output = "same\nchained\n",
	},
	/* The rest, one by one: set, seen by the command, and left alone for the next context. */
	{
		.path = "/mount/settings/umask",
		.shells = "all",
		.script = "cd $M; for mode in 0027 777 0 0077 7; do echo \"umask $mode\" > ctl; echo 'sh umask' > ctl; cat stdout; grep ^umask ctl; done\n"
			  "for w in 'umask' 'umask 8' 'umask 1000' 'umask -1' 'umask u=rwx' 'umask 0x1' \"umask ''\" 'umask 7 7' 'umask 00077'; do try write ctl \"$w\\n\"; done | sort | uniq -c | tr -s ' '; grep ^umask ctl",
		.output = "0027\numask 0027\n0777\numask 0777\n0000\numask 0000\n0077\numask 0077\n0007\numask 0007\n 9 EINVAL\numask 0007\n",
	},
	{
		.path = "/mount/settings/nice",
		.shells = "bash",
		.script = "cd $M; echo 'nice 7' > ctl; echo 'exec nice' > ctl; cat stdout; mkdir children/a; echo 'exec nice' > children/a/ctl; cat children/a/stdout; echo 'nice 3' > ctl; echo 'exec nice' > ctl; cat stdout\n"
			  "for w in nice 'nice 20' 'nice -21' 'nice x' 'nice 1.5' 'nice +1' \"nice ''\" 'nice 99999999999999999999' 'nice 0x1' 'nice 1 2'; do try write ctl \"$w\\n\"; done | sort | uniq -c | tr -s ' '",
		.output = "7\n7\n3\n 10 EINVAL\n",
	},
	{
		.path = "/mount/settings/nice-fails",
		.shells = "bash",
		.script = "cd $M; echo 'nice -5' > ctl; try write ctl 'exec echo ran\\n'; " LAST "; cut -d' ' -f1-3 wait; cat stdout; echo 'nice 0' > ctl; echo 'exec echo ran' > ctl; cat stdout\n"
			  "echo 'exec sleep 1000' > ctl; try write ctl 'nice -5\\n'; " LAST "; grep ^nice ctl",
		.regex = "EACCES\nEACCES exec: nice -5: Permission denied on [^\n]*\n126 exec EACCES\nran\nEACCES\nEACCES nice: [^\n]*Permission denied[^\n]*\nnice 0\n",
		.setup = NOBODY,
	},
	{
		.path = "/mount/settings/affinity",
		.shells = "bash",
		.script = "cd $M; " CPU "for list in $cpu $first,$cpu $first-$cpu; do echo \"affinity $list\" > ctl; echo 'exec grep Cpus_allowed_list /proc/self/status' > ctl\n"
			  "	[ \"$(cut -f2 stdout)\" = \"$(taskset -c $list grep Cpus_allowed_list /proc/self/status | cut -f2)\" ] && echo same; done\n"
			  "for w in affinity \"affinity ''\" 'affinity x' 'affinity 1-0' 'affinity 0,' 'affinity ,0' 'affinity -1' 'affinity 0-' 'affinity 99999' 'affinity 0 1'; do try write ctl \"$w\\n\"; done | sort | uniq -c | tr -s ' '\n"
			  "echo 'affinity 1000' > ctl; try write ctl 'exec echo ran\\n'; " LAST "; cut -d' ' -f1-3 wait",
		.regex = "same\nsame\nsame\n 10 EINVAL\nEINVAL\nEINVAL exec: affinity 1000: Invalid argument on [^\n]*\n126 exec EINVAL\n",
	},
	{
		.path = "/mount/settings/oom",
		.shells = "bash",
		.script = "cd $M; for n in 500 1000 0; do echo \"oom $n\" > ctl; echo 'exec cat /proc/self/oom_score_adj' > ctl; cat stdout; done\n"
			  "for w in oom 'oom 1001' 'oom -1001' 'oom x' 'oom 1 2' \"oom ''\"; do try write ctl \"$w\\n\"; done | sort | uniq -c | tr -s ' '; grep ^oom ctl",
		.output = "500\n1000\n0\n 6 EINVAL\noom 0\n",
	},
	{
		.path = "/mount/settings/oom-fails",
		.shells = "bash",
		.script = "cd $M; echo 'oom -900' > ctl; try write ctl 'exec echo ran\\n'; " LAST "; cut -d' ' -f1-3 wait\n"
			  "echo 'oom 300' > ctl; echo 'exec cat /proc/self/oom_score_adj' > ctl; cat stdout; echo 'exec sleep 1000' > ctl; try write ctl 'oom -900\\n'; " LAST "; grep ^oom ctl",
		.regex = "EACCES\nEACCES exec: oom -900: Permission denied on [^\n]*\n126 exec EACCES\n300\nEACCES\nEACCES oom: [^\n]*\noom 300\n",
		.setup = NOBODY,
	},
	{
		.path = "/mount/settings/rlimit",
		.shells = "all",
		.script = "cd $M; hard=$(ulimit -Hn); for l in 'nofile 100' 'nofile 100:200' 'core 0' 'stack unlimited' 'cpu 10:20' 'fsize 8192'; do echo \"rlimit $l\" > ctl; done\n"
			  "echo 'exec dash -c \"ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -t; ulimit -Ht; ulimit -f\"' > ctl; cat stdout; grep ^rlimit ctl\n"
			  "echo defaults > ctl; echo 'rlimit nofile 100' > ctl; echo 'sh ulimit -Sn; ulimit -Hn' > ctl; cat stdout | sed \"s/^$hard$/HARD/\"",
		.output = "100\n200\n0\n10\n20\n16\nrlimit nofile 100:200\nrlimit core 0\nrlimit stack unlimited\nrlimit cpu 10:20\nrlimit fsize 8192\n100\nHARD\n",
	},
	{
		.path = "/mount/settings/rlimit-each-name",
		.shells = "python3",
		.script = "import os, resource\n"
			  "os.chdir(os.environ['M'])\n"
			  "names = {n[7:].lower(): getattr(resource, n) for n in dir(resource) if n.startswith('RLIMIT_')}\n"
			  "names.pop('ofile', None)\n"
			  "for name, number in sorted(names.items()):\n"
			  "    soft, hard = resource.getrlimit(number)\n"
			  "    value = {'nice': 0, 'rtprio': 0, 'as': 1 << 40, 'data': 1 << 40, 'stack': 1 << 22}.get(name, 4321)\n"
			  "    if hard != -1: value = min(value, hard)\n"
			  "    open('ctl', 'w').write('defaults\\nrlimit %s %d\\n' % (name, value))\n"
			  "    open('ctl', 'w').write('exec cat /proc/self/limits\\n')\n"
			  "    if open('stdout').read().count(' %d ' % value) == 0: print(name)\n"
			  "print(len(names) >= 14)\n",
		.output = "True\n",
	},
	{
		.path = "/mount/settings/rlimit-fails",
		.shells = "bash",
		.script = "cd $M; for w in rlimit 'rlimit nofile' 'rlimit nosuch 1' 'rlimit nofile x' 'rlimit nofile -1' 'rlimit nofile 5:4' 'rlimit nofile 5:' 'rlimit nofile :5' 'rlimit NOFILE 5' 'rlimit nofile 1:2:3' 'rlimit nofile 18446744073709551616'; do try write ctl \"$w\\n\"; done | sort | uniq -c | tr -s ' '\n"
			  "hard=$(ulimit -Hn); echo 'rlimit core 0' > ctl; echo \"rlimit nofile $((hard + 1))\" > ctl; try write ctl 'exec echo ran\\n'; " LAST " | sed \"s/$((hard + 1))/MORE/; s/$hard/HARD/\"; cut -d' ' -f1-3 wait\n"
			  "echo \"rlimit nofile 10:$((hard + 1))\" > ctl; try write ctl 'exec echo ran\\n'; " LAST " | sed \"s/$((hard + 1))/MORE/\"",
		.regex = " 11 EINVAL\nEINVAL\nEINVAL exec: rlimit nofile MORE: above the hard limit HARD on [^\n]*\n126 exec EINVAL\n"
			 "EPERM\nEPERM exec: rlimit nofile 10:MORE: Operation not permitted on [^\n]*\n",
		.setup = NOBODY,
	},
	/* R61: the limit that mitofs raised for itself is not the command's. */
	{
		.path = "/mount/settings/R61/nofile-as-before",
		.shells = "bash",
		.script = "ulimit -Sn 300; $MITOFS $M; cd $M; echo 'sh ulimit -Sn' > ctl; cat stdout; mkdir children/a; echo 'connect local' > children/a/ctl; echo 'sh ulimit -Sn' > children/a/ctl; cat children/a/stdout\n"
			  "cd /; exec 3< $M/events; echo shutdown > $M/ctl; cat <&3 > /dev/null",
		.output = "300\n300\n",
		.errors = "",
		.code = 1,
		.setup = {.unmounted = TRUE},
	},
	{
		.path = "/mount/settings/shell",
		.shells = "bash",
		.script = "cd $M; for s in /bin/bash /bin/dash; do echo \"shell $s\" > ctl; echo 'sh echo $0 ${BASH_VERSION:+bash}' > ctl; cat stdout; done\n"
			  "echo 'shell /no/such' > ctl; try write ctl 'sh echo ran\\n'; " LAST "; cut -d' ' -f1-3 wait; echo 'exec echo still' > ctl; cat stdout\n"
			  "for w in shell 'shell bash' \"shell ''\" 'shell ./x' 'shell /bin/sh -x'; do try write ctl \"$w\\n\"; done | sort | uniq -c | tr -s ' '; grep ^shell ctl\n"
			  "echo defaults > ctl; echo 'sh echo $0' > ctl; [ \"$(cat stdout)\" = \"$(getent passwd $(id -u) | cut -d: -f7)\" ] && echo passwd",
		.regex = "/bin/bash bash\n/bin/dash\nENOENT\nENOENT sh: \"/no/such\": No such file or directory on [^\n]*\n127 exec ENOENT\nstill\n 5 EINVAL\nshell /no/such\npasswd\n",
	},
	/* preexec: a chain, executed in the command's place. */
	{
		.path = "/mount/settings/T04/preexec",
		.shells = "all",
		.script = "cd $M; echo 'preexec nice -n 3 env X=1 sh -c '\"'\"'echo pre $X \"$@\"; exec \"$@\"'\"'\"' name' > ctl; grep ^preexec ctl\n"
			  "echo 'exec sh -c \"echo command; nice; echo \\\"\\$0\\\"\" \"a  b\"' > ctl; cat stdout; grep ^argv status; echo 'exec sh -c \"echo \\$X\"' > ctl; cat stdout | tail -n 1; cat wait > /dev/null\n"
			  "echo again > ctl; cat stdout | tail -n 1; cat wait > /dev/null; echo preexec > ctl; grep -c ^preexec ctl; echo 'exec echo plain' > ctl; cat stdout",
		.output = "preexec nice -n 3 env X=1 sh -c 'echo pre $X \"$@\"; exec \"$@\"' name\npre 1 sh -c echo command; nice; echo \"$0\" a  b\ncommand\n3\na  b\n"
			  "argv sh -c 'echo command; nice; echo \"$0\"' 'a  b'\n1\n1\n0\nplain\n",
	},
	{
		.path = "/mount/settings/T04/preexec-same-process",
		.shells = "bash",
		.script = "cd $M; " CPU "echo \"preexec taskset -c $cpu\" > ctl; echo 'sh echo $$; grep Cpus_allowed_list /proc/self/status' > ctl; cat wait > /dev/null\n"
			  "[ \"$(head -n 1 stdout)\" = \"$(sed -n 's/^pid //p' status)\" ] && echo same; [ \"$(tail -n 1 stdout | cut -f2)\" = $cpu ] && echo bound",
		.output = "same\nbound\n",
	},
	{
		.path = "/mount/settings/T04/preexec-fails",
		.shells = "bash",
		.script = "cd $M; printf 'no program' > $T/data; echo 'exec echo before' > ctl; cat wait > /dev/null\n"
			  "for p in nosuch /no/such $T/data $T; do echo \"preexec $p -x\" > ctl; try write ctl 'exec echo ran\\n'; " LAST "; cut -d' ' -f1-3 wait; done | sed \"s:$T:T:\"\n"
			  "cat stdout; echo 'preexec false' > ctl; echo 'exec echo ran' > ctl; cat stdout wait | cut -d' ' -f1-3; try write ctl \"preexec ''\\n\"; grep ^preexec ctl",
		.regex = "ENOENT\nENOENT exec: preexec \"nosuch\" not found in PATH=[^\n]*\n126 exec ENOENT\nENOENT\nENOENT exec: preexec \"/no/such\": No such file or directory on [^\n]*\n126 exec ENOENT\n"
			 "EACCES\nEACCES exec: preexec \"T/data\": Permission denied on [^\n]*\n126 exec EACCES\nEACCES\nEACCES exec: preexec \"T\": Permission denied on [^\n]*\n126 exec EACCES\n"
			 "before\n1 exit 1\nEINVAL\npreexec false\n",
	},
	/* The command itself, for comparison: R53 has the rest. */
	{
		.path = "/mount/settings/stages-in-order",
		.shells = "bash",
		.script = "cd $M; echo 'cwd /no/such' > ctl; echo 'affinity 1000' > ctl; echo 'preexec nosuch' > ctl; for undo in 'affinity 0-1000' 'cwd /' 'preexec' 'cwd /'; do try write ctl 'exec nosuch2\\n'; " LAST " | cut -d' ' -f 1-3; cut -d' ' -f1-3 wait; echo \"$undo\" > ctl; done\n"
			  "grep -c . error; grep -E '^(state|run|code|why) ' status",
		.output = "EINVAL\nEINVAL exec: affinity\n126 exec EINVAL\nENOENT\nENOENT exec: cwd\n126 exec ENOENT\nENOENT\nENOENT exec: preexec\n126 exec ENOENT\nENOENT\nENOENT exec: \"nosuch2\"\n127 exec ENOENT\n"
			  "4\nstate exited\nrun 4\ncode 127\nwhy exec ENOENT\n",
	},
	{
		.path = "/mount/settings/winsize",
		.shells = "bash",
		.script = "cd $M; printf 'pty on\\nwinsize 132 43\\n' > ctl; echo 'exec stty size' > ctl; tr -d '\\r' < stdout\n"
			  "echo 'sh trap \"stty size; exit\" WINCH; echo ready; while :; do sleep 0.01; done' > ctl; head -n 1 stdout | tr -d '\\r'; echo 'winsize 50 20' > ctl; cat stdout | tail -n 1 | tr -d '\\r'\n"
			  "for w in winsize 'winsize 1' 'winsize 0 1' 'winsize 1 65536' 'winsize -1 5' 'winsize a b' 'winsize 1 2 3' pty 'pty yes' 'pty on off'; do try write ctl \"$w\\n\"; done | sort | uniq -c | tr -s ' '; tail -n +3 ctl",
		.output = "43 132\nready\n20 50\n 10 EINVAL\npty on\nwinsize 50 20\n",
	},
	/* R20: numbers of the settings that only the broker knows. */
	{
		.path = "/mount/settings/R20/numbers",
		.shells = "bash",
		.script = "cd $M; for w in timeout 'timeout -1' 'timeout x' 'timeout 1x' 'timeout 0x1' 'timeout 1e3' 'timeout 99999999999999999999' 'timeout 1.' 'timeout .5' 'timeout 1.0001' 'timeout 1 2' "
			  "	grace 'grace -1' 'grace none' 'grace 9999999' retain 'retain 0' 'retain -1' 'retain 1T' 'retain 1KB' 'retain 99999999999999999999' 'retain 17179869184G' overflow 'overflow x' "
			  "	eofmode 'eofmode x' onclose 'onclose x' connect-timeout 'connect-timeout 0' 'connect-timeout none' keepalive 'keepalive x' loglevel 'loglevel x' 'loglevel 3' fanout 'fanout 0' 'fanout -1' 'fanout 65537' "
			  "	'pipe x' 'pipe -a' 'pipe /a /b' 'pipe -a /a /b' 'defaults x'; do [ \"$(try write ctl \"$w\\n\")\" = EINVAL ] || echo \"$w\"; done; tail -n +2 ctl; wc -l < error",
		.output = "defaults\n45\n",
	},
	/* Every setting, changed while a command runs: refused and not changed, or taken at
	 * once. */
	{
		.path = "/mount/settings/while-running/refused",
		.shells = "bash",
		.script = "cd $M; echo 'exec cat' > ctl; for w in 'cwd /' 'env A=1' 'unenv A' clearenv 'umask 0' 'rlimit core 0' 'shell /bin/sh' 'preexec nice' preexec 'pty on' 'connect-timeout 3' 'keepalive 3' defaults; do [ \"$(try write ctl \"$w\\n\")\" = EBUSY ] || echo \"$w\"; done\n"
			  "tail -n +2 ctl; " LAST "; wc -l < error; echo text > stdin; cat stdout",
		.output = "defaults\nEBUSY defaults: a command runs (run 1, running)\n13\ntext\n",
	},
	{
		.path = "/mount/settings/while-running/taken",
		.shells = "bash",
		.script = "cd $M; mkdir children/a; " CPU "echo 'exec cat' > ctl; for w in 'nice 1' \"affinity $cpu\" 'oom 1' 'winsize 10 10' 'timeout 1000' 'grace 1' 'retain 8192' 'overflow drop' 'eofmode close' 'onclose hup' 'pipe /a' 'loglevel debug' 'fanout 3'; do try write ctl \"$w\\n\" > $T/out || cat $T/out; done\n"
			  "tail -n +2 ctl | sed \"s/^affinity $cpu/affinity CPU/\"; cat error; grep ^state status",
		.output = "defaults\nnice 1\naffinity CPU\noom 1\nwinsize 10 10\ntimeout 1000\ngrace 1\nretain 8192\noverflow drop\neofmode close\nonclose hup\npipe /a\nloglevel debug\nfanout 3\nstate running\n",
	},
	/* nice, affinity, oom: all of the tree, threads and what has detached itself too. */
	{
		.path = "/mount/settings/while-running/tree",
		.shells = "python3",
		.script = "import os\n"
			  "os.chdir(os.environ['M'])\n"
			  "code = '''import os, sys, threading, signal\n"
			  "threading.Thread(target=signal.pause if False else threading.Event().wait, daemon=True).start()\n"
			  "if len(sys.argv) == 1:\n"
			  "    for how in ('member', 'detached', 'orphan'):\n"
			  "        if os.fork() == 0:\n"
			  "            if how != 'member': os.setsid()\n"
			  "            if how == 'orphan' and os.fork() > 0: os._exit(0)\n"
			  "            os.execvp('python3', ['python3', sys.argv[0], how])\n"
			  "os.write(1, b'%d\\\\n' % os.getpid())\n"
			  "signal.pause()'''\n"
			  "open(os.environ['T'] + '/code', 'w').write(code)\n"
			  "def ctl(text):\n"
			  "    fd = os.open('ctl', os.O_WRONLY)\n"
			  "    assert os.write(fd, text.encode()) == len(text)\n"
			  "    os.close(fd)\n"
			  "ctl('exec python3 %s/code\\n' % os.environ['T'])\n"
			  "out = open('stdout')\n"
			  "pids = [int(out.readline()) for i in range(4)]\n"
			  "cpu = max(os.sched_getaffinity(0))\n"
			  "ctl('nice 4\\n'); ctl('affinity %d\\n' % cpu); ctl('oom 77\\n')\n"
			  "threads = 0\n"
			  "for pid in pids:\n"
			  "    assert open('/proc/%d/oom_score_adj' % pid).read() == '77\\n'\n"
			  "    for tid in os.listdir('/proc/%d/task' % pid):\n"
			  "        assert os.getpriority(os.PRIO_PROCESS, int(tid)) == 4\n"
			  "        assert os.sched_getaffinity(int(tid)) == {cpu}\n"
			  "        threads += 1\n"
			  "ctl('kill\\n')\n"
			  "print(threads, [l for l in open('ctl') if l.startswith(('nice', 'oom'))])",
		.output = "8 ['nice 4\\n', 'oom 77\\n']\n",
	},
	{
		.path = "/mount/settings/while-running/affinity-fails",
		.shells = "bash",
		.script = "cd $M; echo 'exec sleep 1000' > ctl; try write ctl 'affinity 1000\\n'; " LAST "; tail -n +2 ctl",
		.regex = "EINVAL\nEINVAL affinity: [^\n]*\ndefaults\n",
	},
	{
		.path = "/mount/settings/while-running/timeout",
		.shells = "all",
		.script = "cd $M; echo 'exec sleep 1000' > ctl; echo 'timeout 0.05' > ctl; read -r code why argument rest < wait; echo $code $why $argument\n"
			  "echo 'grace 0.05' > ctl; echo 'sh trap \"\" TERM; echo ready; while :; do sleep 0.01; done' > ctl; read -r code rest < wait; echo $code; cat stdout > /dev/null\n"
			  "echo 'timeout 1000' > ctl; echo 'exec sleep 1000' > ctl; echo 'timeout none' > ctl; grep ^state status; echo kill > ctl; cut -d' ' -f1-3 wait; grep -c ^timeout ctl",
		.output = "124 timeout 0.05\n124\nstate running\n137 signal KILL\n0\n",
		.code = 1,
	},
	{
		.path = "/mount/settings/grace",
		.shells = "bash",
		.script = "cd $M; echo 'grace 0.05' > ctl; echo 'sh trap \"echo term\" TERM; echo ready; while :; do sleep 0.01; done' > ctl; head -n 1 stdout; echo stop > ctl; cut -d' ' -f1-3 wait; cat stdout\n"
			  "echo 'grace 1000' > ctl; echo 'sh trap \"exit 3\" TERM; echo ready; while :; do sleep 0.01; done' > ctl; head -n 1 stdout; echo stop > ctl; cut -d' ' -f1-3 wait",
		.output = "ready\n137 signal KILL\nready\nterm\nready\n3 exit 3\n",
	},
	/* Inheritance is by copy, at mkdir. */
	{
		.path = "/mount/settings/inherited",
		.shells = "bash",
		.script = "cd $M; mkdir children/t; printf 'cwd /\\nenv A=1\\numask 0027\\nnice 2\\npreexec env B=2\\npipe /t\\nfanout 9\\n' > ctl; mkdir -p children/a/children/b\n"
			  "printf 'defaults\\ncwd /tmp\\n' > ctl; for c in children/a children/a/children/b children/t .; do echo $c; tail -n +3 $c/ctl; done\n"
			  "cd children/a/children/b; echo 'sh pwd; echo $A$B; umask; nice' > ctl; cat stdout; echo 'nice 3' > ctl; grep ^nice ../../ctl",
		.output = "children/a\ncwd /\nenv A=1\numask 0027\nnice 2\npreexec env B=2\nfanout 9\nchildren/a/children/b\ncwd /\nenv A=1\numask 0027\nnice 2\npreexec env B=2\nfanout 9\n"
			  "children/t\n.\ncwd /tmp\n/\n12\n0027\n2\nnice 2\n",
	},
	/* Everything at once, with values that need quoting: what ctl prints makes another
	 * context alike, and nothing starts. */
	{
		.path = "/mount/settings/R30/round-trip",
		.shells = "all",
		.script = "cd $M/children; mkdir a b t; cat > $T/settings <<'END'\n"
			  "cwd '/tmp/a b'\n"
			  "clearenv\n"
			  "env A=1\n"
			  "env 'B=it'\\''s a \"x\" # $HOME'\n"
			  "env $'C=line\\nbreak\\t\\377\\001'\n"
			  "env 'D=\xc3\xa9'\n"
			  "env E=\n"
			  "umask 0007\n"
			  "nice 19\n"
			  "affinity 0-3,8\n"
			  "oom 500\n"
			  "rlimit nofile 100:200\n"
			  "rlimit core unlimited\n"
			  "shell '/bin/my sh'\n"
			  "preexec sh -c 'exec \"$@\"' ''\n"
			  "pty on\n"
			  "winsize 1 2\n"
			  "timeout 0.005\n"
			  "grace 0\n"
			  "retain 4096\n"
			  "overflow drop\n"
			  "eofmode never\n"
			  "onclose kill\n"
			  "pipe -a /t\n"
			  "connect-timeout 1.500\n"
			  "keepalive 0\n"
			  "loglevel error\n"
			  "fanout 1\n"
			  "END\n"
			  "cat $T/settings > a/ctl; tail -n +3 a/ctl > $T/read; diff $T/settings $T/read\n"
			  "echo 'env X=1' > b/ctl; cat a/ctl > b/ctl && tail -n +2 b/ctl > $T/b; tail -n +2 a/ctl | cmp - $T/b && head -n 1 b/ctl | cut -d' ' -f3-; grep -E '^(state|run) ' b/status\n"
			  "echo defaults > a/ctl; tail -n +2 a/ctl; cat a/error b/error",
		.output = "b idle\nstate idle\nrun -\ndefaults\n",
	},
	{
		.path = "/mount/settings/R30/place",
		.shells = "bash",
		.script = "cd $M/children; mkdir a b; printf 'umask 0\\nconnect local\\n' > a/ctl; tail -n +2 a/ctl; cat a/ctl > b/ctl; echo 'exec echo hello' > b/ctl; cat b/stdout; grep -E '^(place|link) ' b/status; tail -n +2 b/ctl; grep ^run a/status",
		.output = "defaults\numask 0000\nasync connect local\nhello\nplace /b\nlink up\ndefaults\numask 0000\nasync connect local\nrun -\n",
	},
	/* Unset and set again: what is said last holds, in the text too. */
	{
		.path = "/mount/settings/environment-text",
		.shells = "bash",
		.script = "cd $M; printf '%s\\n' 'env A=1' 'unenv B' 'unenv A' 'env B=2' 'unenv C' 'unenv C' > ctl; tail -n +3 ctl; echo; printf '%s\\n' clearenv 'unenv A' 'env A=5' > ctl; tail -n +3 ctl",
		.output = "unenv A\nunenv C\nenv B=2\n\nclearenv\nenv A=5\n",
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
