/* Links: HELLO, frames in any pieces, those that end a link, its loss, fairness and keepalive.
 *
 * The agent is a script, see scene.h. Whatever is malformed has to end the link and nothing
 * else, and whoever waited on it is told once: channels first, then requests, then the owner. */
#include "tests/scene.h"

#include <sys/epoll.h>

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
	{ "prompt-of-no-client", NULL, 0, WIRE_PROMPT, "" },
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
			peer_frame(scene, bad_frames[i].channel, bad_frames[i].type,
				   bad_frames[i].letters, bad_frames[i].a, bad_frames[i].b);
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

/* Ended by its owner: channels and requests are told, the owner is not; ended from outside: he
 * is. */
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

	channel_signal(scene->actors[0].channel, "TERM", WIRE_TARGET_GROUP, on_done_uses_link,
		       scene);
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

/* One bit of what the agent says is wrong, at every byte: the link lives or is lost, once, and
 * nothing else. */
static void
test_flipped(void)
{
	g_autoptr(GByteArray) words = g_byte_array_new();
	Scene *scene = scene_new_silent(TRUE, 64);

	wire_begin(&scene->out, 0, WIRE_LOG);
	wire_put_u8(&scene->out, WIRE_INFO);
	wire_put_string(&scene->out, "text");
	g_assert_cmpint(wire_end(&scene->out), ==, 0);
	put_logs(&scene->out, 2);
	g_byte_array_append(words, scene->out.data, (guint)scene->out.size);
	wire_out_consume(&scene->out, scene->out.size);
	scene_free(scene);
	for (guint bit = 0; bit < words->len * 8; bit++) {
		scene = scene_new(0);
		words->data[bit / 8] ^= (guint8)(1u << bit % 8);
		peer_write(scene, words->data, words->len);
		words->data[bit / 8] ^= (guint8)(1u << bit % 8);
		shutdown(scene->fd, SHUT_WR);
		unit_until(scene->link == NULL);
		g_assert_true(g_str_has_suffix(scene->told->str, "gone"));
		g_assert_null(strstr(scene->told->str, "gone "));
		scene_free(scene);
	}
}

static const UnitTest tests[] = {
	{ "/link/hello", link_hello },
	{ "/link/hello/wrong", link_hello_wrong },
	{ "/link/pieces", link_pieces },
	{ "/link/malformed", link_malformed },
	{ "/link/no-hand-over", link_no_hand_over },
	{ "/link/request/of-link", request_of_link },
	{ "/link/loss/order", loss_order },
	{ "/link/loss/by-us", loss_by_us },
	{ "/link/loss/refuses", loss_refuses },
	{ "/link/order/control-first", order_control_first },
	{ "/link/order/flood", order_flood },
	{ "/link/order/flood-then-gone", order_flood_then_gone },
	{ "/link/keepalive/silent", keepalive_silent },
	{ "/link/keepalive/answered", keepalive_answered },
	{ "/link/flipped-bits/R91", test_flipped },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
