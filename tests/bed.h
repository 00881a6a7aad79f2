/* Test beds: what a mount test needs around it (users, an sshd, hosts) in namespaces that end with
 * the program. mount.h says how a test program asks for one; tests/beds/ has one script for each.
 *
 * Three processes. The first waits, so that the program has one exit code, and takes down what a
 * namespace cannot hold (`NAME down`). The second is the init of a pid namespace, with mounts, a
 * network and a hostname of its own: it runs `NAME up`, inherits the daemons, and when it dies the
 * kernel kills them all. The third runs the tests: nothing of a bed is below it, so that the
 * checks of mount-fixture.c leave the daemons alone. */
#ifndef MITOFS_TESTS_BED_H
#define MITOFS_TESTS_BED_H

#include <glib.h>
#include <sys/types.h>

/* If beds were asked for, and we are root: set them up. Returns in the third process, and TRUE if
 * it is in namespaces of its own. */
gboolean bed_enter(void);
gboolean bed_entered(void);
/* Why the tests must be skipped; NULL: they need not be. */
const char *bed_missing(void);
/* Whether @pid is a daemon that a bed started anew while tests ran: a host that was booted. Beds
 * write the pids into $BED/daemons/. */
gboolean bed_owns(pid_t pid);

#endif
