/* Signals by number and by name. The name travels between systems, the number is looked up where
 * the signal is sent. Real-time signals are "RTMIN", "RTMIN+1" ... "RTMAX". */
#ifndef MITOFS_PTY_SIGNALS_H
#define MITOFS_PTY_SIGNALS_H

#include <stddef.h>

/* The local number of @text: a name with or without SIG, in either case, or a decimal number that
 * the system has; "0" probes. -EINVAL for anything else, trailing text included. */
int signal_number(const char *text);

/* Write the name of @number without SIG into @name ("TERM", "RTMIN+3"), @size bytes, always
 * terminated. 0, or -EINVAL for a number that is no signal. signal 0 has the name "0". */
int signal_name(int number, char *name, size_t size);

/* The highest signal number that this system has (SIGRTMAX). */
int signal_last(void);

#endif
