/* An open ctl: its unfinished tail, and the write that is being carried out.
 *
 * The commands of a write run in order until one fails. If some had succeeded, the write is short,
 * and a program that means to write everything comes again with the rest: the failed command is
 * kept with its errno, which answers that next write instead of running it twice.
 *
 * A write waits for one command at a time. The kernel sends no second write of the same file
 * meanwhile, since a write holds the inode, and no RELEASE. */
#include "fs/ctlfile.h"

#include "fs/commandwait.h"
#include "fs/openfile.h"
#include "fs/words.h"

#include "broker/error.h"

#include <errno.h>
#include <string.h>

/* A command without its newline runs at RELEASE only if it came in one write shorter than this: a
 * longer one may have been cut by the program that wrote it. */
#define LAST_WRITE_MAX 4096

typedef struct CtlFile CtlFile;
struct CtlFile {
	Scanner *scanner;
	guint writes;
	gsize bytes;	/* that all writes brought */
	gsize tail;	/* that the scanner holds of an unfinished command */
	GBytes *failed; /* the command that failed behind others of its write, or NULL */
	int failed_code;
};

/* One write(2) on its way through its commands. */
typedef struct CtlWrite CtlWrite;
struct CtlWrite {
	OpenFile *file;
	CtlFile *ctl;
	const char *bytes; /* borrowed from the request, or @copy */
	char *copy;
	gsize size;
	gsize at;   /* what the scanner has seen */
	gsize done; /* through the last command that succeeded */
	gboolean nonblock;
};

int
ctlfile_open(OpenFile *file)
{
	CtlFile *ctl = g_new0(CtlFile, 1);

	ctl->scanner = scanner_new();
	file->state = ctl;
	return 0;
}

/* Answer the write, which has come to its end. */
static void
ctl_write_finish(CtlWrite *write, Reply *reply, int code)
{
	CtlFile *ctl = write->ctl;

	if (code != 0 && write->done == 0) {
		reply_error(reply, code);
	} else {
		if (code != 0) {
			ctl->failed =
				g_bytes_new(write->bytes + write->done, write->at - write->done);
			ctl->failed_code = code;
		}
		reply_written(reply, write->done);
	}
	g_free(write->copy);
	g_free(write);
}

static void ctl_write_on_done(int code, gboolean cancelled, Reply *reply, void *data);

/* Carry out @words (taken). FALSE if the outcome takes time: then @write and @reply are taken. */
static gboolean
ctl_write_submit(CtlWrite *write, Reply *reply, GStrv words, int *ret_code)
{
	g_autoptr(GError) error = NULL;
	CommandWait *wait = command_wait_new(ctl_write_on_done, write);
	Command *command = write->file->row->submit(write->file->context, words, write->nonblock,
						    command_wait_on_done, wait, &error);

	if (command == NULL) {
		command_wait_free(wait);
		*ret_code = command_error_code(error);
		return TRUE;
	}
	if (write->copy == NULL)
		write->bytes = write->copy = g_memdup2(write->bytes, write->size);
	command_wait_park(wait, write->file->mount->parking, reply, command);
	return FALSE;
}

/* Scan for the next command; its words, or NULL with @ret_code set for nothing more or a bad
 * one. */
static GStrv
ctl_write_scan(CtlWrite *write, int *ret_code)
{
	g_autoptr(GError) error = NULL;
	GStrv words = NULL;
	gsize used;
	ScanResult result = scanner_feed(write->ctl->scanner, write->bytes + write->at,
					 write->size - write->at, &used, &words, &error);

	write->at += used;
	write->ctl->tail = result == SCAN_MORE ? write->ctl->tail + used : 0;
	*ret_code = command_error_code(error);
	if (result == SCAN_FAILED)
		context_fail(write->file->context, "ctl", error);
	else if (result == SCAN_MORE)
		write->done = write->at;
	return words;
}

/* Go on with the commands until one takes time or fails, or the write is through. Takes both. */
static void
ctl_write_run(CtlWrite *write, Reply *reply)
{
	int code = 0;

	while (code == 0 && write->at < write->size) {
		GStrv words = ctl_write_scan(write, &code);

		if (words == NULL)
			continue;
		if (words[0] == NULL)
			g_strfreev(words);
		else if (!ctl_write_submit(write, reply, words, &code))
			return;
		if (code == 0)
			write->done = write->at;
	}
	ctl_write_finish(write, reply, code);
}

/* The command that the write waited for has an outcome. */
static void
ctl_write_on_done(int code, gboolean cancelled, Reply *reply, void *data)
{
	CtlWrite *write = data;

	if (code == 0)
		write->done = write->at;
	if (code == 0 && !cancelled)
		ctl_write_run(write, reply);
	else
		ctl_write_finish(write, reply, code);
}

/* Whether @bytes begin with the command that has failed already: the rest of a short write. Forgets
 * it. */
static gboolean
ctl_repeats_failure(CtlFile *ctl, const char *bytes, gsize size)
{
	g_autoptr(GBytes) failed = g_steal_pointer(&ctl->failed);
	gsize length;
	const char *start;

	if (failed == NULL)
		return FALSE;
	start = g_bytes_get_data(failed, &length);
	if (length <= size && memcmp(bytes, start, length) == 0)
		return TRUE;
	scanner_reset(ctl->scanner);
	return FALSE;
}

void
ctlfile_write(OpenFile *file, Reply *reply, const char *bytes, gsize size, gboolean nonblock)
{
	CtlFile *ctl = file->state;
	CtlWrite *write;

	ctl->writes++;
	ctl->bytes += size;
	if (ctl_repeats_failure(ctl, bytes, size)) {
		reply_error(reply, ctl->failed_code);
		return;
	}
	write = g_new0(CtlWrite, 1);
	*write = (CtlWrite){
		.file = file, .ctl = ctl, .bytes = bytes, .size = size, .nonblock = nonblock
	};
	ctl_write_run(write, reply);
}

/* Run what is left without a newline, if it is surely the whole of what was meant; a writer that
 * was killed is released too. Nobody waits for it: its outcome is in the context's `error`. */
static void
ctl_run_tail(OpenFile *file, CtlFile *ctl)
{
	gboolean is_whole =
		ctl->writes == 1 && ctl->bytes < LAST_WRITE_MAX && ctl->tail == ctl->bytes;
	gboolean is_pending = scanner_pending(ctl->scanner);
	GStrv words = is_whole ? scanner_finish(ctl->scanner) : NULL;
	g_autoptr(GError) error = NULL;

	if (words != NULL) {
		CommandWait *wait = command_wait_new(NULL, NULL);

		if (file->row->submit(file->context, words, TRUE, command_wait_on_done, wait,
				      &error) == NULL)
			command_wait_free(wait);
	} else if (is_pending) {
		fail(&error, EINVAL, "unfinished command dropped");
		context_fail(file->context, "ctl", error);
	}
}

void
ctlfile_release(OpenFile *file)
{
	CtlFile *ctl = file->state;

	if (!parking_stopping(file->mount->parking))
		ctl_run_tail(file, ctl);
	scanner_free(ctl->scanner);
	g_clear_pointer(&ctl->failed, g_bytes_unref);
	g_free(ctl);
}
