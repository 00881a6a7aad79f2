/* How many descriptors of agents this process can take. */
#ifndef MITOFS_BROKER_DESCRIPTORS_H
#define MITOFS_BROKER_DESCRIPTORS_H

#include <glib.h>

/* Whether @count more descriptors may be handed over, beside those that are on their way. When
 * they have come, or will not, descriptors_redeem() has to be called. */
gboolean descriptors_promise(guint count);
void descriptors_redeem(guint count);

#endif
