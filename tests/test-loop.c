/* The agent's loop: its timers (T68). Descriptors are tested through the agent itself. */
#include "broker/agent/loop.h"
#include "tests/unit.h"

#include <unistd.h>

#define TIMERS 4

/* A loop with timers whose numbers are told as they fire. */
typedef struct Clock Clock;
struct Clock {
	struct loop loop;
	struct timer timers[TIMERS];
	char told[32];
	guint count, stop_at; /* fired so far; the loop stops at so many */
};
static Clock the_clock;

static void
on_fire(struct timer *timer)
{
	g_assert_false(timer->armed);
	g_assert_cmpuint(loop_now(), >=, timer->due);
	the_clock.told[the_clock.count++] = (char)('0' + (timer - the_clock.timers));
	the_clock.told[the_clock.count] = '\0';
	the_clock.loop.stopped = the_clock.count >= the_clock.stop_at;
}

static void
on_turn(void *data)
{
	(void)data;
}

static void
clock_begin(guint stop_at)
{
	the_clock = (Clock){ .stop_at = stop_at };
	g_assert_cmpint(loop_init(&the_clock.loop), ==, 0);
	for (guint i = 0; i < TIMERS; i++)
		the_clock.timers[i].fire = on_fire;
}

static void
arm(guint number, guint64 delay_ms)
{
	loop_arm(&the_clock.loop, &the_clock.timers[number], delay_ms);
}

/* Run until enough have fired; they must be @wanted, in that order. */
static void
clock_expect(const char *wanted)
{
	loop_run(&the_clock.loop, on_turn, NULL);
	g_assert_cmpstr(the_clock.told, ==, wanted);
	close(the_clock.loop.streams.fd); /* an agent's ends with it */
	close(the_clock.loop.main.fd);
}

static void
timers_order(void)
{
	clock_begin(4);
	arm(0, 30);
	arm(1, 10);
	arm(2, 0);
	arm(3, 20);
	clock_expect("2130");
}

/* Those of the same moment fire in the order in which they were armed. */
static void
timers_same_moment(void)
{
	clock_begin(3);
	for (guint i = 0; i < 3; i++)
		arm(2 - i, 15);
	the_clock.timers[0].due = the_clock.timers[1].due = the_clock.timers[2].due;
	clock_expect("210");
}

/* To arm again moves it; to disarm, twice too, takes it out, and leaves the others. */
static void
timers_changed(void)
{
	clock_begin(2);
	arm(0, 5);
	arm(1, 1);
	arm(2, 10);
	arm(0, 20);
	loop_disarm(&the_clock.loop, &the_clock.timers[1]);
	loop_disarm(&the_clock.loop, &the_clock.timers[1]);
	loop_disarm(&the_clock.loop, &the_clock.timers[3]);
	clock_expect("20");
}

static void
on_fire_again(struct timer *timer)
{
	on_fire(timer);
	if (the_clock.count < 3)
		loop_arm(&the_clock.loop, timer, 1);
}

static void
timers_again(void)
{
	clock_begin(3);
	the_clock.timers[1].fire = on_fire_again;
	arm(1, 0);
	clock_expect("111");
}

static const UnitTest tests[] = {
	{ "/loop/timers/T68/order", timers_order },
	{ "/loop/timers/T68/same-moment", timers_same_moment },
	{ "/loop/timers/T68/changed", timers_changed },
	{ "/loop/timers/T68/again", timers_again },
};

int
main(int argc, char **argv)
{
	return unit_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
