/* A stream: what a command has written so far and is kept, and who reads it.
 *
 * Offsets are absolute from the first byte. Kept bytes stand in a ring that grows with use up to
 * `retain`. A byte may go once at least one reader has been given it and no open reader is below
 * it; with no reader open nothing may go. At `retain` the source is held back (overflow block)
 * or the oldest bytes go and are counted (overflow drop). The ring is filled by read(2) from a
 * descriptor straight into it (stream_attach), or by stream_append(). `log` and `events` are
 * streams too. Reference counted: a run owns its streams, open files keep them. */
#ifndef MITOFS_BROKER_STREAM_H
#define MITOFS_BROKER_STREAM_H

#include "broker/notifier.h"

#include <sys/uio.h>

typedef struct Stream Stream;
typedef struct StreamReader StreamReader;

Stream *stream_new(guint64 retain, gboolean drop);
Stream *stream_ref(Stream *stream);
void stream_unref(Stream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stream, stream_unref)

/* Change `retain` and `overflow` while it runs. */
void stream_set_limits(Stream *stream, guint64 retain, gboolean drop);
/* The whole mount's `retain-total` in bytes: past it each stream over 64 KiB is held as at its
 * own retain. */
void stream_set_total(guint64 bytes);

/* Read @fd (taken, non-blocking) into the stream until its end. A terminal's EIO is its end. */
void stream_attach(Stream *stream, int fd);
/* Close the descriptor: nothing more is read, the stream ends. */
void stream_detach(Stream *stream);
/* Its run was replaced: what still comes is drained, and dropped once no reader is open. */
void stream_orphan(Stream *stream);
/* Add bytes; at a limit, with overflow drop, the oldest go. With block they are kept all the
 * same: the caller gave the credit for them. */
void stream_append(Stream *stream, const void *data, gsize size);
/* The end, once: @error 0 is end of file, else the errno that readers get behind the last byte. */
void stream_end(Stream *stream, int error);
/* Its writer was lost: what still comes from the descriptor is read, and behind it readers get
 * @error. */
void stream_end_behind(Stream *stream, int error);

gboolean stream_ended(const Stream *stream);
guint64 stream_size(const Stream *stream);     /* bytes so far */
guint64 stream_start(const Stream *stream);    /* offset of the oldest byte kept */
guint64 stream_dropped(const Stream *stream);  /* bytes that overflow let go */
gboolean stream_blocked(const Stream *stream); /* the source is held back */
/* Bytes that may still be taken before `retain` holds the source back: what credit may be given
 * for. */
guint64 stream_room(const Stream *stream);
gint64 stream_mtime(
	const Stream *stream); /* microseconds since the epoch of the last byte, or of its start */
/* Told when bytes came, room was made, or it ended. */
Notifier *stream_changed(Stream *stream);
/* Told when a reader has consumed from a stream that no descriptor fills: credit may be given. */
Notifier *stream_drained(Stream *stream);

/* A reader has come to the end of what was read from the descriptor: read what has gathered there.
 * Whether anything came, or the end. Call it from outside of any notification. */
gboolean stream_refresh(Stream *stream);

/* A reader is one open file. It starts at offset 0 and holds its stream (adds a reference). */
gboolean stream_has_readers(const Stream *stream);
StreamReader *stream_reader_new(Stream *stream);
void stream_reader_free(StreamReader *reader);
Stream *stream_reader_stream(StreamReader *reader);

/* What a read(2) of @size bytes at the kernel's @offset gets: the number of bytes, with
 * @iov[0..*ret_count) pointing into the ring (borrowed until the loop is entered again); 0 at
 * the end; -EAGAIN where it has to wait; -ECONNRESET and the like behind the last byte. A read
 * at the offset where the last one ended continues it, any other offset is absolute; below what
 * is kept it begins at the oldest byte. Consumes nothing: call stream_reader_consume() once the
 * reply was accepted. What a read gave is kept until the next one continues it: shells read a
 * block ahead and seek back to the end of the line. */
gssize stream_reader_look(StreamReader *reader, guint64 offset, gsize size, struct iovec iov[2],
			  int *ret_count);
void stream_reader_consume(StreamReader *reader, guint64 offset, gsize size);

#endif
