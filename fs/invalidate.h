/* Names that the broker removes itself: the kernel is told to forget them, from a thread of their
 * own. */
#ifndef MITOFS_FS_INVALIDATE_H
#define MITOFS_FS_INVALIDATE_H

#include <fuse_lowlevel.h>
#include <glib.h>

typedef struct Invalidator Invalidator;
/* Called from the main loop, once for each name, when the kernel has forgotten it or cannot be
 * told. */
typedef void (*InvalidateDone)(void *token);

/* @session is borrowed and has to outlive the Invalidator. */
Invalidator *invalidator_new(struct fuse_session *session, InvalidateDone done);
/* Forget @name in the directory of nodeid @parent; never waits. */
void invalidator_push(Invalidator *invalidator, guint64 parent, const char *name, void *token);
/* No more names are told to the kernel; those that wait are done at once. */
void invalidator_stop(Invalidator *invalidator);
/* Whether every name is done. A call into the kernel may wait for an answer of the main loop, so
 * the loop has to go on until then. */
gboolean invalidator_is_idle(const Invalidator *invalidator);
/* Only once it is idle. */
void invalidator_free(Invalidator *invalidator);

#endif
