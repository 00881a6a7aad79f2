/* Methods: the built-in rows' words, what their clients' messages mean, rows of the user's own, and
 * what is wrong in them.
 *
 * The messages are what those clients really say when a connection fails, and what they say when
 * nothing is wrong. Each test that needs a methods.conf of the user's writes one into a directory
 * that is XDG_CONFIG_HOME for the whole program. */
#include "broker/method.h"
#include "tests/unit.h"

#include <glib/gstdio.h>
#include <string.h>

static char *config_home;

static Method *
find(const char *name)
{
	g_autoptr(GError) error = NULL;
	Method *method = method_find(name, &error);

	g_assert_no_error(error);
	return method;
}

/* Words as a program is given them: `connect` of each method, and what is executed for it. */
typedef struct Words Words;
struct Words {
	const char *path, *connect;
	const char *argv; /* words between '|'; @ is the first stage */
	MethodStage stage;
	MethodQuestions questions;
	gboolean flight;
};

/* clang-format off */
static const Words words[] = {
	{ "/method/argv/ssh/R113", "ssh -p 2222 -J bastion user@host",
	  "ssh|-T|-a|-x|-o|ClearAllForwardings=yes|-p|2222|-J|bastion|user@host|@", STAGE_LINE, QUESTIONS_TERMINAL, TRUE },
	{ "/method/argv/sudo/T35", "sudo -u postgres -r role -t type",
	  "sudo|-p|[sudo] password for %p: |-u|postgres|-r|role|-t|type|/bin/sh", STAGE_STDIN, QUESTIONS_TERMINAL, FALSE },
	{ "/method/argv/sudo-root/T35", "sudo", "sudo|-p|[sudo] password for %p: |/bin/sh", STAGE_STDIN,
	  QUESTIONS_TERMINAL, FALSE },
	{ "/method/argv/su", "su - bob", "su|-|bob|-c|@", STAGE_LINE, QUESTIONS_STDERR, FALSE },
	{ "/method/argv/doas", "doas -u bob", "doas|-u|bob|/bin/sh", STAGE_STDIN, QUESTIONS_TERMINAL, FALSE },
	{ "/method/argv/docker/T42", "docker -u bob web", "docker|exec|-i|-u|bob|web|/bin/sh|-c|@", STAGE_WORDS,
	  QUESTIONS_NONE, TRUE },
	{ "/method/argv/podman/T42", "podman web", "podman|exec|-i|web|/bin/sh|-c|@", STAGE_WORDS, QUESTIONS_NONE, TRUE },
	{ "/method/argv/podman-user/T42", "podman --user=bob web", "podman|exec|-i|--user=bob|web|/bin/sh|-c|@",
	  STAGE_WORDS, QUESTIONS_NONE, TRUE },
	{ "/method/argv/buildah/T42", "buildah web", "buildah|run|web|--|/bin/sh|-c|@", STAGE_WORDS, QUESTIONS_NONE, TRUE },
	{ "/method/argv/lxc/T42", "lxc -n web", "lxc-attach|--clear-env|-n|web|--|/bin/sh|-c|@", STAGE_WORDS,
	  QUESTIONS_NONE, TRUE },
	{ "/method/argv/lxd/T42", "lxd web", "lxc|exec|--mode=non-interactive|web|--|/bin/sh|-c|@", STAGE_WORDS,
	  QUESTIONS_NONE, TRUE },
	{ "/method/argv/incus/T42", "incus far:web", "incus|exec|--mode=non-interactive|far:web|--|/bin/sh|-c|@",
	  STAGE_WORDS, QUESTIONS_NONE, TRUE },
	{ "/method/argv/kubectl/T42", "kubectl -n ns -c app pod", "kubectl|exec|-i|-n|ns|-c|app|pod|--|/bin/sh|-c|@",
	  STAGE_WORDS, QUESTIONS_NONE, TRUE },
	{ "/method/argv/jail/T42", "jail -U bob web", "jexec|-U|bob|web|/bin/sh|-c|@", STAGE_WORDS, QUESTIONS_NONE, TRUE },
	{ "/method/argv/machinectl", "machinectl web",
	  "/bin/sh|-c|p=$(machinectl show --property=Leader --value -- \"$1\") && shift && "
	  "exec nsenter -t \"$p\" -m -u -i -n -p \"$@\"|machinectl|web|/bin/sh|-c|@", STAGE_WORDS, QUESTIONS_NONE, TRUE },
	{ "/method/argv/nspawn", "nspawn -D /tree", "systemd-nspawn|--quiet|--pipe|-D|/tree|/bin/sh|-c|@", STAGE_WORDS,
	  QUESTIONS_NONE, TRUE },
	{ "/method/argv/nsenter", "nsenter -t 7 -a", "nsenter|-t|7|-a|/bin/sh|-c|@", STAGE_WORDS, QUESTIONS_NONE, TRUE },
	{ "/method/argv/unshare", "unshare -rn", "unshare|-rn|/bin/sh|-c|@", STAGE_WORDS, QUESTIONS_NONE, TRUE },
	{ "/method/argv/chroot", "chroot '/a tree'", "chroot|/a tree|/bin/sh|-c|@", STAGE_WORDS, QUESTIONS_NONE, TRUE },
	{ "/method/argv/srun", "srun -w n1", "srun|--unbuffered|-w|n1|/bin/sh|-c|@", STAGE_WORDS, QUESTIONS_NONE, TRUE },
	{ "/method/argv/command/T04", "command 'my client' --to=x 'a b'", "my client|--to=x|a b", STAGE_STDIN,
	  QUESTIONS_TERMINAL, FALSE },
};
/* clang-format on */

static void
words_run(gconstpointer row)
{
	const Words *test = row;
	g_auto(GStrv) args = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(g_shell_parse_argv(test->connect, NULL, &args, NULL));
	g_autoptr(Method) method = find(args[0]);
	method_check(method, args, &error);
	g_assert_no_error(error);
	g_auto(GStrv) argv = method_argv(method, args, "@");
	g_autofree char *joined = g_strjoinv("|", argv);
	g_assert_cmpstr(joined, ==, test->argv);
	g_assert_cmpstr(method_name(method), ==, args[0]);
	g_assert_false(method_is_local(method));
	g_assert_cmpint(method_stage(method), ==, test->stage);
	g_assert_cmpint(method_questions(method), ==, test->questions);
	g_assert_cmpint(method_flight(method), ==, test->flight);
}

/* A line of a client, and what it means. */
typedef struct Message Message;
struct Message {
	const char *method, *line;
	FailureKind kind;
};

/* clang-format off */
static const Message messages[] = {
	{ "ssh", "ssh: Could not resolve hostname x: Name or service not known", FAILURE_NO_SUCH_HOST },
	{ "ssh", "ssh: Could not resolve hostname x: Temporary failure in name resolution", FAILURE_NO_SUCH_HOST },
	{ "ssh", "ssh: Could not resolve hostname x: No address associated with hostname", FAILURE_NO_SUCH_HOST },
	{ "ssh", "ssh: connect to host h port 22: Connection refused", FAILURE_REFUSED },
	{ "ssh", "ssh: connect to host h port 22: Network is unreachable", FAILURE_UNREACHABLE },
	{ "ssh", "ssh: connect to host h port 22: No route to host", FAILURE_UNREACHABLE },
	{ "ssh", "ssh: connect to host h port 22: Connection timed out", FAILURE_TIMEOUT },
	{ "ssh", "Connection timed out during banner exchange", FAILURE_TIMEOUT },
	{ "ssh", "Connection to h port 22 timed out", FAILURE_TIMEOUT },
	{ "ssh", "bob@h: Permission denied (publickey,password).", FAILURE_AUTH_FAILED },
	{ "ssh", "Permission denied (publickey).", FAILURE_AUTH_FAILED },
	{ "ssh", "Received disconnect from h port 22:2: Too many authentication failures", FAILURE_AUTH_FAILED },
	{ "ssh", "Your account has expired; please contact your system administrator.", FAILURE_AUTH_FAILED },
	{ "ssh", "Password change required but no TTY available.", FAILURE_AUTH_FAILED },
	{ "ssh", "Host key verification failed.", FAILURE_HOSTKEY_UNKNOWN },
	{ "ssh", "No ED25519 host key is known for [h]:22 and you have requested strict checking.", FAILURE_HOSTKEY_UNKNOWN },
	{ "ssh", "Host key for [h]:22 has changed and you have requested strict checking.", FAILURE_HOSTKEY_CHANGED },
	{ "ssh", "ED25519 host key for [h]:22 was revoked and you have requested strict checking.", FAILURE_HOSTKEY_CHANGED },
	{ "ssh", "Unable to negotiate with h port 22: no matching host key type found. Their offer: ssh-dss", FAILURE_PROTOCOL },
	{ "ssh", "Permission denied, please try again.", FAILURE_NONE },
	{ "ssh", "permission denied", FAILURE_NONE },
	{ "ssh", "Permissions 0644 for 'F' are too open.", FAILURE_NONE },
	{ "ssh", "Load key \"F\": bad permissions", FAILURE_NONE },
	{ "ssh", "Warning: Identity file F not accessible: No such file or directory.", FAILURE_NONE },
	{ "ssh", "Warning: Permanently added '[h]:22' (ED25519) to the list of known hosts.", FAILURE_NONE },
	{ "ssh", "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @", FAILURE_NONE },
	{ "ssh", "kex_exchange_identification: Connection closed by remote host", FAILURE_NONE },
	{ "ssh", "Connection closed by UNKNOWN port 65535", FAILURE_NONE },
	{ "ssh", "Could not chdir to home directory /x: No such file or directory", FAILURE_NONE },
	{ "ssh", "command-line: line 0: Bad configuration option: nonsense", FAILURE_NONE },
	{ "sudo", "sudo: a password is required", FAILURE_AUTH_REQUIRED },
	{ "sudo", "sudo: a terminal is required to read the password; either use the -S option", FAILURE_AUTH_REQUIRED },
	{ "sudo", "sudo: no password was provided", FAILURE_AUTH_REQUIRED },
	{ "sudo", "sudo: no askpass program specified, try setting SUDO_ASKPASS", FAILURE_AUTH_REQUIRED },
	{ "sudo", "sudo: sorry, you must have a tty to run sudo", FAILURE_AUTH_REQUIRED },
	{ "sudo", "sudo: 3 incorrect password attempts", FAILURE_AUTH_FAILED },
	{ "sudo", "sudo: 1 incorrect password attempt", FAILURE_AUTH_FAILED },
	{ "sudo", "[sudo] password for dora: dora is not in the sudoers file.", FAILURE_AUTH_FAILED },
	{ "sudo", "Sorry, user u is not allowed to execute '/bin/sh' as root on h.", FAILURE_AUTH_FAILED },
	{ "sudo", "sudo: unknown user nosuch", FAILURE_AUTH_FAILED },
	{ "sudo", "sudo: unknown group nosuch", FAILURE_AUTH_FAILED },
	{ "sudo", "sudo: The \"no new privileges\" flag is set, which prevents sudo from running as root.", FAILURE_AUTH_FAILED },
	{ "sudo", "sudo: /bin/sh: command not found", FAILURE_NO_SHELL },
	{ "sudo", "Sorry, try again.", FAILURE_NONE },
	{ "sudo", "sudo: unable to resolve host h: Name or service not known", FAILURE_NONE },
	{ "sudo", "sudo: unrecognized option '--x'", FAILURE_NONE },
	{ "su", "Password: su: Authentication failure", FAILURE_AUTH_FAILED },
	{ "su", "su: incorrect password", FAILURE_AUTH_FAILED },
	{ "su", "su: user x does not exist or the user entry does not contain all the required fields", FAILURE_AUTH_FAILED },
	{ "su", "Your account has expired; please contact your system administrator.", FAILURE_AUTH_FAILED },
	{ "su", "su: failed to execute /x: No such file or directory", FAILURE_NO_SHELL },
	{ "su", "Password: ", FAILURE_NONE },
	{ "doas", "doas: Authentication required", FAILURE_AUTH_REQUIRED },
	{ "doas", "doas: Authentication failed", FAILURE_AUTH_FAILED },
	{ "doas", "doas: Operation not permitted", FAILURE_AUTH_FAILED },
	{ "doas", "doas: doas is not enabled, /etc/doas.conf: No such file or directory", FAILURE_AUTH_FAILED },
	{ "doas", "doas: unknown user", FAILURE_AUTH_FAILED },
	{ "docker", "Error response from daemon: No such container: x", FAILURE_NO_SUCH_CONTAINER },
	{ "docker", "Error: No such container: x", FAILURE_NO_SUCH_CONTAINER },
	{ "docker", "Error response from daemon: Container ID is not running", FAILURE_NO_SUCH_CONTAINER },
	{ "docker", "Error response from daemon: Container ID is paused, unpause the container before exec", FAILURE_NO_SUCH_CONTAINER },
	{ "docker", "Cannot connect to the Docker daemon at URL. Is the docker daemon running?", FAILURE_REFUSED },
	{ "docker", "permission denied while trying to connect to the Docker daemon socket at unix:///x", FAILURE_AUTH_FAILED },
	{ "docker", "error during connect: Get \"http://x\": dial tcp: lookup x: no such host", FAILURE_NO_SUCH_HOST },
	{ "docker", "error during connect: x: stderr=ssh: Could not resolve hostname x: Name or service not known", FAILURE_NO_SUCH_HOST },
	{ "docker", "OCI runtime exec failed: exec failed: unable to start container process: exec: \"/bin/sh\": "
	  "executable file not found in $PATH: unknown", FAILURE_NO_SHELL },
	{ "docker", "unknown flag: --x", FAILURE_NONE },
	{ "docker", "the input device is not a TTY", FAILURE_NONE },
	{ "podman", "Error: no container with name or ID \"x\" found: no such container", FAILURE_NO_SUCH_CONTAINER },
	{ "podman", "Error: can only create exec sessions on running containers: container state improper", FAILURE_NO_SUCH_CONTAINER },
	{ "podman", "Error: runc: exec failed: unable to start container process: exec: \"x\": executable file not found in "
	  "$PATH: OCI runtime attempted to invoke a command that was not found", FAILURE_NO_SHELL },
	{ "podman", "Error: crun: executable file `x` not found in $PATH: No such file or directory", FAILURE_NO_SHELL },
	{ "podman", "Error: unknown flag: --x", FAILURE_NONE },
	{ "podman", "See 'podman exec --help'", FAILURE_NONE },
	{ "buildah", "Error: reading build container \"x\": container not known", FAILURE_NO_SUCH_CONTAINER },
	{ "buildah", "subprocess exited with status 3", FAILURE_NONE },
	{ "buildah", "Error: exit status 3", FAILURE_NONE },
	{ "kubectl", "Error from server (NotFound): pods \"x\" not found", FAILURE_NO_SUCH_CONTAINER },
	{ "kubectl", "Error from server (BadRequest): container x is not valid for pod c1", FAILURE_NO_SUCH_CONTAINER },
	{ "kubectl", "error: cannot exec into a container in a completed pod; current phase is Succeeded", FAILURE_NO_SUCH_CONTAINER },
	{ "kubectl", "error: You must be logged in to the server (Unauthorized)", FAILURE_AUTH_FAILED },
	{ "kubectl", "Error from server (Forbidden): pods \"x\" is forbidden: User \"y\" cannot", FAILURE_AUTH_FAILED },
	{ "kubectl", "The connection to the server h:1 was refused - did you specify the right host or port?", FAILURE_REFUSED },
	{ "kubectl", "E1127 16:00:00.0 1 memcache.go:265] x: dial tcp 127.0.0.1:1: connect: connection refused", FAILURE_REFUSED },
	{ "kubectl", "Unable to connect to the server: dial tcp: lookup h: no such host", FAILURE_NO_SUCH_HOST },
	{ "kubectl", "Unable to connect to the server: dial tcp 10.0.0.1:1: connect: network is unreachable", FAILURE_UNREACHABLE },
	{ "kubectl", "Unable to connect to the server: dial tcp 10.0.0.1:1: i/o timeout", FAILURE_TIMEOUT },
	{ "kubectl", "command terminated with exit code 3", FAILURE_NONE },
	{ "kubectl", "Defaulted container \"a\" out of: a, b", FAILURE_NONE },
	{ "lxd", "Error: Instance not found", FAILURE_NO_SUCH_CONTAINER },
	{ "lxd", "Error: The remote \"x\" doesn't exist", FAILURE_NO_SUCH_CONTAINER },
	{ "lxd", "Error: Instance is not running", FAILURE_NO_SUCH_CONTAINER },
	{ "lxd", "Error: Get \"http://unix.socket/1.0\": dial unix S: connect: no such file or directory", FAILURE_REFUSED },
	{ "lxd", "Error: Get \"http://unix.socket/1.0\": dial unix S: connect: permission denied", FAILURE_AUTH_FAILED },
	{ "lxd", "Error: Command not found", FAILURE_NO_SHELL },
	{ "lxd", "If this is your first time running LXD on this machine, you should also run: lxd init", FAILURE_NONE },
	{ "incus", "Error: Instance is not running", FAILURE_NO_SUCH_CONTAINER },
	{ "incus", "Error: Get \"http://unix.socket/1.0\": dial unix S: connect: no such file or directory", FAILURE_REFUSED },
	{ "lxc", "lxc-attach: x: ../src/lxc/attach.c: get_attach_context: 406 Connection refused - Failed to get init pid",
	  FAILURE_NO_SUCH_CONTAINER },
	{ "lxc", "lxc-attach: x: ../src/lxc/tools/lxc_attach.c: main: 302 You lack access to D", FAILURE_AUTH_FAILED },
	{ "lxc", "lxc-attach: x: ../src/lxc/attach.c: y: 1 No such file or directory - Failed to exec \"x\"", FAILURE_NO_SHELL },
	{ "jail", "jexec: jail \"x\" not found", FAILURE_NO_SUCH_CONTAINER },
	{ "chroot", "chroot: cannot change root directory to '/x': No such file or directory", FAILURE_NO_SUCH_CONTAINER },
	{ "chroot", "chroot: failed to run command \xe2\x80\x98/bin/sh\xe2\x80\x99: No such file or directory", FAILURE_NO_SHELL },
	{ "chroot", "chroot: cannot change root directory to '/x': Operation not permitted", FAILURE_AUTH_FAILED },
	{ "nsenter", "nsenter: stat of /proc/999999/ns/user failed: No such file or directory", FAILURE_NO_SUCH_CONTAINER },
	{ "nsenter", "nsenter: cannot open /run/netns/x: No such file or directory", FAILURE_NO_SUCH_CONTAINER },
	{ "nsenter", "nsenter: failed to execute /bin/sh: No such file or directory", FAILURE_NO_SHELL },
	{ "nsenter", "nsenter: stat of /proc/1/ns/user failed: Permission denied", FAILURE_AUTH_FAILED },
	{ "unshare", "unshare: failed to execute /bin/sh: No such file or directory", FAILURE_NO_SHELL },
	{ "unshare", "unshare: unshare failed: Operation not permitted", FAILURE_AUTH_FAILED },
	{ "nspawn", "Failed to resolve path /x: No such file or directory", FAILURE_NO_SUCH_CONTAINER },
	{ "nspawn", "No image for machine 'x'.", FAILURE_NO_SUCH_CONTAINER },
	{ "nspawn", "Directory D doesn't look like it has an OS tree (/usr/ directory is missing). Refusing.",
	  FAILURE_NO_SUCH_CONTAINER },
	{ "machinectl", "Failed to get shell PTY: No machine 'x' known", FAILURE_NO_SUCH_CONTAINER },
	{ "machinectl", "System has not been booted with systemd as init system (PID 1). Can't operate.", FAILURE_REFUSED },
	{ "machinectl", "Failed to connect to bus: Host is down", FAILURE_REFUSED },
	{ "srun", "srun: error: resolve_ctls_from_dns_srv: res_nsearch error: Host name lookup failure", FAILURE_NO_SUCH_HOST },
	{ "srun", "srun: error: get_addr_info: getaddrinfo() failed: Name or service not known: x", FAILURE_NO_SUCH_HOST },
	{ "srun", "srun: error: Unable to allocate resources: Invalid node name specified", FAILURE_NO_SUCH_CONTAINER },
	{ "srun", "srun: error: Unable to allocate resources: Invalid partition name specified", FAILURE_NO_SUCH_CONTAINER },
	{ "srun", "srun: error: Unable to allocate resources: Requested nodes are busy", FAILURE_TIMEOUT },
	{ "srun", "srun: error: Unable to allocate resources: Unable to contact slurm controller (connect failure)", FAILURE_REFUSED },
	{ "srun", "srun: error: Task launch for StepId=5.0 failed on node n3: Communication connection failure", FAILURE_REFUSED },
	{ "srun", "srun: error: Unable to create step for job 6: Error generating job credential", FAILURE_AUTH_FAILED },
	{ "srun", "slurmstepd-n1: error: execve(): x: No such file or directory", FAILURE_NO_SHELL },
	{ "srun", "srun: error: n1: task 0: Exited with exit code 3", FAILURE_NONE },
	{ "srun", "srun: Requested partition configuration not available now", FAILURE_NONE },
	{ "srun", "srun: job 2 queued and waiting for resources", FAILURE_NONE },
	{ "command", "Permission denied (x)", FAILURE_NONE },
};
/* clang-format on */

static void
classify(void)
{
	guint wrong = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(messages); i++) {
		g_autoptr(Method) method = find(messages[i].method);
		FailureKind kind = method_classify(method, messages[i].line);

		if (kind == messages[i].kind)
			continue;
		wrong++;
		g_test_message("%s: %s: %s instead of %s", messages[i].method, messages[i].line,
			       failure_name(kind), failure_name(messages[i].kind));
	}
	g_assert_cmpuint(wrong, ==, 0);
}

static void
hostkey_question(void)
{
	g_autoptr(Method) ssh = find("ssh"), sudo = find("sudo");

	g_assert_true(method_is_hostkey_question(
		ssh, "Are you sure you want to continue connecting (yes/no/[fingerprint])? "));
	g_assert_true(method_is_hostkey_question(ssh, "continue connecting (yes/no)? "));
	g_assert_false(method_is_hostkey_question(ssh, "bob@h's password: "));
	g_assert_false(method_is_hostkey_question(sudo, "really (yes/no)? "));
}

/* Refuse a line of connect, with @words in the sentence. */
static void
refuse(const char *connect, const char *said)
{
	g_auto(GStrv) args = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(g_shell_parse_argv(connect, NULL, &args, NULL));
	g_autoptr(Method) method = method_find(args[0], &error);
	if (method != NULL)
		g_assert_false(method_check(method, args, &error));
	g_assert_nonnull(error);
	g_assert_cmpint(error->code, ==, EINVAL);
	if (strstr(error->message, said) == NULL)
		g_error("\"%s\" is not in: %s", said, error->message);
}

static void
usage(void)
{
	refuse("ssh", "usage: connect ssh [OPTIONS] [USER@]HOST");
	refuse("docker", "usage: connect docker [OPTIONS] CONTAINER");
	refuse("lxc", "usage: connect lxc [-n] NAME");
	refuse("chroot", "usage: connect chroot [OPTIONS] DIRECTORY");
	refuse("command", "usage: connect command PROGRAM [ARGUMENTS]");
	refuse("machinectl", "usage: connect machinectl MACHINE [NSENTER OPTIONS]");
	refuse("local x", "usage: connect local");
	refuse("nosuch x", "there is no method \"nosuch\" (there are: local ssh sudo");
	refuse("'' x", "there is no method \"\"");
}

static void
local(void)
{
	g_autoptr(Method) method = find("local"), root = method_new_local();

	g_assert_true(method_is_local(method));
	g_assert_true(method_is_local(root));
	g_assert_cmpstr(method_name(root), ==, "local");
	g_assert_cmpint(method_classify(root, "ssh: x: Connection refused"), ==, FAILURE_NONE);
	g_assert_false(method_is_hostkey_question(root, "(yes/no)"));
	g_assert_false(method_flight(root));
}

/* The user's file, until user_forget(). */
static void
user_write(const char *text, gssize size)
{
	g_autofree char *directory = g_build_filename(config_home, "mitofs", NULL);
	g_autofree char *path = g_build_filename(directory, "methods.conf", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir_with_parents(directory, 0700), ==, 0);
	g_file_set_contents(path, text, size, &error);
	g_assert_no_error(error);
}

static void
user_forget(void)
{
	g_autofree char *directory = g_build_filename(config_home, "mitofs", NULL);
	g_autofree char *path = g_build_filename(directory, "methods.conf", NULL);

	g_assert_cmpint(g_remove(path), ==, 0);
	g_assert_cmpint(g_rmdir(directory), ==, 0);
}

/* A row replaces the keys that it names, a new one is a method; a change counts at once. */
static void
user_rows(void)
{
	char *args[] = { "docker", "web", NULL }, *mine[] = { "mine", "x", NULL };

	user_write("[docker]\nclient=podman-remote exec -i\nfail.refused=gone\n"
		   "[mine]\nclient=my 'own client'\nend=-- "
		   "\"$x\"\nusage=WHERE\nstage=words\nflight=yes\n"
		   "questions=stderr\nhostkey-question=sure\\\\?\nfail.timeout=^slow$\n",
		   -1);
	g_autoptr(Method) docker = find("docker"), own = find("mine"), ssh = find("ssh");
	g_auto(GStrv) argv = method_argv(docker, args, "@");
	g_autofree char *joined = g_strjoinv("|", argv);
	g_assert_cmpstr(joined, ==, "podman-remote|exec|-i|web|/bin/sh|-c|@");
	g_assert_cmpint(method_classify(docker, "gone"), ==, FAILURE_REFUSED);
	g_assert_cmpint(method_classify(docker, "Cannot connect to the Docker daemon"), ==,
			FAILURE_NONE);
	g_assert_cmpint(method_classify(docker, "No such container"), ==,
			FAILURE_NO_SUCH_CONTAINER);
	g_assert_cmpint(method_classify(ssh, "gone"), ==, FAILURE_NONE);
	g_auto(GStrv) own_argv = method_argv(own, mine, "@");
	g_autofree char *own_joined = g_strjoinv("|", own_argv);
	g_assert_cmpstr(own_joined, ==, "my|own client|x|--|$x|/bin/sh|-c|@");
	g_assert_cmpint(method_questions(own), ==, QUESTIONS_STDERR);
	g_assert_true(method_flight(own));
	g_assert_true(method_is_hostkey_question(own, "sure?"));
	g_assert_cmpint(method_classify(own, "slow"), ==, FAILURE_TIMEOUT);
	g_assert_cmpint(method_classify(own, "slower"), ==, FAILURE_NONE);
	user_write("[mine]\nclient=other\n", -1);
	g_autoptr(Method) changed = find("mine");
	g_assert_cmpint(method_stage(changed), ==, STAGE_LINE);
	g_assert_cmpint(method_questions(changed), ==, QUESTIONS_NONE);
	g_assert_false(method_flight(changed));
	user_forget();
	refuse("mine", "there is no method \"mine\"");
}

/* No image goes ahead to a shell that reads its lines from stdin, and may read too far. */
static void
user_flight(void)
{
	user_write("[mine]\nclient=x\nstage=stdin\nflight=yes\n", -1);
	g_autoptr(Method) method = find("mine");
	g_assert_false(method_flight(method));
	user_forget();
}

/* Files that are wrong, and what is said of them to who wants that method. */
static const struct {
	const char *text, *said;
} wrong_files[] = {
	{ "no group\n", "methods.conf: " },
	{ "[mine]\nclient x\n", "methods.conf: " },
	{ "[mine]\nclient='x\n", "method mine: client: " },
	{ "[mine]\nclient=x\nend=\"\n", "method mine: end: " },
	{ "[mine]\nclient=x\nstage=mail\n", "method mine: stage=mail is not known" },
	{ "[mine]\nclient=x\nquestions=aloud\n", "method mine: questions=aloud is not known" },
	{ "[mine]\nclient=x\nflight=maybe\n", "method mine: flight=maybe is not known" },
	{ "[mine]\nclient=x\nfail.refused=(\n", "method mine: fail.refused: " },
	{ "[mine]\nclient=x\nfail.refused=\\(\n", "method mine: fail.refused: " },
	{ "[mine]\nclient=x\nhostkey-question=[\n", "method mine: hostkey-question: " },
	{ "[mine]\nclient=x\nfail.nosuch=x\n", "method mine: there is no kind \"nosuch\"" },
	{ "[mine]\nclient=x\nfail.-=x\n", "method mine: there is no kind \"-\"" },
	{ "[mine]\nclient=\n", "method mine: client: no program" },
	{ "[mine]\nstage=stdin\n", "method mine: client: no program" },
};

static void
user_wrong(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(wrong_files); i++) {
		g_test_message("%s", wrong_files[i].text);
		user_write(wrong_files[i].text, -1);
		refuse("mine", wrong_files[i].said);
		if (g_str_has_prefix(wrong_files[i].said, "method ")) {
			g_autoptr(Method) ssh = find("ssh");
			g_assert_nonnull(ssh);
		}
	}
	user_forget();
}

/* A file that is too large, or none at all, is not read; a binary one is no key file. */
static void
user_no_file(void)
{
	g_autofree char *large = g_strnfill(256 * 1024 + 1, '#');
	g_autofree char *path = g_build_filename(config_home, "mitofs", "methods.conf", NULL);

	user_write(large, -1);
	refuse("ssh h", "not a file of at most 262144 bytes");
	user_write(large, 256 * 1024);
	g_autoptr(Method) ssh = find("ssh");
	g_assert_nonnull(ssh);
	user_write("\x7f"
		   "ELF\0\0\0",
		   7);
	refuse("ssh h", path);
	g_assert_cmpint(g_remove(path), ==, 0);
	g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
	refuse("ssh h", "not a file of at most");
	user_forget();
}

static const UnitTest tests[] = {
	{ "/method/classify/T17/T33/T39/T102", classify },
	{ "/method/hostkey-question", hostkey_question },
	{ "/method/usage", usage },
	{ "/method/local", local },
	{ "/method/user/rows", user_rows },
	{ "/method/user/flight", user_flight },
	{ "/method/user/wrong", user_wrong },
	{ "/method/user/no-file", user_no_file },
};

int
main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;

	config_home = g_dir_make_tmp("method-XXXXXX", &error);
	g_assert_no_error(error);
	g_setenv("XDG_CONFIG_HOME", config_home, TRUE);
	unit_init(argc, argv);
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		unit_add_case(words[i].path, words_run, &words[i]);
	unit_add(tests, G_N_ELEMENTS(tests));
	int result = g_test_run();
	g_assert_cmpint(g_rmdir(config_home), ==, 0);
	g_free(config_home);
	return result;
}
