/* Notifiers: who is told, how often, and what a callback may do to the list that it is called from.
 *
 * A watch of these tests has a letter, which it writes when it is told, and an act: what it does to
 * other watches then. The order in which watches are told is nobody's business, so the letters are
 * compared as a set wherever there is more than one. */
#include "broker/notifier.h"
#include "tests/unit.h"

typedef struct Witness Witness;
struct Witness {
	NotifierWatch watch;
	char letter;
	void (*act)(Witness *witness);
	Witness *other;
	Notifier *notifier;
};

static GString *told;

/* Write the letter, then act. */
static void
witness_on_told(void *data)
{
	Witness *witness = data;

	g_string_append_c(told, witness->letter);
	if (witness->act != NULL)
		witness->act(witness);
}

/* Let @witness watch @notifier. */
static void
witness_start(Witness *witness, Notifier *notifier, char letter, void (*act)(Witness *witness))
{
	*witness = (Witness){ .letter = letter, .act = act, .notifier = notifier };
	notifier_watch(notifier, &witness->watch, witness_on_told, witness);
}

/* What was told since the last call: how many times @letter. */
static guint
times(char letter)
{
	guint count = 0;

	for (gsize i = 0; i < told->len; i++)
		count += told->str[i] == letter;
	return count;
}

/* Emit, with nothing told before. */
static void
emit(Notifier *notifier)
{
	g_string_truncate(told, 0);
	notifier_emit(notifier);
}

/* Everybody is told once per change, until he goes. */
static void
notifier_tells(void)
{
	Notifier notifier = { NULL };
	Witness a, b;

	told = g_string_new(NULL);
	emit(&notifier);
	witness_start(&a, &notifier, 'a', NULL);
	witness_start(&b, &notifier, 'b', NULL);
	emit(&notifier);
	g_assert_cmpuint(told->len, ==, 2);
	g_assert_cmpuint(times('a'), ==, 1);
	notifier_unwatch(&a.watch);
	notifier_unwatch(&a.watch);
	emit(&notifier);
	g_assert_cmpstr(told->str, ==, "b");
	notifier_unwatch(&b.watch);
	emit(&notifier);
	g_assert_cmpstr(told->str, ==, "");
	g_string_free(told, TRUE);
}

static void
act_leave(Witness *witness)
{
	notifier_unwatch(&witness->watch);
}

static void
act_remove_other(Witness *witness)
{
	notifier_unwatch(&witness->other->watch);
}

/* A callback removes itself, the one before and the one behind it: nobody removed is told, all
 * others are. */
static void
notifier_removal(void)
{
	told = g_string_new(NULL);
	for (guint actor = 0; actor < 4; actor++) {
		for (guint victim = 0; victim < 4; victim++) {
			Notifier notifier = { NULL };
			Witness all[4];

			for (guint i = 0; i < 4; i++)
				witness_start(&all[i], &notifier, (char)('a' + i), NULL);
			all[actor].act = act_remove_other;
			all[actor].other = &all[victim];
			emit(&notifier);
			for (guint i = 0; i < 4; i++)
				g_assert_cmpuint(times((char)('a' + i)), <=, 1);
			g_assert_cmpuint(told->len, >=, 3);
			g_assert_cmpuint(times((char)('a' + actor)), ==, 1);
			emit(&notifier);
			g_assert_cmpuint(times((char)('a' + victim)), ==, 0);
			g_assert_cmpuint(told->len, ==, 3);
			notifier_done(&notifier);
		}
	}
	g_string_free(told, TRUE);
}

static void
act_remove_all(Witness *witness)
{
	notifier_done(witness->notifier);
}

/* The first that is told removes all: nobody else is told. */
static void
notifier_remove_all(void)
{
	Notifier notifier = { NULL };
	Witness all[3];

	told = g_string_new(NULL);
	for (guint i = 0; i < 3; i++)
		witness_start(&all[i], &notifier, (char)('a' + i), act_remove_all);
	emit(&notifier);
	g_assert_cmpuint(told->len, ==, 1);
	emit(&notifier);
	g_assert_cmpuint(told->len, ==, 0);
	g_string_free(told, TRUE);
}

static void
act_add_other(Witness *witness)
{
	if (witness->other->watch.previous == NULL)
		witness_start(witness->other, witness->notifier, 'n', NULL);
}

/* One that comes during a change is told of the next. */
static void
notifier_addition(void)
{
	Notifier notifier = { NULL };
	Witness a, b, added = { .letter = 'n' };

	told = g_string_new(NULL);
	witness_start(&a, &notifier, 'a', act_add_other);
	witness_start(&b, &notifier, 'b', NULL);
	a.other = &added;
	emit(&notifier);
	g_assert_cmpuint(times('n'), ==, 0);
	emit(&notifier);
	g_assert_cmpuint(times('n'), ==, 1);
	g_assert_cmpuint(told->len, ==, 3);
	notifier_done(&notifier);
	g_string_free(told, TRUE);
}

static void
act_again(Witness *witness)
{
	notifier_unwatch(&witness->watch);
	notifier_watch(witness->notifier, &witness->watch, witness_on_told, witness);
}

/* One that goes and comes again at once is not told twice of one change. */
static void
notifier_again(void)
{
	Notifier notifier = { NULL };
	Witness all[3];

	told = g_string_new(NULL);
	for (guint i = 0; i < 3; i++)
		witness_start(&all[i], &notifier, (char)('a' + i), act_again);
	emit(&notifier);
	g_assert_cmpuint(told->len, ==, 3);
	emit(&notifier);
	g_assert_cmpuint(told->len, ==, 3);
	notifier_done(&notifier);
	g_string_free(told, TRUE);
}

static void
act_emit_and_remove(Witness *witness)
{
	witness->act = NULL;
	notifier_emit(witness->notifier);
	notifier_unwatch(&witness->other->watch);
	notifier_unwatch(&witness->watch);
}

/* A change within a change: both reach their end, over the same and over other notifiers. */
static void
notifier_nested(void)
{
	Notifier notifier = { NULL };
	Witness all[4];

	told = g_string_new(NULL);
	for (guint i = 0; i < 4; i++)
		witness_start(&all[i], &notifier, (char)('a' + i), NULL);
	for (guint i = 0; i < 4; i++) {
		all[i].act = act_emit_and_remove;
		all[i].other = &all[(i + 1) % 4];
	}
	emit(&notifier);
	for (guint i = 0; i < 4; i++)
		g_assert_cmpuint(times((char)('a' + i)), >=, 1);
	emit(&notifier);
	g_assert_cmpuint(told->len, ==, 0);
	witness_start(&all[0], &notifier, 'a', act_leave);
	emit(&notifier);
	g_assert_cmpstr(told->str, ==, "a");
	g_assert_null(notifier.first);
	g_string_free(told, TRUE);
}

static const UnitTest tests[] = {
	{ "/notifier/tells", notifier_tells },
	{ "/notifier/removal", notifier_removal },
	{ "/notifier/remove-all", notifier_remove_all },
	{ "/notifier/addition", notifier_addition },
	{ "/notifier/again", notifier_again },
	{ "/notifier/nested", notifier_nested },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
