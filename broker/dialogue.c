/* From bytes to lines and questions, in any language.
 *
 * A line that does not end is a question. A terminal that does not echo waits for a secret, so what
 * stands on its last line is one as soon as no more of it comes; where there is an echo, or no
 * terminal at all, it has to stand there for QUIET_MS. The stars that some programs print for each
 * byte of a password, and their erasing, are no question, nor is the echo of an answer a line. */
#include "broker/dialogue.h"

#include <string.h>

#define QUIET_MS 150
#define SECRET_QUIET_MS 20 /* between two writes of one question */
#define LINE_MAX_BYTES 1024
#define TEXT_MAX 2048

struct Dialogue {
	gboolean asks, terminal;
	const DialogueOps *ops;
	void *data;
	GString *line;	 /* that has not ended */
	GString *before; /* the lines since the last answer */
	char *answered;	 /* the question that was answered last */
	gboolean echo;
	gboolean asked;	    /* what stands in @line was told as a question */
	gboolean skip_line; /* the echo of an answer */
	guint quiet_source;
};

Dialogue *
dialogue_new(gboolean asks, gboolean terminal, const DialogueOps *ops, void *data)
{
	Dialogue *dialogue = g_new0(Dialogue, 1);

	dialogue->asks = asks;
	dialogue->terminal = terminal;
	dialogue->ops = ops;
	dialogue->data = data;
	dialogue->line = g_string_new(NULL);
	dialogue->before = g_string_new(NULL);
	return dialogue;
}

void
dialogue_free(Dialogue *dialogue)
{
	g_clear_handle_id(&dialogue->quiet_source, g_source_remove);
	g_string_free(dialogue->line, TRUE);
	g_string_free(dialogue->before, TRUE);
	g_free(dialogue->answered);
	g_free(dialogue);
}

/* Whether the last line can be a question, and was not told yet. */
static gboolean
has_question(const Dialogue *dialogue)
{
	if (!dialogue->asks || dialogue->asked || (dialogue->skip_line && dialogue->echo))
		return FALSE;
	return dialogue->line->str[strspn(dialogue->line->str, " *\t")] != '\0';
}

/* It was quiet: the last line waits for an answer. */
static gboolean
on_quiet(void *data)
{
	Dialogue *dialogue = data;
	gboolean again = g_strcmp0(dialogue->answered, dialogue->line->str) == 0;
	g_autofree char *text = g_strconcat(dialogue->before->str, dialogue->line->str, NULL);

	dialogue->quiet_source = 0;
	dialogue->asked = TRUE;
	dialogue->ops->question(text, dialogue->echo, again, dialogue->data);
	return G_SOURCE_REMOVE;
}

/* The line has ended. */
static void
end_line(Dialogue *dialogue)
{
	g_autofree char *line = g_strdup(g_strchomp(dialogue->line->str));

	g_string_truncate(dialogue->line, 0);
	dialogue->asked = FALSE;
	if (dialogue->skip_line) {
		dialogue->skip_line = FALSE;
		return;
	}
	if (line[0] == '\0')
		return;
	if (dialogue->before->len + strlen(line) < TEXT_MAX)
		g_string_append_printf(dialogue->before, "%s ", line);
	dialogue->ops->line(line, dialogue->data);
}

static void
feed_byte(Dialogue *dialogue, guint8 byte)
{
	if (byte == '\n')
		end_line(dialogue);
	else if (byte == '\b')
		g_string_truncate(dialogue->line, MAX(dialogue->line->len, 1) - 1);
	else if (byte != '\r' && byte != '\0' && byte != '\a')
		g_string_append_c(dialogue->line, (char)byte);
	if (dialogue->line->len >= LINE_MAX_BYTES)
		end_line(dialogue);
}

void
dialogue_feed(Dialogue *dialogue, gboolean echo, const guint8 *bytes, gsize size)
{
	dialogue->echo = echo;
	g_clear_handle_id(&dialogue->quiet_source, g_source_remove);
	for (gsize i = 0; i < size; i++)
		feed_byte(dialogue, bytes[i]);
	if (has_question(dialogue))
		dialogue->quiet_source =
			g_timeout_add(echo ? QUIET_MS : SECRET_QUIET_MS, on_quiet, dialogue);
}

void
dialogue_answered(Dialogue *dialogue)
{
	g_free(dialogue->answered);
	dialogue->answered = g_strdup(dialogue->line->str);
	g_string_truncate(dialogue->line, 0);
	g_string_truncate(dialogue->before, 0);
	dialogue->asked = FALSE;
	dialogue->skip_line = dialogue->terminal && dialogue->echo;
}

void
dialogue_stop_asking(Dialogue *dialogue)
{
	dialogue->asks = FALSE;
	g_clear_handle_id(&dialogue->quiet_source, g_source_remove);
}

void
dialogue_end(Dialogue *dialogue)
{
	dialogue_stop_asking(dialogue);
	end_line(dialogue);
}
