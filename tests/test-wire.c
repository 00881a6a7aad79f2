/* The wire's frames: put, got, and malformed in every way. */
#include "broker/wire.h"
#include "pty/exitcode.h"
#include "tests/residue.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* The only frame of @out. */
static struct wire_frame
frame_only(const struct wire_out *out)
{
	struct wire_frame frame = { 0 };
	size_t used;

	g_assert_cmpint(wire_frame_find(out->data, out->size, &frame, &used), ==, 1);
	g_assert_cmpuint(used, ==, out->size);
	return frame;
}

static void
test_header(void)
{
	static const guint8 expected[] = { 0x04,      0x03, 0x02, 0x01, 3, 0,	0,  0,
					   WIRE_DATA, 0,    0,	  0,	1, 'h', 'i' };
	struct wire_out out = { .limit = 1000 };
	struct wire_frame frame;
	size_t used;

	wire_begin(&out, 0x01020304, WIRE_DATA);
	wire_put_u8(&out, WIRE_STDOUT);
	wire_put_bytes(&out, "hi", 2);
	g_assert_cmpint(wire_end(&out), ==, 0);
	g_assert_cmpmem(out.data, out.size, expected, sizeof(expected));
	for (size_t size = 0; size < out.size; size++)
		g_assert_cmpint(wire_frame_find(out.data, size, &frame, &used), ==, 0);
	frame = frame_only(&out);
	g_assert_cmpuint(frame.channel, ==, 0x01020304);
	g_assert_cmpint(frame.type, ==, WIRE_DATA);
	g_assert_cmpuint(frame.length, ==, 3);
	wire_out_done(&out);
}

static void
test_header_malformed(void)
{
	static const struct {
		guint at;
		guint8 value;
	} changes[] = { { 8, 0 },  { 8, 16 },  { 8, 31 },
			{ 8, 42 }, { 8, 255 }, { 9, 1 },
			{ 10, 1 }, { 11, 1 },  { 6, 8 /* one more than 512 KiB */ },
			{ 7, 255 } };

	for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
		guint8 header[WIRE_HEADER] = { 1, 0, 0, 0, 1, 0, 0, 0, WIRE_PING };
		struct wire_frame frame;
		size_t used;

		g_assert_cmpint(wire_frame_find(header, sizeof(header), &frame, &used), ==, 0);
		header[changes[i].at] = changes[i].value;
		g_assert_cmpint(wire_frame_find(header, sizeof(header), &frame, &used), ==,
				-EPROTO);
	}
}

static void
test_fields(void)
{
	char *list[] = { (char *)"one", (char *)"", (char *)"three", NULL };
	struct wire_out out = { .limit = 1000 };
	struct wire_frame frame;
	struct wire_in in;
	const guint8 *rest;
	size_t size;
	char **got;

	wire_begin(&out, 1, WIRE_LOG);
	wire_put_u8(&out, 0xfe);
	wire_put_u16(&out, 0xfedc);
	wire_put_u32(&out, 0xfedcba98);
	wire_put_u64(&out, G_GUINT64_CONSTANT(0xfedcba9876543210));
	wire_put_string(&out, "text");
	wire_put_list(&out, list);
	wire_put_list(&out, NULL);
	wire_put_bytes(&out, "rest", 4);
	g_assert_cmpint(wire_end(&out), ==, 0);
	frame = frame_only(&out);
	wire_in_init(&in, &frame);
	g_assert_cmpuint(wire_get_u8(&in), ==, 0xfe);
	g_assert_cmpuint(wire_get_u16(&in), ==, 0xfedc);
	g_assert_cmpuint(wire_get_u32(&in), ==, 0xfedcba98);
	g_assert_cmpuint(wire_get_u64(&in), ==, G_GUINT64_CONSTANT(0xfedcba9876543210));
	g_assert_cmpstr(wire_get_string(&in), ==, "text");
	got = wire_get_list(&in);
	g_assert_cmpuint(g_strv_length(got), ==, 3);
	g_assert_cmpstr(got[2], ==, "three");
	free(got);
	got = wire_get_list(&in);
	g_assert_null(got[0]);
	free(got);
	g_assert_cmpint(wire_in_finish(&in), ==, -EPROTO);
	rest = wire_get_rest(&in, &size);
	g_assert_cmpmem(rest, size, "rest", 4);
	g_assert_cmpint(wire_in_finish(&in), ==, 0);
	wire_out_done(&out);
}

static void
test_past_end(void)
{
	struct wire_frame frame = { 1, WIRE_DATA, 3, (const guint8 *)"abc" };
	struct wire_in in;
	size_t size;

	wire_in_init(&in, &frame);
	g_assert_cmpuint(wire_get_u32(&in), ==, 0);
	g_assert_true(in.failed);
	g_assert_cmpuint(wire_get_u8(&in), ==, 0); /* though a byte is there */
	g_assert_cmpstr(wire_get_string(&in), ==, "");
	g_assert_null(wire_get_list(&in));
	g_assert_null(wire_get_rest(&in, &size));
	g_assert_cmpuint(size, ==, 0);
	g_assert_cmpint(wire_in_finish(&in), ==, -EPROTO);
}

static const struct {
	const char *bytes;
	guint32 length;
} strings[] = {
	{ "\3\0\0\0abc", 7 },	 /* no NUL */
	{ "\3\0\0\0abcd", 8 },	 /* another byte in its place */
	{ "\3\0\0\0a\0c\0", 8 }, /* a NUL inside */
	{ "\xff\xff\xff\xff"
	  "abc",
	  7 }, /* a length beyond everything */
	{ "\0\0\0\0", 4 },
	{ "\1\0\0", 3 },
	{ "", 0 },
};

static void
test_string_malformed(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(strings); i++) {
		struct wire_frame frame = { 1, WIRE_LOG, strings[i].length,
					    (const guint8 *)strings[i].bytes };
		struct wire_in in;

		wire_in_init(&in, &frame);
		g_assert_cmpstr(wire_get_string(&in), ==, "");
		g_assert_true(in.failed);
	}
}

static void
test_list_malformed(void)
{
	static const guint8 many[] = { 1, 0, 1, 0, 0, 0, 0, 0, 0 },
			    few[] = { 2, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct wire_frame frame = { 1, WIRE_LOG, sizeof(many), many };
	struct wire_in in;

	wire_in_init(&in, &frame);
	g_assert_null(wire_get_list(&in));
	g_assert_true(in.failed);
	frame = (struct wire_frame){ 1, WIRE_LOG, sizeof(few), few };
	wire_in_init(&in, &frame);
	g_assert_null(wire_get_list(&in));
	g_assert_true(in.failed);
}

static void
test_out_limit(void)
{
	struct wire_out out = { .limit = 100 };
	g_autofree char *long_text = g_strnfill(80, 'x');

	wire_begin(&out, 1, WIRE_LOG);
	wire_put_string(&out, "short");
	g_assert_cmpint(wire_end(&out), ==, 0);
	g_assert_cmpuint(out.size, ==, WIRE_HEADER + 10);
	wire_begin(&out, 1, WIRE_LOG);
	wire_put_string(&out, long_text);
	wire_put_u8(&out, 1);
	g_assert_true(out.failed);
	g_assert_cmpint(wire_end(&out), ==, -ENOMEM);
	g_assert_cmpuint(out.size, ==, WIRE_HEADER + 10);
	wire_begin(&out, 1, WIRE_PING); /* and the next one fits again */
	wire_put_u32(&out, 1);
	g_assert_cmpint(wire_end(&out), ==, 0);
	wire_out_consume(&out, WIRE_HEADER + 10);
	g_assert_cmpint(frame_only(&out).type, ==, WIRE_PING);
	wire_out_done(&out);
	g_assert_null(out.data);
	g_assert_cmpuint(out.limit, ==, 100);
}

static void
test_out_too_big(void)
{
	g_autofree char *bytes = g_malloc0(WIRE_PAYLOAD_MAX + 1);
	struct wire_out out = { .limit = 1024 * 1024 };

	wire_begin(&out, 1, WIRE_DATA);
	wire_put_bytes(&out, bytes, WIRE_PAYLOAD_MAX + 1);
	g_assert_cmpint(wire_end(&out), ==, -E2BIG);
	g_assert_cmpuint(out.size, ==, 0);
	wire_begin(&out, 1, WIRE_DATA);
	wire_put_bytes(&out, bytes, WIRE_PAYLOAD_MAX);
	g_assert_cmpint(wire_end(&out), ==, 0);
	g_assert_cmpuint(frame_only(&out).length, ==, WIRE_PAYLOAD_MAX);
	wire_out_done(&out);
}

/* A SPAWN that uses every field. */
static void
spawn_put(struct wire_out *out)
{
	static const struct rlimit_setting rlimits[] = { { "core", 0, 0, false },
							 { "nofile", 5, RLIMIT_UNLIMITED, true } };
	char *argv[] = { (char *)"nice", (char *)"cat", (char *)"", NULL };
	char *unset_env[] = { (char *)"A", NULL },
	     *set_env[] = { (char *)"B=1", (char *)"C=", NULL };
	struct wire_spawn spawn = {
		.spec = { .file = "nice",
			  .argv = argv,
			  .preexec = true,
			  .clear_env = true,
			  .unset_env = unset_env,
			  .set_env = set_env,
			  .cwd = "~/x",
			  .umask = 022,
			  .nice = -5,
			  .oom = SPAWN_KEEP,
			  .affinity = "0-3",
			  .rlimits = rlimits,
			  .rlimit_count = 2,
			  .pty = true,
			  .columns = 132,
			  .rows = 43,
			  .tag = 99 },
		.group = 12345,
		.run = 7,
		.grace_ms = 5000,
		.hand_over = true,
		.client = true,
	};

	wire_begin(out, 9, WIRE_SPAWN);
	wire_put_spawn(out, &spawn);
	g_assert_cmpint(wire_end(out), ==, 0);
}

static void
test_spawn(void)
{
	struct wire_out out = { .limit = 10000 };
	struct wire_frame frame;
	struct wire_spawn got;
	struct wire_in in;

	spawn_put(&out);
	frame = frame_only(&out);
	wire_in_init(&in, &frame);
	g_assert_cmpint(wire_get_spawn(&in, &got), ==, 0);
	g_assert_cmpstr(got.spec.file, ==, "nice");
	g_assert_cmpstr(got.spec.argv[1], ==, "cat");
	g_assert_cmpstr(got.spec.argv[2], ==, "");
	g_assert_null(got.spec.argv[3]);
	g_assert_true(got.spec.preexec && got.spec.clear_env && got.spec.pty && got.hand_over &&
		      !got.ask && got.client);
	g_assert_cmpstr(got.spec.unset_env[0], ==, "A");
	g_assert_cmpstr(got.spec.set_env[1], ==, "C=");
	g_assert_cmpstr(got.spec.cwd, ==, "~/x");
	g_assert_cmpstr(got.spec.affinity, ==, "0-3");
	g_assert_cmpint(got.spec.umask, ==, 022);
	g_assert_cmpint(got.spec.nice, ==, -5);
	g_assert_cmpint(got.spec.oom, ==, SPAWN_KEEP);
	g_assert_cmpuint(got.spec.rlimit_count, ==, 2);
	g_assert_cmpstr(got.spec.rlimits[1].name, ==, "nofile");
	g_assert_cmpuint(got.spec.rlimits[1].hard, ==, RLIMIT_UNLIMITED);
	g_assert_true(got.spec.rlimits[1].has_hard && !got.spec.rlimits[0].has_hard);
	g_assert_cmpuint(got.spec.columns, ==, 132);
	g_assert_cmpuint(got.spec.rows, ==, 43);
	g_assert_cmpuint(got.spec.tag, ==, 0);
	g_assert_cmpuint(got.group, ==, 12345);
	g_assert_cmpuint(got.run, ==, 7);
	g_assert_cmpuint(got.grace_ms, ==, 5000);
	wire_spawn_done(&got);
	wire_spawn_done(&got); /* twice is harmless */
	wire_out_done(&out);
}

/* Cut anywhere, and with any byte changed, decoding fails or succeeds, but never reads beyond
 * the payload (which the sanitizers see, since each try has an allocation of its own). */
static void
test_spawn_malformed(void)
{
	struct wire_out out = { .limit = 10000 };
	struct wire_frame frame;

	spawn_put(&out);
	frame = frame_only(&out);
	for (guint32 length = 0; length < frame.length; length++) {
		g_autofree guint8 *copy = g_memdup2(frame.payload, MAX(length, 1));
		struct wire_frame cut = { 9, WIRE_SPAWN, length, copy };
		struct wire_spawn got;
		struct wire_in in;

		wire_in_init(&in, &cut);
		g_assert_cmpint(wire_get_spawn(&in, &got), ==, -EPROTO);
	}
	for (guint32 at = 0; at < frame.length * 8; at++) {
		g_autofree guint8 *copy = g_memdup2(frame.payload, frame.length);
		struct wire_frame changed = { 9, WIRE_SPAWN, frame.length, copy };
		struct wire_spawn got;
		struct wire_in in;

		copy[at / 8] ^= (guint8)(1 << (at % 8));
		wire_in_init(&in, &changed);
		if (wire_get_spawn(&in, &got) == 0)
			wire_spawn_done(&got);
	}
	wire_out_done(&out);
}

static void
test_spawn_no_argv(void)
{
	char *argv[] = { NULL };
	struct wire_spawn spawn = { .spec = { .file = "x", .argv = argv } };
	struct wire_out out = { .limit = 10000 };
	struct wire_frame frame;
	struct wire_in in;

	wire_begin(&out, 1, WIRE_SPAWN);
	wire_put_spawn(&out, &spawn);
	g_assert_cmpint(wire_end(&out), ==, 0);
	frame = frame_only(&out);
	wire_in_init(&in, &frame);
	g_assert_cmpint(wire_get_spawn(&in, &spawn), ==, -EPROTO);
	wire_out_done(&out);
}

static void
test_hello(void)
{
	struct wire_signal signals[] = { { 1, "HUP" }, { 64, "RTMAX" } };
	struct wire_hello hello = { .version = 1,
				    .host = "web1",
				    .user = "alice",
				    .home = "/home/alice",
				    .uid = 1000,
				    .pid = 42,
				    .sysname = "Linux",
				    .release = "6.1",
				    .machine = "x86_64",
				    .shell = "/bin/bash",
				    .shell_found = true,
				    .cpus = 8,
				    .pty_max = 4096,
				    .pty_used = 3,
				    .process_limit = RLIMIT_UNLIMITED,
				    .signals = signals,
				    .signal_count = 2 },
			  got;
	struct wire_out out = { .limit = 10000 };
	struct wire_frame frame;
	struct wire_in in;

	wire_begin(&out, 0, WIRE_HELLO);
	wire_put_hello(&out, &hello);
	g_assert_cmpint(wire_end(&out), ==, 0);
	frame = frame_only(&out);
	wire_in_init(&in, &frame);
	g_assert_cmpint(wire_get_hello(&in, &got), ==, 0);
	g_assert_cmpstr(got.host, ==, "web1");
	g_assert_cmpstr(got.shell, ==, "/bin/bash");
	g_assert_true(got.shell_found);
	g_assert_cmpuint(got.uid, ==, 1000);
	g_assert_cmpuint(got.process_limit, ==, RLIMIT_UNLIMITED);
	g_assert_cmpuint(got.signal_count, ==, 2);
	g_assert_cmpstr(got.signals[1].name, ==, "RTMAX");
	g_assert_cmpuint(got.signals[1].number, ==, 64);
	free(got.signals);
	for (guint32 length = 0; length < frame.length; length++) {
		struct wire_frame cut = { 0, WIRE_HELLO, length, frame.payload };

		wire_in_init(&in, &cut);
		g_assert_cmpint(wire_get_hello(&in, &got), ==, -EPROTO);
		g_assert_null(got.signals);
	}
	wire_out_done(&out);
}

static void
test_exit(void)
{
	struct wire_exit ended = { .why = EXIT_WHY_SIGNAL,
				   .signal = "SEGV",
				   .core = true,
				   .real_usec = 1,
				   .user_usec = 2,
				   .system_usec = 3,
				   .maxrss_kib = 4 },
			 got;
	struct wire_out out = { .limit = 1000 };
	struct wire_frame frame;
	struct wire_in in;

	wire_begin(&out, 1, WIRE_EXIT);
	wire_put_exit(&out, &ended);
	g_assert_cmpint(wire_end(&out), ==, 0);
	frame = frame_only(&out);
	wire_in_init(&in, &frame);
	g_assert_cmpint(wire_get_exit(&in, &got), ==, 0);
	g_assert_cmpstr(got.signal, ==, "SEGV");
	g_assert_true(got.core);
	g_assert_cmpuint(got.maxrss_kib, ==, 4);
	out.data[WIRE_HEADER] = 3; /* an unknown why */
	wire_in_init(&in, &frame);
	g_assert_cmpint(wire_get_exit(&in, &got), ==, -EPROTO);
	wire_out_done(&out);
}

/* How often @text stands in @size bytes of @data. */
static guint
count_text(const guint8 *data, gsize size, const char *text)
{
	gsize length = strlen(text);
	guint count = 0;

	for (gsize at = 0; at + length <= size; at++)
		count += memcmp(data + at, text, length) == 0;
	return count;
}

/* A secret that was sent stands nowhere in the buffer any more, whatever was behind it; the mark goes
 * with the last byte. */
static void
test_secret_consume(void)
{
	struct wire_out out = { .limit = 100000 };

	out.secret = true;
	wire_put_bytes(&out, "hunter2", 7);
	wire_put_bytes(&out, "abc", 3);
	const guint8 *data = out.data;
	gsize capacity = out.capacity;
	wire_out_consume(&out, 4);
	g_assert_cmpmem(out.data, out.size, "er2abc", 6);
	g_assert_true(out.secret);
	wire_out_consume(&out, 3);
	g_assert_cmpmem(out.data, out.size, "abc", 3);
	g_assert_true(out.data == data && out.capacity == capacity);
	g_assert_cmpuint(count_text(data, 10, "er2"), ==, 0);
	for (gsize i = 3; i < 10; i++)
		g_assert_cmpint(data[i], ==, 0);
	wire_out_consume(&out, 3);
	g_assert_false(out.secret);
	for (gsize i = 0; i < 10; i++)
		g_assert_cmpint(data[i], ==, 0);
	wire_out_done(&out);
}

/* The frame of a secret that is taken back is wiped too. */
static void
test_secret_taken_back(void)
{
	struct wire_out out = { .limit = 200 };

	out.secret = true;
	wire_begin(&out, 1, WIRE_ANSWER);
	wire_put_bytes(&out, "hunter2", 7);
	for (guint i = 0; i < 100; i++)
		wire_put_u32(&out, i);
	g_assert_cmpint(wire_end(&out), ==, -ENOMEM);
	g_assert_cmpuint(out.size, ==, 0);
	g_assert_cmpuint(count_text(out.data, WIRE_HEADER + 7, "unter"), ==, 0);
	wire_out_done(&out);
}

/* @size bytes of @data, which was freed, hold no @text, or are not mapped any more. The caller has
 * told malloc(3) not to overwrite what is freed. */
static void
check_no_text(const guint8 *data, gsize size, const char *text)
{
	g_autofree guint8 *copy = g_malloc0(size);
	struct iovec local = { copy, size }, remote = { (void *)(guintptr)data, size };
	gssize got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

	if (got > 0)
		g_assert_cmpuint(count_text(copy, (gsize)got, text), ==, 0);
}

/* Growing leaves nothing in the place it moved from, however small or large that is. */
static void
test_secret_growth(void)
{
	struct wire_out out = { .limit = 1000000 };

	mallopt(M_PERTURB, 0);
	out.secret = true;
	wire_put_bytes(&out, "0123456789abcdef0123456789abcdef hunter2", 40);
	while (out.capacity < 500000) {
		const guint8 *before = out.data;
		gsize capacity = out.capacity;

		while (out.capacity == capacity)
			wire_put_bytes(&out, "x", 1);
		if (out.data != before)
			check_no_text(before, MIN(capacity, 64), "hunter2");
		g_assert_cmpuint(count_text(out.data, 64, "hunter2"), ==, 1);
	}
	wire_out_done(&out);
}

/* Nor does the end of the buffer. */
static void
test_secret_done(void)
{
	struct wire_out out = { .limit = 1000 };

	mallopt(M_PERTURB, 0);
	out.secret = true;
	wire_put_bytes(&out, "0123456789abcdef0123456789abcdef hunter2", 40);
	const guint8 *before = out.data;
	wire_out_done(&out);
	check_no_text(before, 64, "hunter2");
	g_assert_false(out.secret);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/wire/header", test_header);
	g_test_add_func("/wire/header/malformed", test_header_malformed);
	g_test_add_func("/wire/fields", test_fields);
	g_test_add_func("/wire/fields/past-end", test_past_end);
	g_test_add_func("/wire/string/malformed", test_string_malformed);
	g_test_add_func("/wire/list/malformed", test_list_malformed);
	g_test_add_func("/wire/out/limit", test_out_limit);
	g_test_add_func("/wire/out/too-big", test_out_too_big);
	g_test_add_func("/wire/secret/consume/R111", test_secret_consume);
	g_test_add_func("/wire/secret/taken-back/R111", test_secret_taken_back);
	g_test_add_func("/wire/secret/growth/R111", test_secret_growth);
	g_test_add_func("/wire/secret/done/R111", test_secret_done);
	g_test_add_func("/wire/spawn", test_spawn);
	g_test_add_func("/wire/spawn/malformed", test_spawn_malformed);
	g_test_add_func("/wire/spawn/no-argv", test_spawn_no_argv);
	g_test_add_func("/wire/hello", test_hello);
	g_test_add_func("/wire/exit", test_exit);
	return residue_run();
}
