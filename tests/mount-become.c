/* Places behind sudo, su and doas: with and without a password, right and wrong, on top of each other
 * (rows R65 to R69, cases T27, T35 to T41). */
#include "tests/dial.h"
#include "tests/mount.h"

/* As alice and bob the tests begin at a place of theirs: root needs no password for that. */
#define PEOPLE                                                                              \
	"cd $M/children; mkdir alice bob; for u in alice bob; do echo \"connect su $u\" > " \
	"$u/ctl; done; "                                                                    \
	"who() { echo 'sh id -un' > $1/ctl; cat $1/stdout; }\n" DIAL

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/become/T93/no-password",
		.shells = "all",
		.script = PEOPLE "who alice; who bob; b=bob/children; dial $b/sudo sudo; who $b/sudo; dial $b/user sudo -u alice; who $b/user; dial $b/doas doas; who $b/doas; dial $b/login sudo -i; who $b/login; dial $b/shell sudo -s; who $b/shell; mkdir $b/sudo/children/x; dial $b/sudo/children/x su - carol; who $b/sudo/children/x",
		.output = "alice\nbob\nup\nroot\nup\nalice\nup\nroot\nup\nroot\nup\nroot\nup\ncarol\n",
	},
	{
		.path = "/mount/become/T38/T27/password",
		.shells = "bash",
		.script = PEOPLE "for m in sudo doas 'su bob'; do a=alice/children/${m%% *}; mkdir $a; p=alice-pw; [ \"${m#su }\" = \"$m\" ] || p=bob-pw; echo $p > $a/prompt; dial $a $m; who $a; done",
		.output = "up\nroot\nup\nroot\nup\nbob\n",
	},
	{
		.path = "/mount/become/T38/R65/R69/wrong-and-absent",
		.shells = "bash",
		.script = PEOPLE "for m in sudo doas 'su bob'; do a=alice/children/${m%% *}; mkdir $a; echo wrong > $a/prompt; dial $a $m; tail -n 1 $a/error | cut -d' ' -f 3-; echo 'connect-timeout 1' > $a/ctl; dial $a $m;  tail -n 1 $a/error | cut -d' ' -f 3-; done",
		.output = "EACCES auth-failed\nEACCES connect: sudo from bed: authentication failed: Sorry, try again. [sudo] password for alice:\n"
			  "EACCES auth-required\nEACCES connect: sudo from bed: authentication required: nobody answered: [sudo] password for alice:\n"
			  "EACCES auth-failed\nEACCES connect: doas from bed: authentication failed: doas: Authentication failed\n"
			  "EACCES auth-required\nEACCES connect: doas from bed: authentication required: nobody answered: doas (alice@bed) password:\n"
			  "EACCES auth-failed\nEACCES connect: su from bed: authentication failed: su: Authentication failure\n"
			  "EACCES auth-required\nEACCES connect: su from bed: authentication required: nobody answered: Password:\n",
	},
	{
		.path = "/mount/become/R68/T40/refusals",
		.shells = "bash",
		.script = PEOPLE "dial bob/children/a sudo -u nosuch; dial alice/children/b sudo -n; dial bob/children/c su nosuch; dial alice/children/d doas -n; dial alice/children/e doas -u bob; mkdir dave; dial dave su nologin; tail -qn 1 */error */children/*/error | cut -d ' ' -f 3-",
		.output = "EACCES auth-failed\nEACCES auth-required\nEACCES auth-failed\nEACCES auth-required\nEACCES auth-failed\nEPERM no-shell\n"
			  "EPERM connect: su: no shell: This account is currently not available.\n"
			  "EACCES connect: sudo from bed: authentication required: sudo: a password is required\n"
			  "EACCES connect: doas from bed: authentication required: doas: Authentication required\n"
			  "EACCES connect: doas from bed: authentication failed: doas: Operation not permitted\n"
			  "EACCES connect: sudo from bed: authentication failed: sudo: unknown user nosuch\n"
			  "EACCES connect: su from bed: authentication failed: su: user nosuch does not exist or the user entry does not contain all the required fields\n",
	},
	{
		.path = "/mount/become/T41/requiretty",
		.shells = "bash",
		.script = PEOPLE "for u in carol dave erin; do dial $u su $u; dial $u/children/r sudo; who $u/children/r; done",
		.output = "up\nup\nroot\nup\nup\nroot\nup\nup\nroot\n",
	},
};
/* clang-format on */

int
main(int argc, char **argv)
{
	mount_test_init(&argc, &argv);
	mount_test_bed("users");
	mount_test_add_cases(cases, G_N_ELEMENTS(cases));
	return mount_test_run();
}
