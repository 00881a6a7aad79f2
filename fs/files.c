/* The tables of files. A new file is one row here and the handlers of its noun.
 *
 * children/ and all/ are rows too, the only directories; what all/ holds is a table of its own. */
#include "fs/files.h"

#include "fs/allinput.h"
#include "fs/alloutput.h"
#include "fs/allwait.h"
#include "fs/ctlfile.h"
#include "fs/errorfile.h"
#include "fs/signalfile.h"
#include "fs/stdinfile.h"
#include "fs/streamfile.h"
#include "fs/textfile.h"
#include "fs/waitfile.h"

#include "broker/fanout.h"

#include <string.h>
#include <sys/stat.h>

/* clang-format off */
/* The virtual context of all direct children. Its ctl and signal read as nothing. */
static const FileRow all_rows[] = {
	{ .name = "ctl", .mode = S_IFREG | 0600, .flags = FILE_FRESH | FILE_CURSOR,
	  .text = textfile_nothing, .open = ctlfile_open, .release = ctlfile_release,
	  .look = textfile_look, .write = ctlfile_write, .submit = fanout_submit },
	{ .name = "stdin", .mode = S_IFREG | 0200, .flags = FILE_FRESH | FILE_CURSOR,
	  .open = allinput_open, .release = allinput_release, .truncate = allinput_truncate,
	  .write = allinput_write, .writable = allinput_writable, .changed = allinput_changed },
	{ .name = "stdout", .mode = S_IFREG | 0400, .flags = FILE_STREAM,
	  .size = allstdout_size, .open = allstdout_open, .release = alloutput_release,
	  .look = alloutput_look, .changed = alloutput_changed },
	{ .name = "stderr", .mode = S_IFREG | 0400, .flags = FILE_STREAM,
	  .size = allstderr_size, .open = allstderr_open, .release = alloutput_release,
	  .look = alloutput_look, .changed = alloutput_changed },
	{ .name = "signal", .mode = S_IFREG | 0600, .flags = FILE_FRESH | FILE_CURSOR,
	  .text = textfile_nothing, .look = textfile_look, .write = signalfile_write,
	  .signal = fanout_signal },
	{ .name = "status", .mode = S_IFREG | 0400, .flags = FILE_FRESH,
	  .text = context_all_status_text, .look = textfile_look },
	{ .name = "wait", .mode = S_IFREG | 0400, .flags = FILE_STREAM,
	  .size = allwait_size, .open = allwait_open, .release = allwait_release,
	  .look = allwait_look, .changed = allwait_changed },
	{ 0 },
};

static const FileRow rows[] = {
	{ .name = "ctl", .mode = S_IFREG | 0600, .flags = FILE_FRESH | FILE_CURSOR,
	  .text = context_ctl_text, .open = ctlfile_open, .release = ctlfile_release,
	  .look = textfile_look, .write = ctlfile_write, .submit = command_submit },
	{ .name = "stdin", .mode = S_IFREG | 0200, .flags = FILE_FRESH | FILE_CURSOR,
	  .open = stdinfile_open, .release = stdinfile_release, .truncate = stdinfile_truncate,
	  .write = stdinfile_write, .writable = stdinfile_writable, .changed = stdinfile_changed },
	{ .name = "stdout", .mode = S_IFREG | 0400, .flags = FILE_STREAM | FILE_OF_RUN,
	  .size = stdout_size, .mtime = stdout_mtime, .open = stdout_open,
	  .release = streamfile_release, .look = streamfile_look, .refresh = streamfile_refresh,
	  .consume = streamfile_consume, .changed = streamfile_changed },
	{ .name = "stderr", .mode = S_IFREG | 0400, .flags = FILE_STREAM | FILE_OF_RUN,
	  .size = stderr_size, .mtime = stderr_mtime, .open = stderr_open,
	  .release = streamfile_release, .look = streamfile_look, .refresh = streamfile_refresh,
	  .consume = streamfile_consume, .changed = streamfile_changed },
	{ .name = "signal", .mode = S_IFREG | 0600, .flags = FILE_FRESH | FILE_CURSOR,
	  .text = context_signal_text, .look = textfile_look, .write = signalfile_write,
	  .signal = command_signal },
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
	{ .name = "all", .mode = S_IFDIR | 0700, .files = all_rows },
	{ 0 },
};
/* clang-format on */

const FileRow files_context_row = { .name = ".", .mode = S_IFDIR | 0700, .files = rows };

/* Low bits of an inode number that tell the files of one context apart. */
#define INODE_BITS 5
/* And the high ones, that tell those which follow each other under one name. */
#define VERSION_SHIFT 40
G_STATIC_ASSERT(G_N_ELEMENTS(rows) + G_N_ELEMENTS(all_rows) + 1 < 1 << INODE_BITS);

const FileRow *
files_find(const FileRow *directory, const char *name)
{
	for (const FileRow *row = directory->files; row != NULL && row->name != NULL; row++) {
		if (strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

const FileRow *
files_row(const FileRow *directory, guint index)
{
	const FileRow *row = directory->files;

	while (row != NULL && row->name != NULL && index > 0) {
		row++;
		index--;
	}
	return row != NULL && row->name != NULL ? row : NULL;
}

const FileRow *
files_children(void)
{
	return files_find(&files_context_row, "children");
}

/* What tells @row from the others of its context: 1 the context, then its rows, then all/'s. */
static guint
row_number(const FileRow *row)
{
	if (row == &files_context_row)
		return 1;
	if (row >= all_rows && row < all_rows + G_N_ELEMENTS(all_rows))
		return (guint)(row - all_rows) + 2 + G_N_ELEMENTS(rows);
	return (guint)(row - rows) + 2;
}

guint64
files_version(const Context *context, const FileRow *row)
{
	return row->flags & FILE_OF_RUN ? context_output_number(context) : 0;
}

ino_t
files_inode(const Context *context, const FileRow *row)
{
	guint64 number = context_serial(context) << INODE_BITS | row_number(row);
	guint64 version = files_version(context, row);

	/* Of the first run as of any other file: small numbers are good for old programs. */
	return version > 1 ? number | (version - 1) << VERSION_SHIFT : number;
}
