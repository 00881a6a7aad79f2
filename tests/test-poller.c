/* The poller: descriptors that become ready, and what a callback may do to its own and to other
 * watches.
 *
 * Ends are pipes. A probe counts how often it was told and keeps the last events. An event that
 * must not come is looked for by letting the loop go idle, so no test waits for nothing. */
#include "pty/autofd.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <sys/epoll.h>

typedef struct Probe Probe;
struct Probe {
	int fds[2]; /* read, write */
	PollerWatch *watch;
	guint told;
	guint32 events;
	void (*act)(Probe *probe);
	Probe *other;
};

static void
probe_on_ready(guint32 events, void *data)
{
	Probe *probe = data;

	probe->told++;
	probe->events = events;
	if (probe->act != NULL)
		probe->act(probe);
}

/* A pipe whose read end is watched. */
static void
probe_open(Probe *probe, void (*act)(Probe *probe))
{
	*probe = (Probe){ .act = act };
	g_assert_no_errno(pipe2(probe->fds, O_CLOEXEC | O_NONBLOCK));
	probe->watch = poller_add(probe->fds[0], EPOLLIN, probe_on_ready, probe);
}

static void
probe_close(Probe *probe)
{
	g_clear_pointer(&probe->watch, poller_remove);
	autofd_clear(&probe->fds[0]);
	autofd_clear(&probe->fds[1]);
}

/* Make the read end ready. */
static void
probe_write(Probe *probe)
{
	g_assert_cmpint(write(probe->fds[1], "x", 1), ==, 1);
}

static void
probe_read(Probe *probe)
{
	char byte;

	g_assert_cmpint(read(probe->fds[0], &byte, 1), ==, 1);
}

/* Told while there is something, and no longer. */
static void
poller_level(void)
{
	Probe probe;

	probe_open(&probe, NULL);
	unit_settle();
	g_assert_cmpuint(probe.told, ==, 0);
	probe_write(&probe);
	unit_until(probe.told == 3);
	g_assert_cmpuint(probe.events, ==, EPOLLIN);
	probe_read(&probe);
	unit_settle();
	g_assert_cmpuint(probe.told, ==, 3);
	probe_close(&probe);
}

/* What is waited for can be changed; a hang-up is told in any case. */
static void
poller_change(void)
{
	Probe probe;

	probe_open(&probe, NULL);
	probe_write(&probe);
	poller_set(probe.watch, 0);
	unit_settle();
	g_assert_cmpuint(probe.told, ==, 0);
	autofd_clear(&probe.fds[1]);
	unit_until(probe.told == 1);
	g_assert_cmpuint(probe.events, ==, EPOLLHUP);
	poller_set(probe.watch, EPOLLIN);
	unit_until(probe.told == 2);
	g_assert_cmpuint(probe.events, ==, EPOLLIN | EPOLLHUP);
	probe_close(&probe);
}

static void
act_close_self(Probe *probe)
{
	probe_close(probe);
}

static void
act_close_other(Probe *probe)
{
	probe_read(probe);
	if (probe->other->told == 0)
		probe_close(probe->other);
}

/* A watch goes from inside its own callback. */
static void
poller_remove_self(void)
{
	Probe probe;

	probe_open(&probe, act_close_self);
	probe_write(&probe);
	unit_until(probe.told == 1);
	unit_settle();
	g_assert_cmpuint(probe.told, ==, 1);
}

/* Two are ready in one turn, the first that is told closes the other: that one is never told. */
static void
poller_remove_other(void)
{
	Probe a, b;

	probe_open(&a, act_close_other);
	probe_open(&b, act_close_other);
	a.other = &b;
	b.other = &a;
	probe_write(&a);
	probe_write(&b);
	unit_until(a.told + b.told > 0);
	unit_settle();
	g_assert_cmpuint(a.told + b.told, ==, 1);
	probe_close(&a);
	probe_close(&b);
}

/* Close the other, and give its numbers to new ends with a watch of their own. */
static void
act_reuse_other(Probe *probe)
{
	Probe *other = probe->other;
	int old = other->fds[0];

	probe_read(probe);
	if (other->told > 0 || other->act == NULL)
		return;
	probe_close(other);
	probe_open(other, NULL);
	g_assert_cmpint(other->fds[0], ==, old);
}

/* An event of the old descriptor is not told to the new one of the same number. */
static void
poller_reuse(void)
{
	Probe a, b;

	probe_open(&a, act_reuse_other);
	probe_open(&b, act_reuse_other);
	a.other = &b;
	b.other = &a;
	probe_write(&a);
	probe_write(&b);
	unit_until(a.told + b.told > 0);
	unit_settle();
	g_assert_cmpuint(a.told + b.told, ==, 1);
	probe_close(&a);
	probe_close(&b);
}

/* More are ready, all the time, than one turn serves: nobody starves. */
static void
poller_many(void)
{
	Probe *probes = g_new0(Probe, 150);
	guint least = 0;

	for (guint i = 0; i < 150; i++) {
		probe_open(&probes[i], NULL);
		probe_write(&probes[i]);
	}
	for (guint turn = 0; turn < 30; turn++)
		g_main_context_iteration(NULL, FALSE);
	least = probes[0].told;
	for (guint i = 0; i < 150; i++)
		least = MIN(least, probes[i].told);
	g_assert_cmpuint(least, >=, 5);
	for (guint i = 0; i < 150; i++)
		probe_close(&probes[i]);
	g_free(probes);
}

static guint ends, ends_seen_told, laters;
static Probe *watched;

/* Count it, and how many were told by then. */
static gboolean
on_turn_end(void *data)
{
	ends++;
	ends_seen_told = watched != NULL ? watched[0].told + watched[1].told : 0;
	return G_SOURCE_REMOVE;
}

static gboolean
on_turn_end_again(void *data)
{
	poller_at_turn_end(on_turn_end, data);
	return G_SOURCE_REMOVE;
}

static void
act_ask_turn_end(Probe *probe)
{
	probe_read(probe);
	poller_at_turn_end(on_turn_end, NULL);
}

/* The end of a turn comes behind all of its descriptors, once per request. */
static void
poller_turn_end(void)
{
	Probe probes[2];

	ends = 0;
	watched = probes;
	for (guint i = 0; i < 2; i++) {
		probe_open(&probes[i], act_ask_turn_end);
		probe_write(&probes[i]);
	}
	unit_until(ends > 0);
	g_assert_cmpuint(ends, ==, 2);
	g_assert_cmpuint(ends_seen_told, ==, 2);
	unit_settle();
	g_assert_cmpuint(ends, ==, 2);
	watched = NULL;
	probe_close(&probes[0]);
	probe_close(&probes[1]);
}

/* Outside a turn it comes from the loop, never from inside the call; one that it asks for comes
 * too. */
static void
poller_turn_end_outside(void)
{
	ends = 0;
	poller_at_turn_end(on_turn_end, NULL);
	poller_at_turn_end(on_turn_end_again, NULL);
	g_assert_cmpuint(ends, ==, 0);
	unit_settle();
	g_assert_cmpuint(ends, ==, 2);
	unit_settle();
	g_assert_cmpuint(ends, ==, 2);
}

/* What was taken back does not come; the same for other data does. */
static void
poller_turn_end_forgotten(void)
{
	int a, b;

	ends = 0;
	poller_forget_turn_end(on_turn_end, &a);
	poller_at_turn_end(on_turn_end, &a);
	poller_at_turn_end(on_turn_end, &b);
	poller_forget_turn_end(on_turn_end, &a);
	unit_settle();
	g_assert_cmpuint(ends, ==, 1);
}

static gboolean
on_later(void *data)
{
	laters++;
	return G_SOURCE_REMOVE;
}

/* Later is once, from the loop, before descriptors are served, and can be taken back. */
static void
poller_later_once(void)
{
	Probe probe;

	laters = 0;
	probe_open(&probe, NULL);
	probe_write(&probe);
	poller_later(on_later, NULL);
	guint id = poller_later(on_later, NULL);
	g_source_remove(id);
	g_assert_cmpuint(laters, ==, 0);
	g_main_context_iteration(NULL, FALSE);
	g_assert_cmpuint(laters, ==, 1);
	g_assert_cmpuint(probe.told, ==, 0);
	probe_close(&probe);
	unit_settle();
	g_assert_cmpuint(laters, ==, 1);
}

static const UnitTest tests[] = {
	{ "/poller/level", poller_level },
	{ "/poller/change", poller_change },
	{ "/poller/remove/self", poller_remove_self },
	{ "/poller/remove/other", poller_remove_other },
	{ "/poller/remove/reuse", poller_reuse },
	{ "/poller/many", poller_many },
	{ "/poller/turn-end/batch", poller_turn_end },
	{ "/poller/turn-end/outside", poller_turn_end_outside },
	{ "/poller/turn-end/forgotten", poller_turn_end_forgotten },
	{ "/poller/later", poller_later_once },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
