/* Which limit kept a command from being started. */
#ifndef MITOFS_BROKER_AGENT_LIMITS_H
#define MITOFS_BROKER_AGENT_LIMITS_H

#include <stddef.h>

/* A sentence for @error of fork(2) (EAGAIN: processes) or pipe2(2) (EMFILE, ENFILE:
 * descriptors): which limit, its value here, how to raise it. */
void limits_text(int error, char *text, size_t size);

#endif
