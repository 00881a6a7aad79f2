/* Places on other machines: the bed `hosts`, ssh to each of them, ssh from one to the next, su and
 * sudo there. How each kind of loss shows, that nothing stays behind any end, what a slow or lossy
 * link costs, and where a password never stands (rows R78 to R86, R111 to R113; cases T03, T07, T08,
 * T17, T19, T34, T38, T44, T50, T53, T61, T62, T87 to T90, T93, T98, T101). */
#include "tests/agents.h"
#include "tests/mount.h"

/* init HOST: sets $i to its first process; a quiet host has no other. procs HOST: prints the pids
 * there. named HOST NAME: those of that name. clean HOST...: waits until each is quiet, and prints
 * what files the first stage left. */
#define HOST_TOOLS                                                                               \
	"init() { read -r _ i < $BED/hosts/$1/pids; }\n"                                         \
	"procs() { init $1; pgrep --ns $i --nslist pid .; }\n"                                   \
	"named() { init $1; pgrep --ns $i --nslist pid -x $2; }\n"                               \
	"clean() { for h; do init $h; until [ \"$(procs $h)\" = $i ]; do :; done; for r in tmp " \
	"dev/shm var/tmp run root; do ls -A /proc/$i/root/$r | grep '^[.]mitofs'; done; done; "  \
	"echo clean; }\n"

/* up CONTEXT HOST: a new context, connected. ends CONTEXT: how its run has ended. out CONTEXT LINE:
 * what that line of sh prints there. */
#define FAR                                                                                      \
	HOST_TOOLS "cd $M/children\n"                                                            \
		   "up() { mkdir $1; echo \"connect ssh -F $SSHCONF $2\" > $1/ctl; }\n"          \
		   "ends() { cut -d ' ' -f 1-3 $1/wait; }\n"                                     \
		   "out() { o=$1; shift; echo \"sh $*\" > $o/ctl; cat $o/stdout; cat $o/wait > " \
		   "$T/waited; }\n"

/* A context h1, a place behind it, h1/children/h2 ($d), and another beside it, s. daemons CONTEXT...:
 * each runs a command that does not end by TERM, and has left others outside of its session. */
#define NEST                                                                                    \
	FAR "d=h1/children/h2; up h1 h1; up s h3; mkdir $d; echo 'connect ssh h2' > $d/ctl\n"   \
	    "daemons() { for c; do echo 'grace 0.1' > $c/ctl; echo 'sh setsid -f sleep 1000 > " \
	    "/dev/null 2>&1; env -i setsid -f /bin/sh -c \"sleep 1000 & exec sleep 1000\" > "   \
	    "/dev/null 2>&1; trap \"\" TERM; echo up; while :; do sleep 1000; done' > $c/ctl; " \
	    "read -r x < $c/stdout; echo $x; done; }\n"

/* What every loss of h1 looks like. @BEFORE runs first; @LOSS_OF_IT when three commands run and
 * their readers wait; @AFTER makes the host what it was. */
#define LOSS(BEFORE, LOSS_OF_IT, AFTER)                                                            \
	NEST BEFORE                                                                                \
		"\nfor c in h1 $d s; do echo 'sh seq 1000; exec sleep 1000' > $c/ctl; done\n"      \
		"i=0; for c in h1 $d s; do until grep -qx 'stdout 3893' $c/status; do :; done; "   \
		"cat $c/stdout > $T/out$i 2> $T/err$i & r[$i]=$!; cat $c/wait > $T/wait$i & "      \
		"r[$((i + 3))]=$!; i=$((i + 1)); done; try parked ${r[*]}; exec 4< "               \
		"../events\n" LOSS_OF_IT                                                           \
		"\nwait ${r[0]} ${r[1]} ${r[3]} ${r[4]}; seq 1000 > $T/seq; for i in 0 1; do cmp " \
		"$T/seq $T/out$i; sed 's/.*: //' $T/err$i; cut -d ' ' -f 1-3 $T/wait$i; done\n"    \
		"grep -hE '^(state|link|failure) ' h1/status $d/status s/status\n"                 \
		"a=; while read -r t path what rest <&4; do case \"$path $what\" in '/h1 lost' | " \
		"'/h1/h2 lost') a=$a$path,;; esac; [ ${#a} -lt 22 ] || break; done; echo $a | tr " \
		", '\\n' | sort | uniq -c | tr -s ' '\n"                                           \
		"try write $d/ctl 'exec true\\n'; try write h1/ctl 'exec true\\n'\n"               \
		"kill ${r[2]} ${r[5]}; echo KILL > s/signal; ends s\n" AFTER "\n"                  \
		"echo \"connect ssh -F $SSHCONF h1\" > h1/ctl; echo 'connect ssh h2' > $d/ctl; "   \
		"out $d hostname; rmdir $d h1 s; clean h1 h2 h3"

#define LOST_OUTPUT                                                                             \
	"Connection reset by peer\n255 lost ECONNRESET\nConnection reset by peer\n255 lost "    \
	"ECONNRESET\nlink lost\nfailure lost\nstate lost\nlink lost\nfailure lost\nstate "      \
	"lost\nlink up\nfailure -\nstate running\n 1 \n 2 /h1\n 2 /h1/h2\nENOTCONN\nENOTCONN\n" \
	"137 signal KILL\nclean\nh2\nclean\n"

/* People on a host where CONTEXT is root. asked CONTEXT: connect there by sudo, and wait for the
 * question. */
#define PEOPLE                                                                                     \
	"people() { out $1 'id alice > /dev/null 2>&1 || useradd -m -s /bin/bash alice; id bob > " \
	"/dev/null 2>&1 || useradd -m -s /bin/bash bob; printf "                                   \
	"\"alice:alice-pw\\\\nbob:bob-pw\\\\n\" | "                                                \
	"chpasswd; echo \"alice ALL=(ALL) ALL\" > /etc/sudoers.d/bed'; }\n"                        \
	"asked() { exec 4< $M/events; mkdir $1; echo \"async connect $2\" > $1/ctl; while read "   \
	"-r t p w q "                                                                              \
	"<&4; do [ $w != prompting ] || break; done; exec 4<&-; }\n"

/* For python3: what looks for two passwords wherever they must not stand: look() gives the places. */
#define SCAN                                                                                 \
	"import glob, os, re, subprocess\n"                                                  \
	"top = os.environ['M'] + '/children/'\n"                                             \
	"right, wrong = b'c4n' + b'ary-right', b'c4n' + b'ary-wrong'\n"                      \
	"def ctl(context, line):\n"                                                          \
	"	with open(top + context + '/ctl', 'wb', buffering=0) as f: f.write(line.encode() " \
	"+ b'\\n')\n"                                                                        \
	"def word(context, key):\n"                                                          \
	"	return re.search('^%s (.*)$' % key, open(top + context + '/status').read(), "      \
	"re.M).group(1)\n"                                                                   \
	"def make(context, line, before=None):\n"                                            \
	"	os.mkdir(top + context)\n"                                                         \
	"	if before: answer(context, before)\n"                                              \
	"	ctl(context, line)\n"                                                              \
	"def answer(context, secret):\n"                                                     \
	"	with open(top + context + '/prompt', 'wb', buffering=0) as f: f.write(secret + "   \
	"b'\\n')\n"                                                                          \
	"def ask(context, line):\n"                                                          \
	"	make(context, 'async ' + line)\n"                                                  \
	"	while word(context, 'link') != 'prompting': pass\n"                                \
	"def who(context):\n"                                                                \
	"	ctl(context, 'exec id -un')\n"                                                     \
	"	return open(top + context + '/stdout').read().strip()\n"                           \
	"def everybody():\n"                                                                 \
	"	for path in glob.glob('/proc/[0-9]*'):\n"                                          \
	"		try: yield path, open(path + '/comm').read().strip()\n"                           \
	"		except OSError: pass\n"                                                           \
	"def memory(path):\n"                                                                \
	"	try: mem, lines = open(path + '/mem', 'rb', buffering=0), open(path + "            \
	"'/maps').read().splitlines()\n"                                                     \
	"	except OSError: return\n"                                                          \
	"	for words in map(str.split, lines):\n"                                             \
	"		begin, end = (int(n, 16) for n in words[0].split('-'))\n"                         \
	"		if not words[1].startswith('rw') or end - begin > 1 << 28: continue\n"            \
	"		try: yield words[-1], os.pread(mem.fileno(), end - begin, begin)\n"               \
	"		except OSError: pass\n"                                                           \
	"def look():\n"                                                                      \
	"	hits = []\n"                                                                       \
	"	for path, name in everybody():\n"                                                  \
	"		for f in 'cmdline', 'environ':\n"                                                 \
	"			try: text = open(path + '/' + f, 'rb').read()\n"                                 \
	"			except OSError: continue\n"                                                      \
	"			hits += [(name, f) for s in (right, wrong) if s in text]\n"                      \
	"		if name not in ('mitofs', 'mount-watcher', 'ctx-agent'): continue\n"              \
	"		for what, text in list(memory(path)):\n"                                          \
	"			hits += [(name, path, what, m.start(), text[max(0, m.start() - "                 \
	"24):m.start() + 24]) for m in re.finditer(b'c4n' + b'ary-', text)]\n"               \
	"	for context, _, files in os.walk(os.environ['M']):\n"                              \
	"		for f in {'ctl', 'status', 'log', 'error', 'prompt', 'events'} & "                \
	"set(files):\n"                                                                      \
	"			fd = os.open(context + '/' + f, os.O_RDONLY | os.O_NONBLOCK)\n"                  \
	"			try: hits += [(context, f) for said in [os.read(fd, 100000)] for "               \
	"s in (right, wrong) if s in said]\n"                                                \
	"			except BlockingIOError: pass\n"                                                  \
	"			os.close(fd)\n"                                                                  \
	"	return hits\n"

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/remote/T93/T03/three-at-once",
		.shells = "bash",
		.script = FAR "for h in h1 h2 h3; do up $h $h; done; for h in h1 h2 h3; do echo 'sh hostname; exec cat' > $h/ctl; done; for h in h3 h2 h1; do echo text-$h > $h/stdin; done; cat h?/stdout; cat h?/wait | cut -d ' ' -f 1-3; grep -hE '^(place|method|host|user|link) ' h1/status; rmdir h1 h2 h3; clean h1 h2 h3",
		.output = "h1\ntext-h1\nh2\ntext-h2\nh3\ntext-h3\n0 exit 0\n0 exit 0\n0 exit 0\nplace /h1\nmethod ssh\nhost h1\nuser root\nlink up\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R80/T53/T61/kill-of-ssh",
		.shells = "bash",
		.script = LOSS("true", "kill -KILL $(pgrep -f \"^ssh .*-F $SSHCONF h1 exec\")", "clean h1 h2"),
		.output = LOST_OUTPUT,
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R80/T50/T61/kill-of-hop-agent",
		.shells = "bash",
		.script = LOSS("true", "kill -KILL $(named h1 ctx-agent) 2> $T/gone", "clean h1 h2"),
		.output = LOST_OUTPUT,
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R80/T53/kill-of-session",
		.shells = "bash",
		.script = LOSS("true", "init h1; kill -KILL $(named h1 sshd | grep -vx $i) 2> $T/gone", "clean h1 h2"),
		.output = LOST_OUTPUT,
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R80/R84/crash",
		.shells = "bash",
		.script = LOSS("true", "$HOSTS crash h1", "$HOSTS boot h1; clean h1 h2"),
		.output = LOST_OUTPUT,
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R81/R84/cut",
		.shells = "bash",
		.script = LOSS("rmdir $d; echo disconnect > h1/ctl; echo 'keepalive 0.2' > h1/ctl; echo \"connect ssh -F $SSHCONF h1\" > h1/ctl; mkdir $d; echo 'connect ssh h2' > $d/ctl", "$HOSTS cut h1", "$HOSTS join h1; clean h1 h2"),
		.output = LOST_OUTPUT,
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R81/T98/others-answer",
		.shells = "bash",
		.script = NEST "echo 'exec sleep 1000' > h1/ctl; cat h1/stdout 2> $T/err & r=$!; try parked $r; $HOSTS cut h1; for i in 1 2 3 4 5; do ls . h1 s $d > $T/ls; stat h1/* s/* > $T/stat; cat h1/status $d/status h1/ctl $d/ctl > $T/text; out s echo $i; out .. echo $i; done; grep '^link' h1/status; kill -KILL $r; wait $r 2> $T/err; echo $?; $HOSTS join h1; out h1/children/../../s hostname; echo KILL > h1/signal; ends h1; out $d hostname; rmdir $d h1 s; clean h1 h2 h3",
		.output = "1\n1\n2\n2\n3\n3\n4\n4\n5\n5\nlink up\n137\nh3\n137 signal KILL\nh2\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R82/R85/short-cut",
		.shells = "bash",
		.script = FAR "up h1 h1; echo 'keepalive 10' > h1/ctl; echo 'exec seq 400000' > h1/ctl; { head -c 100000; $HOSTS cut h1; for i in 1 2 3; do out .. echo $i >&2; done; $HOSTS join h1; cat; } < h1/stdout 2> $T/err | cksum; seq 400000 | cksum; cat $T/err; ends h1; rmdir h1; clean h1",
		.output = "2852415605 2688895\n2852415605 2688895\n1\n2\n3\n0 exit 0\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R86/middle-hop",
		.shells = "bash",
		.script = FAR "up h1 h1; a=h1/children/h2; b=$a/children/h3; x=h1/children/x; mkdir $a; echo 'connect ssh h2' > $a/ctl; mkdir $b; echo 'connect ssh h3' > $b/ctl; mkdir $x; echo 'connect local' > $x/ctl; for c in $a $b $x h1; do echo 'exec sleep 1000' > $c/ctl; done; kill -KILL $(named h2 ctx-agent) 2> $T/killed; for c in $a $b; do ends $c; done; grep -hE '^(link|state) ' h1/status $a/status $b/status $x/status; grep -c '^.* lost' h1/log $a/log; clean h2 h3; for c in h1 $x; do echo KILL > $c/signal; ends $c; done; out h1 hostname; rmdir $x $b $a h1; clean h1",
		.regex = "255 lost ECONNRESET\n255 lost ECONNRESET\nlink up\nstate running\nlink lost\nstate lost\nlink lost\nstate lost\nlink up\nstate running\n.*clean\n137 signal KILL\n137 signal KILL\nh1\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R63/R78/T07/failures-through-a-hop",
		.shells = "bash",
		.script = FAR "up h1 h1; p=$(procs h1); c=h1/children/x; mkdir $c; echo 'connect-timeout 5' > $c/ctl; for w in '-p 1 h2' '-o IdentityFile=/dev/null h2'; do try write $c/ctl \"connect ssh -o BatchMode=yes -o IdentitiesOnly=yes $w\\n\"; sed -n 's/^failure //p' $c/status; out h1 hostname; done; cut -d ' ' -f 3-9 $c/error; until [ \"$(procs h1)\" = \"$p\" ]; do :; done; rmdir $c h1; clean h1 h2",
		.regex = "ECONNREFUSED\nrefused\nh1\nEACCES\nauth-failed\nh1\nECONNREFUSED connect: ssh from h1: connection refused.*clean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/T08/missing-program",
		.shells = "bash",
		.script = FAR "up h1 h1; up h2 h2; c=h1/children/x; mkdir $c h2/children/x; for x in $c h2/children/x; do try write $x/ctl 'connect command nosuch\\n'; sed -n 's/^failure //p' $x/status; done; for x in h1 h2; do try write $x/ctl 'exec nosuch\\n'; tail -n 1 $x/error | cut -d ' ' -f 3-6; done; cat $c/error | cut -d ' ' -f 3-; rmdir $c h2/children/x h1 h2; clean h1 h2",
		.regex = "ENOENT\nno-client\nENOENT\nno-client\nENOENT\nENOENT exec: \"nosuch\" not\nENOENT\nENOENT exec: \"nosuch\" not\nENOENT connect: .*nosuch.*\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/T17/T19/login-scripts",
		.shells = "bash",
		.script = FAR "up h1 h1; out h1 'echo \"echo Permission denied \\(publickey\\).; echo Permission denied \\(publickey\\). >&2\" > ~/.bashrc'; up a h1; out a hostname; out h1 'echo sleep 2 > ~/.bashrc'; mkdir b; echo 'connect-timeout 0.7' > b/ctl; try write b/ctl \"connect ssh -F $SSHCONF h1\\n\"; cut -d ' ' -f 3- b/error; out h1 rm .bashrc; rmdir a b h1; clean h1",
		.regex = "Permission denied .publickey..\nh1\nPermission denied .publickey..\nETIMEDOUT\nETIMEDOUT connect: ssh: .*\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/T34/T89/words-of-the-client",
		.shells = "bash",
		.script = FAR "mkdir a; echo \"connect ssh -vv -F $SSHCONF h1\" > a/ctl; grep -c 'client: debug1: Authentication succeeded\\|client: Authenticated to' a/log; n=$(grep -c adjust a/log); echo 'exec head -c 6000000 /dev/zero' > a/ctl; cat a/stdout | wc -c; cat a/stdout | wc -c; ends a; grep -q 'client: debug2: .*adjust' a/log && echo said; grep '^link' a/status; rmdir a; clean h1",
		.regex = "[12]\n6000000\n6000000\n0 exit 0\nsaid\nlink up\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/T62/connect-anew",
		.shells = "bash",
		.script = NEST "pids() { named h1 ctx-agent; pgrep -f \"^ssh .*-F $SSHCONF h1 exec\"; named h2 ctx-agent; }; pids | sort > $T/old; wc -l < $T/old; try write h1/ctl 'disconnect\\n'; kill -KILL $(named h1 ctx-agent | head -n 1); clean h1 h2; grep -h ^link $d/status; echo \"connect ssh -F $SSHCONF h1\" > h1/ctl; echo 'connect ssh h2' > $d/ctl; pids | sort > $T/new; wc -l < $T/new; comm -12 $T/old $T/new; out $d hostname; rmdir $d h1 s; clean h1 h2 h3",
		.output = "5\nENOTEMPTY\nclean\nlink lost\n5\nh2\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/T90/connects-side-by-side",
		.shells = "bash",
		.script = FAR "up h1 h1; $HOSTS cut h2; for n in 1 2 3; do mkdir h1/children/$n; done; echo 'async connect ssh h2' > h1/children/1/ctl; echo 'exec cat /dev/zero' > h1/ctl; echo 'async connect ssh h3' > h1/children/2/ctl; echo 'connect ssh h3' > h1/children/3/ctl; out h1/children/3 hostname; out h1/children/2 hostname; grep ^link h1/children/1/status; echo cancel > h1/children/1/ctl; echo KILL > h1/signal; ends h1; $HOSTS join h2; rmdir h1/children/? h1; clean h1 h2 h3",
		.output = "h3\nh3\nlink connecting\n137 signal KILL\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/T98/killed-reader",
		.shells = "bash",
		.script = NEST "echo 'exec sleep 1000' > $d/ctl; cat $d/stdout & r=$!; try parked $r; out s hostname; cat $d/status $d/ctl h1/status > $T/text; kill -KILL $r; wait $r 2> $T/err; echo $?; echo KILL > $d/signal; ends $d; rmdir $d h1 s; clean h1 h2 h3",
		.output = "h3\n137\n137 signal KILL\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/T44/T38/question-three-hops-down",
		.shells = "bash",
		.script = FAR PEOPLE "up h1 h1; b=h1/children/h2; mkdir $b; echo 'connect ssh h2' > $b/ctl; people $b; c=$b/children/alice; mkdir $c; echo 'connect su alice' > $c/ctl; e=$c/children/root; asked $e sudo; cat $e/prompt; grep -h '^link' $e/status; echo wrong > $e/prompt; until grep -q 'question=Sorry\\|Sorry' $e/log; do :; done; echo alice-pw > $e/prompt; out $e 'id -un; hostname'; f=$c/children/bob; mkdir $f; echo bob-pw > $f/prompt; echo 'connect su bob' > $f/ctl; out $f 'id -un; hostname'; grep -hE '^(path|place|user|host) ' $e/status; rmdir $f $e $c $b h1; clean h1 h2",
		.output = "[sudo] password for alice: \nlink prompting\nroot\nh2\nbob\nh2\npath /h1/h2/alice/root\nplace /h1/h2/alice/root\nhost h2\nuser root\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/T87/R83/rmdir",
		.shells = "bash",
		.script = NEST "daemons h1 $d s; for c in h1 $d s; do echo KILL > $c/signal; ends $c; done; rmdir $d h1 s; clean h1 h2 h3",
		.output = "up\nup\nup\n137 signal KILL\n137 signal KILL\n137 signal KILL\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/T87/R83/destroy",
		.shells = "bash",
		.script = NEST "daemons h1 $d s; echo destroy > $d/ctl; clean h2; for c in h1 s; do echo destroy > $c/ctl; done; ls; clean h1 h3",
		.output = "up\nup\nup\nclean\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/T87/R83/disconnect",
		.shells = "bash",
		.script = NEST "daemons $d; try write $d/ctl 'disconnect\\n'; echo KILL > $d/signal; ends $d; echo disconnect > $d/ctl; clean h2; rmdir $d; daemons h1; echo KILL > h1/signal; ends h1; echo disconnect > h1/ctl; clean h1; rmdir h1 s; clean h3",
		.output = "up\nEBUSY\n137 signal KILL\nclean\nup\n137 signal KILL\nclean\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/T87/R83/kill-of-ssh",
		.shells = "bash",
		.script = NEST "daemons h1 $d; kill -KILL $(pgrep -f \"^ssh .*-F $SSHCONF h1 exec\"); ends h1; ends $d; clean h1 h2; rmdir $d h1 s; clean h3",
		.output = "up\nup\n255 lost ECONNRESET\n255 lost ECONNRESET\nclean\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/T87/R83/kill-of-hop-agents",
		.shells = "bash",
		.script = NEST "for n in 1 2; do daemons h1 $d; kill -KILL $(named h1 ctx-agent | sed -n ${n}p); ends h1; ends $d; clean h1 h2; echo \"connect ssh -F $SSHCONF h1\" > h1/ctl; echo 'connect ssh h2' > $d/ctl; done; rmdir $d h1 s; clean h1 h2 h3",
		.output = "up\nup\n255 lost ECONNRESET\n255 lost ECONNRESET\nclean\nup\nup\n255 lost ECONNRESET\n255 lost ECONNRESET\nclean\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/T88/R82/stopped-workers",
		.shells = "bash",
		.script = NEST "daemons h1 $d s; for h in h1 h2 h3; do kill -STOP $(named $h ctx-agent | tail -n 1); done; for c in $d h1 s; do echo destroy > $c/ctl; done; ls; clean h1 h2 h3",
		.output = "up\nup\nup\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R82/delay/both-ways",
		.shells = "bash",
		.script = FAR "$HOSTS delay h1 25; up h1 h1; head -c 10485760 /dev/urandom > $T/in; echo 'exec cat' > h1/ctl; cat $T/in > h1/stdin & cat h1/stdout | cmp - $T/in && echo same; ends h1; $HOSTS reset; rmdir h1; clean h1",
		.output = "same\n0 exit 0\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R82/loss/both-ways",
		.shells = "bash",
		.script = FAR "$HOSTS loss h1 1; up h1 h1; head -c 10485760 /dev/urandom > $T/in; echo 'exec cat' > h1/ctl; cat $T/in > h1/stdin & cat h1/stdout | cmp - $T/in && echo same; ends h1; $HOSTS reset; rmdir h1; clean h1",
		.output = "same\n0 exit 0\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R82/control-before-data",
		.shells = "bash",
		.script = FAR "$HOSTS delay h1 25; $HOSTS rate h1 4000; up h1 h1; mkdir h1/children/c; echo 'exec head -c 12000000 /dev/zero' > h1/ctl; cat h1/stdout | wc -c > $T/count & r=$!; until [ $(sed -n 's/^stdout //p' h1/status) -gt 1000000 ]; do :; done; out h1/children/c echo first; [ $(sed -n 's/^stdout //p' h1/status) -lt 12000000 ] && echo before; wait $r; cat $T/count; $HOSTS reset; rmdir h1/children/c h1; clean h1",
		.output = "first\nbefore\n12000000\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R82/T98/streams-take-turns",
		.shells = "bash",
		.script = FAR "up h1 h1; for c in a b c; do mkdir h1/children/$c; echo 'exec cat /dev/zero' > h1/children/$c/ctl; done; c=h1/children/c; until grep -qx 'stdout.blocked 1' $c/status; do :; done; for i in a b; do head -c 20000000 h1/children/$i/stdout | wc -c > $T/$i & r=\"$r $!\"; done; wait $r; cat $T/a $T/b; for i in a b c; do echo KILL > h1/children/$i/signal; ends h1/children/$i; done; rmdir h1/children/? h1; clean h1",
		.output = "20000000\n20000000\n137 signal KILL\n137 signal KILL\n137 signal KILL\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R113/T31/forwarding",
		.shells = "bash",
		.script = FAR "eval $(ssh-agent -a $T/agent) > $T/agent.pid; printf 'ForwardAgent yes\\nForwardX11 yes\\nLocalForward 9999 localhost:22\\nRemoteForward 9998 localhost:22\\nInclude %s\\n' $SSHCONF > $T/conf; mkdir a; echo \"connect ssh -F $T/conf h1\" > a/ctl; out a 'echo ${SSH_AUTH_SOCK-none} ${DISPLAY-none}'; out a 'ls /tmp | grep -c ssh-'; grep -c ':270[EF] ' /proc/net/tcp /proc/$(init h1; echo $i)/net/tcp | cut -d : -f 2; kill $SSH_AGENT_PID; rmdir a; clean h1",
		.output = "none none\n0\n0\n0\nclean\n",
		.setup = { .seconds = 60 },
	},
	{
		.path = "/mount/remote/R111/T101/password",
		.shells = "python3",
		.script = SCAN "near = lambda words: subprocess.run(words, input=b''.join(u + b':' + right + b'\\n' for u in (b'alice', b'bob')), check=True)\ninit = open(os.environ['BED'] + '/hosts/h1/pids').read().split()[1]\nfar = ['nsenter', '-t', init, '-a']\nfor user in 'alice', 'bob': subprocess.run([*far, 'useradd', '-m', '-s', '/bin/bash', user], check=True)\nsubprocess.run([*far, 'sh', '-c', 'echo \"alice ALL=(ALL) ALL\" > /etc/sudoers.d/bed'], check=True)\nos.mkdir(top + 'held'); answer('held', right); print({h[0] for h in look()}); os.rmdir(top + 'held')\nnear(['chpasswd']); near([*far, 'chpasswd'])\nmake('h1', 'connect ssh -F %s h1' % os.environ['SSHCONF'])\nfor hop in '', 'h1/children/':\n	make(hop + 'alice', 'connect su alice')\n	below = hop + 'alice/children/'\n	ask(below + 'root', 'connect sudo')\n	answer(below + 'root', wrong)\n	while 'Sorry' not in open(top + below + 'root/log').read(): pass\n	print(look())\n	answer(below + 'root', right)\n	print(who(below + 'root'))\n	ask(below + 'bob', 'connect su bob')\n	answer(below + 'bob', right)\n	while word(below + 'bob', 'link') != 'up': pass\n	print(look())\n	print(who(below + 'bob'))\n	make(below + 'again', 'connect su bob', right)\n	print(who(below + 'again'))\n	try: make(below + 'wrong', 'connect su bob', wrong)\n	except OSError as e: print(e.strerror, look())\nprint(look())\nfor context in 'alice/children/', 'h1/children/alice/children/':\n	for n in 'root', 'bob', 'again', 'wrong': os.rmdir(top + context + n)\nfor n in 'alice', 'h1/children/alice', 'h1': os.rmdir(top + n)\nprint(look())\nsubprocess.run(['sh', '-c', '$HOSTS boot h1'], check=True)\n",
		.output = "{'mitofs'}\n[]\nroot\n[]\nbob\nbob\nPermission denied []\n[]\nroot\n[]\nbob\nbob\nPermission denied []\n[]\n[]\n",
		.setup = { .seconds = 60 },
	},
};
/* clang-format on */

static const MountSetup long_setup = { .seconds = 60 };

#define DAEMONS_EVERYWHERE NEST "daemons h1 $d s"

/* Nothing is left at any place when the broker has ended by @signal. */
static void
end_by(Mount *mount, int signal)
{
	mount_expect(mount, "bash", DAEMONS_EVERYWHERE, "up\nup\nup\n", 0);
	mount_end(mount, signal, signal == SIGTERM ? 0 : signal);
	mount_expect(mount, "bash", HOST_TOOLS "clean h1 h2 h3", "clean\n", 0);
}

static void
test_shutdown(Mount *mount)
{
	end_by(mount, SIGTERM);
}

static void
test_kill_of_broker(Mount *mount)
{
	end_by(mount, SIGKILL);
}

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	mount_test_bed("users");
	mount_test_bed("hosts");
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	mount_test_add("/mount/remote/T87/R83/shutdown", test_shutdown, &long_setup);
	mount_test_add("/mount/remote/T87/R83/kill-of-broker", test_kill_of_broker, &long_setup);
	return mount_test_run();
}
