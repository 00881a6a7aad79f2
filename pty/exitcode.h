/* What a wait status means, in the words and numbers of POSIX shells. */
#ifndef MITOFS_PTY_EXITCODE_H
#define MITOFS_PTY_EXITCODE_H

#include <stdbool.h>

enum exit_why {
	EXIT_WHY_EXIT = 1, /* it exited; the argument is its status */
	EXIT_WHY_SIGNAL,   /* it was killed; the argument is the signal */
};

struct exit_code {
	enum exit_why why;
	int argument;
	bool core;
};

/* Split a status of wait4(2), which must be of an ended process. */
struct exit_code exit_code_from_status(int status);

/* 0-255 as a shell's $?: the status itself, or 128 + signal. */
int exit_code_shell(struct exit_code code);

#endif
