#include "pty/largepipe.h"

#include <fcntl.h>

#define SIZE (256 * 1024)
#define LARGEPIPE_MAX 64

static unsigned count;

bool
largepipe_make(int fd)
{
	if (count == LARGEPIPE_MAX || fcntl(fd, F_SETPIPE_SZ, SIZE) < 0)
		return false;
	count++;
	return true;
}

void
largepipe_forget(bool made)
{
	count -= made;
}
