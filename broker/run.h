/* A run: one execution of one command in a context. */
#ifndef MITOFS_BROKER_RUN_H
#define MITOFS_BROKER_RUN_H

#include "broker/input.h"
#include "broker/stream.h"

typedef struct Run Run;

Run *run_ref(Run *run);
void run_unref(Run *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_unref)

guint32 run_number(const Run *run);
/* It is over: it exited, failed to start, or was lost. Its streams may still grow. */
gboolean run_ended(const Run *run);
/* Told when it ends. */
Notifier *run_changed(Run *run);
/* The line of `wait`, "0 exit 0 run=1 ...\n". Only once it has ended. */
void run_wait_text(const Run *run, GString *out);

#endif
