/* Channels: the life of one, its descriptors, the credit of both directions, and requests.
 *
 * The agent is a script, see scene.h. Credit is counted in bytes that really went, so a window that
 * is given too late, too early or twice shows as a number. */
#include "pty/errname.h"
#include "tests/scene.h"

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
	peer_frame(scene, 1, WIRE_USAGE, "888", G_GUINT64_CONSTANT(1), G_GUINT64_CONSTANT(2),
		   G_GUINT64_CONSTANT(3));
	peer_frame(scene, 1, WIRE_CLOSE, "1", 0);
	peer_frame(scene, 1, WIRE_END, "1", 2);
	peer_exit(scene, 1, 5);
	peer_frame(scene, 1, WIRE_END, "1", 1);
	unit_until(strstr(scene->told->str, "end1:1") != NULL);
	expect_told(scene, "log1:4:hm log:6:link started1:77:0 output1:1:out output1:2:err "
			   "stopped1 continued1 "
			   "usage1:1:2:3 closed1 end1:2 exited1:1:5: end1:1");
	g_assert_cmpint(channel_send(scene->actors[0].channel, "x", 1), ==, -EPIPE);
	g_clear_pointer(&scene->actors[0].channel, channel_close);
	peer_expect(scene, 1, WIRE_FORGET);
	scene_free(scene);
}

/* A start that fails: the words of its error are put in last where they stand. What was asked of it meanwhile is
 * answered. */
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
	peer_frame(scene, 1, WIRE_FAILED, "1s14s", SPAWN_EXEC, "ECANCELED", 0, 0,
		   "cwd \"\001\": " ERRNO_WORDS "!");
	unit_until(strstr(scene->told->str, "done") != NULL);
	unit_settle();
	expect_told(scene, "failed1:11:125:cwd \"\001\": Operation canceled! done:3");
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

/* Descriptors that were handed over go to the channels in the order of the frames; a terminal
 * has one for two streams. */
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
		static const guint masks[] = { 7, 3, 4 }, counts[] = { 3, 1, 1 },
				   firsts[] = { 0, 3, 4 };
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
	const int came[] = { scene->actors[0].fds[0], scene->actors[0].fds[1],
			     scene->actors[0].fds[2], scene->actors[1].fds[0],
			     scene->actors[2].fds[2] };
	g_assert_cmpint(scene->actors[1].fds[1], ==, -1);
	g_assert_cmpint(scene->actors[1].fds[2], ==, -1);
	g_assert_cmpint(scene->actors[2].fds[0], ==, -1);
	for (guint i = 0; i < 5; i++) {
		guint8 byte = 0;

		g_assert_cmpint(fcntl(came[i], F_GETFD), ==, FD_CLOEXEC);
		g_assert_cmpint(write(came[i], &(guint8){ (guint8)('a' + i) }, 1), ==, 1);
		g_assert_cmpint(read(pipes[i][0], &byte, 1), ==, 1);
		g_assert_cmpuint(byte, ==, 'a' + i);
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

/* The window of output doubles each time that it was used up, or half of it, up to its cap. */
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
	g_assert_cmpuint(credit_next(scene), ==, 40000 + 65536);
	peer_data(scene, 1, WIRE_STDOUT, NULL, 65536);
	peer_data(scene, 1, WIRE_STDOUT, NULL, 65536);
	unit_until(actor->output[1] == 40000 + 2 * 65536);
	channel_give_credit(actor->channel, WIRE_STDOUT, 0);
	peer_expect_nothing(scene);
	channel_give_credit(actor->channel, WIRE_STDOUT, 1000);
	g_assert_cmpuint(credit_next(scene), ==, 1000);
	g_clear_pointer(&actor->channel, channel_close);
	scene_free(scene);
}

/* Input goes as far as the agent's credit, a small write whole or not at all, and who had more
 * is told of the next. */
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

/* Many senders on one link: one that found no room for its first byte is told when there is, and
 * all get through. */
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
	guint32 serial =
		channel_signal(scene->actors[0].channel, "0", WIRE_TARGET_GROUP, on_done, scene);

	g_clear_pointer(&scene->actors[0].channel, channel_close);
	peer_expect(scene, 1, WIRE_SIGNAL);
	peer_expect(scene, 1, WIRE_FORGET);
	peer_frame(scene, 1, WIRE_DONE, "4ss", serial, "", "");
	unit_until(scene->told->len > 0);
	expect_told(scene, "done:0");
	scene_free(scene);
}

static const UnitTest tests[] = {
	{ "/channel/life", channel_life },
	{ "/channel/failed", channel_failed },
	{ "/channel/late", channel_late },
	{ "/channel/retired", channel_retired },
	{ "/channel/refused", channel_refused },
	{ "/channel/descriptors", channel_descriptors },
	{ "/channel/credit/window", credit_window },
	{ "/channel/credit/room", credit_room },
	{ "/channel/credit/input", credit_input },
	{ "/channel/credit/many", credit_many },
	{ "/channel/request/kinds", request_kinds },
	{ "/channel/request/behind-close", request_behind_close },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
