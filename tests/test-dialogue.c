/* Lines and questions out of what a client writes: prompts in several languages, their repetition,
 * stars and echoes.
 *
 * A case is a list of steps: what is written, with the echo on or off, or that the question was
 * answered. What comes of it is written down: "[line]", "question?" with "+" where there is an echo,
 * and "again" where it is the same as before. */
#include "broker/dialogue.h"
#include "tests/unit.h"

#include <string.h>

#define STEPS_MAX 10

typedef enum { END, HIDDEN, ECHOED, ANSWERED, STOPPED } StepKind;

typedef struct Step Step;
struct Step {
	StepKind kind; /* HIDDEN, ECHOED: what the terminal does with what would be typed now */
	const char *text;
	gboolean quiet; /* wait for the question behind it */
};

typedef struct Case Case;
struct Case {
	const char *path;
	gboolean asks, terminal;
	Step steps[STEPS_MAX];
	const char *events;
};

static GString *events;
static guint questions;

static void
on_line(const char *line, void *data)
{
	g_assert_true(data == &events);
	g_string_append_printf(events, "[%s]", line);
}

static void
on_question(const char *text, gboolean echo, gboolean again, void *data)
{
	g_assert_true(data == &events);
	questions++;
	g_string_append_printf(events, "{%s}%s%s", text, echo ? "+" : "", again ? "again" : "");
}

static const DialogueOps ops = { on_line, on_question };

#define SUDO "[sudo] password for bob: "
#define SUDO_RS "[sudo: authenticate] Password: "
#define FRENCH "[sudo] Mot de passe de bob\xc2\xa0: "
#define CHINESE "[sudo] bob \xe7\x9a\x84\xe5\xaf\x86\xe7\xa0\x81"
#define HOSTKEY "Are you sure you want to continue connecting (yes/no/[fingerprint])? "

/* clang-format off */
static const Case cases[] = {
	{ "/dialogue/prompt/sudo/T36", TRUE, TRUE, { { HIDDEN, SUDO, TRUE } }, "{" SUDO "}" },
	{ "/dialogue/prompt/sudo-rs/T36/R67", TRUE, TRUE, { { HIDDEN, SUDO_RS, TRUE } }, "{" SUDO_RS "}" },
	{ "/dialogue/prompt/french/T36/R67", TRUE, TRUE, { { HIDDEN, FRENCH, TRUE } }, "{" FRENCH "}" },
	{ "/dialogue/prompt/chinese/T36/R67", TRUE, TRUE, { { HIDDEN, CHINESE, TRUE } }, "{" CHINESE "}" },
	{ "/dialogue/prompt/split/T36", TRUE, TRUE, { { HIDDEN, "[sudo] pass", FALSE }, { HIDDEN, "word: ", TRUE } },
	  "{[sudo] password: }" },
	{ "/dialogue/prompt/lecture/R68", TRUE, TRUE,
	  { { HIDDEN, "\r\nWe trust you.\r\n\r\n    #1) Respect.\r\n\r\n" SUDO, TRUE } },
	  "[We trust you.][    #1) Respect.]{We trust you.     #1) Respect. " SUDO "}" },
	{ "/dialogue/prompt/bell", TRUE, TRUE, { { HIDDEN, "\aPassword:", TRUE } }, "{Password:}" },
	{ "/dialogue/again/wrong/T37", TRUE, TRUE,
	  { { HIDDEN, SUDO, TRUE }, { ANSWERED, NULL, FALSE }, { HIDDEN, "\r\nSorry, try again.\r\n" SUDO, TRUE } },
	  "{" SUDO "}[Sorry, try again.]{Sorry, try again. " SUDO "}again" },
	{ "/dialogue/again/empty-answer/T37", TRUE, TRUE,
	  { { HIDDEN, SUDO, TRUE }, { ANSWERED, NULL, FALSE }, { HIDDEN, "\r\n", FALSE } }, "{" SUDO "}" },
	{ "/dialogue/again/other", TRUE, TRUE,
	  { { HIDDEN, "Password: ", TRUE }, { ANSWERED, NULL, FALSE }, { HIDDEN, "\r\nCode: ", TRUE } },
	  "{Password: }{Code: }" },
	{ "/dialogue/again/split", TRUE, TRUE,
	  { { HIDDEN, "Pass", FALSE }, { HIDDEN, "word: ", TRUE }, { ANSWERED, NULL, FALSE },
	    { HIDDEN, "\r\nPassword", FALSE }, { HIDDEN, ": ", TRUE } }, "{Password: }{Password: }again" },
	{ "/dialogue/stars/T37/R67", TRUE, TRUE,
	  { { HIDDEN, SUDO, TRUE }, { ANSWERED, NULL, FALSE }, { HIDDEN, "****", FALSE }, { HIDDEN, "**", FALSE },
	    { HIDDEN, "\b \b\b \b\b \b", FALSE }, { HIDDEN, "\b \b\b \b\b \b\r\n", FALSE },
	    { HIDDEN, "welcome\r\n", FALSE } }, "{" SUDO "}[welcome]" },
	{ "/dialogue/echo/answer/T32", TRUE, TRUE,
	  { { ECHOED, "Unknown key.\r\n" HOSTKEY, TRUE }, { ANSWERED, NULL, FALSE }, { ECHOED, "yes", FALSE },
	    { ECHOED, "\r\nok\r\n", FALSE } }, "[Unknown key.]{Unknown key. " HOSTKEY "}+[ok]" },
	{ "/dialogue/echo/then-secret", TRUE, TRUE,
	  { { ECHOED, HOSTKEY, TRUE }, { ANSWERED, NULL, FALSE }, { HIDDEN, "yes\r\nPassword: ", TRUE } },
	  "{" HOSTKEY "}+{Password: }" },
	{ "/dialogue/echo/progress", TRUE, TRUE, { { ECHOED, "Connecting...", FALSE }, { ECHOED, " done\r\n", FALSE } },
	  "[Connecting... done]" },
	{ "/dialogue/banner/T18/R66", TRUE, TRUE,
	  { { ECHOED, "password: \r\nEnter your Password:\r\n", FALSE }, { HIDDEN, "bob@h's password: ", TRUE } },
	  "[password:][Enter your Password:]{password: Enter your Password: bob@h's password: }" },
	{ "/dialogue/not-asking/T17", FALSE, FALSE, { { HIDDEN, "Password: ", FALSE }, { HIDDEN, "50%", FALSE } },
	  "[Password: 50%]" },
	{ "/dialogue/not-asking/terminal", FALSE, TRUE, { { HIDDEN, "Password: \r\nx", FALSE } }, "[Password:][x]" },
	{ "/dialogue/stopped", TRUE, TRUE,
	  { { HIDDEN, "Pass", FALSE }, { STOPPED, NULL, FALSE }, { HIDDEN, "word: \n", FALSE } }, "[Password:]" },
	{ "/dialogue/pipe/su/T39", TRUE, FALSE,
	  { { ECHOED, "Password: ", TRUE }, { ANSWERED, NULL, FALSE }, { ECHOED, "su: Authentication", FALSE },
	    { ECHOED, " failure\n", FALSE } }, "{Password: }+[su: Authentication failure]" },
	{ "/dialogue/bytes/nul-and-return", FALSE, FALSE, { { HIDDEN, "a\rb\r\n\r\n \n", FALSE } }, "[ab]" },
	{ "/dialogue/bytes/no-utf8", TRUE, TRUE, { { HIDDEN, "\xff\xfe?", TRUE } }, "{\xff\xfe?}" },
};
/* clang-format on */

static void
step_take(Dialogue *dialogue, const Step *step)
{
	guint before = questions;

	if (step->kind == ANSWERED)
		dialogue_answered(dialogue);
	else if (step->kind == STOPPED)
		dialogue_stop_asking(dialogue);
	else
		dialogue_feed(dialogue, step->kind == ECHOED, (const guint8 *)step->text,
			      strlen(step->text));
	g_assert_cmpuint(questions, ==, before);
	if (step->quiet)
		unit_until(questions > before);
	g_assert_cmpuint(questions, <=, before + 1);
}

static gboolean
on_time(void *data)
{
	*(gboolean *)data = TRUE;
	return G_SOURCE_REMOVE;
}

/* Longer than any line has to stand: a question that is to come has come. */
static void
wait_for_questions(void)
{
	gboolean over = FALSE;

	g_timeout_add(200, on_time, &over);
	unit_until(over);
}

static void
case_run(gconstpointer row)
{
	const Case *test = row;
	Dialogue *dialogue = dialogue_new(test->asks, test->terminal, &ops, &events);
	guint wanted = 0;

	events = g_string_new(NULL);
	questions = 0;
	for (const Step *step = test->steps; step->kind != END; step++) {
		wanted += step->quiet;
		step_take(dialogue, step);
	}
	wait_for_questions();
	g_assert_cmpuint(questions, ==, wanted);
	if (!test->asks)
		dialogue_end(dialogue);
	g_assert_cmpstr(events->str, ==, test->events);
	dialogue_free(dialogue);
	g_string_free(events, TRUE);
}

/* A line without end is cut, and memory does not grow; the lines before a question are bounded. */
static void
limits(void)
{
	Dialogue *dialogue = dialogue_new(TRUE, TRUE, &ops, &events);

	events = g_string_new(NULL);
	questions = 0;
	for (guint i = 0; i < 100 * 1024; i++)
		dialogue_feed(dialogue, TRUE, (const guint8 *)"x", 1);
	g_assert_cmpuint(events->len, ==, 100 * 1026);
	for (guint i = 0; i < 1000; i++)
		dialogue_feed(dialogue, TRUE, (const guint8 *)"line\n", 5);
	g_string_truncate(events, 0);
	dialogue_feed(dialogue, FALSE, (const guint8 *)"Password: ", 10);
	unit_until(questions > 0);
	g_assert_cmpuint(events->len, <, 4096);
	g_assert_true(g_str_has_suffix(events->str, "Password: }"));
	dialogue_free(dialogue);
	g_string_free(events, TRUE);
}

/* One that is freed asks nothing any more. */
static void
freed(void)
{
	Dialogue *dialogue = dialogue_new(TRUE, TRUE, &ops, &events);

	events = g_string_new(NULL);
	questions = 0;
	dialogue_feed(dialogue, FALSE, (const guint8 *)"Password: ", 10);
	dialogue_free(dialogue);
	wait_for_questions();
	g_assert_cmpuint(questions, ==, 0);
	g_string_free(events, TRUE);
}

static const UnitTest tests[] = {
	{ "/dialogue/limits", limits },
	{ "/dialogue/freed", freed },
};

int
main(int argc, char **argv)
{
	unit_init(argc, argv);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		unit_add_case(cases[i].path, case_run, &cases[i]);
	unit_add(tests, G_N_ELEMENTS(tests));
	return g_test_run();
}
