/* The agent's images, one for each architecture that this build has a toolchain for. They are part
 * of the broker, plain and compressed, so nothing has to be installed beside it. */
#ifndef MITOFS_BROKER_IMAGE_H
#define MITOFS_BROKER_IMAGE_H

#include <glib.h>

typedef struct AgentImage AgentImage;

/* The image for what `uname -m` calls @machine, or NULL. */
const AgentImage *image_find(const char *machine);
const char *image_arch(const AgentImage *image);
/* Its bytes, static: as they are executed, or in gzip's format. */
const guint8 *image_bytes(const AgentImage *image, gboolean compressed, gsize *ret_size);

#endif
