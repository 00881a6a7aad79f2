/* The files of a context and of its all/, as rows of tables: lookup, readdir, getattr, open, read,
 * write and poll all read them. */
#ifndef MITOFS_FS_FILES_H
#define MITOFS_FS_FILES_H

#include "broker/broker.h"
#include "broker/command.h"

#include <sys/types.h>
#include <sys/uio.h>

typedef struct FileRow FileRow;
typedef struct OpenFile OpenFile;
typedef struct Reply Reply;

enum {
	/* A fresh nodeid at each LOOKUP (see node.h). */
	FILE_FRESH = 1 << 0,
	/* No position in the kernel (FOPEN_STREAM) when open for writing: each has its own cursor.
	 * Else a read and a write of one O_RDWR description would wait for each other. */
	FILE_CURSOR = 1 << 1,
	/* Grows; not to be read through the page cache. */
	FILE_STREAM = 1 << 2,
	/* A read at its end is at the end for now, where other streams wait. */
	FILE_ENDS = 1 << 3,
	/* Another file, with another inode, for each run whose output stands in it. */
	FILE_OF_RUN = 1 << 4,
};

/* A row. What is NULL does not happen to the file. Handlers get open files that the row's own
 * `open` made; they return 0 or -errno unless said otherwise. */
struct FileRow {
	const char *name;
	mode_t mode; /* type and permissions */
	guint flags; /* FILE_* */

	/* What a directory always holds: rows, up to one without a name. */
	const FileRow *files;

	/* The whole text, rendered at LOOKUP. */
	void (*text)(Context *context, GString *out);
	/* st_size and st_mtime (microseconds) of a file without a text; NULL: 0, and the time of
	 * the context. */
	guint64 (*size)(Context *context);
	gint64 (*mtime)(Context *context);

	int (*open)(OpenFile *file);
	void (*release)(OpenFile *file);
	/* Open with O_TRUNC after `open`, or truncate(2) to 0, then with @file NULL if no open file
	 * was named. */
	int (*truncate)(Context *context, OpenFile *file);

	/* What a read of @size bytes at @offset gets, as stream_reader_look(): bytes, 0 at the end,
	 * -EAGAIN where it has to wait for `changed`, or -errno. Nothing is consumed before
	 * `consume`. */
	gssize (*look)(OpenFile *file, guint64 offset, gsize size, struct iovec iov[2],
		       int *ret_count);
	void (*consume)(OpenFile *file, guint64 offset, gsize size);
	/* A read or a poll has come: fetch what `look` does not know of yet. Whether there was
	 * anything. */
	gboolean (*refresh)(OpenFile *file);
	/* One write(2). @reply is taken; @bytes are borrowed for the call. */
	void (*write)(OpenFile *file, Reply *reply, const char *bytes, gsize size,
		      gboolean nonblock);
	/* Whether a write would not wait; NULL: never does. */
	gboolean (*writable)(OpenFile *file);
	/* Who carries out the commands and signals that are written to it. */
	Command *(*submit)(Context *context, GStrv words, gboolean async, CommandDone done,
			   void *data, GError **error);
	Command *(*signal)(Context *context, const char *text, CommandDone done, void *data,
			   GError **error);
	/* Told when `look` or `writable` may answer differently; NULL (the function or its result):
	 * never. */
	Notifier *(*changed)(OpenFile *file);
};

/* The row of the directory of a context itself. */
extern const FileRow files_context_row;
/* The row of children/. */
const FileRow *files_children(void);

/* The row of @name in @directory, or NULL. */
const FileRow *files_find(const FileRow *directory, const char *name);
/* Its row at @index from 0, NULL behind the last. */
const FileRow *files_row(const FileRow *directory, guint index);
/* Which of the files that stand under the name of @row one after the other it is now. */
guint64 files_version(const Context *context, const FileRow *row);
/* The same for all nodes of one file, and for no other file of the mount. */
ino_t files_inode(const Context *context, const FileRow *row);

#endif
