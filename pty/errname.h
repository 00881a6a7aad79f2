/* Errors by name: numbers differ between systems, so they travel as "ENOENT" and the like. Most
 * Linux systems number them alike, though: their agents are spared the names, and send digits. */
#ifndef MITOFS_PTY_ERRNAME_H
#define MITOFS_PTY_ERRNAME_H

#include <errno.h>

/* The numbers here are those of Linux's asm-generic/errno.h, which mips, sparc, parisc and alpha
 * do not have. */
#if defined(__linux__) && EDEADLK == 35 && EUSERS == 87 && EDQUOT == 122
#define ERRNO_USUAL
#endif

/* The name of @number ("ENOENT"), or "EIO" for one that has none here. Never NULL, static. */
const char *errno_name(int number);

/* The local number of @name, or of the usual number that it has in digits; EIO where this system has no
 * such error. */
int errno_number(const char *name);

/* Stands in a sentence for the words of its error ("No such file or directory"): whoever takes the
 * sentence to a person puts them in, so that an agent needs none of them. */
#define ERRNO_WORDS "\001"

#endif
