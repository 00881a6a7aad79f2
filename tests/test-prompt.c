/* Questions and answers of a context: which answer a question gets, in advance and late, and what
 * is shown of the questions. */
#include "broker/prompt.h"
#include "tests/unit.h"

#include <string.h>
#include <sys/mman.h>

#define PAGE 4096
#define HOSTKEY_QUESTION "Continue connecting (yes/no/[fingerprint])? "

static Prompt *prompt;
static GString *given; /* "ANSWER;" late, "ANSWER^;" in advance */
static guintptr secret_page;

static void
on_answer(const Secret *secret, gboolean in_advance, void *data)
{
	g_assert_true(data == &given);
	g_assert_null(prompt_question(prompt));
	secret_page = (guintptr)secret_bytes(secret) & ~(guintptr)(PAGE - 1);
	g_assert_cmpuint(strlen(secret_bytes(secret)), ==, secret_size(secret));
	g_string_append_printf(given, "%s%s;", secret_bytes(secret), in_advance ? "^" : "");
}

static void
begin(void)
{
	prompt = prompt_new();
	given = g_string_new(NULL);
}

static void
end(void)
{
	prompt_free(prompt);
	g_string_free(given, TRUE);
}

static void
ask(const char *text, PromptKind kind)
{
	prompt_ask(prompt, text, kind, on_answer, &given);
	g_assert_nonnull(prompt_question(prompt));
}

static void
answer(const char *text)
{
	g_autoptr(GError) error = NULL;
	gsize before = given->len;

	g_assert_true(prompt_answer(prompt, text, strlen(text), &error));
	g_assert_no_error(error);
	g_assert_cmpuint(given->len, ==, before);
}

/* What was given since the last look. */
static void
expect(const char *wanted)
{
	unit_settle();
	g_assert_cmpstr(given->str, ==, wanted);
	g_string_truncate(given, 0);
}

/* Answers in advance, in their order, each to one question. */
static void
advance_order(void)
{
	begin();
	answer("one\ntwo\n");
	answer("three");
	ask("Password: ", PROMPT_SECRET);
	expect("one^;");
	ask("Password: ", PROMPT_SECRET);
	expect("two^;");
	ask("User: ", PROMPT_ECHOED);
	expect("three^;");
	ask("Code: ", PROMPT_SECRET);
	expect("");
	g_assert_cmpstr(prompt_question(prompt), ==, "Code: \n");
	end();
}

/* What is written while a question is open answers it, even in front of what came before. */
static void
late(void)
{
	begin();
	ask("Password: ", PROMPT_SECRET);
	expect("");
	answer("late\nnext\n");
	expect("late;");
	ask("Password: ", PROMPT_SECRET);
	expect("next^;");
	answer("secret\n");
	ask(HOSTKEY_QUESTION, PROMPT_HOSTKEY);
	expect("");
	answer("yes\n");
	expect("yes;");
	ask("Password: ", PROMPT_SECRET);
	expect("secret^;");
	ask("Password: ", PROMPT_SECRET);
	answer("");
	expect("");
	answer("\n");
	expect(";");
	end();
}

/* A question about a host's key takes no password in advance, and a password question no "yes". */
static void
hostkey(void)
{
	begin();
	answer("yes\nsecret\n");
	ask(HOSTKEY_QUESTION, PROMPT_HOSTKEY);
	expect("yes^;");
	ask("Password: ", PROMPT_SECRET);
	expect("secret^;");
	answer("secret\n");
	ask(HOSTKEY_QUESTION, PROMPT_HOSTKEY);
	expect("");
	prompt_withdraw(prompt);
	ask("Password: ", PROMPT_SECRET);
	expect("secret^;");
	answer("yes\nSHA256:abc\nsecret\n");
	ask("Password: ", PROMPT_SECRET);
	expect("secret^;");
	answer("SHA256:abc\n");
	ask(HOSTKEY_QUESTION, PROMPT_HOSTKEY);
	expect("SHA256:abc^;");
	answer("no\n");
	ask(HOSTKEY_QUESTION, PROMPT_HOSTKEY);
	expect("no^;");
	end();
}

/* A question that was taken back gets no answer; the next one asks anew. */
static void
withdrawn(void)
{
	begin();
	answer("secret\n");
	ask("Password: ", PROMPT_SECRET);
	prompt_withdraw(prompt);
	g_assert_null(prompt_question(prompt));
	expect("");
	ask("Password: ", PROMPT_SECRET);
	expect("secret^;");
	ask("Password: ", PROMPT_SECRET);
	prompt_withdraw(prompt);
	answer("later\n");
	expect("");
	prompt_forget_answers(prompt);
	ask("Password: ", PROMPT_SECRET);
	expect("");
	end();
}

/* What was answered is gone from memory behind the call. */
static void
wiped(void)
{
	unsigned char there;

	begin();
	answer("secret\n");
	ask("Password: ", PROMPT_SECRET);
	expect("secret^;");
	g_assert_cmpint(mincore((void *)secret_page, PAGE, &there), ==, -1);
	g_assert_cmpint(errno, ==, ENOMEM);
	end();
}

/* Refuse @size bytes of @text, and keep nothing of them. */
static void
refuse(const char *text, gsize size, int code)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(prompt_answer(prompt, text, size, &error));
	g_assert_cmpint(error->code, ==, code);
	g_assert_cmpstr(error->message, !=, "");
	ask("Password: ", PROMPT_SECRET);
	expect("");
	prompt_withdraw(prompt);
}

static void
limits(void)
{
	g_autofree char *longest = g_strnfill(SECRET_MAX, 'l'),
			*longer = g_strnfill(SECRET_MAX + 1, 'l');
	g_autoptr(GString) many = g_string_new(NULL);

	begin();
	refuse(longer, SECRET_MAX + 1, EINVAL);
	refuse("good\nbad\0\n", 10, EINVAL);
	for (guint i = 0; i < 65; i++)
		g_string_append(many, "x\n");
	refuse(many->str, many->len, EDQUOT);
	answer(longest);
	prompt_forget_answers(prompt);
	g_string_truncate(many, 128);
	answer(many->str);
	g_autoptr(GError) error = NULL;
	g_assert_false(prompt_answer(prompt, "y", 1, &error));
	g_assert_cmpint(error->code, ==, EDQUOT);
	ask("Password: ", PROMPT_SECRET);
	expect("x^;");
	answer("y");
	end();
}

/* All that @stream has from @offset. */
static char *
stream_rest(Stream *stream, guint64 offset)
{
	StreamReader *reader = stream_reader_new(stream);
	GString *text = g_string_new(NULL);
	struct iovec iov[2];
	int count;

	if (stream_reader_look(reader, offset, 65536, iov, &count) > 0) {
		for (int i = 0; i < count; i++)
			g_string_append_len(text, iov[i].iov_base, (gssize)iov[i].iov_len);
	}
	stream_reader_free(reader);
	return g_string_free(text, FALSE);
}

/* Each open file sees the question that is open, and those to come; no answer; and only text. */
static void
streams(void)
{
	begin();
	Stream *early = prompt_stream_open(prompt);
	g_assert_cmpuint(stream_size(early), ==, 0);
	ask("Pass\033[2J\nword: ", PROMPT_SECRET);
	expect("");
	Stream *middle = prompt_stream_open(prompt);
	answer("secret\n");
	expect("secret;");
	Stream *behind = prompt_stream_open(prompt);
	ask("Code: ", PROMPT_SECRET);
	g_autofree char *all = stream_rest(early, 0), *same = stream_rest(middle, 0),
			*last = stream_rest(behind, 0);
	g_assert_cmpstr(all, ==, same);
	g_assert_cmpstr(last, ==, "Code: \n");
	g_assert_true(g_str_has_suffix(all, "\nCode: \n"));
	g_assert_null(strchr(all, '\033'));
	g_assert_cmpuint(g_strrstr(all, "word") - all, <, strchr(all, '\n') - all);
	g_assert_null(strstr(all, "secret"));
	g_autoptr(Stream) held = stream_ref(middle);
	prompt_stream_close(prompt, middle);
	g_assert_true(stream_ended(held));
	prompt_stream_close(prompt, early);
	g_assert_false(stream_ended(behind));
	end();
}

static const UnitTest tests[] = {
	{ "/prompt/advance/order", advance_order },
	{ "/prompt/late/R65", late },
	{ "/prompt/hostkey/R64/R112", hostkey },
	{ "/prompt/withdrawn/R112", withdrawn },
	{ "/prompt/wiped/R111", wiped },
	{ "/prompt/limits", limits },
	{ "/prompt/streams/T86/R114", streams },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
