/* Inputs: staging, the end of file, and whole writes in order, over pipes, a terminal and a sink
 * with credit.
 *
 * A Sink stands for a channel: it takes what its credit allows and records it, with "^" for each
 * end of file. A Note is the outcome of one write that had to wait. Real pipes are read by the
 * test when it likes, so that a full window is a full pipe. */
#include "broker/input.h"
#include "pty/autofd.h"
#include "pty/pty.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <string.h>

#define KIB 1024
#define STAGED (64 * KIB)

typedef struct Sink Sink;
struct Sink {
	GString *got;
	gsize credit;
	gboolean broken;
};

static gssize
sink_write(const void *bytes, gsize size, void *data)
{
	Sink *sink = data;

	if (sink->broken)
		return -EPIPE;
	if (sink->credit == 0)
		return -EAGAIN;
	size = MIN(size, sink->credit);
	sink->credit -= size;
	g_string_append_len(sink->got, bytes, (gssize)size);
	return (gssize)size;
}

static void
sink_end(void *data)
{
	Sink *sink = data;

	g_string_append_c(sink->got, '^');
}

/* Bind @input to @sink with @credit. */
static void
sink_bind(Sink *sink, Input *input, gsize credit, gboolean pty)
{
	const InputSink calls = { sink_write, sink_end, sink };

	*sink = (Sink){ .got = g_string_new(NULL), .credit = credit };
	input_bind_sink(input, &calls, pty);
}

static void
sink_done(Sink *sink)
{
	g_string_free(sink->got, TRUE);
}

/* How a write ended. */
typedef struct Note Note;
struct Note {
	guint times;
	gssize result;
	InputWrite *write;
};

static void
on_written(gssize result, void *data)
{
	Note *note = data;

	note->times++;
	note->result = result;
	note->write = NULL;
}

/* A write that does not wait; its result. */
static gssize
put(InputWriter *writer, const char *text)
{
	gssize result = 4711;

	g_assert_null(input_write(writer, text, strlen(text), FALSE, NULL, NULL, &result));
	return result;
}

/* A write with O_NONBLOCK. */
static gssize
put_now(InputWriter *writer, const void *bytes, gsize size)
{
	gssize result = 4711;

	g_assert_null(input_write(writer, bytes, size, TRUE, NULL, NULL, &result));
	return result;
}

/* A write that has to wait; @note is told. */
static void
put_waiting(InputWriter *writer, const void *bytes, gsize size, Note *note)
{
	gssize result;

	*note = (Note){ 0 };
	note->write = input_write(writer, bytes, size, FALSE, on_written, note, &result);
	g_assert_nonnull(note->write);
}

/* `echo TEXT > stdin` or `>> stdin`. */
static void
echo(Input *input, const char *text, gboolean truncate)
{
	InputWriter *writer = input_writer_new(input, truncate);

	g_assert_cmpint(put(writer, text), ==, (gssize)strlen(text));
	input_writer_free(writer);
}

/* What a command gets of what was staged, with the end of file as "^". */
static void
expect_staged(Input *input, const char *wanted)
{
	Sink sink;

	sink_bind(&sink, input, 1000000, FALSE);
	g_assert_cmpstr(sink.got->str, ==, wanted);
	g_assert_true(input_taken(input));
	input_unref(input);
	sink_done(&sink);
}

/* What is written before the command starts is its input, with or without an end. */
static void
input_staging(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);

	g_assert_false(input_taken(input));
	g_assert_cmpstr(input_state(input), ==, "open");
	echo(input, "data\n", TRUE);
	g_assert_cmpstr(input_state(input), ==, "ended");
	expect_staged(input, "data\n^");
	input = input_new(INPUT_EOF_TRUNC);
	echo(input, "data\n", FALSE);
	g_assert_cmpstr(input_state(input), ==, "open");
	expect_staged(input, "data\n");
	expect_staged(input_new(INPUT_EOF_TRUNC), "");
}

/* `>` replaces what is staged, `>>` goes on with it, and the end stays the whole input's. */
static void
input_staging_replace(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);

	echo(input, "old", TRUE);
	echo(input, "new", TRUE);
	echo(input, " more", FALSE);
	expect_staged(input, "new more^");
	input = input_new(INPUT_EOF_TRUNC);
	echo(input, "a", FALSE);
	echo(input, "b", FALSE);
	expect_staged(input, "ab");
	input = input_new(INPUT_EOF_TRUNC);
	echo(input, "a", FALSE);
	echo(input, "b", TRUE);
	echo(input, "", TRUE);
	expect_staged(input, "^");
	input = input_new(INPUT_EOF_TRUNC);
	echo(input, "cut", FALSE);
	input_truncate(input);
	echo(input, "x", FALSE);
	expect_staged(input, "x^");
}

/* A writer that is open at the start goes on at the command; the end comes with its close. */
static void
input_staging_open(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *writer = input_writer_new(input, TRUE);
	Sink sink;

	g_assert_cmpint(put(writer, "one "), ==, 4);
	sink_bind(&sink, input, 1000, FALSE);
	g_assert_cmpint(put(writer, "two"), ==, 3);
	g_assert_cmpstr(sink.got->str, ==, "one two");
	g_assert_true(input_writer_input(writer) == input);
	input_writer_free(writer);
	g_assert_cmpstr(sink.got->str, ==, "one two^");
	input_unref(input);
	sink_done(&sink);
}

/* 64 KiB are staged; one byte more waits whole, or is taken in part where it may not wait. */
static void
input_staging_full(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *writer = input_writer_new(input, TRUE);
	g_autofree char *bytes = g_strnfill(STAGED, 's');
	Note note;
	Sink sink;

	g_assert_cmpint(put_now(writer, bytes, STAGED - 10000), ==, STAGED - 10000);
	g_assert_true(input_writable(input));
	g_assert_cmpint(put_now(writer, bytes, 8000), ==, 8000);
	g_assert_false(input_writable(input));
	g_assert_cmpint(put_now(writer, bytes, 8000), ==, 2000);
	g_assert_cmpint(put_now(writer, bytes, 1), ==, -EAGAIN);
	put_waiting(writer, "late", 4, &note);
	g_assert_cmpint(put_now(writer, bytes, 1), ==, -EAGAIN);
	sink_bind(&sink, input, STAGED + 4, FALSE);
	g_assert_cmpuint(note.times, ==, 1);
	g_assert_cmpint(note.result, ==, 4);
	g_assert_cmpuint(sink.got->len, ==, STAGED + 4);
	g_assert_cmpstr(sink.got->str + STAGED, ==, "late");
	input_writer_free(writer);
	input_unref(input);
	sink_done(&sink);
}

/* A write of more than is ever staged waits for the command, and goes to it whole. */
static void
input_staging_large(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *writer = input_writer_new(input, TRUE);
	g_autofree char *bytes = g_strnfill(3 * STAGED, 'l');
	Note note;
	Sink sink;

	put_waiting(writer, bytes, 3 * STAGED, &note);
	sink_bind(&sink, input, 3 * STAGED - 1, FALSE);
	g_assert_cmpuint(note.times, ==, 0);
	sink.credit = 1;
	input_pump(input);
	g_assert_cmpuint(note.times, ==, 1);
	g_assert_cmpint(note.result, ==, 3 * STAGED);
	g_assert_cmpstr(sink.got->str, ==, bytes);
	input_writer_free(writer);
	input_unref(input);
	sink_done(&sink);
}

/* `eof` before the command starts stands behind what is staged, and ends it for `>>` too. */
static void
input_staging_eof(void)
{
	Input *input = input_new(INPUT_EOF_NEVER);
	InputWriter *writer = input_writer_new(input, FALSE);

	g_assert_cmpint(put(writer, "x"), ==, 1);
	g_assert_true(input_end(input));
	g_assert_false(input_end(input));
	g_assert_cmpint(put(writer, "y"), ==, -EPIPE);
	g_assert_true(input_writable(input));
	input_writer_free(writer);
	expect_staged(input, "x^");
}

static const struct {
	InputEofMode mode;
	const char *opens; /* T or A each: opened with O_TRUNC or not; - closes the oldest */
	const char *wanted;
} modes[] = {
	{ INPUT_EOF_TRUNC, "A-", "" },	  { INPUT_EOF_TRUNC, "T-", "^" },
	{ INPUT_EOF_TRUNC, "TA-", "" },	  { INPUT_EOF_TRUNC, "TA--", "^" },
	{ INPUT_EOF_TRUNC, "AT--", "^" }, { INPUT_EOF_TRUNC, "A-A-A-T-", "^" },
	{ INPUT_EOF_CLOSE, "A-", "^" },	  { INPUT_EOF_CLOSE, "AA-", "" },
	{ INPUT_EOF_CLOSE, "T-", "^" },	  { INPUT_EOF_NEVER, "T-", "" },
	{ INPUT_EOF_NEVER, "A-T-", "" },
};

/* When the last close is the end, by mode. */
static void
input_eof_modes(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
		Input *input = input_new(modes[i].mode);
		GQueue writers = G_QUEUE_INIT;
		Sink sink;

		sink_bind(&sink, input, 10, FALSE);
		for (const char *at = modes[i].opens; *at != '\0'; at++) {
			if (*at == '-')
				input_writer_free(g_queue_pop_head(&writers));
			else
				g_queue_push_tail(&writers, input_writer_new(input, *at == 'T'));
		}
		g_assert_cmpstr(sink.got->str, ==, modes[i].wanted);
		g_assert_cmpstr(input_state(input), ==,
				modes[i].wanted[0] != '\0' ? "ended" : "open");
		while (writers.head != NULL)
			input_writer_free(g_queue_pop_head(&writers));
		input_unref(input);
		sink_done(&sink);
	}
}

/* The mode may change under an open writer; truncate(2) counts as O_TRUNC; a pipe's writer ends
 * it as one. */
static void
input_eof_changes(void)
{
	Input *input = input_new(INPUT_EOF_NEVER);
	InputWriter *writer = input_writer_new(input, TRUE);
	Sink sink;

	input_set_eof_mode(input, INPUT_EOF_TRUNC);
	input_writer_free(writer);
	expect_staged(input, "^");
	for (int way = 0; way < 2; way++) {
		input = input_new(INPUT_EOF_TRUNC);
		sink_bind(&sink, input, 10, FALSE);
		writer = input_writer_new(input, FALSE);
		if (way == 0)
			input_truncate(input);
		else
			input_end_with_writers(input);
		g_assert_cmpint(put(writer, "kept"), ==, 4);
		input_writer_free(writer);
		g_assert_cmpstr(sink.got->str, ==, "kept^");
		input_unref(input);
		sink_done(&sink);
	}
	input = input_new(INPUT_EOF_TRUNC);
	echo(input, "staged", FALSE);
	input_end_with_writers(input);
	echo(input, " piped", FALSE);
	expect_staged(input, "staged piped^");
}

static void
count_up(void *data)
{
	(*(guint *)data)++;
}

/* The last close is told each time, but not once the input is over. */
static void
input_last_close(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	guint closes = 0;
	Sink sink;

	sink_bind(&sink, input, 10, FALSE);
	input_on_last_close(input, count_up, &closes);
	echo(input, "a", FALSE);
	echo(input, "b", FALSE);
	g_assert_cmpuint(closes, ==, 2);
	InputWriter *writer = input_writer_new(input, TRUE);
	input_writer_free(input_writer_new(input, FALSE));
	g_assert_cmpuint(closes, ==, 2);
	input_close(input, EPIPE);
	input_writer_free(writer);
	g_assert_cmpuint(closes, ==, 2);
	g_assert_cmpstr(sink.got->str, ==, "ab");
	input_unref(input);
	sink_done(&sink);
}

/* Writes that wait are taken whole and in order, whatever the credit; one without waiting finds
 * no gap between them. */
static void
input_whole(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *a = input_writer_new(input, TRUE);
	InputWriter *b = input_writer_new(input, FALSE);
	Note notes[3];
	Sink sink;

	sink_bind(&sink, input, 3, FALSE);
	put_waiting(a, "aaaaaa", 6, &notes[0]);
	g_assert_cmpstr(sink.got->str, ==, "aaa");
	put_waiting(b, "bbb", 3, &notes[1]);
	put_waiting(a, "cc", 2, &notes[2]);
	g_assert_false(input_writable(input));
	for (guint i = 0; i < 8; i++) {
		g_assert_cmpint(put_now(b, "!", 1), ==, -EAGAIN);
		sink.credit = 1;
		input_pump(input);
		g_assert_cmpuint(notes[0].times, ==, i >= 2);
		g_assert_cmpuint(notes[1].times, ==, i >= 5);
		g_assert_cmpuint(notes[2].times, ==, i >= 7);
	}
	g_assert_cmpstr(sink.got->str, ==, "aaaaaabbbcc");
	g_assert_cmpint(notes[0].result, ==, 6);
	g_assert_cmpint(notes[1].result, ==, 3);
	g_assert_cmpint(notes[2].result, ==, 2);
	input_writer_free(a);
	input_writer_free(b);
	g_assert_cmpstr(sink.got->str, ==, "aaaaaabbbcc^");
	input_unref(input);
	sink_done(&sink);
}

/* The end of file stands behind every write that waits. */
static void
input_end_behind(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *writer = input_writer_new(input, TRUE);
	Note note;
	Sink sink;

	sink_bind(&sink, input, 2, FALSE);
	put_waiting(writer, "abcd", 4, &note);
	g_assert_true(input_end(input));
	g_assert_cmpstr(input_state(input), ==, "ended");
	g_assert_cmpint(put(writer, "x"), ==, -EPIPE);
	g_assert_cmpstr(sink.got->str, ==, "ab");
	sink.credit = 10;
	input_pump(input);
	g_assert_cmpstr(sink.got->str, ==, "abcd^");
	g_assert_cmpint(note.result, ==, 4);
	input_pump(input);
	g_assert_cmpstr(sink.got->str, ==, "abcd^");
	input_writer_free(writer);
	input_unref(input);
	sink_done(&sink);
}

/* What cannot wait takes what can be taken now. */
static void
input_nonblock(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *writer = input_writer_new(input, TRUE);
	Sink sink;

	sink_bind(&sink, input, 5, FALSE);
	g_assert_cmpint(put_now(writer, "abc", 3), ==, 3);
	g_assert_cmpint(put_now(writer, "defg", 4), ==, 2);
	g_assert_cmpint(put_now(writer, "fg", 2), ==, -EAGAIN);
	sink.credit = 5;
	g_assert_cmpint(put_now(writer, "fg", 2), ==, 2);
	g_assert_cmpstr(sink.got->str, ==, "abcdefg");
	input_writer_free(writer);
	input_unref(input);
	sink_done(&sink);
}

/* A write that is taken back answers how far it was, is told nothing, and makes way for the
 * next. */
static void
input_cancel(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *writer = input_writer_new(input, TRUE);
	Note notes[3];
	Sink sink;

	sink_bind(&sink, input, 2, FALSE);
	for (guint i = 0; i < 3; i++)
		put_waiting(writer, "abcd", 4, &notes[i]);
	g_assert_cmpuint(input_write_cancel(notes[1].write), ==, 0);
	g_assert_cmpuint(input_write_cancel(notes[0].write), ==, 2);
	sink.credit = 10;
	input_pump(input);
	g_assert_cmpstr(sink.got->str, ==, "ababcd");
	g_assert_cmpuint(notes[0].times + notes[1].times, ==, 0);
	g_assert_cmpuint(notes[2].times, ==, 1);
	sink.credit = 0;
	put_waiting(writer, "zz", 2, &notes[0]);
	sink.credit = 10;
	g_assert_cmpuint(input_write_cancel(notes[0].write), ==, 0);
	g_assert_cmpint(put(writer, "end"), ==, 3);
	g_assert_cmpstr(sink.got->str, ==, "ababcdend");
	input_writer_free(writer);
	input_unref(input);
	sink_done(&sink);
}

/* The end of the command answers who waits: what of his was taken, or the error. */
static void
input_over(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *writer = input_writer_new(input, TRUE);
	Note notes[2];
	Sink sink;

	sink_bind(&sink, input, 2, FALSE);
	put_waiting(writer, "abcd", 4, &notes[0]);
	put_waiting(writer, "efgh", 4, &notes[1]);
	input_close(input, ECONNRESET);
	input_close(input, EPIPE);
	g_assert_cmpint(notes[0].result, ==, 2);
	g_assert_cmpint(notes[1].result, ==, -ECONNRESET);
	g_assert_cmpint(put(writer, "x"), ==, -ECONNRESET);
	g_assert_cmpint(put_now(writer, "x", 1), ==, -ECONNRESET);
	g_assert_false(input_end(input));
	g_assert_true(input_writable(input));
	g_assert_cmpstr(input_state(input), ==, "closed");
	input_writer_free(writer);
	g_assert_cmpstr(sink.got->str, ==, "ab");
	input_unref(input);
	sink_done(&sink);
}

/* A sink that takes no more ends the input with EPIPE, for one who waits and for the next. */
static void
input_broken(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *writer = input_writer_new(input, TRUE);
	Note note;
	Sink sink;

	sink_bind(&sink, input, 0, FALSE);
	put_waiting(writer, "ab", 2, &note);
	sink.broken = TRUE;
	input_pump(input);
	g_assert_cmpint(note.result, ==, -EPIPE);
	g_assert_cmpint(put(writer, "x"), ==, -EPIPE);
	g_assert_cmpstr(input_state(input), ==, "closed");
	input_writer_free(writer);
	input_unref(input);
	sink_done(&sink);
}

/* Who polls is told when there is room again, and when it is over. */
static void
input_polled(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	NotifierWatch watch = { NULL };
	guint changes = 0;
	Sink sink;

	sink_bind(&sink, input, 0, FALSE);
	notifier_watch(input_changed(input), &watch, count_up, &changes);
	g_assert_false(input_writable(input));
	sink.credit = 1;
	input_pump(input);
	g_assert_cmpuint(changes, >=, 1);
	g_assert_true(input_writable(input));
	changes = 0;
	input_close(input, EPIPE);
	g_assert_cmpuint(changes, ==, 1);
	notifier_unwatch(&watch);
	input_unref(input);
	sink_done(&sink);
}

/* A pipe whose write end @input takes; the read end. */
static int
bind_pipe(Input *input)
{
	int fds[2];

	g_assert_no_errno(pipe2(fds, O_CLOEXEC | O_NONBLOCK));
	input_bind(input, fds[1], FALSE);
	return fds[0];
}

/* Through a pipe: a write of megabytes waits and arrives, the end is the end of file. */
static void
input_pipe(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *writer = input_writer_new(input, TRUE);
	const gsize size = 3 * KIB * KIB;
	g_autofree guint8 *bytes = g_malloc(size);
	g_autofree guint8 *got = g_malloc(size + 1);
	gsize total = 0;
	gssize piece = 1;
	Note note;

	for (gsize i = 0; i < size; i++)
		bytes[i] = (guint8)(i * 167 >> 3);
	g_assert_cmpint(put(writer, "staged"), ==, 6);
	int fd = bind_pipe(input);
	put_waiting(writer, bytes, size, &note);
	g_assert_cmpint(read(fd, got, 6), ==, 6);
	g_assert_cmpmem(got, 6, "staged", 6);
	input_writer_free(writer);
	while (piece != 0) {
		unit_until((piece = read(fd, got + total, size + 1 - total)) >= 0 ||
			   errno != EAGAIN);
		g_assert_cmpint(piece, >=, 0);
		total += (gsize)piece;
	}
	g_assert_cmpuint(note.times, ==, 1);
	g_assert_cmpint(note.result, ==, (gssize)size);
	g_assert_cmpmem(got, total, bytes, size);
	close(fd);
	input_unref(input);
}

/* A full pipe: EAGAIN for one who does not wait, and a poll is told when it has been read. */
static void
input_pipe_full(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *writer = input_writer_new(input, TRUE);
	g_autofree char *bytes = g_malloc0(1000000);
	NotifierWatch watch = { NULL };
	guint changes = 0;
	int fd = bind_pipe(input);

	g_assert_true(input_writable(input));
	g_assert_cmpint(put_now(writer, bytes, 1000000), ==, 65536);
	g_assert_cmpint(put_now(writer, bytes, 1), ==, -EAGAIN);
	g_assert_false(input_writable(input));
	notifier_watch(input_changed(input), &watch, count_up, &changes);
	unit_settle();
	g_assert_cmpuint(changes, ==, 0);
	g_assert_cmpint(read(fd, bytes, 65536), ==, 65536);
	unit_until(changes > 0);
	g_assert_true(input_writable(input));
	unit_settle();
	notifier_unwatch(&watch);
	input_writer_free(writer);
	close(fd);
	input_unref(input);
}

/* The command closes its stdin: who waits and who writes next get EPIPE. */
static void
input_pipe_broken(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *writer = input_writer_new(input, TRUE);
	g_autofree char *bytes = g_malloc0(100000);
	Note note;
	int fd = bind_pipe(input);

	put_waiting(writer, bytes, 100000, &note);
	close(fd);
	unit_until(note.times == 1);
	g_assert_cmpint(note.result, ==, 65536);
	g_assert_cmpint(put(writer, "x"), ==, -EPIPE);
	input_writer_free(writer);
	input_unref(input);
	input = input_new(INPUT_EOF_TRUNC);
	writer = input_writer_new(input, TRUE);
	close(bind_pipe(input));
	g_assert_cmpint(put(writer, "x"), ==, -EPIPE);
	input_writer_free(writer);
	input_unref(input);
}

/* A terminal: no close ends it, `eof` writes VEOF each time, behind what waits. */
static void
input_terminal(void)
{
	Input *input = input_new(INPUT_EOF_CLOSE);
	struct pty pty;
	char got[64];

	echo(input, "hello\n", TRUE);
	g_assert_cmpint(pty_open(&pty, 80, 24), ==, 0);
	fcntl(pty.master, F_SETFL, O_RDWR | O_NONBLOCK);
	input_bind(input, pty.master, TRUE);
	g_assert_cmpstr(input_state(input), ==, "open");
	g_assert_cmpint(read(pty.slave, got, sizeof got), ==, 6);
	for (guint i = 0; i < 2; i++) {
		echo(input, "x", TRUE);
		g_assert_true(input_end(input));
		g_assert_cmpint(read(pty.slave, got, sizeof got), ==, 1);
		g_assert_true(input_end(input));
		g_assert_cmpint(read(pty.slave, got, sizeof got), ==, 0);
	}
	g_assert_cmpstr(input_state(input), ==, "open");
	input_close(input, EPIPE);
	close(pty.slave);
	input_unref(input);
}

/* A terminal behind a channel: the same, and an `eof` that was asked for beforehand is kept, a
 * close is not. */
static void
input_terminal_sink(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *writer;
	Note note;
	Sink sink;

	echo(input, "staged", TRUE);
	sink_bind(&sink, input, 8, TRUE);
	g_assert_cmpstr(sink.got->str, ==, "staged");
	writer = input_writer_new(input, TRUE);
	put_waiting(writer, "abcd", 4, &note);
	g_assert_true(input_end(input));
	g_assert_true(input_end(input));
	input_writer_free(writer);
	g_assert_cmpstr(sink.got->str, ==, "stagedab");
	sink.credit = 100;
	input_pump(input);
	g_assert_cmpstr(sink.got->str, ==, "stagedabcd^^");
	g_assert_cmpint(note.result, ==, 4);
	input_unref(input);
	sink_done(&sink);
	input = input_new(INPUT_EOF_TRUNC);
	echo(input, "one", TRUE);
	echo(input, "two", FALSE);
	writer = input_writer_new(input, FALSE);
	g_assert_true(input_end(input));
	sink_bind(&sink, input, 4, TRUE);
	g_assert_cmpstr(sink.got->str, ==, "onet");
	sink.credit = 10;
	input_pump(input);
	g_assert_cmpstr(sink.got->str, ==, "onetwo^");
	input_writer_free(writer);
	input_unref(input);
	sink_done(&sink);
}

/* A callback may take another write back, and may write again. */
static void
on_written_cancel(gssize result, void *data)
{
	Note *note = data;

	note->times++;
	if (note->write != NULL)
		input_write_cancel(g_steal_pointer(&note->write));
}

static void
input_reentered(void)
{
	Input *input = input_new(INPUT_EOF_TRUNC);
	InputWriter *writer = input_writer_new(input, TRUE);
	Note first = { 0 }, second;
	gssize result;
	Sink sink;

	sink_bind(&sink, input, 0, FALSE);
	g_assert_nonnull(input_write(writer, "a", 1, FALSE, on_written_cancel, &first, &result));
	put_waiting(writer, "bbb", 3, &second);
	first.write = second.write;
	sink.credit = 100;
	input_pump(input);
	g_assert_cmpuint(first.times, ==, 1);
	g_assert_cmpuint(second.times, ==, 0);
	g_assert_cmpstr(sink.got->str, ==, "a");
	input_writer_free(writer);
	g_assert_cmpstr(sink.got->str, ==, "a^");
	input_unref(input);
	sink_done(&sink);
}

static const UnitTest tests[] = {
	{ "/input/staging", input_staging },
	{ "/input/staging/replace", input_staging_replace },
	{ "/input/staging/open", input_staging_open },
	{ "/input/staging/full", input_staging_full },
	{ "/input/staging/large", input_staging_large },
	{ "/input/staging/eof", input_staging_eof },
	{ "/input/eof/modes", input_eof_modes },
	{ "/input/eof/changes", input_eof_changes },
	{ "/input/last-close", input_last_close },
	{ "/input/whole", input_whole },
	{ "/input/end-behind", input_end_behind },
	{ "/input/nonblock", input_nonblock },
	{ "/input/cancel", input_cancel },
	{ "/input/over", input_over },
	{ "/input/broken", input_broken },
	{ "/input/polled", input_polled },
	{ "/input/pipe", input_pipe },
	{ "/input/pipe/full", input_pipe_full },
	{ "/input/pipe/broken", input_pipe_broken },
	{ "/input/terminal", input_terminal },
	{ "/input/terminal/sink", input_terminal_sink },
	{ "/input/reentered", input_reentered },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
