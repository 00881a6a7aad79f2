/* scripts/ansible/mitofs.py: Debian's Ansible against contexts behind ssh, and one behind su in there; become by
 * sudo and su contexts, with a password and without. Ansible is slow to start, so one playbook does it all. */
#include "tests/mount.h"

#define PLAY                                                                                      \
	"cd $T; export LC_ALL=C.UTF-8 MITO=$M ANSIBLE_NOCOLOR=1 S=${MITOFS_MITO%/mito}/ansible\n" \
	"export ANSIBLE_CONNECTION_PLUGINS=$S; head -c 1000000 /dev/urandom > big\n"              \
	"cat > hosts <<'END'\n"                                                                   \
	"[all]\n"                                                                                 \
	"bob who=bob\n"                                                                           \
	"alice who=alice ansible_become_password=alice-pw\n"                                      \
	"inner who=carol mitofs_context='bob/the inner' mitofs_connect='su carol' "               \
	"ansible_password=carol-pw\n"                                                             \
	"[all:vars]\n"                                                                            \
	"ansible_connection=mitofs\n"                                                             \
	"ansible_python_interpreter=/usr/bin/python3\n"                                           \
	"mitofs_connect=ssh -F {{ lookup('env', 'SSHCONF') }} {{ inventory_hostname }}\n"         \
	"END\n"

/* clang-format off */
static const char playbook[] =
	"- hosts: bob:alice\n"
	"  gather_facts: false\n"
	"  tasks: [ ping: ]\n"
	"- hosts: bob:alice:inner\n" /* which stands on bob */
	"  gather_facts: false\n"
	"  tasks:\n"
	"  - command: sh -c 'id -un; sort; echo err >&2; exit 3'\n"
	"    args: { stdin: \"b\\na\" }\n"
	"    register: ran\n"
	"    failed_when: ran.rc != 3 or ran.stdout_lines != [who, 'a', 'b'] or ran.stderr != 'err'\n"
	"  - copy: { src: big, dest: '~/big' }\n"
	"  - copy: { content: \"it's\\n\\\"odd\\\" $HOME\\n\", dest: \"~/it's odd\" }\n"
	"  - fetch: { src: '~/big', dest: 'got-{{ who }}', flat: true }\n"
	"  - command: cat \"it's odd\"\n"
	"    args: { chdir: '~' }\n"
	"    register: odd\n"
	"    failed_when: odd.stdout != \"it's\\n\\\"odd\\\" $HOME\"\n"
	"- hosts: bob:alice\n"
	"  gather_facts: false\n"
	"  tasks:\n"
	"  - command: id -un\n"
	"    become: true\n"
	"    register: ran\n"
	"    failed_when: ran.stdout != 'root'\n"
	"  - copy: { content: secret, dest: '/run/of-{{ who }}', mode: '0600' }\n"
	"    become: true\n"
	"  - fetch: { src: '/run/of-{{ who }}', dest: 'secret-{{ who }}', flat: true }\n"
	"    become: true\n"
	"  - stat: { path: '/run/of-{{ who }}' }\n"
	"    register: file\n"
	"    failed_when: file.stat.pw_name != 'root' or file.stat.mode != '0600'\n"
	"  - command: cat /run/of-{{ who }}\n"
	"    register: refused\n"
	"    failed_when: refused.rc == 0\n"
	"  - copy: { content: mine, dest: '/tmp/of-{{ who }}' }\n"
	"    become: true\n"
	"    become_user: erin\n"
	"    register: file\n"
	"    failed_when: file.owner != 'erin'\n"
	"  - meta: reset_connection\n"
	"- hosts: bob\n"
	"  gather_facts: false\n"
	"  tasks:\n"
	"  - command: sh -c 'id -un; tr a b'\n"
	"    args: { stdin: aa }\n"
	"    become: true\n"
	"    become_method: su\n"
	"    become_user: carol\n"
	"    vars: { ansible_become_password: carol-pw }\n"
	"    register: ran\n"
	"    failed_when: ran.stdout_lines != ['carol', 'bb']\n";

#define RECAP "sed -n '/^PLAY RECAP/,$p' log | grep -o -E '^[a-z]+ |(unreachable|failed)=[0-9]+' | tr -d '\\n'; echo\n"
#define GOOD "alice unreachable=0failed=0bob unreachable=0failed=0inner unreachable=0failed=0\n"

/* By stdin, and by files that are put there. */
static void
play(Mount *mount)
{
	g_autofree char *file = g_build_filename(mount_scratch(mount), "play.yml", NULL);
	g_autoptr(GError) error = NULL;

	g_file_set_contents(file, playbook, -1, &error);
	g_assert_no_error(error);
	mount_expect(mount, "bash",
		     PLAY
		     "for p in true false; do ANSIBLE_PIPELINING=$p ansible-playbook -i hosts play.yml > log 2>&1 || cat log\n"
		     RECAP
		     "cmp big got-bob; cmp big got-alice; cmp big got-carol; cat secret-bob secret-alice; echo; rm got-*; done\n"
		     /* Nothing of it is left but the contexts that were connected. */
		     "ls $M/children $M/children/bob/children | sed \"s|$M||\"",
		     GOOD "secretsecret\n" GOOD "secretsecret\n"
		     "/children:\nalice\nbob\n\n/children/bob/children:\nbecome-su-carol\nthe inner\n", 0);
}

/* What cannot be reached says why. */
static const ShCase cases[] = {
	{
		.path = "/mount/ansible/ping", .shells = "bash", .setup = { .seconds = 120 },
		.script = PLAY "cat >> hosts <<'END'\n[bad]\nnowhere mitofs_connect=\nwrong mitofs_connect='ssh -F {{ lookup(\"env\", \"SSHCONF\") }} alice-password' ansible_password=wrong\nlost mitofs_connect=\nEND\n"
			  "mkdir $M/children/lost; echo 'connect local' > $M/children/lost/ctl; echo disconnect > $M/children/lost/ctl; echo 'async connect command false' > $M/children/lost/ctl; until grep -q 'link lost' $M/children/lost/status; do :; done\n"
			  "ansible alice:bob:bad -i hosts -o -m ping > log; echo $?; sort log | cut -c 1-75; ansible alice -i hosts -o -b -e ansible_become_password=wrong -m ping | cut -c 1-84; echo ${PIPESTATUS[0]}",
		.output = "4\nalice | SUCCESS => {\"changed\": false,\"ping\": \"pong\"}\nbob | SUCCESS => {\"changed\": false,\"ping\": \"pong\"}\n"
			  "lost | UNREACHABLE!: mitofs: lost: its link is not up; connect it\n"
			  "nowhere | UNREACHABLE!: mitofs: nowhere: no such context; make it, or say i\n"
			  "wrong | UNREACHABLE!: mitofs: wrong: connect: ssh: authentication failed: a\n"
			  "alice | UNREACHABLE!: mitofs: alice/become-sudo-root: connect: sudo from bed: authen\n4\n",
	},
};
/* clang-format on */

int
main(int argc, char **argv)
{
	static const MountSetup slow = { .seconds = 180 };
	mount_test_init(&argc, &argv);
	mount_test_bed("ssh");
	mount_test_add("/mount/ansible/play", play, &slow);
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	return mount_test_run();
}
