/* The user's entry in /etc/passwd. */
#ifndef MITOFS_BROKER_AGENT_ACCOUNT_H
#define MITOFS_BROKER_AGENT_ACCOUNT_H

#include <stdbool.h>

struct account {
	char *text;	   /* owned: what the others may point into */
	const char *user;  /* else $USER, else the uid in digits */
	const char *home;  /* a directory: passwd's, else $HOME, else "/" */
	const char *shell; /* executable: passwd's, else $SHELL, else "/bin/sh" */
	bool shell_found;  /* it is not the default */
	bool home_found;
};

void account_read(struct account *ret);

#endif
