/* Secrets: lines of bytes in memory that is locked, left out of core dumps, and wiped when they are
 * freed. While any secret lives, this process itself is not dumpable. */
#ifndef MITOFS_BROKER_SECRET_H
#define MITOFS_BROKER_SECRET_H

#include <glib.h>

typedef struct Secret Secret;

#define SECRET_MAX 4000 /* bytes */

/* A copy of @size bytes, at most SECRET_MAX; NULL when there is no memory for it. */
Secret *secret_new(const void *bytes, gsize size);
/* Wipes it. */
void secret_free(Secret *secret);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Secret, secret_free)
const char *secret_bytes(const Secret *secret); /* ends with a NUL that is not counted */
gsize secret_size(const Secret *secret);

#endif
