/* The first stage, and the talk with it.
 *
 * What the first stage says, each a line that begins with the marker:
 *
 *	MARKER SYSTEM MACHINE [z]	it runs; z: it has gzip
 *	MARKER more			it took an image that was for another machine, and wants one
 *	MARKER no DIRECTORY		the agent could not be executed there: it wants another for the next
 *	MARKER end			there is no directory left
 *	MARKER ok			it executes the agent with the next step
 *
 * Other lines are what the programs that it runs complain of. An image is "KEY SIZE\n" and SIZE
 * bytes; the key is MACHINE, with a z when it is compressed, and the first stage takes only its
 * own. After an image nothing more is sent until HELLO, so it does no harm that some `head` reads
 * ahead. The image that goes in the first flight costs no round trip where the guess was right.
 *
 * The directory is made by mkdir, which fails if somebody else has made one of that name, and only
 * its user can look into it. The script runs under the oldest shells: no functions, no arithmetic.
 * A PATH in which nothing is found is replaced, and so is the trace that SHELLOPTS may ask for.
 * /dev/null is not named in it: in a bare chroot root would create a file of that name. */
#include "broker/bootstrap.h"

#include "broker/image.h"
#include "broker/text.h"
#include "broker/wire.h"

#include <string.h>
#include <uuid/uuid.h>

#define MARKER_HEX 32
#define NOISE_MAX (1024 * 1024) /* bytes that the place may say in all */
#define REASONS_MAX 16
#define REASON_BYTES 200
#define MACHINE_MAX 32
#define PLACES_MAX 6 /* that the script tries */

/* clang-format off */
static const char script_format[] =
	"exec 3>&2 2>&1;set +x;T=%s;"
	"m=$(uname -m)||{ PATH=/usr/bin:/bin;m=$(uname -m);};"
	"g=$(command -v gzip);K=$m${g:+z};echo $T $(uname -s) $m ${g:+z};"
	"for d in \"$XDG_RUNTIME_DIR\" /dev/shm /tmp /var/tmp \"$HOME\" .;do "
	"p=$d/" WIRE_STAGE_DIR "$T;f=$p/a;"
	"[ \"$d\" ]&&mkdir -m 700 \"$p\"||continue;"
	"while read k n||{ rm -r \"$p\";exit;};do "
	"{ head -c $n||dd bs=1 count=$n;}|{ ${g:-cat} ${g:+-dc}>\"$f\"&&chmod 700 \"$f\";wc -c;};"
	"[ $k = $K ]&&break;echo $T more;done;"
	"[ -x \"$f\" ]&&\"$f\" x&&{ echo $T ok;exec \"$f\" 2>&3 3>&-;};"
	"rm -r \"$p\";echo $T no $d;done;echo $T end";
static const char line_format[] = "exec /bin/sh -c '%s'";
/* clang-format on */

typedef enum { WAIT_MARKER, WAIT_OK, WAIT_HELLO } State;

struct Bootstrap {
	const BootstrapOps *ops;
	void *data;
	State state;
	gboolean failed;
	char marker[MARKER_HEX + 1];
	char *script;
	GString *line; /* that has not ended */
	gsize said;    /* bytes so far */
	char *guess;   /* the machine of the image that was sent ahead, and is still unanswered */
	char *machine;
	gboolean gzip;
	guint places;	    /* that would not do */
	GPtrArray *reasons; /* why places would not do; each once */
	char *reason;	    /* the last complaint */
};

/* A random number that nobody can foretell, in hexadecimal. */
static void
marker_make(char marker[MARKER_HEX + 1])
{
	uuid_t number;

	uuid_generate_random(number);
	for (guint i = 0; i < sizeof number; i++)
		g_snprintf(marker + 2 * i, 3, "%02x", number[i]);
}

Bootstrap *
bootstrap_new(const BootstrapOps *ops, void *data)
{
	Bootstrap *bootstrap = g_new0(Bootstrap, 1);

	bootstrap->ops = ops;
	bootstrap->data = data;
	marker_make(bootstrap->marker);
	bootstrap->script = g_strdup_printf(script_format, bootstrap->marker);
	bootstrap->line = g_string_new(NULL);
	bootstrap->reasons = g_ptr_array_new_with_free_func(g_free);
	return bootstrap;
}

void
bootstrap_free(Bootstrap *bootstrap)
{
	g_string_free(bootstrap->line, TRUE);
	g_ptr_array_unref(bootstrap->reasons);
	g_free(bootstrap->script);
	g_free(bootstrap->guess);
	g_free(bootstrap->machine);
	g_free(bootstrap->reason);
	g_free(bootstrap);
}

const char *
bootstrap_script(const Bootstrap *bootstrap)
{
	return bootstrap->script;
}

char *
bootstrap_line(const Bootstrap *bootstrap)
{
	return g_strdup_printf(line_format, bootstrap->script);
}

gsize
bootstrap_line_size(void)
{
	return sizeof script_format - 1 - 2 + MARKER_HEX + sizeof line_format - 1 - 2;
}

const char *
bootstrap_machine(const Bootstrap *bootstrap)
{
	return bootstrap->machine;
}

const char *
bootstrap_phase(const Bootstrap *bootstrap)
{
	static const char *const names[] = { "marker", "image", "hello" };

	return names[bootstrap->state];
}

static void
bootstrap_fail(Bootstrap *bootstrap, FailureKind kind, const char *detail)
{
	bootstrap->failed = TRUE;
	bootstrap->ops->failed(kind, detail, bootstrap->data);
}

/* Send the image for @machine. */
static void
send_image(Bootstrap *bootstrap, const AgentImage *image, const char *machine, gboolean gzip)
{
	gsize size;
	const guint8 *bytes = image_bytes(image, gzip, &size);
	g_autofree char *header =
		g_strdup_printf("%s%s %" G_GSIZE_FORMAT "\n", machine, gzip ? "z" : "", size);

	bootstrap->ops->send(header, strlen(header), bootstrap->data);
	bootstrap->ops->send(bytes, size, bootstrap->data);
}

void
bootstrap_begin(Bootstrap *bootstrap, gboolean line, const char *guess)
{
	const AgentImage *image = guess != NULL ? image_find(guess) : NULL;
	g_autofree char *text = bootstrap_line(bootstrap);

	if (line) {
		bootstrap->ops->send(text, strlen(text), bootstrap->data);
		bootstrap->ops->send("\n", 1, bootstrap->data);
	}
	if (image != NULL) {
		bootstrap->guess = g_strdup(guess);
		send_image(bootstrap, image, guess, TRUE);
	}
}

/* Send the image that the first stage wants. */
static void
answer_image(Bootstrap *bootstrap)
{
	send_image(bootstrap, image_find(bootstrap->machine), bootstrap->machine, bootstrap->gzip);
}

/* Whether @machine can be what uname(1) says. */
static gboolean
machine_is_sane(const char *machine)
{
	return machine[0] != '\0' && strlen(machine) <= MACHINE_MAX &&
	       machine[strspn(machine, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.-")] == '\0';
}

/* "SYSTEM MACHINE [z]" */
static void
on_marker(Bootstrap *bootstrap, char *const *words)
{
	guint count = g_strv_length((char **)words);

	if (count < 2 || count > 3 || !machine_is_sane(words[1]) ||
	    (count == 3 && strcmp(words[2], "z") != 0)) {
		bootstrap_fail(bootstrap, FAILURE_PROTOCOL, "the first stage says no machine");
		return;
	}
	bootstrap->state = WAIT_OK;
	bootstrap->machine = g_strdup(words[1]);
	bootstrap->gzip = count == 3;
	bootstrap->ops->marker(bootstrap->data);
	if (image_find(words[1]) == NULL || strcmp(words[0], "Linux") != 0) {
		g_autofree char *detail = g_strdup_printf("%s %s", words[0], words[1]);

		bootstrap_fail(bootstrap, FAILURE_NO_ARCH, detail);
	} else if (bootstrap->guess == NULL) {
		answer_image(bootstrap);
	}
}

/* Remember a complaint, without the name of our own directory. */
static void
on_complaint(Bootstrap *bootstrap, const char *line)
{
	g_autofree char *directory = g_strconcat("/" WIRE_STAGE_DIR, bootstrap->marker, NULL);
	g_autofree char *file = g_strconcat(directory, "/a", NULL);
	g_autoptr(GString) text = g_string_new(line);

	if (line[strspn(line, " 0123456789")] == '\0')
		return;
	g_string_replace(text, file, "", 0);
	g_string_replace(text, directory, "", 0);
	g_free(bootstrap->reason);
	bootstrap->reason = g_strndup(text->str, REASON_BYTES);
	if (bootstrap->reasons->len < REASONS_MAX &&
	    !g_ptr_array_find_with_equal_func(bootstrap->reasons, bootstrap->reason, g_str_equal,
					      NULL))
		g_ptr_array_add(bootstrap->reasons, g_strdup(bootstrap->reason));
}

/* "no DIRECTORY": the complaint before it may not name the place. */
static void
on_no_place(Bootstrap *bootstrap, const char *directory)
{
	g_autofree char *text = g_strdup_printf("%s: the agent cannot be executed", directory);

	if (bootstrap->reason == NULL || strstr(bootstrap->reason, directory) == NULL)
		on_complaint(bootstrap, text);
	g_clear_pointer(&bootstrap->reason, g_free);
	g_clear_pointer(&bootstrap->guess, g_free);
	if (++bootstrap->places < PLACES_MAX)
		answer_image(bootstrap);
	else if (bootstrap->places > PLACES_MAX)
		bootstrap_fail(bootstrap, FAILURE_PROTOCOL, "the first stage finds no end");
}

/* There is no directory left. */
static void
on_no_place_left(Bootstrap *bootstrap)
{
	g_ptr_array_add(bootstrap->reasons, NULL);
	g_autofree char *all = g_strjoinv("; ", (char **)bootstrap->reasons->pdata);
	bootstrap_fail(bootstrap, FAILURE_NO_PLACE, all);
}

/* What follows the marker on a line, once the first stage runs. */
static void
on_word(Bootstrap *bootstrap, char *const *words)
{
	const char *word = words[0] != NULL ? words[0] : "";

	if (strcmp(word, "ok") == 0) {
		bootstrap->state = WAIT_HELLO;
		bootstrap->ops->ready(bootstrap->data);
	} else if (strcmp(word, "more") == 0 && bootstrap->guess != NULL) {
		g_clear_pointer(&bootstrap->guess, g_free);
		answer_image(bootstrap);
	} else if (strcmp(word, "no") == 0) {
		g_autofree char *directory = g_strjoinv(" ", (char **)words + 1);

		on_no_place(bootstrap, directory);
	} else if (strcmp(word, "end") == 0) {
		on_no_place_left(bootstrap);
	} else {
		bootstrap_fail(bootstrap, FAILURE_PROTOCOL,
			       "the first stage says what it never says");
	}
}

/* A line that is none of the first stage's. */
static void
on_other_line(Bootstrap *bootstrap, const char *line)
{
	if (line[0] == '\0')
		return;
	if (bootstrap->state == WAIT_MARKER)
		bootstrap->ops->noise(line, bootstrap->data);
	else
		on_complaint(bootstrap, line);
}

/* Where the first stage begins to speak in @line. The marker stands in the text of the first stage
 * too, and in the name of its directory; there no space follows it. */
static char *
find_marker(const Bootstrap *bootstrap, char *line)
{
	char *at = strstr(line, bootstrap->marker);

	while (at != NULL && at[MARKER_HEX] != ' ')
		at = strstr(at + MARKER_HEX, bootstrap->marker);
	return at;
}

/* A whole line has come. */
static void
on_line(Bootstrap *bootstrap, char *line)
{
	char *marker = find_marker(bootstrap, line);

	if (marker == NULL) {
		on_other_line(bootstrap, line);
		return;
	}
	*marker = '\0';
	on_other_line(bootstrap, line);
	g_auto(GStrv) words = g_strsplit(g_strstrip(marker + MARKER_HEX + 1), " ", 8);
	if (bootstrap->state == WAIT_MARKER)
		on_marker(bootstrap, words);
	else
		on_word(bootstrap, words);
}

/* The line that has ended, without what is not text at its end and with no NUL in it. Caller frees. */
static char *
take_line(Bootstrap *bootstrap)
{
	char *line = g_memdup2(bootstrap->line->str, bootstrap->line->len + 1);

	for (gsize i = 0; i < bootstrap->line->len; i++) {
		if (line[i] == '\0')
			line[i] = ' ';
	}
	g_string_truncate(bootstrap->line, 0);
	return g_strchomp(line);
}

/* Count what the place says. Whether that is enough. */
static gboolean
is_noisy(Bootstrap *bootstrap, gsize size)
{
	bootstrap->said += size;
	if (bootstrap->said <= NOISE_MAX)
		return FALSE;
	if (bootstrap->state == WAIT_MARKER)
		bootstrap_fail(bootstrap, FAILURE_NOISE, "");
	else
		bootstrap_fail(bootstrap, FAILURE_PROTOCOL, "the first stage says too much");
	return TRUE;
}

gsize
bootstrap_feed(Bootstrap *bootstrap, const guint8 *bytes, gsize size)
{
	gsize used = 0;

	while (used < size && bootstrap->state != WAIT_HELLO && !bootstrap->failed) {
		const guint8 *newline = memchr(bytes + used, '\n', size - used);
		gsize length = newline != NULL ? (gsize)(newline - bytes) + 1 - used : size - used;

		if (is_noisy(bootstrap, length))
			break;
		g_string_append_len(bootstrap->line, (const char *)bytes + used, (gssize)length);
		used += length;
		if (newline == NULL)
			break;
		g_autofree char *line = take_line(bootstrap);
		on_line(bootstrap, line);
	}
	return bootstrap->failed ? size : used;
}
