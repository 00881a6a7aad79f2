/* The first stage for real: its script, run by the shells that are here, with pipes or a socket to
 * it, up to the agent's HELLO.
 *
 * Each test has a directory of its own as HOME and XDG_RUNTIME_DIR, where most agents start; the
 * marker in the names of the stage's directories tells whether one was left, there or anywhere
 * else. The client is a child of the test and ends when its stdin does. A shell that our scripts do
 * not install is skipped where it is missing. */
#include "broker/bootstrap.h"
#include "broker/wire.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#define MARKER_SIZE 32
#define IMAGE_SIZE_MIN 1000 /* what is sent in one piece and is longer is an image */
#define ARGUMENTS_MAX 8

typedef enum { CARRIER_PIPES, CARRIER_SOCKET, CARRIERS } Carrier;

typedef struct Stage Stage;
struct Stage {
	Bootstrap *bootstrap;
	char *home;
	GStrv env;
	GPid pid;
	int in, out;	   /* our ends; -1 once closed */
	gboolean socket;   /* both are one */
	gboolean junk;	   /* zeros instead of images */
	gboolean nonblock; /* the client's stdin */
	int size;	   /* of the pipes or of the socket's buffers; 0: as they are */
	gsize cut, sent;   /* stdin is closed behind @cut bytes of @sent; G_MAXSIZE: not at all */
	GString *queue;	   /* to be sent */
	GString *frames;
	gboolean marker, ready;
	guint images;
	FailureKind failure;
	char *detail;
};

static void
on_send(const void *bytes, gsize size, void *data)
{
	Stage *stage = data;
	gsize before = stage->queue->len;

	g_string_append_len(stage->queue, bytes, (gssize)size);
	if (size < IMAGE_SIZE_MIN)
		return;
	stage->images++;
	if (stage->junk)
		memset(stage->queue->str + before, 0, size);
}

static void
on_noise(const char *line, void *data)
{
	(void)data;
	g_test_message("noise: %s", line);
}

static void
on_marker(void *data)
{
	((Stage *)data)->marker = TRUE;
}

static void
on_ready(void *data)
{
	((Stage *)data)->ready = TRUE;
}

static void
on_failed(FailureKind kind, const char *detail, void *data)
{
	Stage *stage = data;

	stage->failure = kind;
	stage->detail = g_strdup(detail);
	g_test_message("%s: %s", failure_name(kind), detail);
}

static const BootstrapOps ops = { on_send, on_noise, on_marker, on_ready, on_failed };

static void
stage_set(Stage *stage, const char *name, const char *value)
{
	stage->env = g_environ_setenv(stage->env, name, value, TRUE);
}

static void
stage_init(Stage *stage)
{
	g_autoptr(GError) error = NULL;

	*stage = (Stage){ .in = -1, .out = -1, .cut = G_MAXSIZE };
	stage->bootstrap = bootstrap_new(&ops, stage);
	stage->queue = g_string_new(NULL);
	stage->frames = g_string_new(NULL);
	stage->home = g_dir_make_tmp("first-stage-XXXXXX", &error);
	g_assert_no_error(error);
	stage_set(stage, "PATH", g_getenv("PATH"));
	stage_set(stage, "HOME", stage->home);
	stage_set(stage, "XDG_RUNTIME_DIR", stage->home);
}

/* Two descriptors of the client, and ours. */
static void
stage_make_carrier(Stage *stage, int client[2])
{
	int to[2], from[2];

	if (stage->socket) {
		g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, to), ==, 0);
		if (stage->size > 0)
			setsockopt(to[1], SOL_SOCKET, SO_SNDBUF, &stage->size, sizeof(int));
		if (stage->size > 0)
			setsockopt(to[0], SOL_SOCKET, SO_SNDBUF, &stage->size, sizeof(int));
		stage->in = stage->out = to[0];
		client[0] = client[1] = to[1];
		return;
	}
	g_assert_cmpint(pipe2(to, O_CLOEXEC), ==, 0);
	g_assert_cmpint(pipe2(from, O_CLOEXEC), ==, 0);
	if (stage->size > 0)
		g_assert_cmpint(fcntl(to[1], F_SETPIPE_SZ, stage->size), ==, stage->size);
	stage->in = to[1];
	stage->out = from[0];
	client[0] = to[0];
	client[1] = from[1];
}

/* Start @argv with its stdin and stdout to us. */
static void
stage_start(Stage *stage, const char *const *argv)
{
	g_autoptr(GError) error = NULL;
	int client[2];

	stage_make_carrier(stage, client);
	fcntl(stage->in, F_SETFL, O_NONBLOCK);
	fcntl(stage->out, F_SETFL, O_NONBLOCK);
	if (stage->nonblock)
		fcntl(client[0], F_SETFL, O_NONBLOCK);
	g_spawn_async_with_fds(stage->home, (char **)argv, stage->env, G_SPAWN_DO_NOT_REAP_CHILD,
			       NULL, NULL, &stage->pid, client[0], client[1], -1, &error);
	g_assert_no_error(error);
	close(client[0]);
	if (client[1] != client[0])
		close(client[1]);
}

static void
stage_close_in(Stage *stage)
{
	if (stage->in >= 0 && stage->socket)
		shutdown(stage->in, SHUT_WR);
	else if (stage->in >= 0)
		close(stage->in);
	stage->in = -1;
}

/* Send what the carrier takes. */
static void
stage_write(Stage *stage)
{
	gsize size = MIN(stage->queue->len, stage->cut - stage->sent);
	gssize written = write(stage->in, stage->queue->str, size);

	if (written < 0 && errno != EAGAIN)
		stage_close_in(stage); /* nobody reads it any more */
	if (written > 0) {
		stage->sent += (gsize)written;
		g_string_erase(stage->queue, 0, written);
	}
	if (stage->sent == stage->cut)
		stage_close_in(stage);
}

/* FALSE at the end of what it says. */
static gboolean
stage_read(Stage *stage)
{
	guint8 bytes[512];
	gssize got = read(stage->out, bytes, sizeof bytes);
	gsize used = 0, step = 1;

	if (got < 0 && errno == EAGAIN)
		return TRUE;
	if (got <= 0)
		return FALSE;
	for (; !stage->ready && step > 0 && used < (gsize)got; used += step)
		step = bootstrap_feed(stage->bootstrap, bytes + used, (gsize)got - used);
	g_string_append_len(stage->frames, (char *)bytes + used, got - (gssize)used);
	return TRUE;
}

/* Whether the agent's HELLO is there. */
static gboolean
stage_has_hello(const Stage *stage)
{
	struct wire_frame frame;
	gsize used;

	if (wire_frame_find((const guint8 *)stage->frames->str, stage->frames->len, &frame,
			    &used) != 1)
		return FALSE;
	g_assert_cmpint(frame.type, ==, WIRE_HELLO);
	return TRUE;
}

/* Talk until the agent has said HELLO, or nothing more comes. */
static void
stage_talk(Stage *stage)
{
	gint64 deadline = g_get_monotonic_time() + UNIT_DEADLINE_S * G_USEC_PER_SEC;
	gboolean more = TRUE;

	if (stage->cut == 0)
		stage_close_in(stage);
	while (more && !stage_has_hello(stage)) {
		struct pollfd fds[] = { { .fd = stage->out, .events = POLLIN },
					{ .fd = stage->in, .events = POLLOUT } };

		if (stage->queue->len == 0)
			fds[1].fd = -1;
		gint64 left = (deadline - g_get_monotonic_time()) / 1000;
		g_assert_cmpint(left, >, 0);
		g_assert_cmpint(poll(fds, 2, (int)left), >, 0);
		if (fds[1].revents != 0)
			stage_write(stage);
		if (fds[0].revents != 0)
			more = stage_read(stage);
		if (stage->failure != FAILURE_NONE)
			stage_close_in(stage);
	}
}

/* Wait for the end of the client, which has to come; its wait(2) status. */
static int
stage_reap(Stage *stage)
{
	int status;

	stage_close_in(stage);
	alarm(UNIT_DEADLINE_S); /* which ends the test */
	g_assert_cmpint(waitpid(stage->pid, &status, 0), ==, stage->pid);
	alarm(0);
	return status;
}

/* The stage's directory must not be in @parent. */
static void
check_nothing_in(const Stage *stage, const char *parent)
{
	const char *marker = strstr(bootstrap_script(stage->bootstrap), "T=") + 2;
	g_autofree char *path =
		g_strdup_printf("%s/" WIRE_STAGE_DIR "%.*s", parent, MARKER_SIZE, marker);

	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
check_nothing_left(const Stage *stage)
{
	static const char *const parents[] = { "/dev/shm", "/tmp", "/var/tmp" };

	check_nothing_in(stage, stage->home);
	for (gsize i = 0; i < G_N_ELEMENTS(parents); i++)
		check_nothing_in(stage, parents[i]);
}

/* The client has to end and to leave nothing. */
static int
stage_done(Stage *stage)
{
	int status = stage_reap(stage);
	const char *remove[] = { "/bin/rm", "-r", stage->home, NULL };
	g_autoptr(GError) error = NULL;

	check_nothing_left(stage);
	close(stage->out);
	g_spawn_sync(NULL, (char **)remove, NULL, 0, NULL, NULL, NULL, NULL, NULL, &error);
	g_assert_no_error(error);
	bootstrap_free(stage->bootstrap);
	g_string_free(stage->queue, TRUE);
	g_string_free(stage->frames, TRUE);
	g_strfreev(stage->env);
	g_free(stage->home);
	g_free(stage->detail);
	return status;
}

/* The talk came to an agent; its file is gone already. */
static void
check_agent(const Stage *stage)
{
	g_assert_true(stage->marker);
	g_assert_true(stage->ready);
	g_assert_true(stage_has_hello(stage));
	g_assert_cmpint(stage->failure, ==, FAILURE_NONE);
	check_nothing_left(stage);
}

/* What `uname -m` says here. Caller frees. */
static char *
machine_here(void)
{
	struct utsname name;

	g_assert_cmpint(uname(&name), ==, 0);
	return g_strdup(name.machine);
}

static void
stage_begin(Stage *stage, gboolean guess)
{
	g_autofree char *machine = guess ? machine_here() : NULL;

	bootstrap_begin(stage->bootstrap, FALSE, machine);
}

/* The script under /bin/sh. */
static void
stage_run_sh(Stage *stage)
{
	const char *argv[] = { "/bin/sh", "-c", bootstrap_script(stage->bootstrap), NULL };

	stage_start(stage, argv);
	stage_talk(stage);
}

/* Shells. */

typedef struct Shell Shell;
struct Shell {
	const char *path;
	gboolean needed; /* our scripts install it */
	gboolean script; /* runs the script itself; else the line, as a login shell */
	const char *argv[ARGUMENTS_MAX];
};

/* clang-format off */
static const Shell shells[] = {
	{ "/first-stage/script/dash", TRUE, TRUE, { "/bin/dash", "-c" } },
	{ "/first-stage/script/bash", TRUE, TRUE, { "/bin/bash", "-c" } },
	{ "/first-stage/script/bash-posix", TRUE, TRUE, { "/bin/bash", "--posix", "-c" } },
	{ "/first-stage/script/busybox", TRUE, TRUE, { "/bin/busybox", "sh", "-c" } },
	{ "/first-stage/script/ksh", FALSE, TRUE, { "/bin/ksh", "-c" } },
	{ "/first-stage/script/mksh", FALSE, TRUE, { "/bin/mksh", "-c" } },
	{ "/first-stage/script/zsh-as-sh", FALSE, TRUE, { "/bin/zsh", "--emulate", "sh", "-c" } },
	{ "/first-stage/login/dash/R71", TRUE, FALSE, { "/bin/dash", "-c" } },
	{ "/first-stage/login/bash/R71", TRUE, FALSE, { "/bin/bash", "-c" } },
	{ "/first-stage/login/busybox/R71", TRUE, FALSE, { "/bin/busybox", "ash", "-c" } },
	{ "/first-stage/login/zsh/R71", FALSE, FALSE, { "/bin/zsh", "-c" } },
	{ "/first-stage/login/ksh/R71", FALSE, FALSE, { "/bin/ksh", "-c" } },
	{ "/first-stage/login/mksh/R71", FALSE, FALSE, { "/bin/mksh", "-c" } },
	{ "/first-stage/login/fish/R71", FALSE, FALSE, { "/usr/bin/fish", "-c" } },
	{ "/first-stage/login/csh/R71", FALSE, FALSE, { "/bin/csh", "-c" } },
	{ "/first-stage/login/tcsh/R71", FALSE, FALSE, { "/bin/tcsh", "-c" } },
	{ "/first-stage/login/rc/R71", FALSE, FALSE, { "/usr/bin/rc", "-c" } },
};
/* clang-format on */

/* To HELLO and to its end, by one shell. */
static void
shell_once(const Shell *shell, Carrier carrier, gboolean guess)
{
	const char *argv[ARGUMENTS_MAX] = { 0 };
	guint count = 0;
	Stage stage;

	stage_init(&stage);
	stage.socket = carrier == CARRIER_SOCKET;
	g_autofree char *line = bootstrap_line(stage.bootstrap);
	for (; shell->argv[count] != NULL; count++)
		argv[count] = shell->argv[count];
	argv[count] = shell->script ? bootstrap_script(stage.bootstrap) : line;
	stage_begin(&stage, guess);
	stage_start(&stage, argv);
	stage_talk(&stage);
	check_agent(&stage);
	g_assert_cmpuint(stage.images, ==, 1);
	g_assert_cmpint(stage_done(&stage), ==, 0);
}

static void
shell_run(gconstpointer row)
{
	const Shell *shell = row;

	if (!shell->needed && access(shell->argv[0], X_OK) < 0) {
		g_test_skip("not installed");
		return;
	}
	for (Carrier carrier = 0; carrier < CARRIERS; carrier++) {
		shell_once(shell, carrier, FALSE);
		shell_once(shell, carrier, TRUE);
	}
}

/* Carriers. */

/* Many short reads. */
static void
carrier_small(void)
{
	for (Carrier carrier = 0; carrier < CARRIERS; carrier++) {
		Stage stage;

		stage_init(&stage);
		stage.socket = carrier == CARRIER_SOCKET;
		stage.size = 4096;
		stage_begin(&stage, FALSE);
		stage_run_sh(&stage);
		check_agent(&stage);
		stage_done(&stage);
	}
}

/* A shell cannot wait for a stdin that does not block: it comes to an agent or to an end. */
static void
carrier_nonblocking(void)
{
	for (Carrier carrier = 0; carrier < CARRIERS; carrier++) {
		Stage stage;

		stage_init(&stage);
		stage.socket = carrier == CARRIER_SOCKET;
		stage.nonblock = TRUE;
		stage_begin(&stage, TRUE);
		stage_run_sh(&stage);
		g_assert_true(stage.marker);
		stage_done(&stage);
	}
}

/* stdin ends, or brings something else. */

/* The end comes behind so many bytes of the header and the image. */
static void
cut_image(void)
{
	static const gsize cuts[] = { 0, 1, 9, 20, 1000, G_MAXSIZE };

	for (gsize i = 0; i < G_N_ELEMENTS(cuts) * 2; i++) {
		Stage stage;

		stage_init(&stage);
		stage.socket = i % 2 == 1;
		stage_begin(&stage, TRUE);
		stage.cut = MIN(cuts[i / 2], stage.queue->len - 1);
		stage_run_sh(&stage);
		g_assert_false(stage.ready);
		g_assert_cmpint(stage.failure, ==, FAILURE_NONE);
		g_assert_cmpstr(bootstrap_phase(stage.bootstrap), ==, "image");
		stage_done(&stage);
	}
}

/* What is no image is tried nowhere, and each place is named. */
static void
junk_image(void)
{
	static const char *const places[] = { "/dev/shm", "/tmp", "/var/tmp" };
	Stage stage;

	stage_init(&stage);
	stage.junk = TRUE;
	stage_begin(&stage, TRUE);
	stage_run_sh(&stage);
	g_assert_cmpint(stage.failure, ==, FAILURE_NO_PLACE);
	g_assert_nonnull(strstr(stage.detail, stage.home));
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
		g_assert_nonnull(strstr(stage.detail, places[i]));
	g_assert_cmpuint(stage.images, ==, 6);
	g_assert_cmpint(stage_done(&stage), ==, 0);
}

/* Lines of all kinds instead of an image, then the end. */
static void
junk_lines(void)
{
	static const char junk[] = "\n\nx\nx86_64z\nx86_64z y\n* *\n-c 1\nx86_64z 3\nabc";
	Stage stage;

	stage_init(&stage);
	g_string_append_len(stage.queue, junk, sizeof junk - 1);
	stage.cut = sizeof junk - 1;
	stage_run_sh(&stage);
	g_assert_false(stage.ready);
	stage_done(&stage);
}

/* Tools. */

/* A place that has only these programs; where uname is not among them, the usual PATH is taken. */
typedef struct Tools Tools;
struct Tools {
	const char *path, *names;
	guint images;	  /* that it takes with a compressed one first; 0: it comes to no agent */
	const char *word; /* in the detail of the failure */
};

static const Tools tools[] = {
	{ "/first-stage/tools/no-gzip/R75", "uname mkdir head cat chmod wc rm", 2, NULL },
	{ "/first-stage/tools/no-head/R75", "uname mkdir gzip dd chmod wc rm", 1, NULL },
	{ "/first-stage/tools/no-gzip-no-head/R75", "uname mkdir dd cat chmod wc rm", 2, NULL },
	{ "/first-stage/tools/no-wc/R75", "uname mkdir gzip head chmod rm", 1, NULL },
	{ "/first-stage/tools/no-mkdir/R75", "uname gzip head chmod wc rm", 0, "mkdir" },
	{ "/first-stage/tools/no-chmod/R75", "uname mkdir gzip head wc rm", 0, "chmod" },
	{ "/first-stage/tools/no-uname/R75", "mkdir gzip head chmod wc rm", 1, NULL },
	{ "/first-stage/tools/silent-uname/R76", "uname=true mkdir gzip head chmod wc rm", 0,
	  "no machine" },
};

/* Links to the programs in a directory of their own; NAME=PROGRAM is another under that name. */
static void
tools_make(const char *names, const char *directory)
{
	g_auto(GStrv) words = g_strsplit(names, " ", 0);

	g_assert_cmpint(g_mkdir_with_parents(directory, 0700), ==, 0);
	for (guint i = 0; words[i] != NULL; i++) {
		g_auto(GStrv) pair = g_strsplit(words[i], "=", 2);
		const char *program = pair[1] != NULL ? pair[1] : pair[0];
		g_autofree char *target = g_find_program_in_path(program);
		g_autofree char *link = g_build_filename(directory, pair[0], NULL);

		g_assert_nonnull(target);
		g_assert_cmpint(symlink(target, link), ==, 0);
	}
}

static void
tools_run(gconstpointer row)
{
	const Tools *set = row;
	Stage stage;

	stage_init(&stage);
	g_autofree char *bin = g_build_filename(stage.home, "bin", NULL);
	tools_make(set->names, bin);
	stage_set(&stage, "PATH", bin);
	stage_begin(&stage, TRUE);
	stage_run_sh(&stage);
	if (set->images > 0) {
		check_agent(&stage);
		g_assert_cmpuint(stage.images, ==, set->images);
	} else {
		g_assert_false(stage.ready);
		g_assert_cmpint(stage.failure, !=, FAILURE_NONE);
		g_assert_nonnull(strstr(stage.detail, set->word));
	}
	stage_done(&stage);
}

/* The place's environment asks its shell, which is bash, to trace what it does. */
static void
trace(void)
{
	Stage stage;

	stage_init(&stage);
	stage_set(&stage, "SHELLOPTS", "xtrace");
	const char *argv[] = { "/bin/bash", "-c", bootstrap_script(stage.bootstrap), NULL };
	stage_begin(&stage, TRUE);
	stage_start(&stage, argv);
	stage_talk(&stage);
	check_agent(&stage);
	stage_done(&stage);
}

/* Places. */

/* What a mount namespace makes of the places, as a shell's words: $d is each of three, then /mnt,
 * which is HOME and the current directory. */
typedef struct Places Places;
struct Places {
	const char *path, *mount, *home, *words; /* NULL: it comes to an agent */
	guint images;				 /* that were sent; 0: however many */
};

static const Places places[] = {
	{ "/first-stage/places/noexec/R73/T99", "mount -t tmpfs -o noexec none $d",
	  "mount -t tmpfs -o noexec none /mnt", "" },
	{ "/first-stage/places/read-only/R73/T99", "mount -t tmpfs -o ro none $d",
	  "mount -t tmpfs -o ro none /mnt", "Read-only file system" },
	{ "/first-stage/places/full/R73/T99", "mount -t tmpfs -o size=4k,mode=1777 none $d",
	  "mount -t tmpfs -o size=4k none /mnt", "No space left on device" },
	{ "/first-stage/places/home/R73/T99", "mount -t tmpfs -o noexec none $d",
	  "mount -t tmpfs none /mnt", NULL },
	{ "/first-stage/places/full-but-home/R73/T99", "mount -t tmpfs -o size=4k none $d",
	  "mount -t tmpfs none /mnt", NULL },
	/* Somebody has made a directory of that name before: nothing is put into it. */
	{ "/first-stage/places/taken/R74",
	  "m=${0#*T=} && mount -t tmpfs -o noexec none $d && mkdir -m 777 $d/.mitofs-${m%%;*}",
	  "mount -t tmpfs none /mnt", NULL, 1 },
};

static const char *const in_namespace[] = { "/usr/bin/unshare", "-m", NULL };
static const char *const in_user_namespace[] = { "/usr/bin/unshare", "-rm", NULL };

/* The words in front of a command that is to have mounts of its own, or NULL. */
static const char *const *
namespace_words(void)
{
	const char *probe[] = {
		"/usr/bin/unshare", "-rm", "/bin/mount", "-t", "tmpfs", "none", "/mnt", NULL
	};
	int status = 1;

	if (geteuid() == 0)
		return in_namespace;
	g_spawn_sync(NULL, (char **)probe, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL,
		     &status, NULL);
	return status == 0 ? in_user_namespace : NULL;
}

static void
places_run(gconstpointer row)
{
	static const char *const named[] = { "/dev/shm", "/tmp", "/var/tmp", "/mnt" };
	const Places *set = row;
	const char *const *words = namespace_words();
	Stage stage;

	if (words == NULL) {
		g_test_skip("no mount namespaces for users here");
		return;
	}
	stage_init(&stage);
	stage_set(&stage, "HOME", "/mnt");
	stage_set(&stage, "XDG_RUNTIME_DIR", "");
	g_autofree char *script =
		g_strdup_printf("for d in /dev/shm /tmp /var/tmp; do %s || exit; done;"
				" %s && cd /mnt && exec /bin/sh -c \"$0\"",
				set->mount, set->home);
	const char *argv[] = { words[0], words[1], "/bin/sh",
			       "-c",	 script,   bootstrap_script(stage.bootstrap),
			       NULL };
	stage_begin(&stage, TRUE);
	stage_start(&stage, argv);
	stage_talk(&stage);
	if (set->images > 0)
		g_assert_cmpuint(stage.images, ==, set->images);
	if (set->words == NULL) {
		check_agent(&stage);
	} else {
		g_assert_cmpint(stage.failure, ==, FAILURE_NO_PLACE);
		for (gsize i = 0; i < G_N_ELEMENTS(named); i++)
			g_assert_nonnull(strstr(stage.detail, named[i]));
		g_assert_nonnull(strstr(stage.detail, set->words));
	}
	stage_done(&stage);
}

static const UnitTest tests[] = {
	{ "/first-stage/carrier/small/T11", carrier_small },
	{ "/first-stage/carrier/nonblocking/T10", carrier_nonblocking },
	{ "/first-stage/cut/image/T12/R78", cut_image },
	{ "/first-stage/junk/image/T13", junk_image },
	{ "/first-stage/junk/lines/T13", junk_lines },
	{ "/first-stage/trace/R71", trace },
};

int
main(int argc, char **argv)
{
	unit_init(argc, argv);
	for (gsize i = 0; i < G_N_ELEMENTS(shells); i++)
		unit_add_case(shells[i].path, shell_run, &shells[i]);
	unit_add(tests, G_N_ELEMENTS(tests));
	for (gsize i = 0; i < G_N_ELEMENTS(tools); i++)
		unit_add_case(tools[i].path, tools_run, &tools[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
		unit_add_case(places[i].path, places_run, &places[i]);
	return g_test_run();
}
