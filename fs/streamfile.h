/* stdout, stderr, log, events and prompt: files that grow, each open file with a reader of its own. */
#ifndef MITOFS_FS_STREAMFILE_H
#define MITOFS_FS_STREAMFILE_H

#include "fs/files.h"

/* Bytes so far; 1 while it is empty and may grow, since tools believe that a file of size 0 has no
 * more; 0 before any run. */
guint64 stdout_size(Context *context);
guint64 stderr_size(Context *context);
guint64 log_size(Context *context);
guint64 events_size(Context *context);
gint64 stdout_mtime(Context *context);
gint64 stderr_mtime(Context *context);
gint64 log_mtime(Context *context);

/* The same of what @file reads, which may be the output of an earlier run. */
guint64 streamfile_size(OpenFile *file);
gint64 streamfile_mtime(OpenFile *file);

int stdout_open(OpenFile *file);
int stderr_open(OpenFile *file);
int log_open(OpenFile *file);
int events_open(OpenFile *file);
void streamfile_release(OpenFile *file);
void events_release(OpenFile *file);
int prompt_open(OpenFile *file);
void prompt_release(OpenFile *file);
void prompt_write(OpenFile *file, Reply *reply, const char *bytes, gsize size, gboolean nonblock);

gssize streamfile_look(OpenFile *file, guint64 offset, gsize size, struct iovec iov[2],
		       int *ret_count);
gboolean streamfile_refresh(OpenFile *file);
void streamfile_consume(OpenFile *file, guint64 offset, gsize size);
Notifier *streamfile_changed(OpenFile *file);

#endif
