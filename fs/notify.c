/* One datagram for each state, to a socket whose name is a path, or "@" and an abstract name. A
 * manager that does not listen is none: a mount without one is as good. */
#include "fs/notify.h"

#include "pty/autofd.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static char *socket_name; /* NULL: there is no manager */

void
notify_prepare(gboolean foreground)
{
	if (foreground)
		socket_name = g_strdup(g_getenv("NOTIFY_SOCKET"));
	g_unsetenv("NOTIFY_SOCKET");
}

/* The address of socket_name; its length, or 0 if it is none. */
static socklen_t
socket_address(struct sockaddr_un *ret_address)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	gsize length = strlen(socket_name);

	if ((*socket_name != '/' && *socket_name != '@') || length >= sizeof(address.sun_path))
		return 0;
	memcpy(address.sun_path, socket_name, length);
	if (*socket_name == '@')
		address.sun_path[0] = '\0';
	*ret_address = address;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

void
notify_send(const char *state)
{
	struct sockaddr_un address;
	autofd fd = -1;

	if (socket_name == NULL)
		return;
	socklen_t length = socket_address(&address);
	if (length == 0) {
		g_warning("NOTIFY_SOCKET=%s: not a socket's name", socket_name);
		return;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL,
			     (const struct sockaddr *)&address, length) < 0)
		g_warning("NOTIFY_SOCKET=%s: %s", socket_name, g_strerror(errno));
}
