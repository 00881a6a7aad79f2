/* What the all/ of a context stands for: its direct children, or the contexts that its setting `members` names. */
#ifndef MITOFS_BROKER_MEMBERS_H
#define MITOFS_BROKER_MEMBERS_H

#include "broker/broker.h"

typedef struct Member Member;

struct Member {
	Context *context; /* owned */
	char *path;	  /* owned; raw, as it was named, or NULL for a child */
};

/* Those that there are now, in their order. Of Member *; freed with the array. */
GPtrArray *members_of(Context *context);

/* Raw: the name of a child, whatever it is by now; of another context its path without the first slash. */
const char *member_name(const Member *member);
/* The same as one word: escaped, a blank too. */
void member_text(const Member *member, GString *out);

#endif
