/* The units of systemd: the lines of each, read and run as systemd would, with a service manager
 * that listens for what sd_notify(3) sends. No systemd runs here: systemd-analyze only reads. */
#include "tests/mount.h"

/* A unit with the program of this build in it. unit(NAME) gives {key: [values]}, with %h and %i as
 * they are for $T. run() starts the words of a line, in which "-" at its head forgives a failure. */
#define MANAGER                                                                             \
	"import os, signal, socket, subprocess, sys\n"                                      \
	"M, T = os.environ['M'], os.environ['T']\n"                                         \
	"def text(name):\n"                                                                 \
	"    lines = open(os.environ['MITOFS_UNITS'] + '/' + name).read().split('\\n')\n"   \
	"    return [l.split('=')[0] + '=' + os.environ['MITOFS'] + l[l.index(' '):]\n"     \
	"            if l.startswith('ExecStart=') else l for l in lines]\n"                \
	"def unit(name):\n"                                                                 \
	"    rows = {}\n"                                                                   \
	"    for line in text(name):\n"                                                     \
	"        key, equals, value = line.partition('=')\n"                                \
	"        if equals and not line.startswith('#'):\n"                                 \
	"            value = value.replace('/run/mitofs/%i/ctx', M).replace('%h/ctx', M)\n" \
	"            rows.setdefault(key, []).append(value.replace('%h', T))\n"             \
	"    return rows\n"                                                                 \
	"def run(line):\n"                                                                  \
	"    code = subprocess.call(line.lstrip('-').split())\n"                            \
	"    return 'ok' if code == 0 or line.startswith('-') else code\n"                  \
	"manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"                      \
	"def start(line, at):\n"                                                            \
	"    env = dict(os.environ, NOTIFY_SOCKET=at)\n"                                    \
	"    return subprocess.Popen(line.split(), env=env, start_new_session=True)\n"      \
	"def said():\n"                                                                     \
	"    print(manager.recv(4096).decode(), 'ctl' in os.listdir(M))\n"                  \
	"def shell(script):\n"                                                              \
	"    return subprocess.run(script, shell=True, capture_output=True, text=True).stdout\n"

#define ALONE .setup = { .unmounted = TRUE }

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/units/verify", .shells = "python3", ALONE,
		.script = MANAGER
			  "for name, mode in ('mitofs.service', '--user'), ('mitofs@.service', '--system'):\n"
			  "    open(T + '/' + name, 'w').write('\\n'.join(text(name)))\n"
			  "    env = dict(os.environ, XDG_RUNTIME_DIR=T)\n"
			  "    print(subprocess.call(['systemd-analyze', mode, '--man=no', 'verify', T + '/' + name], env=env))",
		.output = "0\n0\n",
	},
	{
		/* Told when it stands and when it ends; what runs there knows of no manager. */
		.path = "/mount/units/user", .shells = "python3", ALONE,
		.script = MANAGER
			  "rows = unit('mitofs.service'); manager.bind(T + '/notify'); os.rmdir(M)\n"
			  "print(rows['Type'], rows['KillMode'], [run(line) for line in rows['ExecStartPre']])\n"
			  "broker = start(rows['ExecStart'][0], T + '/notify'); said()\n"
			  "print(shell('echo \"sh echo [\\$NOTIFY_SOCKET]; exec sleep 1000\" > $M/ctl; read -r x < $M/stdout; echo $x'), end='')\n"
			  "broker.terminate(); print(manager.recv(4096).decode(), broker.wait(), os.listdir(M))\n"
			  "print([run(line) for line in rows['ExecStopPost']])",
		.output = "['notify'] ['mixed'] ['ok']\nREADY=1 True\n[]\nSTOPPING=1 0 []\n['ok']\n",
	},
	{
		/* An unmount ends it as well, and a socket's name may be an abstract one. */
		.path = "/mount/units/system", .shells = "python3", ALONE,
		.script = MANAGER
			  "rows = unit('mitofs@.service'); name = 'mitofs-test-%d' % os.getpid(); manager.bind('\\0' + name)\n"
			  "broker = start(rows['ExecStart'][0], '@' + name); said()\n"
			  "print(shell('umount $M'), manager.recv(4096).decode(), broker.wait())",
		.output = "READY=1 True\n STOPPING=1 0\n",
	},
	{
		/* As when a unit is killed: the watcher too, so that nobody clears the mount. */
		.path = "/mount/units/killed", .shells = "python3", ALONE,
		.script = MANAGER
			  "rows = unit('mitofs.service'); manager.bind(T + '/notify')\n"
			  "broker = start(rows['ExecStart'][0], T + '/notify'); said()\n"
			  "for pid in shell('pgrep -P %d mount-watcher' % broker.pid).split() + [broker.pid]: os.kill(int(pid), signal.SIGKILL)\n"
			  "broker.wait(); print(shell('ls $M 2>&1 | grep -o \"Transport.*\"'), [run(line) for line in rows['ExecStopPost']], os.listdir(M))\n"
			  "broker = start(rows['ExecStart'][0], T + '/notify'); said(); broker.terminate(); print(broker.wait())",
		.output = "READY=1 True\nTransport endpoint is not connected\n ['ok'] []\nREADY=1 True\n0\n",
	},
	{
		.path = "/mount/units/nobody-listens", .shells = "python3", ALONE,
		.script = MANAGER
			  "for at in T + '/nobody', 'nonsense', '@' + 'x' * 200:\n"
			  "    log = open(T + '/log', 'w+'); broker = subprocess.Popen([os.environ['MITOFS'], '-f', M], env=dict(os.environ, NOTIFY_SOCKET=at), stderr=log)\n"
			  "    while not os.path.exists(M + '/ctl'): pass\n"
			  "    print(shell('echo shutdown > $M/ctl'), broker.wait()); log.seek(0); print(log.read().count('NOTIFY_SOCKET='))",
		.output = " 0\n2\n 0\n2\n 0\n2\n",
	},
	{
		/* What goes into the background is not the process that a manager would wait for. */
		.path = "/mount/units/background", .shells = "python3", ALONE,
		.script = MANAGER
			  "manager.bind(T + '/notify'); print(start(os.environ['MITOFS'] + ' ' + M, T + '/notify').wait())\n"
			  "print(shell('echo \"sh echo [\\$NOTIFY_SOCKET]\" > $M/ctl; cat $M/stdout; fusermount3 -u $M'), end='')\n"
			  "manager.setblocking(False)\n"
			  "try: print(manager.recv(4096))\n"
			  "except BlockingIOError: print('nothing')",
		.output = "0\n[]\nnothing\n",
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
