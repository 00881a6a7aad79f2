/* fuse_lowlevel_notify_inval_entry() waits for the directory's lock, which whoever has an
 * unanswered mkdir there holds: called from the loop that has to answer it, it would hang the mount
 * for good. So a thread of its own makes the call, and hands the token back to the loop. It touches
 * nothing else, and takes no signals. */
#include "fs/invalidate.h"

#include <signal.h>
#include <string.h>

struct Invalidator {
	struct fuse_session *session;
	InvalidateDone done;
	GAsyncQueue *queue; /* Name, or the Invalidator itself for the end */
	GThread *thread;
	int stopped;   /* atomic */
	guint pending; /* the loop's own */
};

typedef struct Name Name;
struct Name {
	Invalidator *invalidator;
	guint64 parent;
	char *name;
	void *token;
};

/* In the loop: the kernel has forgotten it. */
static gboolean
name_on_forgotten(void *data)
{
	Name *name = data;

	name->invalidator->pending--;
	name->invalidator->done(name->token);
	return G_SOURCE_REMOVE;
}

static void
name_free(void *data)
{
	Name *name = data;

	g_free(name->name);
	g_free(name);
}

/* The thread. */
static void *
invalidator_run(void *data)
{
	Invalidator *invalidator = data;
	Name *name;

	while ((name = g_async_queue_pop(invalidator->queue)) != (void *)invalidator) {
		if (!g_atomic_int_get(&invalidator->stopped))
			fuse_lowlevel_notify_inval_entry(invalidator->session, name->parent,
							 name->name, strlen(name->name));
		g_idle_add_full(G_PRIORITY_DEFAULT, name_on_forgotten, name, name_free);
	}
	return NULL;
}

Invalidator *
invalidator_new(struct fuse_session *session, InvalidateDone done)
{
	Invalidator *invalidator = g_new0(Invalidator, 1);
	sigset_t all, before;

	invalidator->session = session;
	invalidator->done = done;
	invalidator->queue = g_async_queue_new();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	invalidator->thread = g_thread_new("invalidate", invalidator_run, invalidator);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return invalidator;
}

void
invalidator_push(Invalidator *invalidator, guint64 parent, const char *name, void *token)
{
	Name *entry = g_new(Name, 1);

	*entry = (Name){ invalidator, parent, g_strdup(name), token };
	invalidator->pending++;
	g_async_queue_push(invalidator->queue, entry);
}

void
invalidator_stop(Invalidator *invalidator)
{
	g_atomic_int_set(&invalidator->stopped, TRUE);
}

gboolean
invalidator_is_idle(const Invalidator *invalidator)
{
	return invalidator->pending == 0;
}

void
invalidator_free(Invalidator *invalidator)
{
	invalidator_stop(invalidator);
	g_async_queue_push(invalidator->queue, invalidator);
	g_thread_join(invalidator->thread);
	g_async_queue_unref(invalidator->queue);
	g_free(invalidator);
}
