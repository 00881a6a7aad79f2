/* How an agent gets to a place that has nothing but /bin/sh.
 *
 * The first stage is a small script that the client program leads to a shell. It says a marker
 * that nobody else knows, takes the agent's image as so many bytes, puts it where it can be
 * executed, and executes it. This is the other side of that talk: bytes in, bytes out, no
 * descriptors. Whatever comes before the marker is noise, and nothing that comes is trusted. */
#ifndef MITOFS_BROKER_BOOTSTRAP_H
#define MITOFS_BROKER_BOOTSTRAP_H

#include "broker/failure.h"

#include <glib.h>

typedef struct Bootstrap Bootstrap;
typedef struct BootstrapOps BootstrapOps;

/* None of them from inside bootstrap_new(); `ready` and `failed` once, as the last. */
struct BootstrapOps {
	/* To the client's stdin. */
	void (*send)(const void *bytes, gsize size, void *data);
	/* A line that came before the marker. */
	void (*noise)(const char *line, void *data);
	/* The first stage has spoken. */
	void (*marker)(void *data);
	/* The agent has been executed: what follows is its frames. */
	void (*ready)(void *data);
	void (*failed)(FailureKind kind, const char *detail, void *data);
};

Bootstrap *bootstrap_new(const BootstrapOps *ops, void *data);
void bootstrap_free(Bootstrap *bootstrap);

/* The script, as the argument of `sh -c`; it has no single quote, backslash, ! or
 * newline in it. */
const char *bootstrap_script(const Bootstrap *bootstrap);
/* The same as a command for any login shell. Caller frees. */
char *bootstrap_line(const Bootstrap *bootstrap);
/* The size of that line in bytes. */
gsize bootstrap_line_size(void);

/* The client has started. With @line it leads to a shell that reads its stdin: the line is sent
 * there. With @guess, which is what `uname -m` may say there, the image goes right behind. */
void bootstrap_begin(Bootstrap *bootstrap, gboolean line, const char *guess);
/* Some bytes that came; how many were used: all, until `ready` has been called. Those left then are
 * frames. */
gsize bootstrap_feed(Bootstrap *bootstrap, const guint8 *bytes, gsize size);

/* What `uname -m` said, or NULL. */
const char *bootstrap_machine(const Bootstrap *bootstrap);
/* "marker", "image" or "hello": what it waits for. */
const char *bootstrap_phase(const Bootstrap *bootstrap);

#endif
