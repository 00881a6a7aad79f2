/* Signals by number and by name.
 *
 * Names travel between systems; the number is looked up where the signal is sent. A row's first
 * entry for a number is its name, later ones (IOT, CLD, POLL) are aliases that are only read.
 * Real-time signals are counted from where the programs of the place count them, not from where
 * this program's own C library does: on Linux glibc keeps 32 and 33 for itself, musl 32 to 34,
 * and a user's `kill -RTMIN+3` or systemd's RTMIN+n mean glibc's. Static data only. */
#include "pty/signals.h"

#include "pty/number.h"
#include "pty/textbuf.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#ifdef __linux__
#define REALTIME_FIRST 34
#define REALTIME_LAST (_NSIG - 1)
#elif defined(SIGRTMIN)
#define REALTIME_FIRST SIGRTMIN
#define REALTIME_LAST SIGRTMAX
#else
#define REALTIME_FIRST NSIG
#define REALTIME_LAST (NSIG - 1)
#endif

struct row {
	uint8_t number;
	char name[7]; /* here and not elsewhere: see errname.c */
};

#define ROW(name)                \
	{                        \
		SIG##name, #name \
	}
static const struct row rows[] = {
	{ 0, "0" },  ROW(HUP),	  ROW(INT),  ROW(QUIT),	 ROW(ILL),  ROW(TRAP), ROW(ABRT), ROW(BUS),
	ROW(FPE),    ROW(KILL),	  ROW(USR1), ROW(SEGV),	 ROW(USR2), ROW(PIPE), ROW(ALRM), ROW(TERM),
	ROW(CHLD),   ROW(CONT),	  ROW(STOP), ROW(TSTP),	 ROW(TTIN), ROW(TTOU), ROW(URG),  ROW(XCPU),
	ROW(XFSZ),   ROW(VTALRM), ROW(PROF), ROW(WINCH), ROW(IO),   ROW(SYS),
#ifdef SIGSTKFLT
	ROW(STKFLT),
#endif
#ifdef SIGPWR
	ROW(PWR),
#endif
#ifdef SIGEMT
	ROW(EMT),
#endif
#ifdef SIGINFO
	ROW(INFO),
#endif
#ifdef SIGIOT
	ROW(IOT),
#endif
#ifdef SIGCLD
	ROW(CLD),
#endif
#ifdef SIGPOLL
	ROW(POLL),
#endif
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

int
signal_last(void)
{
	return REALTIME_LAST;
}

/* Whether the system has signal @number, or it is the probe 0. */
static bool
signal_exists(uint64_t number)
{
	if (number >= REALTIME_FIRST && number <= REALTIME_LAST)
		return true;
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].number == number)
			return true;
	return false;
}

/* The number of "RTMIN+3" or "RTMAX-1"; the number may be left out. */
static int
signal_realtime(const char *name)
{
	bool from_first = !strncasecmp(name, "RTMIN", 5);
	uint64_t offset = 0;

	if (!from_first && strncasecmp(name, "RTMAX", 5))
		return -EINVAL;
	if (name[5] && (name[5] != (from_first ? '+' : '-') ||
			number_parse(name + 6, REALTIME_LAST - REALTIME_FIRST, &offset) < 0))
		return -EINVAL;
	return from_first ? REALTIME_FIRST + (int)offset : REALTIME_LAST - (int)offset;
}

int
signal_number(const char *text)
{
	uint64_t number;

	if (*text >= '0' && *text <= '9') {
		if (number_parse(text, REALTIME_LAST, &number) < 0 || !signal_exists(number))
			return -EINVAL;
		return (int)number;
	}
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (size_t i = 1; i < ROW_COUNT; i++)
		if (!strcasecmp(rows[i].name, text))
			return rows[i].number;
	return signal_realtime(text);
}

int
signal_name(int number, char *name, size_t size)
{
	struct textbuf buf;

	textbuf_init(&buf, name, size);
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (rows[i].number == number) {
			textbuf_add(&buf, rows[i].name);
			return 0;
		}
	}
	if (number < REALTIME_FIRST || number > REALTIME_LAST)
		return -EINVAL;
	textbuf_add(&buf, number == REALTIME_LAST ? "RTMAX" : "RTMIN");
	if (number > REALTIME_FIRST && number < REALTIME_LAST) {
		textbuf_add(&buf, "+");
		textbuf_add_unsigned(&buf, (uint64_t)(number - REALTIME_FIRST));
	}
	return 0;
}
