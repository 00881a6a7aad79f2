/* The agent's images: one static program for each architecture that this broker was built for.
 *
 * They are part of the broker, compressed as they cross a connection. Rows live as long as the
 * program; nothing of them is the caller's. */
#ifndef MITOFS_BROKER_IMAGE_H
#define MITOFS_BROKER_IMAGE_H

#include <glib.h>

typedef struct AgentImage AgentImage;

/* The image for a system whose `uname -m` says @machine, or NULL when there is none. */
const AgentImage *image_find(const char *machine);

/* The image of the machine that the broker itself is built for. */
const AgentImage *image_own(void);

/* Row @index, from 0 on, or NULL behind the last: the broker's own is the first. */
const AgentImage *image_at(guint index);

/* Its architecture, as mitofs calls it: x86_64, aarch64, armhf, i386, riscv64. */
const char *image_arch(const AgentImage *image);

/* How many bytes it has: the program itself, or what `gzip -dc` makes that of; and those bytes. */
gsize image_size(const AgentImage *image, gboolean compressed);
const guint8 *image_bytes(const AgentImage *image, gboolean compressed, gsize *ret_size);

#endif
