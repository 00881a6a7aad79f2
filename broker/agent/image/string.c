/* The functions of <string.h> that the image uses, in few bytes.
 *
 * Compiled without what a compiler knows of these functions, which may otherwise turn a loop
 * into a call of itself. Texts are short here; only memcpy() has megabytes to move. */
#include <stddef.h>
#include <string.h>
#include <strings.h>

void *
memcpy(void *restrict to, const void *restrict from, size_t size)
{
	return memmove(to, from, size);
}

void *
memmove(void *to, const void *from, size_t size)
{
	unsigned char *target = to;
	const unsigned char *source = from;

	if (target > source && target < source + size) {
		while (size--)
			target[size] = source[size];
		return to;
	}
#if defined(__x86_64__) || defined(__i386__)
	__asm__ volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
#else
	while (size--)
		*target++ = *source++;
#endif
	return to;
}

void *
memset(void *memory, int byte, size_t size)
{
	unsigned char *target = memory;

	while (size--)
		*target++ = (unsigned char)byte;
	return memory;
}

int
memcmp(const void *one, const void *other, size_t size)
{
	const unsigned char *left = one, *right = other;

	for (; size--; left++, right++)
		if (*left != *right)
			return *left - *right;
	return 0;
}

int
bcmp(const void *one, const void *other, size_t size)
{
	return memcmp(one, other, size);
}

void
explicit_bzero(void *memory, size_t size)
{
	memset(memory, 0, size);
	__asm__ volatile("" : : "r"(memory) : "memory");
}

void *
memchr(const void *memory, int byte, size_t size)
{
	for (const unsigned char *next = memory; size--; next++)
		if (*next == (unsigned char)byte)
			return (void *)next;
	return NULL;
}

/* What a string ends with, the NUL, is found too. */
char *
strchr(const char *text, int byte)
{
	for (; *text != (char)byte; text++)
		if (!*text)
			return NULL;
	return (char *)text;
}

char *
strrchr(const char *text, int byte)
{
	const char *found = NULL;

	do {
		if (*text == (char)byte)
			found = text;
	} while (*text++);
	return (char *)found;
}

size_t
strlen(const char *text)
{
	return (size_t)(strchr(text, '\0') - text);
}

size_t
strcspn(const char *text, const char *stops)
{
	const char *next = text;

	while (!strchr(stops, *next))
		next++;
	return (size_t)(next - text);
}

size_t
strspn(const char *text, const char *bytes)
{
	const char *next = text;

	while (*next && strchr(bytes, *next))
		next++;
	return (size_t)(next - text);
}

int
strncmp(const char *one, const char *other, size_t size)
{
	for (; size--; one++, other++) {
		if (*one != *other)
			return (unsigned char)*one - (unsigned char)*other;
		if (!*one)
			break;
	}
	return 0;
}

int
strcmp(const char *one, const char *other)
{
	return strncmp(one, other, (size_t)-1);
}

char *
strstr(const char *text, const char *word)
{
	for (size_t length = strlen(word); *text; text++)
		if (!strncmp(text, word, length))
			return (char *)text;
	return *word ? NULL : (char *)text;
}

static int
lower(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? letter | 0x20 : letter;
}

int
strncasecmp(const char *one, const char *other, size_t size)
{
	for (; size--; one++, other++) {
		if (lower(*one) != lower(*other))
			return lower(*one) - lower(*other);
		if (!*one)
			break;
	}
	return 0;
}

int
strcasecmp(const char *one, const char *other)
{
	return strncasecmp(one, other, (size_t)-1);
}
