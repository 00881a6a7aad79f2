/* Questions and answers of one context. An answer is given from the loop, not from inside the call
 * that asks or writes, so neither side finds its state changed under it. */
#include "broker/prompt.h"

#include "broker/error.h"
#include "broker/poller.h"
#include "broker/text.h"

#include <errno.h>
#include <string.h>

#define ANSWERS_MAX 64
#define STREAM_BYTES (64 * 1024)

struct Prompt {
	char *question; /* as it is shown; NULL: none is open */
	PromptKind kind;
	PromptAnswered answered;
	void *data;
	GQueue answers; /* of Secret */
	gboolean late;	/* an answer was written while the question was open */
	guint give_source;
	GPtrArray *streams; /* of Stream, owned */
};

static void
stream_close(void *stream)
{
	stream_end(stream, 0);
	stream_unref(stream);
}

Prompt *
prompt_new(void)
{
	Prompt *prompt = g_new0(Prompt, 1);

	prompt->streams = g_ptr_array_new_with_free_func(stream_close);
	return prompt;
}

static void
free_secret(void *secret)
{
	secret_free(secret);
}

void
prompt_forget_answers(Prompt *prompt)
{
	g_queue_clear_full(&prompt->answers, free_secret);
}

void
prompt_free(Prompt *prompt)
{
	prompt_withdraw(prompt);
	prompt_forget_answers(prompt);
	g_ptr_array_unref(prompt->streams);
	g_free(prompt);
}

/* Whether @secret answers a question about a host's key. */
static gboolean
answers_hostkey(const Secret *secret)
{
	const char *text = secret_bytes(secret);

	return g_ascii_strcasecmp(text, "yes") == 0 || g_ascii_strcasecmp(text, "no") == 0 ||
	       g_str_has_prefix(text, "SHA256:") || g_str_has_prefix(text, "MD5:");
}

/* The answer for the open question, out of the queue; NULL: there is none yet. */
static Secret *
take_answer(Prompt *prompt)
{
	gboolean hostkey = prompt->kind == PROMPT_HOSTKEY;

	if (prompt->late)
		return g_queue_pop_head(&prompt->answers);
	while (!g_queue_is_empty(&prompt->answers)) {
		Secret *head = g_queue_peek_head(&prompt->answers);

		if (answers_hostkey(head) == hostkey || prompt->kind == PROMPT_ECHOED)
			return g_queue_pop_head(&prompt->answers);
		if (hostkey)
			return NULL;
		secret_free(g_queue_pop_head(&prompt->answers)); /* the key was known already */
	}
	return NULL;
}

/* Give the question its answer. */
static gboolean
prompt_give(void *data)
{
	Prompt *prompt = data;
	g_autoptr(Secret) answer = NULL;
	gboolean in_advance = !prompt->late;

	prompt->give_source = 0;
	answer = prompt->question != NULL ? take_answer(prompt) : NULL;
	if (answer == NULL)
		return G_SOURCE_REMOVE;
	PromptAnswered answered = prompt->answered;
	prompt_withdraw(prompt);
	answered(answer, in_advance, prompt->data);
	return G_SOURCE_REMOVE;
}

static void
prompt_give_later(Prompt *prompt)
{
	if (prompt->give_source == 0 && prompt->question != NULL)
		prompt->give_source = poller_later(prompt_give, prompt);
}

void
prompt_ask(Prompt *prompt, const char *text, PromptKind kind, PromptAnswered answered, void *data)
{
	g_autoptr(GString) line = g_string_new(NULL);

	prompt_withdraw(prompt);
	text_escape(line, text, -1);
	g_string_append_c(line, '\n');
	for (guint i = 0; i < prompt->streams->len; i++)
		stream_append(g_ptr_array_index(prompt->streams, i), line->str, line->len);
	prompt->question = g_string_free(g_steal_pointer(&line), FALSE);
	prompt->kind = kind;
	prompt->answered = answered;
	prompt->data = data;
	prompt_give_later(prompt);
}

const char *
prompt_question(const Prompt *prompt)
{
	return prompt->question;
}

void
prompt_withdraw(Prompt *prompt)
{
	g_clear_handle_id(&prompt->give_source, g_source_remove);
	g_clear_pointer(&prompt->question, g_free);
	prompt->late = FALSE;
}

/* One line of what was written, as a secret, or NULL. */
static Secret *
answer_new(const char *line, gsize size, GError **error)
{
	if (memchr(line, '\0', size) != NULL || size > SECRET_MAX) {
		fail(error, EINVAL, "an answer is a line of at most %d bytes without NUL",
		     SECRET_MAX);
		return NULL;
	}
	Secret *secret = secret_new(line, size);
	if (secret == NULL)
		fail(error, ENOMEM, "no memory to lock for the answer");
	return secret;
}

/* Cut @bytes into answers. */
static gboolean
answers_new(const char *bytes, gsize size, GQueue *answers, GError **error)
{
	while (size > 0) {
		const char *newline = memchr(bytes, '\n', size);
		gsize length = newline != NULL ? (gsize)(newline - bytes) : size;
		gsize used = MIN(length + 1, size);
		Secret *secret = answer_new(bytes, length, error);

		if (secret == NULL)
			return FALSE;
		g_queue_push_tail(answers, secret);
		bytes += used;
		size -= used;
	}
	return TRUE;
}

gboolean
prompt_answer(Prompt *prompt, const char *bytes, gsize size, GError **error)
{
	GQueue more = G_QUEUE_INIT;
	gboolean taken = answers_new(bytes, size, &more, error);

	if (taken && prompt->answers.length + more.length > ANSWERS_MAX)
		taken = fail(error, EDQUOT, "more than %d answers in advance", ANSWERS_MAX);
	if (!taken) {
		g_queue_clear_full(&more, free_secret);
		return FALSE;
	}
	/* An open question that found no answer in advance takes the first of these. */
	if (prompt->question != NULL && prompt->give_source == 0 && !g_queue_is_empty(&more)) {
		prompt->late = TRUE;
		g_queue_push_head(&prompt->answers, g_queue_pop_head(&more));
	}
	while (!g_queue_is_empty(&more))
		g_queue_push_tail(&prompt->answers, g_queue_pop_head(&more));
	prompt_give_later(prompt);
	return TRUE;
}

Stream *
prompt_stream_open(Prompt *prompt)
{
	Stream *stream = stream_new(STREAM_BYTES, TRUE);

	if (prompt->question != NULL)
		stream_append(stream, prompt->question, strlen(prompt->question));
	g_ptr_array_add(prompt->streams, stream);
	return stream;
}

void
prompt_stream_close(Prompt *prompt, Stream *stream)
{
	g_ptr_array_remove_fast(prompt->streams, stream);
}
