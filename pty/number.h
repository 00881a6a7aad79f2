/* Decimal numbers, read strictly. */
#ifndef MITOFS_PTY_NUMBER_H
#define MITOFS_PTY_NUMBER_H

#include <stdint.h>

/* Read the digits at *@text, and step over them. 0, or -EINVAL when there is no digit or the
 * number does not fit; *@text and @ret are then as they were. No sign, no blanks. */
int number_take(const char **text, uint64_t *ret);

/* The same for a text that is nothing but a number of at most @max. */
int number_parse(const char *text, uint64_t max, uint64_t *ret);

/* The same with an optional minus sign, from @min to @max. */
int number_parse_signed(const char *text, int64_t min, int64_t max, int64_t *ret);

#endif
