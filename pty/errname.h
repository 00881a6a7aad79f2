/* Errors by name: numbers differ between systems, so they travel as "ENOENT" and the like. */
#ifndef MITOFS_PTY_ERRNAME_H
#define MITOFS_PTY_ERRNAME_H

/* The name of @number ("ENOENT"), or "EIO" for one that has none here. Never NULL, static. */
const char *errno_name(int number);

/* The local number of @name, or EIO where this system has no such error. */
int errno_number(const char *name);

/* Stands in a sentence for the words of its error ("No such file or directory"): whoever takes the
 * sentence to a person puts them in, so that an agent needs none of them. */
#define ERRNO_WORDS "\001"

#endif
