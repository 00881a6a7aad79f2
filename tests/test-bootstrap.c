/* The talk with the first stage, against a peer that says what the test has it say.
 *
 * What it says is fed whole, byte by byte, and cut in two at every place; the events that come of
 * it are written down as words and must be the same each time: `image KEY` (with the right number
 * of bytes behind it), `noise LINE`, `marker`, `ready`, `failed KIND: DETAIL`. */
#include "broker/bootstrap.h"
#include "broker/image.h"
#include "tests/unit.h"

#include <string.h>

#define MACHINE "x86_64"
#define NOISE_MAX (1024 * 1024)
#define LINE_SIZE_MAX 700
#define MARKER_SIZE 32

typedef struct Peer Peer;
struct Peer {
	Bootstrap *bootstrap;
	GString *sent;	 /* that is not accounted for */
	GString *events; /* a word or two each, ended by ';' */
	guint ends;	 /* ready or failed */
};

static void
on_send(const void *bytes, gsize size, void *data)
{
	Peer *peer = data;

	g_assert_cmpuint(peer->ends, ==, 0);
	g_string_append_len(peer->sent, bytes, (gssize)size);
}

static void
on_noise(const char *line, void *data)
{
	Peer *peer = data;

	g_string_append_printf(peer->events, "noise %s;", line);
}

/* Take the images out of what was sent. */
static void
note_images(Peer *peer)
{
	while (peer->sent->len > 0) {
		const char *newline = memchr(peer->sent->str, '\n', peer->sent->len);
		gsize wanted, size;

		g_assert_nonnull(newline);
		g_auto(GStrv) words = g_strsplit(peer->sent->str, " ", 2);
		gboolean gzip = g_str_has_suffix(words[0], "z");
		g_autofree char *machine = g_strndup(words[0], strlen(words[0]) - gzip);
		const guint8 *bytes = image_bytes(image_find(machine), gzip, &wanted);

		size = g_ascii_strtoull(words[1], NULL, 10);
		gsize header = (gsize)(newline + 1 - peer->sent->str);
		g_assert_cmpuint(size, ==, wanted);
		g_assert_cmpuint(peer->sent->len - header, >=, size);
		g_assert_cmpint(memcmp(newline + 1, bytes, size), ==, 0);
		g_string_append_printf(peer->events, "image %s;", words[0]);
		g_string_erase(peer->sent, 0, (gssize)(header + size));
	}
}

static void
on_marker(void *data)
{
	Peer *peer = data;

	note_images(peer);
	g_string_append(peer->events, "marker;");
}

static void
on_ready(void *data)
{
	Peer *peer = data;

	note_images(peer);
	peer->ends++;
	g_string_append(peer->events, "ready;");
}

static void
on_failed(FailureKind kind, const char *detail, void *data)
{
	Peer *peer = data;

	note_images(peer);
	peer->ends++;
	g_string_append_printf(peer->events, "failed %s: %s;", failure_name(kind), detail);
}

static const BootstrapOps ops = { on_send, on_noise, on_marker, on_ready, on_failed };

static void
peer_init(Peer *peer)
{
	*peer = (Peer){ .sent = g_string_new(NULL), .events = g_string_new(NULL) };
	peer->bootstrap = bootstrap_new(&ops, peer);
}

static void
peer_done(Peer *peer)
{
	bootstrap_free(peer->bootstrap);
	g_string_free(peer->sent, TRUE);
	g_string_free(peer->events, TRUE);
}

/* The marker, out of the script. */
static char *
peer_marker(const Peer *peer)
{
	const char *at = strstr(bootstrap_script(peer->bootstrap), "T=");

	g_assert_nonnull(at);
	return g_strndup(at + 2, MARKER_SIZE);
}

/* What a talk says, with its marker for each @. */
static GString *
peer_words(const Peer *peer, const char *talk)
{
	g_autofree char *marker = peer_marker(peer);
	GString *words = g_string_new(talk);

	g_string_replace(words, "@", marker, 0);
	return words;
}

static gsize
feed(Peer *peer, const char *bytes, gsize size)
{
	return bootstrap_feed(peer->bootstrap, (const guint8 *)bytes, size);
}

/* A talk and what comes of it. @frames: the bytes that are left for them. */
typedef struct Talk Talk;
struct Talk {
	const char *path, *guess, *words, *events;
	gsize frames;
};

#define BEGIN "@ Linux " MACHINE " z\n"
#define IMAGE "image " MACHINE "z;"
#define NO(directory) \
	"/bin/sh: 1: " directory "/.mitofs-@/a: Permission denied\n@ no " directory "\n"
#define DENIED(directory) "/bin/sh: 1: " directory ": Permission denied"
#define STRANGE "failed protocol: the first stage says what it never says;"
#define NO_MACHINE "failed protocol: the first stage says no machine;"

/* clang-format off */
static const Talk talks[] = {
	{ "/bootstrap/talk/plain", NULL, BEGIN "@ ok\n", "marker;" IMAGE "ready;", 0 },
	{ "/bootstrap/talk/no-gzip", NULL, "@ Linux " MACHINE " \n1234\n@ ok\n",
	  "marker;image " MACHINE ";ready;", 0 },
	{ "/bootstrap/talk/terminal-lines", NULL, "hello\r\n@ Linux " MACHINE " z\r\n 99\r\n@ ok\r\n",
	  "noise hello;marker;" IMAGE "ready;", 0 },
	{ "/bootstrap/talk/frames-behind-ok", NULL, BEGIN "@ ok\n@ no\nframes\n", "marker;" IMAGE "ready;",
	  MARKER_SIZE + 4 + 7 },
	{ "/bootstrap/guess/right", MACHINE, BEGIN "5555\n@ ok\nX", IMAGE "marker;ready;", 1 },
	{ "/bootstrap/guess/wrong", MACHINE, "@ Linux " MACHINE "\n5555\n@ more\n77\n@ ok\n",
	  IMAGE "marker;image " MACHINE ";ready;", 0 },
	{ "/bootstrap/guess/unknown", "vax", BEGIN "@ ok\n", "marker;" IMAGE "ready;", 0 },
	{ "/bootstrap/guess/more-twice", MACHINE, BEGIN "@ more\n@ more\n", IMAGE "marker;" IMAGE STRANGE, 0 },
	{ "/bootstrap/guess/more-unasked", NULL, BEGIN "@ more\n", "marker;" IMAGE STRANGE, 0 },
	{ "/bootstrap/noise/lines/T18/R66/R70", NULL,
	  "Welcome! password: \n\n\nLast login: today\nPermission denied\n" BEGIN "@ ok\n",
	  "noise Welcome! password:;noise Last login: today;noise Permission denied;marker;" IMAGE "ready;", 0 },
	{ "/bootstrap/noise/same-line/R70", NULL, "\033[1mprompt$ " BEGIN "@ ok\n",
	  "noise \033[1mprompt$ ;marker;" IMAGE "ready;", 0 },
	{ "/bootstrap/noise/echo/R70", NULL,
	  "exec /bin/sh -c 'T=@;echo $T .mitofs-@/a'\n$ T=@;" BEGIN "@ ok\n",
	  "noise exec /bin/sh -c 'T=@;echo $T .mitofs-@/a';noise $ T=@;;marker;" IMAGE "ready;", 0 },
	{ "/bootstrap/noise/bytes/R70", NULL, "\xff\xfe\x80 \x1b]0;x\x07\n" BEGIN "@ ok\n",
	  "noise \xff\xfe\x80 \x1b]0;x\x07;marker;" IMAGE "ready;", 0 },
	{ "/bootstrap/machine/none", NULL, "@ z\n", NO_MACHINE, 0 },
	{ "/bootstrap/machine/one-word", NULL, "@ Linux\n", NO_MACHINE, 0 },
	{ "/bootstrap/machine/many-words", NULL, "@ Linux x86_64 z z\n", NO_MACHINE, 0 },
	{ "/bootstrap/machine/strange-word", NULL, "@ Linux x86_64 y\n", NO_MACHINE, 0 },
	{ "/bootstrap/machine/garbage", NULL, "@ Linux x86\x1b[2J_64 z\n", NO_MACHINE, 0 },
	{ "/bootstrap/machine/path", NULL, "@ Linux ../../x z\n", NO_MACHINE, 0 },
	{ "/bootstrap/machine/long", NULL, "@ Linux aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa z\n", NO_MACHINE, 0 },
	{ "/bootstrap/machine/unknown/R76", NULL, "@ Linux vax z\n", "marker;failed no-arch: Linux vax;", 0 },
	{ "/bootstrap/machine/other-system/R76", MACHINE, "@ FreeBSD " MACHINE " z\n",
	  IMAGE "marker;failed no-arch: FreeBSD " MACHINE ";", 0 },
	{ "/bootstrap/no/one/R73/T99", NULL, BEGIN "12\n" NO("/dev/shm") "13\n@ ok\n",
	  "marker;" IMAGE IMAGE "ready;", 0 },
	{ "/bootstrap/no/guess", MACHINE, BEGIN NO("/dev/shm") "@ ok\n", IMAGE "marker;" IMAGE "ready;", 0 },
	{ "/bootstrap/no/all/R73/T99", NULL,
	  BEGIN NO("/run/user/0") NO("/dev/shm") NO("/tmp") NO("/var/tmp") NO("/root") "@ end\n",
	  "marker;" IMAGE IMAGE IMAGE IMAGE IMAGE IMAGE "failed no-place: " DENIED("/run/user/0") "; " DENIED("/dev/shm")
	  "; " DENIED("/tmp") "; " DENIED("/var/tmp") "; " DENIED("/root") ";", 0 },
	{ "/bootstrap/no/mkdir/R73/T99", NULL,
	  BEGIN "mkdir: cannot create directory '/dev/shm/.mitofs-@': Read-only file system\n"
	  "mkdir: can't create directory '/tmp/.mitofs-@': No space left on device\n@ end\n",
	  "marker;" IMAGE "failed no-place: mkdir: cannot create directory '/dev/shm': Read-only file system; "
	  "mkdir: can't create directory '/tmp': No space left on device;", 0 },
	{ "/bootstrap/no/silent/T99", NULL, BEGIN "77\n@ no /tmp\n88\n@ no /root/a b\n@ end\n",
	  "marker;" IMAGE IMAGE IMAGE "failed no-place: /tmp: the agent cannot be executed; "
	  "/root/a b: the agent cannot be executed;", 0 },
	{ "/bootstrap/no/end-at-once", NULL, BEGIN "@ end\n", "marker;" IMAGE "failed no-place: ;", 0 },
	{ "/bootstrap/no/endless", NULL,
	  BEGIN "@ no\n@ no\n@ no\n@ no\n@ no\n@ no\n@ no\n@ no\n",
	  "marker;" IMAGE IMAGE IMAGE IMAGE IMAGE IMAGE "failed protocol: the first stage finds no end;", 0 },
	{ "/bootstrap/strange/word", NULL, BEGIN "@ yes\n", "marker;" IMAGE STRANGE, 0 },
	{ "/bootstrap/strange/machine-twice", NULL, BEGIN BEGIN, "marker;" IMAGE STRANGE, 0 },
	{ "/bootstrap/strange/behind-failure", NULL, "@ z\n" BEGIN "@ ok\n@ end\n", NO_MACHINE, 0 },
};
/* clang-format on */

/* Feed the words of @talk in two pieces, or with @first 0 byte by byte, and check what came of it. */
static void
talk_in_pieces(const Talk *talk, gsize first, gboolean bytes)
{
	gsize used = 0, step;
	Peer peer;

	peer_init(&peer);
	bootstrap_begin(peer.bootstrap, FALSE, talk->guess);
	g_autoptr(GString) words = peer_words(&peer, talk->words);
	g_autoptr(GString) wanted = peer_words(&peer, talk->events);
	if (!bytes && first < words->len)
		used = feed(&peer, words->str, first);
	do {
		step = bytes ? 1 : words->len - used;
		step = feed(&peer, words->str + used, step);
		used += step;
	} while (step > 0 && used < words->len);
	note_images(&peer);
	g_assert_cmpstr(peer.events->str, ==, wanted->str);
	g_assert_cmpuint(words->len - used, ==, talk->frames);
	if (peer.ends > 0)
		g_assert_cmpuint(feed(&peer, "x", 1), ==, strstr(wanted->str, "ready;") ? 0 : 1);
	peer_done(&peer);
}

static void
talk_run(gconstpointer data)
{
	const Talk *talk = data;

	talk_in_pieces(talk, G_MAXSIZE, FALSE);
	talk_in_pieces(talk, 0, TRUE);
	for (gsize cut = 1; cut < strlen(talk->words) + MARKER_SIZE; cut += 7)
		talk_in_pieces(talk, cut, FALSE);
}

/* The script travels through shells of every kind, and on the command lines of clients. */
static void
text_bytes(void)
{
	Peer peer;

	peer_init(&peer);
	const char *script = bootstrap_script(peer.bootstrap);
	g_autofree char *line = bootstrap_line(peer.bootstrap);
	g_assert_cmpuint(strlen(line), ==, bootstrap_line_size());
	g_assert_cmpuint(strlen(line), <=, LINE_SIZE_MAX);
	g_test_message("the line has %zu bytes", strlen(line));
	g_assert_null(strpbrk(script, "'\\!\n\r\t`"));
	g_assert_null(strstr(script, "/dev/null"));
	for (const char *at = script; *at != '\0'; at++)
		g_assert_true(*at >= ' ' && *at <= '~');
	g_autofree char *wanted = g_strdup_printf("exec /bin/sh -c '%s'", script);
	g_assert_cmpstr(line, ==, wanted);
	peer_done(&peer);
}

/* Two have never the same marker, and it is of 128 bits. */
static void
text_marker(void)
{
	Peer a, b;

	peer_init(&a);
	peer_init(&b);
	g_autofree char *first = peer_marker(&a), *second = peer_marker(&b);
	g_assert_cmpuint(strspn(first, "0123456789abcdef"), ==, MARKER_SIZE);
	g_assert_cmpstr(first, !=, second);
	g_autoptr(GString) words = peer_words(&a, BEGIN);
	feed(&b, words->str, words->len);
	g_assert_true(g_str_has_prefix(b.events->str, "noise "));
	peer_done(&a);
	peer_done(&b);
}

/* The line for a shell that reads its stdin; nothing is sent ahead where no guess is given. */
static void
begin_line(void)
{
	Peer peer;

	peer_init(&peer);
	g_autofree char *line = bootstrap_line(peer.bootstrap);
	g_autofree char *wanted = g_strconcat(line, "\n", NULL);
	bootstrap_begin(peer.bootstrap, TRUE, NULL);
	g_assert_cmpstr(peer.sent->str, ==, wanted);
	g_assert_cmpstr(bootstrap_phase(peer.bootstrap), ==, "marker");
	peer_done(&peer);
}

/* What it waits for, also after a failure. */
static void
phases(void)
{
	Peer peer;

	peer_init(&peer);
	bootstrap_begin(peer.bootstrap, FALSE, NULL);
	g_assert_cmpstr(bootstrap_phase(peer.bootstrap), ==, "marker");
	g_assert_null(bootstrap_machine(peer.bootstrap));
	g_autoptr(GString) begin = peer_words(&peer, BEGIN), ok = peer_words(&peer, "@ ok\n");
	feed(&peer, begin->str, begin->len);
	g_assert_cmpstr(bootstrap_phase(peer.bootstrap), ==, "image");
	g_assert_cmpstr(bootstrap_machine(peer.bootstrap), ==, MACHINE);
	feed(&peer, ok->str, ok->len);
	g_assert_cmpstr(bootstrap_phase(peer.bootstrap), ==, "hello");
	peer_done(&peer);
	peer_init(&peer);
	g_autoptr(GString) bad = peer_words(&peer, BEGIN "@ end\n");
	feed(&peer, bad->str, bad->len);
	g_assert_cmpstr(bootstrap_phase(peer.bootstrap), ==, "image");
	peer_done(&peer);
}

/* A marker behind bytes that are no text at all. */
static void
noise_nul(void)
{
	static const char noise[] = "a\0b\0";
	Peer peer;

	peer_init(&peer);
	g_autoptr(GString) words = peer_words(&peer, BEGIN);
	g_string_prepend_len(words, noise, sizeof noise - 1);
	feed(&peer, words->str, words->len);
	g_assert_true(g_str_has_prefix(peer.events->str, "noise a b ;marker;"));
	peer_done(&peer);
}

/* Say @line until @size bytes were said; how many were. */
static gsize
say_noise(Peer *peer, const char *line, gsize size)
{
	gsize length = strlen(line), said = 0;

	for (; said + length <= size; said += length)
		g_assert_cmpuint(feed(peer, line, length), ==, length);
	return said;
}

/* Up to 1 MiB of noise is borne, in lines, empty lines or none at all; more is not. */
static void
noise_limit(void)
{
	static const char *const lines[] = { "0123456789abcdef\n", "\n", "no newline " };

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		Peer peer;

		peer_init(&peer);
		g_autoptr(GString) begin = peer_words(&peer, BEGIN);
		say_noise(&peer, lines[i], NOISE_MAX - begin->len);
		feed(&peer, begin->str, begin->len);
		g_assert_true(g_str_has_suffix(peer.events->str, "marker;"));
		peer_done(&peer);
		peer_init(&peer);
		gsize said = say_noise(&peer, lines[i], NOISE_MAX);
		g_assert_cmpuint(peer.ends, ==, 0);
		for (; said <= NOISE_MAX; said++)
			feed(&peer, "x", 1);
		g_assert_cmpuint(peer.ends, ==, 1);
		g_assert_true(g_str_has_suffix(peer.events->str, "failed noise: ;"));
		g_assert_cmpuint(feed(&peer, "more", 4), ==, 4);
		g_assert_cmpuint(peer.ends, ==, 1);
		peer_done(&peer);
	}
}

/* A first stage that says nothing but complaints comes to an end too, and is not remembered whole. */
static void
noise_behind_marker(void)
{
	Peer peer;

	peer_init(&peer);
	g_autoptr(GString) begin = peer_words(&peer, BEGIN);
	feed(&peer, begin->str, begin->len);
	while (peer.ends == 0)
		feed(&peer, "complaint\n", 10);
	note_images(&peer);
	g_assert_cmpstr(peer.events->str, ==,
			"marker;" IMAGE "failed protocol: the first stage says too much;");
	peer_done(&peer);
	peer_init(&peer);
	g_autoptr(GString) again = peer_words(&peer, BEGIN), end = peer_words(&peer, "@ end\n");
	feed(&peer, again->str, again->len);
	for (guint i = 0; i < 1000; i++) {
		g_autofree char *line = g_strdup_printf("complaint %u\n", i / 2);

		feed(&peer, line, strlen(line));
	}
	feed(&peer, end->str, end->len);
	g_assert_cmpuint(peer.ends, ==, 1);
	g_assert_nonnull(strstr(peer.events->str, "failed no-place: complaint 0; complaint 1; "));
	g_assert_cmpuint(peer.events->len, <, 1200);
	peer_done(&peer);
}

static const UnitTest tests[] = {
	{ "/bootstrap/text/bytes/R71/T16", text_bytes },
	{ "/bootstrap/text/marker/R70", text_marker },
	{ "/bootstrap/begin/line", begin_line },
	{ "/bootstrap/phases", phases },
	{ "/bootstrap/noise/nul/R70", noise_nul },
	{ "/bootstrap/noise/limit/R66", noise_limit },
	{ "/bootstrap/noise/behind-marker", noise_behind_marker },
};

int
main(int argc, char **argv)
{
	unit_init(argc, argv);
	for (gsize i = 0; i < G_N_ELEMENTS(talks); i++)
		unit_add_case(talks[i].path, talk_run, &talks[i]);
	unit_add(tests, G_N_ELEMENTS(tests));
	return g_test_run();
}
