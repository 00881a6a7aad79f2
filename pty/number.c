/* Decimal numbers, read strictly.
 *
 * strtoull(3) skips blanks, takes signs and tells an overflow only through errno; what users
 * write into CPU lists, limits and signals must be exactly a number, and what /proc prints is
 * one anyway. */
#include "pty/number.h"

#include <errno.h>
#include <stdbool.h>

int
number_take(const char **text, uint64_t *ret)
{
	const char *next = *text;
	uint64_t number = 0;

	if (*next < '0' || *next > '9')
		return -EINVAL;
	for (; *next >= '0' && *next <= '9'; next++) {
		unsigned digit = (unsigned)(*next - '0');
		if (number > (UINT64_MAX - digit) / 10)
			return -EINVAL;
		number = number * 10 + digit;
	}
	*text = next;
	*ret = number;
	return 0;
}

int
number_parse(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t number;

	if (number_take(&text, &number) < 0 || *text || number > max)
		return -EINVAL;
	*ret = number;
	return 0;
}

int
number_parse_signed(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = *text == '-';
	uint64_t magnitude;
	int64_t number;

	if (number_parse(negative ? text + 1 : text, INT64_MAX, &magnitude) < 0)
		return -EINVAL;
	number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	if (number < min || number > max)
		return -EINVAL;
	*ret = number;
	return 0;
}
