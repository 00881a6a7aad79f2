/* Links that go over a channel of another link, as the one to an agent behind an agent does.
 *
 * The outer agent is a script, see scene.h; the inner one's bytes go as DATA frames of the
 * outer's channel 1, as the broker gives credit for them. */
#include "tests/scene.h"

typedef struct Nested Nested;
struct Nested {
	Scene inner; /* its fd is unused: the frames go through the outer scene */
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

static const ChannelOps carrier_ops = { .output = nested_on_output,
					.input_credit = nested_on_credit };

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
	nested->inner.link =
		link_new_over(nested->carrier, frames_per_turn, &link_ops, &nested->inner);
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
	const struct wire_hello hello = { .version = WIRE_VERSION,
					  .host = "in",
					  .user = "me",
					  .home = "/",
					  .sysname = "",
					  .release = "",
					  .machine = "",
					  .shell = "/bin/sh" };

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

/* A flood of small frames from an inner agent: nothing is lost, and what waits is bounded by the
 * carrier's credit. */
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
	{ "/carrier/both-ways", nested_both_ways },
	{ "/carrier/flood", nested_flood },
	{ "/carrier/loss", nested_loss },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
