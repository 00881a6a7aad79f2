/* A link whose agent is a script, for the tests of links and channels.
 *
 * A Peer is the other end of the link's socket: it sends the frames that a test tells it to,
 * malformed ones too, and looks at the frames that came. A Scene is a link with its peer and up
 * to eight channels; all that the link tells is written into one line of words ("hello
 * started1:77 lost1"), so the order shows. The peer reads only when the test does, so a window
 * or a socket may be full. A header only, since each unit test is one program. */
#ifndef MITOFS_TESTS_SCENE_H
#define MITOFS_TESTS_SCENE_H

#include "broker/error.h"
#include "broker/link.h"
#include "pty/autofd.h"
#include "pty/exitcode.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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
	guint credits;	   /* times that input_credit came */
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
static inline void G_GNUC_PRINTF(2, 3) tell(Scene *scene, const char *format, ...)
{
	va_list args;

	if (scene->told->len > 0)
		g_string_append_c(scene->told, ' ');
	va_start(args, format);
	g_string_append_vprintf(scene->told, format, args);
	va_end(args);
}

/* What was told since the last call must be @wanted. */
static inline void
expect_told(Scene *scene, const char *wanted)
{
	g_assert_cmpstr(scene->told->str, ==, wanted);
	g_string_truncate(scene->told, 0);
}

/* The owner of the link. */

static inline void
on_hello(const struct wire_hello *hello, void *data)
{
	tell(data, "hello:%s@%s", hello->user, hello->host);
}

static inline void
on_log(int level, const char *text, void *data)
{
	Scene *scene = data;

	scene->logs++;
	if (text[0] != '\0')
		tell(scene, "log:%d:%s", level, text);
}

static inline void
on_link_lost(const GError *error, void *data)
{
	Scene *scene = data;

	g_assert_error(error, MITOFS_ERROR, ECONNRESET);
	tell(scene, "gone");
	link_free(g_steal_pointer(&scene->link), error);
}

static const LinkOps link_ops = { on_hello, on_log, on_link_lost };

/* The owners of channels. */

static inline void
on_started(guint32 pid, guint32 mask, const int fds[3], void *data)
{
	Actor *actor = data;

	memcpy(actor->fds, fds, sizeof actor->fds);
	tell(actor->scene, "started%u:%u:%u", actor->number, pid, mask);
}

static inline void
on_failed(enum spawn_stage stage, const GError *error, void *data)
{
	Actor *actor = data;

	tell(actor->scene, "failed%u:%d:%d:%s", actor->number, (int)stage, error->code,
	     error->message);
	g_clear_pointer(&actor->channel, channel_close);
}

static inline void
on_output(int stream, const guint8 *bytes, gsize size, void *data)
{
	Actor *actor = data;

	actor->output[stream] += size;
	if (size < 20)
		tell(actor->scene, "output%u:%d:%.*s", actor->number, stream, (int)size,
		     (const char *)bytes);
}

static inline void
on_output_end(int stream, void *data)
{
	Actor *actor = data;

	tell(actor->scene, "end%u:%d", actor->number, stream);
}

static inline void
on_input_credit(void *data)
{
	static const guint8 zeros[64 * KIB];
	Actor *actor = data;
	gssize got = 1;

	actor->credits++;
	while (actor->sent < actor->to_send && got > 0) {
		got = channel_send(actor->channel, zeros,
				   MIN(actor->to_send - actor->sent, sizeof zeros));
		actor->sent += got > 0 ? (guint64)got : 0;
	}
}

static inline void
on_input_closed(void *data)
{
	Actor *actor = data;

	tell(actor->scene, "closed%u", actor->number);
}

static inline void
on_exited(const struct wire_exit *ended, void *data)
{
	Actor *actor = data;

	tell(actor->scene, "exited%u:%u:%u:%s", actor->number, ended->why, ended->status,
	     ended->signal);
}

static inline void
on_stopped(gboolean stopped, void *data)
{
	Actor *actor = data;

	tell(actor->scene, "%s%u", stopped ? "stopped" : "continued", actor->number);
}

static inline void
on_usage(guint64 user_usec, guint64 system_usec, guint64 memory_peak, void *data)
{
	Actor *actor = data;

	tell(actor->scene, "usage%u:%d:%d:%d", actor->number, (int)user_usec, (int)system_usec,
	     (int)memory_peak);
}

static inline void
on_channel_log(int level, const char *text, void *data)
{
	Actor *actor = data;

	tell(actor->scene, "log%u:%d:%s", actor->number, level, text);
}

static inline void
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
static inline void
on_done(const GError *error, void *data)
{
	Scene *scene = data;

	tell(scene, "done:%d", error != NULL ? error->code : 0);
}

/* The peer. */

/* Write @size bytes; the socket takes them now. */
static inline void
peer_write(Scene *scene, const void *bytes, gsize size)
{
	g_assert_cmpint(write(scene->fd, bytes, size), ==, (gssize)size);
}

/* End the frame that was begun in scene->out, and send all there is. */
static inline void
peer_send(Scene *scene)
{
	g_assert_cmpint(wire_end(&scene->out), ==, 0);
	peer_write(scene, scene->out.data, scene->out.size);
	wire_out_consume(&scene->out, scene->out.size);
}

/* The same with descriptors attached to its first byte. */
static inline void
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
static inline void
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
static inline void
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
static inline void
peer_logs(Scene *scene, guint count)
{
	put_logs(&scene->out, count);
	peer_write(scene, scene->out.data, scene->out.size);
	wire_out_consume(&scene->out, scene->out.size);
}

/* HELLO of @version. */
static inline void
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
static inline void
peer_data(Scene *scene, guint32 channel, int stream, const char *text, gsize size)
{
	g_autofree guint8 *zeros = g_malloc0(size);

	wire_begin(&scene->out, channel, WIRE_DATA);
	wire_put_u8(&scene->out, (guint8)stream);
	wire_put_bytes(&scene->out, text != NULL ? (const guint8 *)text : zeros, size);
	peer_send(scene);
}

static inline void
peer_exit(Scene *scene, guint32 channel, guint32 status)
{
	const struct wire_exit ended = { .why = EXIT_WHY_EXIT, .status = status, .signal = "" };

	wire_begin(&scene->out, channel, WIRE_EXIT);
	wire_put_exit(&scene->out, &ended);
	peer_send(scene);
}

/* Read what is there; the next whole frame of it into @ret, its payload valid until the next
 * call. */
static inline gboolean
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
static inline struct wire_in
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
static inline void
peer_expect_nothing(Scene *scene)
{
	struct wire_frame frame;

	unit_settle();
	g_assert_false(peer_next(scene, &frame));
}

/* Scenes. */

/* A link whose peer has said nothing yet. */
static inline Scene *
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
static inline void
scene_open(Scene *scene, guint number)
{
	char *argv[] = { (char *)"true", NULL };
	const struct wire_spawn spawn = { .spec = { .file = "true", .argv = argv },
					  .group = 3,
					  .run = number };
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
static inline void
scene_start(Scene *scene, guint number)
{
	scene_open(scene, number);
	peer_frame(scene, number, WIRE_STARTED, "44", 70 + number, 0);
	unit_until(strstr(scene->told->str, "started") != NULL);
	g_string_truncate(scene->told, 0);
}

/* A link that is up, with @channels started. */
static inline Scene *
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

static inline void
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

#endif
