/* Each secret has a page of its own: there are few, for a short time, and whole pages are what
 * mlock(2) and madvise(2) work on. Where the limit of locked memory is reached the page is used all
 * the same: it can then be swapped, but is still wiped and not dumped. */
#include "broker/secret.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define PAGE 4096

struct Secret {
	gsize size;
	char bytes[SECRET_MAX + 1];
};
G_STATIC_ASSERT(sizeof(Secret) <= PAGE);

static guint living;
static int dumpable; /* before the first */

Secret *
secret_new(const void *bytes, gsize size)
{
	Secret *secret;

	if (size > SECRET_MAX)
		return NULL;
	secret = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (secret == MAP_FAILED)
		return NULL;
	mlock(secret, PAGE);
	madvise(secret, PAGE, MADV_DONTDUMP);
	madvise(secret, PAGE, MADV_DONTFORK);
	if (living++ == 0) {
		dumpable = prctl(PR_GET_DUMPABLE);
		prctl(PR_SET_DUMPABLE, 0);
	}
	memcpy(secret->bytes, bytes, size);
	secret->size = size;
	return secret;
}

void
secret_free(Secret *secret)
{
	explicit_bzero(secret, sizeof *secret);
	munmap(secret, PAGE);
	if (--living == 0 && dumpable == 1)
		prctl(PR_SET_DUMPABLE, 1);
}

const char *
secret_bytes(const Secret *secret)
{
	return secret->bytes;
}

gsize
secret_size(const Secret *secret)
{
	return secret->size;
}
