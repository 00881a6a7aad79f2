/* The beds themselves, reached by the plain clients: what other tests rely on. */
#include "tests/mount.h"

#include <glib.h>

/* clang-format off */
static const ShCase cases[] = {
	{
		.path = "/mount/beds/users/sudo-without-password",
		.shells = "bash",
		.script = "for u in bob dave erin; do setpriv --reuid $u --regid $u --init-groups sudo -n id -u; done; cd /; setpriv --reuid bob --regid bob --init-groups doas -n id -u",
		.output = "0\n0\n0\n0\n",
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
