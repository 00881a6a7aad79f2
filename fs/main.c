/* mitofs: from the command line to the mount, and back to none.
 *
 * The order matters. The watcher is forked before there are threads, and holds nothing of the
 * broker's. The broker starts its agent before the mount, since a process that is spawned later
 * might meet the mount before anyone serves it; and RLIMIT_NOFILE is raised behind that, so that
 * commands get the limit that the user had. At the end the loop goes on until the agents are gone
 * and no thread waits in the kernel; then the mount goes, then the broker. */
#include "fs/daemon.h"
#include "fs/invalidate.h"
#include "fs/logging.h"
#include "fs/mountpoint.h"
#include "fs/notify.h"
#include "fs/openfile.h"
#include "fs/options.h"
#include "fs/session.h"
#include "fs/timeouts.h"
#include "fs/watcher.h"

#include "broker/bootstrap.h"
#include "broker/error.h"
#include "broker/image.h"
#include "broker/poller.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define DESCRIPTORS_LEAST 20 /* open files: the broker at its start, and some for its work */

typedef struct Program Program;
struct Program {
	Mount mount;
	GMainLoop *loop;
	Watcher *watcher;
	Session *session;
	Invalidator *invalidator;
	char *mountpoint; /* resolved */
	char *lock_file;
	int lock;
	gboolean stopped; /* the broker has */
};

/* End the loop once nothing needs it any more. */
static void
program_quit_if_done(Program *program)
{
	if (program->stopped &&
	    (program->invalidator == NULL || invalidator_is_idle(program->invalidator)))
		g_main_loop_quit(program->loop);
}

static Program the_program = { .lock = -1 };

/* The kernel has forgotten a name, or need not. */
static void
program_on_forgotten(void *token)
{
	broker_removed(token);
	program_quit_if_done(&the_program);
}

/* For a name that the kernel does not know: as above, but never from inside the broker's call. */
static gboolean
program_on_unknown(void *token)
{
	broker_removed(token);
	return G_SOURCE_REMOVE;
}

/* The broker has removed a context. */
static void
program_on_removed(Context *parent, const char *name, void *token, void *data)
{
	Program *program = data;
	Node *node = node_known(program->mount.nodes, parent, files_children());

	if (node == NULL || program->mount.ended || program->stopped)
		poller_later(program_on_unknown, token);
	else
		invalidator_push(program->invalidator, node->id, name, token);
}

/* The shutdown has begun. */
static void
program_on_stopping(void *data)
{
	Program *program = data;

	notify_send("STOPPING=1");
	parking_stop(program->mount.parking);
}

/* The agents are gone. */
static void
program_on_stopped(void *data)
{
	Program *program = data;

	program->stopped = TRUE;
	if (program->invalidator != NULL)
		invalidator_stop(program->invalidator);
	program_quit_if_done(program);
}

/* Somebody has unmounted it. */
static void
program_on_ended(void *data)
{
	Program *program = data;

	g_info("%s was unmounted", program->mountpoint);
	if (!broker_stopping(program->mount.broker))
		broker_shutdown(program->mount.broker);
}

/* SIGTERM, SIGINT or SIGHUP; a second one forces. */
static gboolean
program_on_signal(void *data)
{
	Program *program = data;

	broker_shutdown(program->mount.broker);
	return G_SOURCE_CONTINUE;
}

/* Say on stderr why there is no mount. */
static int
program_fail(const GError *error)
{
	g_printerr("mitofs: %s\n", error->message);
	return EXIT_FAILURE;
}

/* Each context needs a few descriptors. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		g_info("RLIMIT_NOFILE: %s", g_strerror(errno));
}

/* GLib gives up where it gets no descriptor, so look before it needs any. */
static gboolean
check_descriptor_limit(GError **error)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max >= DESCRIPTORS_LEAST)
		return TRUE;
	return fail(error, EMFILE,
		    "too few open files: RLIMIT_NOFILE is %ju, at least %d are needed; raise it: "
		    "nofile (hard) in "
		    "/etc/security/limits.conf",
		    (uintmax_t)limit.rlim_max, DESCRIPTORS_LEAST);
}

/* Everything up to the broker; undone by program_end(). */
static gboolean
program_prepare(Program *program, const Options *options, int argc, char **argv, GError **error)
{
	if (!check_descriptor_limit(error))
		return FALSE;
	program->mountpoint = mountpoint_resolve(options->mountpoint, error);
	if (program->mountpoint == NULL)
		return FALSE;
	if (!options->foreground) {
		if (!daemon_fork(error))
			return FALSE;
		logging_detach();
	}
	program->lock = mountpoint_lock(program->mountpoint, &program->lock_file, error);
	if (program->lock < 0 || !mountpoint_check(program->mountpoint, options->nonempty, error))
		return FALSE;
	if (chdir("/") < 0)
		return fail(error, errno, "/: %s", g_strerror(errno));
	program->watcher = watcher_new(program->mountpoint, argc, argv, error);
	return program->watcher != NULL;
}

/* Start the broker and what serves the kernel from it. */
static gboolean
program_start(Program *program, const Options *options, GError **error)
{
	const BrokerHooks hooks = { program_on_removed, program_on_stopping, program_on_stopped,
				    program };
	guint64 limit = timeouts_limit("/proc/sys/fs/fuse");
	Mount *mount = &program->mount;

	if (limit > 0)
		g_message("the kernel ends mounts whose requests wait too long "
			  "(fs.fuse.*_request_timeout): "
			  "reads that wait get EINTR after %" G_GUINT64_FORMAT " s",
			  limit / 1000);
	mount->uid = getuid();
	mount->gid = getgid();
	mount->shared = options->shared;
	mount->parking = parking_new(limit);
	mount->broker = broker_new(&options->broker, &hooks, error);
	if (mount->broker == NULL)
		return FALSE;
	broker_spare_process(mount->broker, watcher_pid(program->watcher));
	raise_descriptor_limit();
	mount->nodes = node_table_new(broker_root(mount->broker), &files_context_row);
	program->session = session_new(mount, options->fuse, options->debug, error);
	if (program->session == NULL)
		return FALSE;
	program->invalidator =
		invalidator_new(session_fuse(program->session), program_on_forgotten);
	if (!session_mount(program->session, program->mountpoint, program_on_ended, program, error))
		return FALSE;
	watcher_mounted(program->watcher);
	return TRUE;
}

/* Serve until the broker has stopped. */
static void
program_run(Program *program)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	program->loop = g_main_loop_new(NULL, FALSE);
	for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
		g_unix_signal_add(signals[i], program_on_signal, program);
	daemon_ready();
	notify_send("READY=1");
	g_main_loop_run(program->loop);
	g_main_loop_unref(program->loop);
}

/* Undo what was done, whatever that was: open files before the session whose polls they hold, the
 * mount before the broker, the watcher behind the mount. */
static void
program_end(Program *program)
{
	Mount *mount = &program->mount;

	if (mount->parking != NULL)
		parking_stop(mount->parking);
	mount->ended = TRUE;
	while (mount->open_files.length > 0)
		openfile_free(g_queue_peek_head(&mount->open_files));
	if (program->session != NULL)
		session_unmount(program->session);
	g_clear_pointer(&program->invalidator, invalidator_free);
	g_clear_pointer(&program->session, session_free);
	g_clear_pointer(&program->watcher, watcher_free);
	g_clear_pointer(&mount->nodes, node_table_free);
	g_clear_pointer(&mount->broker, broker_free);
	g_clear_pointer(&mount->parking, parking_free);
	poller_done();
	if (program->lock >= 0)
		mountpoint_unlock(program->lock, program->lock_file);
	g_free(program->mountpoint);
}

/* What it is, and what it sends to a place. */
static void
print_version(void)
{
	const AgentImage *image;

	g_print("mitofs %s, FUSE library %s\n", MITOFS_VERSION, fuse_pkgversion());
	g_print("first stage: %" G_GSIZE_FORMAT " bytes\n", bootstrap_line_size());
	for (guint i = 0; (image = image_at(i)) != NULL; i++)
		g_print("agent %s: %" G_GSIZE_FORMAT " bytes, %" G_GSIZE_FORMAT " compressed\n",
			image_arch(image), image_size(image, FALSE), image_size(image, TRUE));
}

int
main(int argc, char **argv)
{
	Program *program = &the_program;
	g_autoptr(Options) options = NULL;
	g_autoptr(GError) error = NULL;
	int status = EXIT_SUCCESS;

	daemon_prepare();
	options = options_parse(argc, argv, &error);
	if (options == NULL) {
		program_fail(error);
		return EXIT_USAGE;
	}
	if (options->version) {
		print_version();
		return EXIT_SUCCESS;
	}
	logging_start(options->log_level);
	notify_prepare(options->foreground);
	if (program_prepare(program, options, argc, argv, &error) &&
	    program_start(program, options, &error))
		program_run(program);
	else
		status = program_fail(error);
	program_end(program);
	return status;
}
