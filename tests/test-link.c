/* Links and channels against an agent that is a script.
 *
 * A Peer is the other end of the link's socket: it sends the frames that a test tells it to, malformed
 * ones too, and looks at the frames that came. A Scene is a link with its peer and up to eight channels;
 * all that the link tells is written into one line of words ("hello started1:77 lost1"), so the order
 * shows. The peer reads only when the test does, so a window or a socket may be full. */
#include "broker/error.h"
#include "broker/link.h"
#include "pty/autofd.h"
#include "pty/exitcode.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define KIB 1024
#define CHANNELS 8

typedef struct Scene Scene;
typedef struct Actor Actor;

/* Who owns a channel. */
struct Actor {
	Scene *scene;
	guint number;
	Channel *channel;
	guint64 output[3]; /* bytes that came */
	guint credits;     /* times that input_credit came */
	int fds[3];
	guint64 sent, to_send; /* input_credit sends on up to so many */
};

struct Scene {
	Link *link;
	GString *told;
	guint logs;
	Actor actors[CHANNELS];
	/* The peer. */
	int fd;
	struct wire_out out;
	GByteArray *in;
	gsize in_at;
};

/* Add a word to what was told. */
static void G_GNUC_PRINTF(2, 3)
tell(Scene *scene, const char *format, ...)
{
	va_list args;

	if (scene->told->len > 0)
		g_string_append_c(scene->told, ' ');
	va_start(args, format);
	g_string_append_vprintf(scene->told, format, args);
	va_end(args);
}

/* What was told since the last call must be @wanted. */
static void
expect_told(Scene *scene, const char *wanted)
{
	g_assert_cmpstr(scene->told->str, ==, wanted);
	g_string_truncate(scene->told, 0);
}

/* The owner of the link. */

static void
on_hello(const struct wire_hello *hello, void *data)
{
	tell(data, "hello:%s@%s", hello->user, hello->host);
}

static void
on_log(int level, const char *text, void *data)
{
	Scene *scene = data;

	scene->logs++;
	if (text[0] != '\0')
		tell(scene, "log:%d:%s", level, text);
}

static void
on_link_lost(const GError *error, void *data)
{
	Scene *scene = data;

	g_assert_error(error, MITOFS_ERROR, ECONNRESET);
	tell(scene, "gone");
	link_free(g_steal_pointer(&scene->link), error);
}

static const LinkOps link_ops = { on_hello, on_log, on_link_lost };

/* The owners of channels. */

static void
on_started(guint32 pid, guint32 mask, const int fds[3], void *data)
{
	Actor *actor = data;

	memcpy(actor->fds, fds, sizeof actor->fds);
	tell(actor->scene, "started%u:%u:%u", actor->number, pid, mask);
}

static void
on_failed(enum spawn_stage stage, const GError *error, void *data)
{
	Actor *actor = data;

	tell(actor->scene, "failed%u:%d:%d:%s", actor->number, (int)stage, error->code, error->message);
	g_clear_pointer(&actor->channel, channel_close);
}

static void
on_output(int stream, const guint8 *bytes, gsize size, void *data)
{
	Actor *actor = data;

	actor->output[stream] += size;
	if (size < 20)
		tell(actor->scene, "output%u:%d:%.*s", actor->number, stream, (int)size, (const char *)bytes);
}

static void
on_output_end(int stream, void *data)
{
	Actor *actor = data;

	tell(actor->scene, "end%u:%d", actor->number, stream);
}

static void
on_input_credit(void *data)
{
	static const guint8 zeros[64 * KIB];
	Actor *actor = data;
	gssize got = 1;

	actor->credits++;
	while (actor->sent < actor->to_send && got > 0) {
		got = channel_send(actor->channel, zeros, MIN(actor->to_send - actor->sent, sizeof zeros));
		actor->sent += got > 0 ? (guint64)got : 0;
	}
}

static void
on_input_closed(void *data)
{
	Actor *actor = data;

	tell(actor->scene, "closed%u", actor->number);
}

static void
on_exited(const struct wire_exit *ended, void *data)
{
	Actor *actor = data;

	tell(actor->scene, "exited%u:%u:%u:%s", actor->number, ended->why, ended->status, ended->signal);
}

static void
on_stopped(gboolean stopped, void *data)
{
	Actor *actor = data;

	tell(actor->scene, "%s%u", stopped ? "stopped" : "continued", actor->number);
}

static void
on_usage(guint64 user_usec, guint64 system_usec, guint64 memory_peak, void *data)
{
	Actor *actor = data;

	tell(actor->scene, "usage%u:%d:%d:%d", actor->number, (int)user_usec, (int)system_usec, (int)memory_peak);
}

static void
on_channel_log(int level, const char *text, void *data)
{
	Actor *actor = data;

	tell(actor->scene, "log%u:%d:%s", actor->number, level, text);
}

static void
on_lost(const GError *error, void *data)
{
	Actor *actor = data;

	g_assert_error(error, MITOFS_ERROR, ECONNRESET);
	tell(actor->scene, "lost%u", actor->number);
	g_clear_pointer(&actor->channel, channel_close);
}

static const ChannelOps channel_ops = {
	.started = on_started,
	.failed = on_failed,
	.output = on_output,
	.output_end = on_output_end,
	.input_credit = on_input_credit,
	.input_closed = on_input_closed,
	.exited = on_exited,
	.stopped = on_stopped,
	.usage = on_usage,
	.log = on_channel_log,
	.lost = on_lost,
};

/* LinkDone of a request; its word tells which. */
static void
on_done(const GError *error, void *data)
{
	Scene *scene = data;

	tell(scene, "done:%d", error != NULL ? error->code : 0);
}

/* The peer. */

/* Write @size bytes; the socket takes them now. */
static void
peer_write(Scene *scene, const void *bytes, gsize size)
{
	g_assert_cmpint(write(scene->fd, bytes, size), ==, (gssize)size);
}

/* End the frame that was begun in scene->out, and send all there is. */
static void
peer_send(Scene *scene)
{
	g_assert_cmpint(wire_end(&scene->out), ==, 0);
	peer_write(scene, scene->out.data, scene->out.size);
	wire_out_consume(&scene->out, scene->out.size);
}

/* The same with descriptors attached to its first byte. */
static void
peer_send_fds(Scene *scene, const int *fds, guint count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(3 * sizeof(int))];
	} control = { 0 };
	struct iovec iov;
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = CMSG_SPACE(count * sizeof(int)) };

	g_assert_cmpint(wire_end(&scene->out), ==, 0);
	iov = (struct iovec){ scene->out.data, scene->out.size };
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	g_assert_cmpint(sendmsg(scene->fd, &message, 0), ==, (gssize)scene->out.size);
	wire_out_consume(&scene->out, scene->out.size);
}

/* A frame of numbers, one letter each: 1, 2, 4 or 8 bytes; s is a string. */
static void
peer_frame(Scene *scene, guint32 channel, enum wire_type type, const char *letters, ...)
{
	va_list args;

	wire_begin(&scene->out, channel, type);
	va_start(args, letters);
	for (; *letters != '\0'; letters++) {
		if (*letters == '1')
			wire_put_u8(&scene->out, (guint8)va_arg(args, int));
		else if (*letters == '4')
			wire_put_u32(&scene->out, va_arg(args, guint32));
		else if (*letters == '8')
			wire_put_u64(&scene->out, va_arg(args, guint64));
		else
			wire_put_string(&scene->out, va_arg(args, const char *));
	}
	va_end(args);
	peer_send(scene);
}

/* Put @count empty LOG frames into @out. */
static void
put_logs(struct wire_out *out, guint count)
{
	for (guint i = 0; i < count; i++) {
		wire_begin(out, 0, WIRE_LOG);
		wire_put_u8(out, WIRE_INFO);
		wire_put_string(out, "");
		g_assert_cmpint(wire_end(out), ==, 0);
	}
}

/* Send them at once. */
static void
peer_logs(Scene *scene, guint count)
{
	put_logs(&scene->out, count);
	peer_write(scene, scene->out.data, scene->out.size);
	wire_out_consume(&scene->out, scene->out.size);
}

/* HELLO of @version. */
static void
peer_hello(Scene *scene, guint32 version)
{
	struct wire_signal signals[] = { { 15, "TERM" } };
	const struct wire_hello hello = {
		.version = version,
		.host = "fake",
		.user = "me",
		.home = "/",
		.sysname = "Linux",
		.release = "6",
		.machine = "x",
		.shell = "/bin/sh",
		.signals = signals,
		.signal_count = 1,
	};

	wire_begin(&scene->out, 0, WIRE_HELLO);
	wire_put_hello(&scene->out, &hello);
	peer_send(scene);
}

/* DATA of @size zeros, or of @text. */
static void
peer_data(Scene *scene, guint32 channel, int stream, const char *text, gsize size)
{
	g_autofree guint8 *zeros = g_malloc0(size);

	wire_begin(&scene->out, channel, WIRE_DATA);
	wire_put_u8(&scene->out, (guint8)stream);
	wire_put_bytes(&scene->out, text != NULL ? (const guint8 *)text : zeros, size);
	peer_send(scene);
}

static void
peer_exit(Scene *scene, guint32 channel, guint32 status)
{
	const struct wire_exit ended = { .why = EXIT_WHY_EXIT, .status = status, .signal = "" };

	wire_begin(&scene->out, channel, WIRE_EXIT);
	wire_put_exit(&scene->out, &ended);
	peer_send(scene);
}

/* Read what is there; the next whole frame of it into @ret, its payload valid until the next call. */
static gboolean
peer_next(Scene *scene, struct wire_frame *ret)
{
	guint8 bytes[16 * KIB];
	gsize used;
	gssize got;

	g_byte_array_remove_range(scene->in, 0, (guint)scene->in_at);
	scene->in_at = 0;
	while (wire_frame_find(scene->in->data, scene->in->len, ret, &used) != 1) {
		got = read(scene->fd, bytes, sizeof bytes);
		if (got <= 0)
			return FALSE;
		g_byte_array_append(scene->in, bytes, (guint)got);
	}
	scene->in_at = used;
	return TRUE;
}

/* Wait for the next frame, which must be of @type on @channel; a cursor over its payload. */
static struct wire_in
peer_expect(Scene *scene, guint32 channel, enum wire_type type)
{
	struct wire_frame frame;
	struct wire_in in;

	unit_until(peer_next(scene, &frame));
	g_assert_cmpuint(frame.type, ==, type);
	g_assert_cmpuint(frame.channel, ==, channel);
	wire_in_init(&in, &frame);
	return in;
}

/* Nothing comes any more. */
static void
peer_expect_nothing(Scene *scene)
{
	struct wire_frame frame;

	unit_settle();
	g_assert_false(peer_next(scene, &frame));
}

/* Scenes. */

/* A link whose peer has said nothing yet. */
static Scene *
scene_new_silent(gboolean hand_over, guint frames_per_turn)
{
	Scene *scene = g_new0(Scene, 1);
	int fds[2];

	g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
	scene->told = g_string_new(NULL);
	scene->in = g_byte_array_new();
	scene->out.limit = 16 * KIB * KIB;
	scene->fd = fds[1];
	scene->link = link_new(fds[0], fds[0], hand_over, frames_per_turn, &link_ops, scene);
	return scene;
}

/* Open channel @number (from 1 on, in order), and take its SPAWN. */
static void
scene_open(Scene *scene, guint number)
{
	char *argv[] = { (char *)"true", NULL };
	const struct wire_spawn spawn = { .spec = { .file = "true", .argv = argv }, .group = 3, .run = number };
	Actor *actor = &scene->actors[number - 1];
	struct wire_spawn got;
	struct wire_in in;

	*actor = (Actor){ .scene = scene, .number = number, .fds = { -1, -1, -1 } };
	actor->channel = channel_open(scene->link, &spawn, &channel_ops, actor, NULL);
	g_assert_nonnull(actor->channel);
	g_assert_true(channel_link(actor->channel) == scene->link);
	in = peer_expect(scene, number, WIRE_SPAWN);
	g_assert_cmpint(wire_get_spawn(&in, &got), ==, 0);
	g_assert_cmpstr(got.spec.argv[0], ==, "true");
	g_assert_cmpuint(got.run, ==, number);
	wire_spawn_done(&got);
}

/* The same, and it starts; nothing of that is left in what was told. */
static void
scene_start(Scene *scene, guint number)
{
	scene_open(scene, number);
	peer_frame(scene, number, WIRE_STARTED, "44", 70 + number, 0);
	unit_until(strstr(scene->told->str, "started") != NULL);
	g_string_truncate(scene->told, 0);
}

/* A link that is up, with @channels started. */
static Scene *
scene_new(guint channels)
{
	Scene *scene = scene_new_silent(TRUE, 64);

	peer_hello(scene, WIRE_VERSION);
	unit_until(scene->told->len > 0);
	expect_told(scene, "hello:me@fake");
	for (guint i = 1; i <= channels; i++)
		scene_start(scene, i);
	return scene;
}

static void
scene_free(Scene *scene)
{
	g_autoptr(GError) error = g_error_new(MITOFS_ERROR, ECONNRESET, "the test is over");

	if (scene->link != NULL)
		link_free(g_steal_pointer(&scene->link), error);
	for (guint i = 0; i < CHANNELS; i++)
		g_assert_null(scene->actors[i].channel);
	autofd_clear(&scene->fd);
	wire_out_done(&scene->out);
	g_byte_array_unref(scene->in);
	g_string_free(scene->told, TRUE);
	g_free(scene);
}

/* HELLO. */

static void
link_hello(void)
{
	Scene *scene = scene_new(0);

	g_assert_true(link_hands_over(scene->link));
	g_assert_cmpuint(link_bytes_received(scene->link), >, 0);
	g_assert_cmpuint(link_bytes_sent(scene->link), ==, 0);
	g_assert_cmpuint(link_rtt_usec(scene->link), ==, 0);
	peer_expect_nothing(scene);
	scene_free(scene);
}

/* An agent of another version, one that speaks before HELLO, and one that says it twice. */
static void
link_hello_wrong(void)
{
	Scene *scene = scene_new_silent(TRUE, 64);

	peer_hello(scene, WIRE_VERSION + 1);
	unit_until(scene->link == NULL);
	expect_told(scene, "gone");
	scene_free(scene);
	scene = scene_new_silent(TRUE, 64);
	peer_frame(scene, 0, WIRE_LOG, "1s", WIRE_INFO, "early");
	unit_until(scene->link == NULL);
	expect_told(scene, "gone");
	scene_free(scene);
	scene = scene_new(0);
	peer_hello(scene, WIRE_VERSION);
	unit_until(scene->link == NULL);
	expect_told(scene, "gone");
	scene_free(scene);
}

/* Frames may come in any pieces. */
static void
link_pieces(void)
{
	Scene *scene = scene_new_silent(TRUE, 64);
	g_autoptr(GByteArray) all = g_byte_array_new();
	int pair[2];

	g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	int real = scene->fd;
	scene->fd = pair[0];
	peer_hello(scene, WIRE_VERSION);
	for (guint i = 0; i < 20; i++)
		peer_frame(scene, 0, WIRE_LOG, "1s", WIRE_INFO, "");
	scene->fd = real;
	g_byte_array_set_size(all, 4000);
	g_byte_array_set_size(all, (guint)read(pair[1], all->data, 4000));
	for (guint i = 0; i < all->len; i++) {
		guint64 received = link_bytes_received(scene->link);

		peer_write(scene, all->data + i, 1);
		unit_until(link_bytes_received(scene->link) > received);
	}
	expect_told(scene, "hello:me@fake");
	g_assert_cmpuint(scene->logs, ==, 20);
	close(pair[0]);
	close(pair[1]);
	scene_free(scene);
}

/* Frames that end the link. Channel 1 has started, 2 was opened, 3 never was. */

static void
bad_unknown_type(Scene *scene)
{
	static const guint8 frame[WIRE_HEADER] = { 0, 0, 0, 0, 0, 0, 0, 0, 200 };
	peer_write(scene, frame, sizeof frame);
}

static void
bad_header(Scene *scene)
{
	static const guint8 frame[WIRE_HEADER] = { 0, 0, 0, 0, 0, 0, 0, 0, WIRE_LOG, 1 };
	peer_write(scene, frame, sizeof frame);
}

static void
bad_length(Scene *scene)
{
	static const guint8 frame[WIRE_HEADER] = { 1, 0, 0, 0, 0, 0, 0, 1, WIRE_DATA };
	peer_write(scene, frame, sizeof frame);
}

static void
bad_over_credit(Scene *scene)
{
	peer_data(scene, 1, WIRE_STDOUT, NULL, 64 * KIB);
	peer_data(scene, 1, WIRE_STDOUT, NULL, 1);
}

static void
bad_exit_twice(Scene *scene)
{
	peer_exit(scene, 1, 0);
	peer_exit(scene, 1, 0);
}

static const struct {
	const char *name;
	void (*send)(Scene *scene);
	guint32 channel;
	enum wire_type type;
	const char *letters;
	guint32 a, b;
} bad_frames[] = {
	{ "unknown type", bad_unknown_type },
	{ "header not zero", bad_header },
	{ "too long", bad_length },
	{ "over credit", bad_over_credit },
	{ "exit twice", bad_exit_twice },
	{ "wrong direction", NULL, 1, WIRE_SPAWN, "" },
	{ "wrong direction of the link", NULL, 0, WIRE_PING, "4", 1 },
	{ "reserved", NULL, 0, WIRE_PROMPT, "" },
	{ "hello on a channel", NULL, 1, WIRE_HELLO, "" },
	{ "data on the link", NULL, 0, WIRE_DATA, "1", 1 },
	{ "never opened", NULL, 3, WIRE_STATE, "1", 1 },
	{ "never opened, done", NULL, 99, WIRE_DONE, "4", 1 },
	{ "data of stdin", NULL, 1, WIRE_DATA, "1", 0 },
	{ "data of no stream", NULL, 1, WIRE_DATA, "1", 3 },
	{ "data without stream", NULL, 1, WIRE_DATA, "" },
	{ "end of stdin", NULL, 1, WIRE_END, "1", 0 },
	{ "end and more", NULL, 1, WIRE_END, "11", 1, 1 },
	{ "credit for stdout", NULL, 1, WIRE_CREDIT, "14", 1, 1 },
	{ "credit beyond all", NULL, 1, WIRE_CREDIT, "14", 0, WIRE_CREDIT_MAX },
	{ "close of stdout", NULL, 1, WIRE_CLOSE, "1", 1 },
	{ "no state", NULL, 1, WIRE_STATE, "1", 2 },
	{ "usage too short", NULL, 1, WIRE_USAGE, "4", 1 },
	{ "exit too short", NULL, 1, WIRE_EXIT, "1", 1 },
	{ "log without text", NULL, 0, WIRE_LOG, "1", 6 },
	{ "pong too long", NULL, 0, WIRE_PONG, "44", 1, 1 },
	{ "done too short", NULL, 0, WIRE_DONE, "4", 1 },
	{ "started twice", NULL, 1, WIRE_STARTED, "44", 71, 0 },
	{ "started, no such stream", NULL, 2, WIRE_STARTED, "44", 71, 8 },
	{ "started, no descriptors", NULL, 2, WIRE_STARTED, "44", 71, 7 },
	{ "failed when started", NULL, 1, WIRE_FAILED, "", 0 },
	{ "data before the start", NULL, 2, WIRE_DATA, "1", 1 },
	{ "end before the start", NULL, 2, WIRE_END, "1", 1 },
	{ "credit before the start", NULL, 2, WIRE_CREDIT, "14", 0, 1 },
	{ "state before the start", NULL, 2, WIRE_STATE, "1", 1 },
};

/* Each loses the link, and each channel is told before the owner. */
static void
link_malformed(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(bad_frames); i++) {
		Scene *scene = scene_new(1);

		g_test_message("%s", bad_frames[i].name);
		scene_open(scene, 2);
		if (bad_frames[i].send != NULL)
			bad_frames[i].send(scene);
		else
			peer_frame(scene, bad_frames[i].channel, bad_frames[i].type, bad_frames[i].letters,
				   bad_frames[i].a, bad_frames[i].b);
		unit_until(scene->link == NULL);
		g_assert_nonnull(strstr(scene->told->str, "lost1"));
		g_assert_nonnull(strstr(scene->told->str, "lost2"));
		g_assert_true(g_str_has_suffix(scene->told->str, " gone"));
		scene_free(scene);
	}
}

/* Without the right to hand descriptors over, STARTED with any is malformed. */
static void
link_no_hand_over(void)
{
	Scene *scene = scene_new_silent(FALSE, 64);

	peer_hello(scene, WIRE_VERSION);
	unit_until(scene->told->len > 0);
	g_assert_false(link_hands_over(scene->link));
	scene_open(scene, 1);
	peer_frame(scene, 1, WIRE_STARTED, "44", 71, 7);
	unit_until(scene->link == NULL);
	expect_told(scene, "hello:me@fake lost1 gone");
	scene_free(scene);
}

/* Channels. */

/* Everything that may come on one is told, in order. */
static void
channel_life(void)
{
	Scene *scene = scene_new(0);

	scene_open(scene, 1);
	peer_frame(scene, 1, WIRE_LOG, "1s", WIRE_WARNING, "hm");
	peer_frame(scene, 0, WIRE_LOG, "1s", WIRE_INFO, "link");
	peer_frame(scene, 1, WIRE_STARTED, "44", 77, 0);
	peer_data(scene, 1, WIRE_STDOUT, "out", 3);
	peer_data(scene, 1, WIRE_STDERR, "err", 3);
	peer_frame(scene, 1, WIRE_STATE, "1", 1);
	peer_frame(scene, 1, WIRE_STATE, "1", 0);
	peer_frame(scene, 1, WIRE_USAGE, "888", G_GUINT64_CONSTANT(1), G_GUINT64_CONSTANT(2), G_GUINT64_CONSTANT(3));
	peer_frame(scene, 1, WIRE_CLOSE, "1", 0);
	peer_frame(scene, 1, WIRE_END, "1", 2);
	peer_exit(scene, 1, 5);
	peer_frame(scene, 1, WIRE_END, "1", 1);
	unit_until(strstr(scene->told->str, "end1:1") != NULL);
	expect_told(scene, "log1:4:hm log:6:link started1:77:0 output1:1:out output1:2:err stopped1 continued1 "
			   "usage1:1:2:3 closed1 end1:2 exited1:1:5: end1:1");
	g_assert_cmpint(channel_send(scene->actors[0].channel, "x", 1), ==, -EPIPE);
	g_clear_pointer(&scene->actors[0].channel, channel_close);
	peer_expect(scene, 1, WIRE_FORGET);
	scene_free(scene);
}

/* A start that fails; what was asked of it meanwhile is answered. */
static void
channel_failed(void)
{
	Scene *scene = scene_new(0);

	scene_open(scene, 1);
	scene_open(scene, 2);
	channel_cancel(scene->actors[0].channel);
	channel_signal(scene->actors[0].channel, "KILL", WIRE_TARGET_TREE, on_done, scene);
	channel_signal(scene->actors[1].channel, "KILL", WIRE_TARGET_TREE, on_done, scene);
	peer_expect(scene, 1, WIRE_CANCEL);
	peer_expect(scene, 1, WIRE_SIGNAL);
	peer_expect(scene, 2, WIRE_SIGNAL);
	peer_frame(scene, 1, WIRE_FAILED, "1ss", SPAWN_EXEC, "ECANCELED", "cancelled");
	unit_until(strstr(scene->told->str, "done") != NULL);
	unit_settle();
	expect_told(scene, "failed1:11:125:cancelled done:3");
	g_clear_pointer(&scene->actors[1].channel, channel_close);
	scene_free(scene);
}

/* Frames for a channel that was closed are dropped, with the descriptors of a late STARTED. */
static void
channel_late(void)
{
	Scene *scene = scene_new(1);
	int fds[2];

	scene_open(scene, 2);
	scene_open(scene, 3);
	g_clear_pointer(&scene->actors[0].channel, channel_close);
	g_clear_pointer(&scene->actors[1].channel, channel_close);
	peer_data(scene, 1, WIRE_STDOUT, "late", 4);
	peer_data(scene, 1, WIRE_STDOUT, NULL, 100000);
	peer_frame(scene, 1, WIRE_END, "1", 9);
	peer_exit(scene, 1, 0);
	g_assert_no_errno(pipe2(fds, O_CLOEXEC));
	const int late[] = { fds[0], fds[0], fds[1] };
	wire_begin(&scene->out, 2, WIRE_STARTED);
	wire_put_u32(&scene->out, 5);
	wire_put_u32(&scene->out, 7);
	peer_send_fds(scene, late, 3);
	peer_frame(scene, 2, WIRE_LOG, "1s", WIRE_INFO, "late");
	wire_begin(&scene->out, 3, WIRE_STARTED);
	wire_put_u32(&scene->out, 6);
	wire_put_u32(&scene->out, 1);
	peer_send_fds(scene, &fds[1], 1);
	close(fds[1]);
	unit_until(scene->told->len > 0);
	expect_told(scene, "started3:6:1");
	g_assert_cmpint(write(scene->actors[2].fds[0], "x", 1), ==, 1);
	close(scene->actors[2].fds[0]);
	char bytes[2];
	g_assert_cmpint(read(fds[0], bytes, 2), ==, 1);
	g_assert_cmpint(read(fds[0], bytes, 2), ==, 0);
	close(fds[0]);
	g_clear_pointer(&scene->actors[2].channel, channel_close);
	scene_free(scene);
}

/* A channel that is retired is forgotten when its command has ended, at once if it has already. */
static void
channel_retired(void)
{
	Scene *scene = scene_new(2);

	channel_stop(scene->actors[0].channel, 100, NULL, NULL);
	channel_retire(g_steal_pointer(&scene->actors[0].channel));
	struct wire_in in = peer_expect(scene, 1, WIRE_STOP);
	wire_get_u32(&in);
	g_assert_cmpuint(wire_get_u32(&in), ==, 100);
	peer_data(scene, 1, WIRE_STDOUT, "late", 4);
	peer_expect_nothing(scene);
	peer_exit(scene, 1, 0);
	peer_expect(scene, 1, WIRE_FORGET);
	peer_exit(scene, 2, 0);
	unit_until(scene->told->len > 0);
	channel_retire(g_steal_pointer(&scene->actors[1].channel));
	peer_expect(scene, 2, WIRE_FORGET);
	expect_told(scene, "exited2:1:0:");
	scene_start(scene, 3);
	channel_retire(g_steal_pointer(&scene->actors[2].channel));
	scene_free(scene);
}

/* What cannot be sent. */
static void
channel_refused(void)
{
	Scene *scene = scene_new(0);
	g_autofree char *word = g_strnfill(WIRE_PAYLOAD_MAX, 'x');
	char *argv[] = { word, NULL };
	const struct wire_spawn spawn = { .spec = { .file = "true", .argv = argv } };
	g_autoptr(GError) error = NULL;

	g_assert_null(channel_open(scene->link, &spawn, &channel_ops, NULL, &error));
	g_assert_error(error, MITOFS_ERROR, E2BIG);
	peer_expect_nothing(scene);
	scene_start(scene, 1);
	g_clear_pointer(&scene->actors[0].channel, channel_close);
	scene_free(scene);
}

/* Descriptors that were handed over go to the channels in the order of the frames; a terminal has one for two streams. */
static void
channel_descriptors(void)
{
	Scene *scene = scene_new(0);
	int pipes[5][2];

	for (guint i = 0; i < 5; i++)
		g_assert_no_errno(pipe2(pipes[i], O_CLOEXEC));
	for (guint i = 1; i <= 3; i++)
		scene_open(scene, i);
	for (guint i = 0; i < 3; i++) {
		static const guint masks[] = { 7, 3, 4 }, counts[] = { 3, 1, 1 }, firsts[] = { 0, 3, 4 };
		int fds[3];

		for (guint j = 0; j < counts[i]; j++)
			fds[j] = pipes[firsts[i] + j][1];
		wire_begin(&scene->out, i + 1, WIRE_STARTED);
		wire_put_u32(&scene->out, i);
		wire_put_u32(&scene->out, masks[i]);
		peer_send_fds(scene, fds, counts[i]);
	}
	unit_until(strstr(scene->told->str, "started3") != NULL);
	expect_told(scene, "started1:0:7 started2:1:3 started3:2:4");
	const int came[] = { scene->actors[0].fds[0], scene->actors[0].fds[1], scene->actors[0].fds[2],
			     scene->actors[1].fds[0], scene->actors[2].fds[2] };
	g_assert_cmpint(scene->actors[1].fds[1], ==, -1);
	g_assert_cmpint(scene->actors[1].fds[2], ==, -1);
	g_assert_cmpint(scene->actors[2].fds[0], ==, -1);
	for (guint i = 0; i < 5; i++) {
		char byte = 0;

		g_assert_cmpint(fcntl(came[i], F_GETFD), ==, FD_CLOEXEC);
		g_assert_cmpint(write(came[i], &(char){ (char)('a' + i) }, 1), ==, 1);
		g_assert_cmpint(read(pipes[i][0], &byte, 1), ==, 1);
		g_assert_cmpint(byte, ==, 'a' + (int)i);
		close(came[i]);
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	for (guint i = 0; i < 3; i++)
		g_clear_pointer(&scene->actors[i].channel, channel_close);
	scene_free(scene);
}

/* Credit. */

/* The CREDIT that comes next for stdout of channel 1. */
static guint32
credit_next(Scene *scene)
{
	struct wire_in in = peer_expect(scene, 1, WIRE_CREDIT);

	g_assert_cmpuint(wire_get_u8(&in), ==, WIRE_STDOUT);
	return wire_get_u32(&in);
}

/* The window of output doubles each time that it was used up, up to its cap. */
static void
credit_window(void)
{
	Scene *scene = scene_new(1);
	Actor *actor = &scene->actors[0];
	guint64 window = WIRE_CREDIT_START, total = 0;

	for (guint i = 0; i < 9; i++) {
		for (guint64 left = window; left > 0;) {
			gsize piece = (gsize)MIN(left, 64 * KIB);

			peer_data(scene, 1, WIRE_STDOUT, NULL, piece);
			left -= piece;
			total += piece;
			unit_until(actor->output[1] == total);
		}
		channel_give_credit(actor->channel, WIRE_STDOUT, G_MAXUINT64);
		window = MIN(window * 2, WIRE_CREDIT_MAX);
		g_assert_cmpuint(credit_next(scene), ==, window);
	}
	g_assert_cmpuint(window, ==, WIRE_CREDIT_MAX);
	g_clear_pointer(&actor->channel, channel_close);
	scene_free(scene);
}

/* No more is given than there is room for, and not in driblets while the agent has enough. */
static void
credit_room(void)
{
	Scene *scene = scene_new(1);
	Actor *actor = &scene->actors[0];

	channel_give_credit(actor->channel, WIRE_STDOUT, G_MAXUINT64);
	peer_data(scene, 1, WIRE_STDOUT, NULL, 20000);
	unit_until(actor->output[1] == 20000);
	channel_give_credit(actor->channel, WIRE_STDOUT, G_MAXUINT64);
	peer_expect_nothing(scene);
	peer_data(scene, 1, WIRE_STDOUT, NULL, 20000);
	unit_until(actor->output[1] == 40000);
	channel_give_credit(actor->channel, WIRE_STDOUT, 65536 - 40000);
	peer_expect_nothing(scene);
	channel_give_credit(actor->channel, WIRE_STDOUT, G_MAXUINT64);
	g_assert_cmpuint(credit_next(scene), ==, 40000);
	peer_data(scene, 1, WIRE_STDOUT, NULL, 65536);
	unit_until(actor->output[1] == 40000 + 65536);
	channel_give_credit(actor->channel, WIRE_STDOUT, 0);
	peer_expect_nothing(scene);
	channel_give_credit(actor->channel, WIRE_STDOUT, 1000);
	g_assert_cmpuint(credit_next(scene), ==, 1000);
	g_clear_pointer(&actor->channel, channel_close);
	scene_free(scene);
}

/* Input goes as far as the agent's credit, a small write whole or not at all, and who had more is told of the next. */
static void
credit_input(void)
{
	Scene *scene = scene_new(1);
	Actor *actor = &scene->actors[0];
	g_autofree guint8 *bytes = g_malloc0(100000);
	struct wire_frame frame;
	gsize got = 0;

	g_assert_cmpint(channel_send(actor->channel, bytes, 1000), ==, 1000);
	peer_frame(scene, 1, WIRE_CREDIT, "14", 0, 1000);
	unit_settle();
	g_assert_cmpuint(actor->credits, ==, 0);
	g_assert_cmpint(channel_send(actor->channel, bytes, 100000), ==, WIRE_CREDIT_START);
	peer_frame(scene, 1, WIRE_CREDIT, "14", 0, 10);
	unit_until(actor->credits == 1);
	g_assert_cmpint(channel_send(actor->channel, NULL, 0), ==, -EAGAIN);
	g_assert_cmpint(channel_send(actor->channel, bytes, 11), ==, -EAGAIN);
	g_assert_cmpint(channel_send(actor->channel, bytes, 10), ==, 10);
	g_assert_cmpint(channel_send(actor->channel, bytes, 1), ==, -EAGAIN);
	peer_frame(scene, 1, WIRE_CREDIT, "14", 0, 5000);
	unit_until(actor->credits == 2);
	g_assert_cmpint(channel_send(actor->channel, NULL, 0), ==, 0);
	g_assert_cmpint(channel_send(actor->channel, bytes, 10000), ==, 5000);
	channel_send_end(actor->channel);
	for (;;) {
		unit_until(peer_next(scene, &frame));
		if (frame.type != WIRE_DATA)
			break;
		g_assert_cmpuint(frame.payload[0], ==, WIRE_STDIN);
		got += frame.length - 1;
	}
	g_assert_cmpuint(frame.type, ==, WIRE_END);
	g_assert_cmpuint(got, ==, 1000 + WIRE_CREDIT_START + 10 + 5000);
	g_clear_pointer(&actor->channel, channel_close);
	scene_free(scene);
}

/* Many senders on one link: one that found no room for its first byte is told when there is, and all get through. */
static void
credit_many(void)
{
	Scene *scene = scene_new(CHANNELS);
	guint64 got[CHANNELS + 1] = { 0 };
	struct wire_frame frame;
	guint done = 0;

	for (guint i = 0; i < CHANNELS; i++) {
		scene->actors[i].to_send = WIRE_CREDIT_START;
		on_input_credit(&scene->actors[i]);
	}
	g_assert_cmpuint(scene->actors[CHANNELS - 1].sent, ==, 0);
	while (done < CHANNELS) {
		unit_until(peer_next(scene, &frame));
		g_assert_cmpuint(frame.type, ==, WIRE_DATA);
		got[frame.channel] += frame.length - 1;
		done += got[frame.channel] == WIRE_CREDIT_START;
	}
	unit_settle();
	for (guint i = 0; i < CHANNELS; i++) {
		g_assert_cmpuint(scene->actors[i].sent, ==, WIRE_CREDIT_START);
		g_clear_pointer(&scene->actors[i].channel, channel_close);
	}
	scene_free(scene);
}

/* Requests. */

/* Each kind as the agent sees it; the answer comes once and later. */
static void
request_kinds(void)
{
	Scene *scene = scene_new(1);
	Channel *channel = scene->actors[0].channel;
	guint32 serials[4];
	struct wire_in in;

	serials[0] = channel_signal(channel, "TERM", WIRE_TARGET_LEADER, on_done, scene);
	serials[1] = channel_stop(channel, 1234, on_done, scene);
	serials[2] = channel_winsize(channel, 100, 50, on_done, scene);
	serials[3] = channel_set(channel, "nice", "5", on_done, scene);
	in = peer_expect(scene, 1, WIRE_SIGNAL);
	g_assert_cmpuint(wire_get_u32(&in), ==, serials[0]);
	g_assert_cmpuint(wire_get_u8(&in), ==, WIRE_TARGET_LEADER);
	g_assert_cmpstr(wire_get_string(&in), ==, "TERM");
	in = peer_expect(scene, 1, WIRE_STOP);
	g_assert_cmpuint(wire_get_u32(&in), ==, serials[1]);
	g_assert_cmpuint(wire_get_u32(&in), ==, 1234);
	in = peer_expect(scene, 1, WIRE_WINSIZE);
	g_assert_cmpuint(wire_get_u32(&in), ==, serials[2]);
	g_assert_cmpuint(wire_get_u16(&in), ==, 100);
	g_assert_cmpuint(wire_get_u16(&in), ==, 50);
	in = peer_expect(scene, 1, WIRE_SET);
	g_assert_cmpuint(wire_get_u32(&in), ==, serials[3]);
	g_assert_cmpstr(wire_get_string(&in), ==, "nice");
	g_assert_cmpstr(wire_get_string(&in), ==, "5");
	link_forget_request(scene->link, serials[2]);
	peer_frame(scene, 1, WIRE_DONE, "4ss", serials[3], "", "");
	peer_frame(scene, 0, WIRE_DONE, "4ss", serials[0], "ESRCH", "nobody");
	peer_frame(scene, 1, WIRE_DONE, "4ss", serials[0], "", "");
	peer_frame(scene, 1, WIRE_DONE, "4ss", serials[2], "", "");
	peer_frame(scene, 1, WIRE_DONE, "4ss", 4711, "", "");
	peer_frame(scene, 1, WIRE_DONE, "4ss", serials[1], "ENOSUCHERROR", "");
	unit_until(strstr(scene->told->str, "done:5") != NULL);
	expect_told(scene, "done:0 done:3 done:5");
	link_forget_request(scene->link, serials[1]);
	g_clear_pointer(&scene->actors[0].channel, channel_close);
	scene_free(scene);
}

/* A channel that was closed may still have its answer. */
static void
request_behind_close(void)
{
	Scene *scene = scene_new(1);
	guint32 serial = channel_signal(scene->actors[0].channel, "0", WIRE_TARGET_GROUP, on_done, scene);

	g_clear_pointer(&scene->actors[0].channel, channel_close);
	peer_expect(scene, 1, WIRE_SIGNAL);
	peer_expect(scene, 1, WIRE_FORGET);
	peer_frame(scene, 1, WIRE_DONE, "4ss", serial, "", "");
	unit_until(scene->told->len > 0);
	expect_told(scene, "done:0");
	scene_free(scene);
}

/* What is for the link itself. */
static void
request_of_link(void)
{
	Scene *scene = scene_new(0);
	struct wire_in in;

	link_sweep(scene->link, 42);
	link_send_shutdown(scene->link, 77);
	in = peer_expect(scene, 0, WIRE_SWEEP);
	guint32 serial = wire_get_u32(&in);
	g_assert_cmpuint(wire_get_u32(&in), ==, 42);
	in = peer_expect(scene, 0, WIRE_SHUTDOWN);
	g_assert_cmpuint(wire_get_u32(&in), ==, 77);
	peer_frame(scene, 0, WIRE_DONE, "4ss", serial, "", "");
	unit_settle();
	expect_told(scene, "");
	scene_free(scene);
}

/* Loss. */

/* Channels, then requests, then the owner; a frame that came whole before is still told. */
static void
loss_order(void)
{
	Scene *scene = scene_new(2);

	channel_signal(scene->actors[0].channel, "TERM", WIRE_TARGET_GROUP, on_done, scene);
	channel_signal(scene->actors[1].channel, "TERM", WIRE_TARGET_GROUP, on_done, scene);
	peer_expect(scene, 1, WIRE_SIGNAL);
	peer_expect(scene, 2, WIRE_SIGNAL);
	peer_data(scene, 1, WIRE_STDOUT, "last", 4);
	peer_write(scene, "half a", 6);
	autofd_clear(&scene->fd);
	unit_until(scene->link == NULL);
	g_assert_true(g_str_has_prefix(scene->told->str, "output1:1:last lost"));
	g_assert_true(g_str_has_suffix(scene->told->str, " done:104 done:104 gone"));
	g_assert_nonnull(strstr(scene->told->str, "lost1"));
	g_assert_nonnull(strstr(scene->told->str, "lost2"));
	scene_free(scene);
}

/* Ended by its owner: channels and requests are told, the owner is not; ended from outside: he is. */
static void
loss_by_us(void)
{
	Scene *scene = scene_new(1);
	g_autoptr(GError) error = g_error_new(MITOFS_ERROR, ECONNRESET, "by us");

	channel_signal(scene->actors[0].channel, "TERM", WIRE_TARGET_GROUP, on_done, scene);
	link_free(g_steal_pointer(&scene->link), error);
	expect_told(scene, "lost1 done:104");
	scene_free(scene);
	scene = scene_new(1);
	channel_send(scene->actors[0].channel, "unsent", 6);
	link_lose(scene->link, error);
	expect_told(scene, "lost1 gone");
	scene_free(scene);
}

/* A link that was lost by whom it is about to tell takes nothing more. */
static void
on_done_uses_link(const GError *error, void *data)
{
	Scene *scene = data;
	char *argv[] = { (char *)"true", NULL };
	const struct wire_spawn spawn = { .spec = { .file = "true", .argv = argv } };
	g_autoptr(GError) refused = NULL;

	g_assert_null(channel_open(scene->link, &spawn, &channel_ops, NULL, &refused));
	g_assert_error(refused, MITOFS_ERROR, ENOTCONN);
	link_sweep(scene->link, 1);
	link_send_shutdown(scene->link, 1);
	link_set_keepalive(scene->link, 1);
	tell(scene, "refused");
}

static void
loss_refuses(void)
{
	Scene *scene = scene_new(1);

	channel_signal(scene->actors[0].channel, "TERM", WIRE_TARGET_GROUP, on_done_uses_link, scene);
	autofd_clear(&scene->fd);
	unit_until(scene->link == NULL);
	expect_told(scene, "lost1 refused gone");
	scene_free(scene);
}

/* Order and fairness. */

/* What a turn produces goes control first, and data that has begun is finished before it. */
static void
order_control_first(void)
{
	static const guint8 zeros[64 * KIB];
	Scene *scene = scene_new(1);
	Channel *channel = scene->actors[0].channel;
	struct wire_frame frame;
	gsize data = 0;
	guint signals = 0;

	g_assert_cmpint(channel_send(channel, zeros, 1000), ==, 1000);
	channel_signal(channel, "TERM", WIRE_TARGET_GROUP, NULL, NULL);
	peer_expect(scene, 1, WIRE_SIGNAL);
	peer_expect(scene, 1, WIRE_DATA);
	peer_frame(scene, 1, WIRE_CREDIT, "14", 0, 4 * KIB * KIB);
	unit_settle();
	for (guint i = 0; i < 20; i++) {
		gssize sent = channel_send(channel, zeros, sizeof zeros);

		data += sent > 0 ? (gsize)sent : 0;
		channel_signal(channel, "TERM", WIRE_TARGET_GROUP, NULL, NULL);
		unit_settle();
	}
	g_assert_cmpuint(data, <, 20 * sizeof zeros);
	while (data > 0 || signals < 20) {
		unit_until(peer_next(scene, &frame));
		if (frame.type == WIRE_SIGNAL) {
			signals++;
			continue;
		}
		g_assert_cmpuint(frame.type, ==, WIRE_DATA);
		data -= frame.length - 1;
	}
	peer_expect_nothing(scene);
	g_clear_pointer(&scene->actors[0].channel, channel_close);
	scene_free(scene);
}

static guint other_at, timer_at;

/* The other descriptor is served: how many frames were by then. */
static void
other_on_ready(guint32 events, void *data)
{
	Scene *scene = data;

	if (other_at == 0)
		other_at = scene->logs + 1;
}

static gboolean
timer_on_time(void *data)
{
	Scene *scene = data;

	timer_at = scene->logs + 1;
	return G_SOURCE_REMOVE;
}

/* A flood on one link holds up neither another descriptor nor a timer, and all of it is handled. */
static void
order_flood(void)
{
	Scene *scene = scene_new_silent(TRUE, 4);
	int fds[2];

	peer_hello(scene, WIRE_VERSION);
	unit_until(scene->told->len > 0);
	g_assert_no_errno(pipe2(fds, O_CLOEXEC));
	peer_logs(scene, 5000);
	unit_until(scene->logs > 0);
	other_at = timer_at = 0;
	guint before = scene->logs;
	PollerWatch *watch = poller_add(fds[0], EPOLLIN, other_on_ready, scene);
	g_timeout_add(0, timer_on_time, scene);
	g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
	unit_until(other_at > 0 && timer_at > 0);
	g_assert_cmpuint(other_at - before, <=, 30);
	g_assert_cmpuint(timer_at - before, <=, 30);
	poller_remove(watch);
	close(fds[0]);
	close(fds[1]);
	unit_until(scene->logs == 5000);
	peer_frame(scene, 0, WIRE_LOG, "1s", WIRE_INFO, "behind");
	unit_until(scene->logs == 5001);
	scene_free(scene);
}

/* The loss of a link comes behind what a flood left to be handled. */
static void
order_flood_then_gone(void)
{
	Scene *scene = scene_new_silent(TRUE, 2);

	peer_hello(scene, WIRE_VERSION);
	peer_logs(scene, 500);
	autofd_clear(&scene->fd);
	unit_until(scene->link == NULL);
	g_assert_cmpuint(scene->logs, ==, 500);
	scene_free(scene);
}

/* Keepalive. */

/* Three pings without a byte, and it is lost. */
static void
keepalive_silent(void)
{
	Scene *scene = scene_new(0);

	link_set_keepalive(scene->link, 5);
	unit_until(scene->link == NULL);
	for (guint32 i = 1; i <= 3; i++) {
		struct wire_in in = peer_expect(scene, 0, WIRE_PING);

		g_assert_cmpuint(wire_get_u32(&in), ==, i);
	}
	peer_expect_nothing(scene);
	expect_told(scene, "gone");
	scene_free(scene);
}

/* Answers keep it, and tell the round trip; so does any other frame. */
static void
keepalive_answered(void)
{
	Scene *scene = scene_new(0);

	link_set_keepalive(scene->link, 2);
	for (guint i = 0; i < 8; i++) {
		struct wire_in in = peer_expect(scene, 0, WIRE_PING);

		if (i % 2 == 0)
			peer_frame(scene, 0, WIRE_PONG, "4", wire_get_u32(&in));
		else
			peer_frame(scene, 0, WIRE_LOG, "1s", WIRE_INFO, "");
	}
	g_assert_nonnull(scene->link);
	g_assert_cmpuint(link_rtt_usec(scene->link), >, 0);
	link_set_keepalive(scene->link, 0);
	unit_settle();
	peer_frame(scene, 0, WIRE_PONG, "4", 4711);
	unit_settle();
	g_assert_nonnull(scene->link);
	scene_free(scene);
}

/* A link over a channel of another. */

typedef struct Nested Nested;
struct Nested {
	Scene inner;     /* its fd is unused: the frames go through the outer scene */
	Scene *outer;
	Channel *carrier;
	guint64 credit; /* what the broker takes of stdout */
};

static void
nested_on_output(int stream, const guint8 *bytes, gsize size, void *data)
{
	Nested *nested = data;

	if (nested->inner.link != NULL)
		link_feed(nested->inner.link, bytes, size);
}

static void
nested_on_credit(void *data)
{
	Nested *nested = data;

	link_pump(nested->inner.link);
}

static const ChannelOps carrier_ops = { .output = nested_on_output, .input_credit = nested_on_credit };

/* An inner link over channel 1 of an outer one. */
static Nested *
nested_new(guint frames_per_turn)
{
	char *argv[] = { (char *)"ctx-agent", NULL };
	const struct wire_spawn spawn = { .spec = { .file = "ctx-agent", .argv = argv } };
	Nested *nested = g_new0(Nested, 1);

	nested->outer = scene_new(0);
	nested->inner.told = g_string_new(NULL);
	nested->inner.out.limit = 16 * KIB * KIB;
	nested->inner.in = g_byte_array_new();
	nested->inner.fd = -1;
	nested->credit = WIRE_CREDIT_START;
	nested->carrier = channel_open(nested->outer->link, &spawn, &carrier_ops, nested, NULL);
	peer_expect(nested->outer, 1, WIRE_SPAWN);
	peer_frame(nested->outer, 1, WIRE_STARTED, "44", 9, 0);
	unit_settle();
	nested->inner.link = link_new_over(nested->carrier, frames_per_turn, &link_ops, &nested->inner);
	return nested;
}

static void
nested_free(Nested *nested)
{
	g_autoptr(GError) error = g_error_new(MITOFS_ERROR, ECONNRESET, "the test is over");

	if (nested->inner.link != NULL)
		link_free(g_steal_pointer(&nested->inner.link), error);
	channel_close(nested->carrier);
	scene_free(nested->outer);
	wire_out_done(&nested->inner.out);
	g_byte_array_unref(nested->inner.in);
	g_string_free(nested->inner.told, TRUE);
	g_free(nested);
}

/* Take the outer frames that came: inner bytes are kept, credit is counted. */
static void
nested_take(Nested *nested)
{
	struct wire_frame frame;

	while (peer_next(nested->outer, &frame)) {
		struct wire_in in;

		wire_in_init(&in, &frame);
		g_assert_cmpuint(frame.channel, ==, 1);
		if (frame.type == WIRE_DATA) {
			g_byte_array_append(nested->inner.in, frame.payload + 1, frame.length - 1);
			continue;
		}
		g_assert_cmpuint(frame.type, ==, WIRE_CREDIT);
		g_assert_cmpuint(wire_get_u8(&in), ==, WIRE_STDOUT);
		nested->credit += wire_get_u32(&in);
	}
}

/* Send all of the inner peer's bytes as the broker gives credit for them. */
static void
nested_send(Nested *nested)
{
	struct wire_out *out = &nested->inner.out;
	gsize at = 0;

	while (at < out->size) {
		unit_until((nested_take(nested), nested->credit > 0));
		gsize piece = MIN(MIN(out->size - at, (gsize)nested->credit), 32 * KIB);

		peer_data(nested->outer, 1, WIRE_STDOUT, (const char *)out->data + at, piece);
		nested->credit -= piece;
		at += piece;
		unit_turn(G_MAXINT64, "");
	}
	wire_out_consume(out, out->size);
}

/* Put HELLO into the inner peer's bytes. */
static void
nested_hello(Nested *nested)
{
	const struct wire_hello hello = { .version = WIRE_VERSION, .host = "in", .user = "me", .home = "/",
					  .sysname = "", .release = "", .machine = "", .shell = "/bin/sh" };

	wire_begin(&nested->inner.out, 0, WIRE_HELLO);
	wire_put_hello(&nested->inner.out, &hello);
	wire_end(&nested->inner.out);
}

/* Frames go both ways, and the carrier's credit holds the way up. */
static void
nested_both_ways(void)
{
	Nested *nested = nested_new(64);
	Scene *inner = &nested->inner;
	char *argv[] = { (char *)"true", NULL };
	const struct wire_spawn spawn = { .spec = { .file = "true", .argv = argv } };
	struct wire_frame frame;
	gsize used;
	guint spawns = 0;

	nested_hello(nested);
	nested_send(nested);
	unit_until(inner->told->len > 0);
	expect_told(inner, "hello:me@in");
	for (guint i = 0; i < 2000; i++) {
		Channel *channel = channel_open(inner->link, &spawn, &channel_ops, NULL, NULL);

		g_assert_nonnull(channel);
		channel_close(channel);
	}
	unit_settle();
	nested_take(nested);
	g_assert_cmpuint(inner->in->len, <=, WIRE_CREDIT_START);
	while (spawns < 2000) {
		peer_frame(nested->outer, 1, WIRE_CREDIT, "14", 0, 10000);
		unit_settle();
		nested_take(nested);
		while (wire_frame_find(inner->in->data, inner->in->len, &frame, &used) == 1) {
			spawns += frame.type == WIRE_SPAWN;
			g_byte_array_remove_range(inner->in, 0, (guint)used);
		}
	}
	nested_free(nested);
}

/* A flood of small frames from an inner agent: nothing is lost, and what waits is bounded by the carrier's credit. */
static void
nested_flood(void)
{
	Nested *nested = nested_new(64);
	const guint count = 45000;

	nested_hello(nested);
	put_logs(&nested->inner.out, count);
	g_assert_cmpuint(nested->inner.out.size, >, 700 * KIB);
	nested_send(nested);
	unit_until(nested->inner.logs == count);
	nested_take(nested);
	g_assert_cmpuint(nested->credit, >, 0);
	nested_free(nested);
}

/* The loss of the inner link leaves the outer one alone. */
static void
nested_loss(void)
{
	Nested *nested = nested_new(64);

	nested_hello(nested);
	nested_hello(nested);
	nested_send(nested);
	unit_until(nested->inner.link == NULL);
	expect_told(&nested->inner, "hello:me@in gone");
	g_assert_nonnull(nested->outer->link);
	expect_told(nested->outer, "");
	nested_free(nested);
}

static const UnitTest tests[] = {
	{ "/link/hello", link_hello },
	{ "/link/hello/wrong", link_hello_wrong },
	{ "/link/pieces", link_pieces },
	{ "/link/malformed", link_malformed },
	{ "/link/no-hand-over", link_no_hand_over },
	{ "/link/channel/life", channel_life },
	{ "/link/channel/failed", channel_failed },
	{ "/link/channel/late", channel_late },
	{ "/link/channel/retired", channel_retired },
	{ "/link/channel/refused", channel_refused },
	{ "/link/channel/descriptors", channel_descriptors },
	{ "/link/credit/window", credit_window },
	{ "/link/credit/room", credit_room },
	{ "/link/credit/input", credit_input },
	{ "/link/credit/many", credit_many },
	{ "/link/request/kinds", request_kinds },
	{ "/link/request/behind-close", request_behind_close },
	{ "/link/request/of-link", request_of_link },
	{ "/link/loss/order", loss_order },
	{ "/link/loss/by-us", loss_by_us },
	{ "/link/loss/refuses", loss_refuses },
	{ "/link/order/control-first", order_control_first },
	{ "/link/order/flood", order_flood },
	{ "/link/order/flood-then-gone", order_flood_then_gone },
	{ "/link/keepalive/silent", keepalive_silent },
	{ "/link/keepalive/answered", keepalive_answered },
	{ "/link/nested/both-ways", nested_both_ways },
	{ "/link/nested/flood", nested_flood },
	{ "/link/nested/loss", nested_loss },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
