/* Fuzzer of the wire: whatever bytes come, finding and decoding frames stays within them, and
 * what was decoded is encoded to the same bytes again and again.
 *
 * The first byte says what the rest is: a stream of frames as a link receives it, the payload of
 * one decoder, or a list of fields to put and get back. */
#include "broker/wire.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decode a payload and put it into @out as a frame. FALSE where it is malformed. */
typedef bool (*Recode)(struct wire_in *in, struct wire_out *out);

static bool
recode_spawn(struct wire_in *in, struct wire_out *out)
{
	struct wire_spawn spawn;
	if (wire_get_spawn(in, &spawn) != 0)
		return false;
	wire_begin(out, 1, WIRE_SPAWN);
	wire_put_spawn(out, &spawn);
	wire_spawn_done(&spawn);
	return wire_end(out) == 0;
}

static bool
recode_hello(struct wire_in *in, struct wire_out *out)
{
	struct wire_hello hello;
	if (wire_get_hello(in, &hello) != 0)
		return false;
	wire_begin(out, 0, WIRE_HELLO);
	wire_put_hello(out, &hello);
	free(hello.signals);
	return wire_end(out) == 0;
}

static bool
recode_exit(struct wire_in *in, struct wire_out *out)
{
	struct wire_exit ended;
	if (wire_get_exit(in, &ended) != 0)
		return false;
	wire_begin(out, 1, WIRE_EXIT);
	wire_put_exit(out, &ended);
	return wire_end(out) == 0;
}

/* DONE, FAILED, LOG and the like: numbers and strings. */
static bool
recode_done(struct wire_in *in, struct wire_out *out)
{
	uint32_t serial = wire_get_u32(in);
	const char *name = wire_get_string(in), *text = wire_get_string(in);
	if (wire_in_finish(in) != 0)
		return false;
	wire_begin(out, 0, WIRE_DONE);
	wire_put_u32(out, serial);
	wire_put_string(out, name);
	wire_put_string(out, text);
	return wire_end(out) == 0;
}

static bool
recode_list(struct wire_in *in, struct wire_out *out)
{
	char **list = wire_get_list(in);
	bool good = wire_in_finish(in) == 0;
	if (good) {
		wire_begin(out, 0, WIRE_LOG);
		wire_put_list(out, list);
		good = wire_end(out) == 0;
	}
	free(list);
	return good;
}

static const Recode recodes[] = { recode_spawn, recode_hello, recode_exit, recode_done,
				  recode_list };

/* Decode, encode, decode and encode: both encodings have to be the same. */
static void
check_payload(Recode recode, const uint8_t *payload, size_t size)
{
	struct wire_out first = { .limit = 4 * WIRE_PAYLOAD_MAX },
			second = { .limit = 4 * WIRE_PAYLOAD_MAX };
	struct wire_frame frame = { .payload = payload, .length = (uint32_t)size };
	struct wire_in in;
	size_t used;

	wire_in_init(&in, &frame);
	if (recode(&in, &first)) {
		g_assert_cmpint(wire_frame_find(first.data, first.size, &frame, &used), ==, 1);
		g_assert_cmpuint(used, ==, first.size);
		wire_in_init(&in, &frame);
		g_assert_true(recode(&in, &second));
		g_assert_cmpmem(first.data, first.size, second.data, second.size);
	}
	wire_out_done(&first);
	wire_out_done(&second);
}

/* As a link does it; and less of it is never more than not enough. */
static void
check_stream(const uint8_t *data, size_t size)
{
	struct wire_frame frame, same;
	size_t used, used_again;
	while (wire_frame_find(data, size, &frame, &used) == 1) {
		g_assert_cmpuint(used, ==, WIRE_HEADER + (size_t)frame.length);
		g_assert_cmpuint(used, <=, size);
		g_assert_cmpuint(frame.length, <=, WIRE_PAYLOAD_MAX);
		g_assert_cmpint(wire_frame_find(data, used, &same, &used_again), ==, 1);
		g_assert_cmpint(wire_frame_find(data, used - 1, &same, &used_again), ==, 0);
		for (size_t i = 0; i < G_N_ELEMENTS(recodes); i++)
			check_payload(recodes[i], frame.payload, frame.length);
		data += used;
		size -= used;
	}
}

/* Each byte is a field to put, with its value made of those behind it; then all are got back. */
static void
check_fields(const uint8_t *data, size_t size)
{
	struct wire_out out = { .limit = WIRE_PAYLOAD_MAX };
	struct wire_frame frame;
	struct wire_in in;
	size_t used;
	char text[2] = "x";

	size = MIN(size, 1000);
	wire_begin(&out, 7, WIRE_LOG);
	for (size_t i = 0; i < size; i++) {
		text[0] = (char)(data[i] | 1);
		if (data[i] % 4 == 0)
			wire_put_u16(&out, (uint16_t)(data[i] * 257));
		else if (data[i] % 4 == 1)
			wire_put_u32(&out, data[i] * 16843009U);
		else if (data[i] % 4 == 2)
			wire_put_u64(&out, ~(uint64_t)data[i]);
		else
			wire_put_string(&out, text);
	}
	g_assert_cmpint(wire_end(&out), ==, 0);
	g_assert_cmpint(wire_frame_find(out.data, out.size, &frame, &used), ==, 1);
	wire_in_init(&in, &frame);
	for (size_t i = 0; i < size; i++) {
		text[0] = (char)(data[i] | 1);
		if (data[i] % 4 == 0)
			g_assert_cmpuint(wire_get_u16(&in), ==, (uint16_t)(data[i] * 257));
		else if (data[i] % 4 == 1)
			g_assert_cmpuint(wire_get_u32(&in), ==, data[i] * 16843009U);
		else if (data[i] % 4 == 2)
			g_assert_cmpuint(wire_get_u64(&in), ==, ~(uint64_t)data[i]);
		else
			g_assert_cmpstr(wire_get_string(&in), ==, text);
	}
	g_assert_cmpint(wire_in_finish(&in), ==, 0);
	wire_out_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	uint8_t kind = *data++ % (G_N_ELEMENTS(recodes) + 2);
	size--;
	if (kind < G_N_ELEMENTS(recodes))
		check_payload(recodes[kind], data, size);
	else if (kind == G_N_ELEMENTS(recodes))
		check_stream(data, size);
	else
		check_fields(data, size);
	return 0;
}
