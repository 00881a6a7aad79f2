/* The table of files. A new file is one row here and the handlers of its noun.
 *
 * children/ is a row too: the only directory among them. */
#include "fs/files.h"

#include "fs/ctlfile.h"
#include "fs/errorfile.h"
#include "fs/signalfile.h"
#include "fs/stdinfile.h"
#include "fs/streamfile.h"
#include "fs/textfile.h"
#include "fs/waitfile.h"

#include <string.h>
#include <sys/stat.h>

/* clang-format off */
static const FileRow rows[] = {
	{ .name = "ctl", .mode = S_IFREG | 0600, .flags = FILE_FRESH | FILE_CURSOR,
	  .text = context_ctl_text, .open = ctlfile_open, .release = ctlfile_release,
	  .look = textfile_look, .write = ctlfile_write },
	{ .name = "stdin", .mode = S_IFREG | 0200, .flags = FILE_FRESH | FILE_CURSOR,
	  .open = stdinfile_open, .release = stdinfile_release, .truncate = stdinfile_truncate,
	  .write = stdinfile_write, .writable = stdinfile_writable, .changed = stdinfile_changed },
	{ .name = "stdout", .mode = S_IFREG | 0400, .flags = FILE_STREAM,
	  .size = stdout_size, .mtime = stdout_mtime, .open = stdout_open,
	  .release = streamfile_release, .look = streamfile_look, .refresh = streamfile_refresh,
	  .consume = streamfile_consume, .changed = streamfile_changed },
	{ .name = "stderr", .mode = S_IFREG | 0400, .flags = FILE_STREAM,
	  .size = stderr_size, .mtime = stderr_mtime, .open = stderr_open,
	  .release = streamfile_release, .look = streamfile_look, .refresh = streamfile_refresh,
	  .consume = streamfile_consume, .changed = streamfile_changed },
	{ .name = "signal", .mode = S_IFREG | 0600, .flags = FILE_FRESH | FILE_CURSOR,
	  .text = context_signal_text, .look = textfile_look, .write = signalfile_write },
	{ .name = "status", .mode = S_IFREG | 0400, .flags = FILE_FRESH,
	  .text = context_status_text, .look = textfile_look },
	{ .name = "wait", .mode = S_IFREG | 0400, .flags = FILE_STREAM,
	  .size = waitfile_size, .open = waitfile_open, .release = waitfile_release,
	  .look = waitfile_look, .changed = waitfile_changed },
	{ .name = "error", .mode = S_IFREG | 0600, .flags = FILE_FRESH | FILE_CURSOR,
	  .text = context_error_text, .truncate = errorfile_truncate, .look = textfile_look,
	  .write = errorfile_write },
	{ .name = "log", .mode = S_IFREG | 0400, .flags = FILE_STREAM | FILE_ENDS,
	  .size = log_size, .mtime = log_mtime, .open = log_open,
	  .release = streamfile_release, .look = streamfile_look,
	  .consume = streamfile_consume, .changed = streamfile_changed },
	{ .name = "events", .mode = S_IFREG | 0400, .flags = FILE_STREAM,
	  .size = events_size, .open = events_open, .release = events_release,
	  .look = streamfile_look, .consume = streamfile_consume, .changed = streamfile_changed },
	{ .name = "prompt", .mode = S_IFREG | 0600, .flags = FILE_FRESH | FILE_CURSOR | FILE_STREAM | FILE_ENDS,
	  .size = events_size, .open = prompt_open, .release = prompt_release,
	  .look = streamfile_look, .consume = streamfile_consume, .write = prompt_write,
	  .changed = streamfile_changed },
	{ .name = "children", .mode = S_IFDIR | 0700 },
};
/* clang-format on */

const FileRow files_context_row = { .name = ".", .mode = S_IFDIR | 0700 };

/* Low bits of an inode number that tell the files of one context apart. */
#define INODE_BITS 5
G_STATIC_ASSERT(G_N_ELEMENTS(rows) + 1 < 1 << INODE_BITS);

const FileRow *
files_find(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

const FileRow *
files_row(guint index)
{
	return index < G_N_ELEMENTS(rows) ? &rows[index] : NULL;
}

const FileRow *
files_children(void)
{
	return files_find("children");
}

ino_t
files_inode(const Context *context, const FileRow *row)
{
	guint number = row == &files_context_row ? 1 : (guint)(row - rows) + 2;

	return context_serial(context) << INODE_BITS | number;
}
