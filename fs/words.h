/* The grammar of ctl: bytes, in pieces of any size, into commands of words.
 *
 * Words are quoted as in a POSIX shell: '...', "...", backslash, and $'...' with the escapes that
 * `printf %q` uses. Nothing is expanded. `#` at the start of a word begins a comment;
 * backslash-newline is removed; a newline ends the command unless it is quoted. Behind `sh ` (or
 * `async sh `) the rest of the line is one word as it stands. */
#ifndef MITOFS_FS_WORDS_H
#define MITOFS_FS_WORDS_H

#include <glib.h>

/* Bytes of a command, without its newline. */
#define WORDS_COMMAND_MAX (128 * 1024)

typedef struct Scanner Scanner;

typedef enum {
	SCAN_MORE,    /* all bytes are used, and the command has not ended */
	SCAN_COMMAND, /* a command ended */
	SCAN_FAILED,  /* a command cannot be: it is skipped to its newline, in later pieces too */
} ScanResult;

Scanner *scanner_new(void);
void scanner_free(Scanner *scanner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scanner, scanner_free)

/* Go on with @bytes up to the end of one command; @ret_used is how many of them belong to it. For
 * SCAN_COMMAND @ret_words are its words, none for an empty line, a comment, or the rest of a
 * command that failed in an earlier piece. For SCAN_FAILED @error is set, once for each command:
 * EINVAL (a NUL byte, a carriage return before the newline), E2BIG. */
ScanResult scanner_feed(Scanner *scanner, const char *bytes, gsize size, gsize *ret_used,
			GStrv *ret_words, GError **error);
/* Forget the command that has begun. */
void scanner_reset(Scanner *scanner);
/* Whether a command has begun that is more than blanks and comment. */
gboolean scanner_pending(const Scanner *scanner);
/* The input ends where a newline would be: the last command's words, or NULL if a quote is open or
 * there are none. */
GStrv scanner_finish(Scanner *scanner);

#endif
