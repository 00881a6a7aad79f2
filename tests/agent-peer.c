/* The other end of a real agent's link.
 *
 * A test speaks to the agent as a broker would, but one frame at a time and in any order it
 * likes, malformed ones included. Frames that come are kept in a queue until a test asks for
 * their type and channel, so that it need not know in which order independent frames arrive.
 * Everything that is waited for has a deadline, after which the test program aborts. The agent
 * is the peer's child; a watcher that dies leaves its worker to whoever is the subreaper, which
 * the test program makes itself. */
#include "tests/agent-peer.h"

#include "pty/autofd.h"
#include "pty/errname.h"
#include "pty/exitcode.h"
#include "pty/procfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct AgentPeer {
	pid_t watcher, worker;
	int in, out; /* what the agent writes, what it reads */
	gboolean waited, ended;
	guint64 terminals; /* bit n: channel n has a pty, whose one descriptor stands for two streams */
	int status;
	struct wire_out sending;
	GByteArray *received;
	GArray *fds; /* not claimed by a frame yet */
	GQueue frames;
	guint32 serial;
	char answer[64];
};

void
peer_frame_free(PeerFrame *frame)
{
	for (guint i = 0; i < frame->fd_count; i++)
		autofd_close(&frame->fds[i]);
	g_free(frame->payload);
	g_free(frame);
}

static int
deadline_left(gint64 deadline)
{
	gint64 left = (deadline - g_get_monotonic_time()) / 1000;

	return left > 0 ? (int)left : 0;
}

static gint64
deadline_new(void)
{
	return g_get_monotonic_time() + PEER_DEADLINE_MS * G_TIME_SPAN_MILLISECOND;
}

/* In the child: the link as 0 and 1, then the agent. */
static void G_GNUC_NORETURN
agent_execute(const char *program, const char *runner, int in, int out)
{
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0)
		_exit(126);
	if (runner)
		execl(runner, runner, "-0", "ctx-agent", program, (char *)NULL);
	else
		execl(program, "ctx-agent", (char *)NULL);
	_exit(127);
}

/* HELLO: who answers. */
static void
peer_greet(AgentPeer *peer)
{
	g_autoptr(PeerFrame) frame = peer_expect(peer, 0, WIRE_HELLO);
	struct wire_frame raw = { 0, WIRE_HELLO, (guint32)frame->length, frame->payload };
	struct wire_hello hello;
	struct wire_in in;

	wire_in_init(&in, &raw);
	g_assert_cmpint(wire_get_hello(&in, &hello), ==, 0);
	g_assert_cmpuint(hello.version, ==, WIRE_VERSION);
	peer->worker = (pid_t)hello.pid;
	free(hello.signals);
}

AgentPeer *
peer_new(const char *program, const char *runner, gboolean socket)
{
	AgentPeer *peer = g_new0(AgentPeer, 1);
	int to[2], from[2];

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (socket) {
		g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, to));
		from[0] = to[1];
		from[1] = to[0];
	} else {
		g_assert_no_errno(pipe2(to, O_CLOEXEC));
		g_assert_no_errno(pipe2(from, O_CLOEXEC));
	}
	peer->watcher = fork();
	g_assert_no_errno(peer->watcher);
	if (peer->watcher == 0)
		agent_execute(program, runner, to[0], from[1]);
	close(to[0]);
	if (!socket)
		close(from[1]);
	peer->in = from[0];
	peer->out = to[1];
	peer->sending.limit = 64 * 1024 * 1024;
	peer->received = g_byte_array_new();
	peer->fds = g_array_new(FALSE, FALSE, sizeof(int));
	g_queue_init(&peer->frames);
	peer_greet(peer);
	return peer;
}

void
peer_hang_up(AgentPeer *peer)
{
	if (peer->out == peer->in)
		shutdown(peer->out, SHUT_WR);
	else
		autofd_clear(&peer->out);
}

/* Whether @pid is a zombie or gone. */
static gboolean
process_ended(pid_t pid)
{
	struct procstat stat;

	return procstat_read(pid, &stat) < 0 || stat.state == 'Z' || stat.state == 'X';
}

/* Wait until @pid has ended, as a zombie or for good. */
static void
process_wait_end(pid_t pid)
{
	gint64 deadline = deadline_new();
	autofd fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	if (fd < 0 && errno == ESRCH)
		return;
	/* Valgrind does not know pidfd_open(2): there, look again and again. */
	while (fd < 0 && !process_ended(pid) && deadline_left(deadline))
		poll(NULL, 0, 1);
	if (fd < 0) {
		g_assert_true(process_ended(pid));
		return;
	}
	while (poll(&ready, 1, deadline_left(deadline)) < 0)
		g_assert_cmpint(errno, ==, EINTR);
	g_assert_cmpint(ready.revents & POLLIN, ==, POLLIN);
}

/* Wait for @pid, our child, with a deadline. */
static int
child_wait(pid_t pid)
{
	int status;

	process_wait_end(pid);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	return status;
}

int
peer_wait(AgentPeer *peer)
{
	if (!peer->waited)
		peer->status = child_wait(peer->watcher);
	peer->waited = TRUE;
	return peer->status;
}

void
peer_free(AgentPeer *peer, int status)
{
	int raw;

	peer_hang_up(peer);
	raw = peer_wait(peer);
	g_assert_cmpint(exit_code_shell(exit_code_from_status(raw)), ==, status);
	if (peer->out != peer->in)
		autofd_clear(&peer->out);
	close(peer->in);
	wire_out_done(&peer->sending);
	g_byte_array_unref(peer->received);
	for (guint i = 0; i < peer->fds->len; i++)
		close(g_array_index(peer->fds, int, i));
	g_array_unref(peer->fds);
	g_queue_clear_full(&peer->frames, (GDestroyNotify)peer_frame_free);
	g_free(peer);
	/* Orphans come to this process: none may be left, but for a worker whose watcher was
	 * killed. */
	while (waitpid(-1, &raw, 0) > 0)
		continue;
	g_assert_cmpint(errno, ==, ECHILD);
}

pid_t
peer_watcher(AgentPeer *peer)
{
	return peer->watcher;
}

pid_t
peer_worker(AgentPeer *peer)
{
	return peer->worker;
}

struct wire_out *
peer_out(AgentPeer *peer)
{
	return &peer->sending;
}

void
peer_send_raw(AgentPeer *peer, const void *data, gsize size)
{
	const guint8 *next = data;

	while (size) {
		ssize_t put = peer->out == peer->in ? send(peer->out, next, size, MSG_NOSIGNAL)
						    : write(peer->out, next, size);

		if (put < 0 && errno == EPIPE)
			return;
		g_assert_no_errno(put);
		next += put;
		size -= (gsize)put;
	}
}

void
peer_send(AgentPeer *peer)
{
	peer_send_raw(peer, peer->sending.data, peer->sending.size);
	wire_out_consume(&peer->sending, peer->sending.size);
}

/* Keep the descriptors of @message. */
static void
message_take_fds(AgentPeer *peer, struct msghdr *message)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		g_assert_cmpint(header->cmsg_type, ==, SCM_RIGHTS);
		g_array_append_vals(peer->fds, CMSG_DATA(header),
				    (guint)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int)));
	}
}

/* Read once into the buffer; FALSE at the end of the link. */
static gboolean
peer_receive(AgentPeer *peer)
{
	static guint8 bytes[300 * 1024];
	char control[CMSG_SPACE(64 * sizeof(int))];
	struct iovec part = { bytes, sizeof(bytes) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t got;

	if (peer->in == peer->out) {
		got = recvmsg(peer->in, &message, MSG_CMSG_CLOEXEC);
		if (got > 0)
			message_take_fds(peer, &message);
	} else {
		got = read(peer->in, bytes, sizeof(bytes));
	}
	if (got < 0 && errno == ECONNRESET) /* what we sent was not read any more */
		got = 0;
	g_assert_no_errno((int)got);
	g_byte_array_append(peer->received, bytes, (guint)got);
	return got > 0;
}

/* The bits of STARTED's mask say how many descriptors are the frame's. */
static void
frame_take_fds(AgentPeer *peer, PeerFrame *frame)
{
	guint32 mask;

	if (frame->type != WIRE_STARTED)
		return;
	g_assert_cmpuint(frame->length, ==, 8);
	mask = frame->payload[4];
	frame->fd_count = (guint)__builtin_popcount(mask);
	if (mask && peer->terminals >> (frame->channel & 63) & 1)
		frame->fd_count = 1;
	g_assert_cmpuint(peer->fds->len, >=, frame->fd_count);
	for (guint i = 0; i < frame->fd_count; i++)
		frame->fds[i] = g_array_index(peer->fds, int, i);
	g_array_remove_range(peer->fds, 0, frame->fd_count);
}

/* Put whole frames into the queue. */
static void
peer_parse(AgentPeer *peer)
{
	struct wire_frame raw;
	size_t used;
	int found;

	while ((found = wire_frame_find(peer->received->data, peer->received->len, &raw, &used)) >
	       0) {
		PeerFrame *frame = g_new0(PeerFrame, 1);

		g_assert_cmpint(raw.type, >=, WIRE_DATA);
		frame->channel = raw.channel;
		frame->type = raw.type;
		frame->payload = g_memdup2(raw.payload, raw.length);
		frame->length = raw.length;
		frame_take_fds(peer, frame);
		g_queue_push_tail(&peer->frames, frame);
		g_byte_array_remove_range(peer->received, 0, (guint)used);
	}
	g_assert_cmpint(found, ==, 0);
}

/* Take the first that fits out of the queue. */
static PeerFrame *
queue_take(AgentPeer *peer, guint32 channel, guint8 type)
{
	for (GList *item = peer->frames.head; item; item = item->next) {
		PeerFrame *frame = item->data;

		if (frame->channel == channel && frame->type == type) {
			g_queue_delete_link(&peer->frames, item);
			return frame;
		}
	}
	return NULL;
}

/* Wait for more frames of @channel; the link must not have ended. */
static void
peer_more(AgentPeer *peer, guint32 channel, guint8 type, gint64 deadline)
{
	struct pollfd ready = { .fd = peer->in, .events = POLLIN };

	if (poll(&ready, 1, deadline_left(deadline)) == 0)
		g_error("no frame of type %d on channel %u in time", type, channel);
	peer->ended = !peer_receive(peer);
	peer_parse(peer);
}

PeerFrame *
peer_get(AgentPeer *peer, guint32 channel, guint8 type)
{
	gint64 deadline = deadline_new();
	PeerFrame *frame;

	while (!(frame = queue_take(peer, channel, type))) {
		if (peer->ended)
			return NULL;
		peer_more(peer, channel, type, deadline);
	}
	return frame;
}

PeerFrame *
peer_expect(AgentPeer *peer, guint32 channel, guint8 type)
{
	PeerFrame *frame = peer_get(peer, channel, type);

	g_assert_nonnull(frame);
	return frame;
}

gboolean
peer_has(AgentPeer *peer, guint32 channel, guint8 type)
{
	PeerFrame *frame;

	peer_ping(peer);
	frame = queue_take(peer, channel, type);
	if (frame)
		g_queue_push_head(&peer->frames, frame);
	return frame != NULL;
}

void
peer_spawn_init(struct wire_spawn *spawn, char **argv)
{
	*spawn = (struct wire_spawn){
		.spec = { .file = argv[0],
			  .argv = argv,
			  .cwd = "/",
			  .umask = SPAWN_KEEP,
			  .nice = SPAWN_KEEP,
			  .oom = SPAWN_KEEP,
			  .affinity = "",
			  .columns = 80,
			  .rows = 24 },
		.run = 1,
		.grace_ms = 5000,
	};
}

void
peer_spawn(AgentPeer *peer, guint32 channel, const struct wire_spawn *spawn)
{
	if (spawn->spec.pty)
		peer->terminals |= G_GUINT64_CONSTANT(1) << (channel & 63);
	wire_begin(&peer->sending, channel, WIRE_SPAWN);
	wire_put_spawn(&peer->sending, spawn);
	g_assert_cmpint(wire_end(&peer->sending), ==, 0);
	peer_send(peer);
}

pid_t
peer_sh(AgentPeer *peer, guint32 channel, const char *script)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };
	g_autoptr(PeerFrame) started = NULL;
	struct wire_spawn spawn;
	guint32 pid;

	peer_spawn_init(&spawn, argv);
	spawn.group = channel;
	peer_spawn(peer, channel, &spawn);
	started = peer_expect(peer, channel, WIRE_STARTED);
	memcpy(&pid, started->payload, sizeof(pid));
	return (pid_t)GUINT32_FROM_LE(pid);
}

void
peer_data(AgentPeer *peer, guint32 channel, const void *data, gsize size)
{
	wire_begin(&peer->sending, channel, WIRE_DATA);
	wire_put_u8(&peer->sending, WIRE_STDIN);
	wire_put_bytes(&peer->sending, data, size);
	g_assert_cmpint(wire_end(&peer->sending), ==, 0);
	peer_send(peer);
}

/* A frame of one u8. */
static void
peer_send_u8(AgentPeer *peer, guint32 channel, enum wire_type type, guint8 value)
{
	wire_begin(&peer->sending, channel, type);
	wire_put_u8(&peer->sending, value);
	g_assert_cmpint(wire_end(&peer->sending), ==, 0);
	peer_send(peer);
}

void
peer_end(AgentPeer *peer, guint32 channel)
{
	peer_send_u8(peer, channel, WIRE_END, WIRE_STDIN);
}

void
peer_close(AgentPeer *peer, guint32 channel, guint8 stream)
{
	peer_send_u8(peer, channel, WIRE_CLOSE, stream);
}

void
peer_credit(AgentPeer *peer, guint32 channel, guint8 stream, guint32 bytes)
{
	wire_begin(&peer->sending, channel, WIRE_CREDIT);
	wire_put_u8(&peer->sending, stream);
	wire_put_u32(&peer->sending, bytes);
	g_assert_cmpint(wire_end(&peer->sending), ==, 0);
	peer_send(peer);
}

/* Begin a frame that DONE answers. */
static void
request_begin(AgentPeer *peer, guint32 channel, enum wire_type type)
{
	wire_begin(&peer->sending, channel, type);
	wire_put_u32(&peer->sending, ++peer->serial);
}

const char *
peer_errno(struct wire_in *in)
{
	const char *told = wire_get_string(in);

	return told[0] == '\0' ? "" : errno_name(errno_number(told));
}

/* Send it, and wait for the answer. */
static const char *
request_answer(AgentPeer *peer, guint32 channel)
{
	g_autoptr(PeerFrame) done = NULL;
	struct wire_frame raw;
	struct wire_in in;

	g_assert_cmpint(wire_end(&peer->sending), ==, 0);
	peer_send(peer);
	done = peer_expect(peer, channel, WIRE_DONE);
	raw = (struct wire_frame){ channel, WIRE_DONE, (guint32)done->length, done->payload };
	wire_in_init(&in, &raw);
	g_assert_cmpuint(wire_get_u32(&in), ==, peer->serial);
	g_strlcpy(peer->answer, peer_errno(&in), sizeof(peer->answer));
	(void)wire_get_string(&in);
	g_assert_cmpint(wire_in_finish(&in), ==, 0);
	return peer->answer;
}

const char *
peer_signal(AgentPeer *peer, guint32 channel, enum wire_target target, const char *name)
{
	request_begin(peer, channel, WIRE_SIGNAL);
	wire_put_u8(&peer->sending, (guint8)target);
	wire_put_string(&peer->sending, name);
	return request_answer(peer, channel);
}

const char *
peer_stop(AgentPeer *peer, guint32 channel, guint32 grace_ms)
{
	request_begin(peer, channel, WIRE_STOP);
	wire_put_u32(&peer->sending, grace_ms);
	return request_answer(peer, channel);
}

const char *
peer_set(AgentPeer *peer, guint32 channel, const char *name, const char *value)
{
	request_begin(peer, channel, WIRE_SET);
	wire_put_string(&peer->sending, name);
	wire_put_string(&peer->sending, value);
	return request_answer(peer, channel);
}

const char *
peer_winsize(AgentPeer *peer, guint32 channel, guint16 columns, guint16 rows)
{
	request_begin(peer, channel, WIRE_WINSIZE);
	wire_put_u16(&peer->sending, columns);
	wire_put_u16(&peer->sending, rows);
	return request_answer(peer, channel);
}

const char *
peer_sweep(AgentPeer *peer, guint32 group)
{
	request_begin(peer, 0, WIRE_SWEEP);
	wire_put_u32(&peer->sending, group);
	return request_answer(peer, 0);
}

void
peer_ping(AgentPeer *peer)
{
	g_autoptr(PeerFrame) pong = NULL;
	guint32 serial;

	request_begin(peer, 0, WIRE_PING);
	g_assert_cmpint(wire_end(&peer->sending), ==, 0);
	peer_send(peer);
	pong = peer_expect(peer, 0, WIRE_PONG);
	g_assert_cmpuint(pong->length, ==, 4);
	memcpy(&serial, pong->payload, 4);
	g_assert_cmpuint(GUINT32_FROM_LE(serial), ==, peer->serial);
}

/* The next DATA or END of @stream; FALSE for END. */
static gboolean
stream_next(AgentPeer *peer, guint32 channel, guint8 stream, GByteArray *into)
{
	gint64 deadline = deadline_new();

	for (;;) {
		PeerFrame *found = NULL;

		for (GList *item = peer->frames.head; item && !found; item = item->next) {
			PeerFrame *frame = item->data;

			if (frame->channel == channel &&
			    (frame->type == WIRE_DATA || frame->type == WIRE_END) &&
			    frame->payload[0] == stream) {
				found = frame;
				g_queue_delete_link(&peer->frames, item);
				break;
			}
		}
		if (found) {
			g_autoptr(PeerFrame) frame = found;

			if (frame->type == WIRE_END)
				return FALSE;
			g_byte_array_append(into, frame->payload + 1, (guint)frame->length - 1);
			peer_credit(peer, channel, stream, (guint32)frame->length - 1);
			return TRUE;
		}
		g_assert_false(peer->ended);
		peer_more(peer, channel, WIRE_DATA, deadline);
	}
}

char *
peer_read_all(AgentPeer *peer, guint32 channel, guint8 stream, gsize *ret_size)
{
	GByteArray *bytes = g_byte_array_new();

	while (stream_next(peer, channel, stream, bytes))
		continue;
	if (ret_size)
		*ret_size = bytes->len;
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	return (char *)g_byte_array_free(bytes, FALSE);
}

char *
peer_read_lines(AgentPeer *peer, guint32 channel, guint count)
{
	GByteArray *bytes = g_byte_array_new();

	for (;;) {
		guint lines = 0;

		for (guint i = 0; i < bytes->len; i++)
			lines += bytes->data[i] == '\n';
		if (lines >= count)
			break;
		g_assert_true(stream_next(peer, channel, WIRE_STDOUT, bytes));
	}
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	return (char *)g_byte_array_free(bytes, FALSE);
}

/* EXIT of @channel as a shell code, and its signal's name. */
static int
exit_get(AgentPeer *peer, guint32 channel, char *name, gsize size)
{
	g_autoptr(PeerFrame) frame = peer_expect(peer, channel, WIRE_EXIT);
	struct wire_frame raw = { channel, WIRE_EXIT, (guint32)frame->length, frame->payload };
	struct wire_exit ended;
	struct wire_in in;

	wire_in_init(&in, &raw);
	g_assert_cmpint(wire_get_exit(&in, &ended), ==, 0);
	g_strlcpy(name, ended.signal, size);
	return ended.why == EXIT_WHY_EXIT ? (int)ended.status : -1;
}

void
peer_expect_exit(AgentPeer *peer, guint32 channel, int status)
{
	char name[32];

	g_assert_cmpint(exit_get(peer, channel, name, sizeof(name)), ==, status);
	g_assert_cmpstr(name, ==, "");
}

void
peer_expect_signalled(AgentPeer *peer, guint32 channel, const char *expected)
{
	char name[32];

	g_assert_cmpint(exit_get(peer, channel, name, sizeof(name)), ==, -1);
	g_assert_cmpstr(name, ==, expected);
}

void
peer_wait_gone(pid_t pid)
{
	process_wait_end(pid);
}
