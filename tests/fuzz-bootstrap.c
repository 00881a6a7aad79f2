/* Fuzzer of what a place says before its agent does: the talk with the first stage, and the lines
 * and questions of its client.
 *
 * The first byte says how it begins. Then, again and again: a byte that says how long the next
 * piece is and to whom it goes, and the piece. In what goes to the talk the byte 0x01 stands for the
 * marker, so that the fuzzer can get past it. The callbacks check the order in which they come. */
#include "broker/bootstrap.h"
#include "broker/dialogue.h"
#include "broker/image.h"

#include <stdint.h>
#include <string.h>

#define MARKER_SIZE 32
#define SENT_MAX (16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Talk Talk;
struct Talk {
	gsize sent;
	gboolean marker, ready, failed;
};

static void
on_send(const void *bytes, gsize size, void *data)
{
	Talk *talk = data;

	g_assert_nonnull(bytes);
	g_assert_false(talk->ready || talk->failed);
	talk->sent += size;
	g_assert_cmpuint(talk->sent, <, SENT_MAX);
}

static void
on_noise(const char *line, void *data)
{
	Talk *talk = data;

	g_assert_cmpstr(line, !=, "");
	g_assert_null(strchr(line, '\n'));
	g_assert_false(talk->marker || talk->ready || talk->failed);
}

static void
on_marker(void *data)
{
	Talk *talk = data;

	g_assert_false(talk->marker || talk->ready || talk->failed);
	talk->marker = TRUE;
}

static void
on_ready(void *data)
{
	Talk *talk = data;

	g_assert_true(talk->marker);
	g_assert_false(talk->ready || talk->failed);
	talk->ready = TRUE;
}

static void
on_failed(FailureKind kind, const char *detail, void *data)
{
	Talk *talk = data;

	g_assert_cmpint(kind, !=, FAILURE_NONE);
	g_assert_nonnull(detail);
	g_assert_false(talk->ready || talk->failed);
	talk->failed = TRUE;
}

static const BootstrapOps boot_ops = { on_send, on_noise, on_marker, on_ready, on_failed };

static void
on_line(const char *line, void *data)
{
	g_assert_null(data);
	g_assert_cmpstr(line, !=, "");
	g_assert_null(strchr(line, '\n'));
}

static void
on_question(const char *text, gboolean echo, gboolean again, void *data)
{
	(void)echo;
	(void)again;
	g_assert_null(data);
	g_assert_cmpstr(text, !=, "");
}

static const DialogueOps dialogue_ops = { on_line, on_question };

/* @piece with the marker where it is to be. Caller frees. */
static GByteArray *
with_marker(const Bootstrap *bootstrap, const uint8_t *piece, size_t size)
{
	const char *marker = strstr(bootstrap_script(bootstrap), "T=") + 2;
	GByteArray *bytes = g_byte_array_new();

	for (size_t i = 0; i < size; i++) {
		if (piece[i] == 1)
			g_byte_array_append(bytes, (const guint8 *)marker, MARKER_SIZE);
		else
			g_byte_array_append(bytes, piece + i, 1);
	}
	return bytes;
}

static void
say(Bootstrap *bootstrap, const Talk *talk, const uint8_t *piece, size_t size)
{
	g_autoptr(GByteArray) bytes = with_marker(bootstrap, piece, size);
	gboolean ready = talk->ready;
	gsize used = bootstrap_feed(bootstrap, bytes->data, bytes->len);

	g_assert_cmpuint(used, <=, bytes->len);
	if (!talk->ready)
		g_assert_cmpuint(used, ==, bytes->len);
	if (ready)
		g_assert_cmpuint(used, ==, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const guesses[] = { NULL, "x86_64", "vax", "aarch64" };
	Talk talk = { 0 };

	if (size == 0)
		return 0;
	uint8_t how = *data++;
	size--;
	Bootstrap *bootstrap = bootstrap_new(&boot_ops, &talk);
	Dialogue *dialogue = dialogue_new(how & 1, how & 2, &dialogue_ops, NULL);
	bootstrap_begin(bootstrap, how & 4, guesses[how >> 3 & 3]);
	while (size > 0) {
		uint8_t head = *data++;
		size_t piece = head & 31;

		size--;
		piece = MIN(piece, size);
		if (head & 32)
			say(bootstrap, &talk, data, piece);
		else
			dialogue_feed(dialogue, head & 64, data, piece);
		if (!(head & 32) && head & 128)
			dialogue_answered(dialogue);
		g_assert_nonnull(bootstrap_phase(bootstrap));
		data += piece;
		size -= piece;
	}
	dialogue_end(dialogue);
	dialogue_free(dialogue);
	bootstrap_free(bootstrap);
	return 0;
}
