/* The other end of a real agent's link: what a broker would say, frame by frame, for tests. */
#ifndef MITOFS_TESTS_AGENT_PEER_H
#define MITOFS_TESTS_AGENT_PEER_H

#include "broker/wire.h"

#include <glib.h>

#define PEER_DEADLINE_MS 20000 /* an event that does not come in this time fails the test */

typedef struct AgentPeer AgentPeer;

/* A frame that came: the payload is a copy, the descriptors are the frame's until they are
 * stolen (-1). */
typedef struct PeerFrame {
	guint32 channel;
	guint8 type;
	guint8 *payload;
	gsize length;
	int fds[3];
	guint fd_count;
} PeerFrame;
void peer_frame_free(PeerFrame *frame);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PeerFrame, peer_frame_free)

/* Run @program, by the qemu @runner or directly if that is NULL, and take its HELLO; over a
 * socketpair, or over two pipes. */
AgentPeer *peer_new(const char *program, const char *runner, gboolean socket);
/* Close the link if it is open, reap the agent, and check that it exited with @status. */
void peer_free(AgentPeer *peer, int status);
/* End the agent's input, and with it the link. */
void peer_hang_up(AgentPeer *peer);
/* Wait for the agent's exit; its status of waitpid(2). */
int peer_wait(AgentPeer *peer);

pid_t peer_watcher(AgentPeer *peer);
pid_t peer_worker(AgentPeer *peer); /* as HELLO told */

/* What the next frame is written into: wire_begin(), put, wire_end(), then peer_send(). */
struct wire_out *peer_out(AgentPeer *peer);
void peer_send(AgentPeer *peer);
/* Any bytes. */
void peer_send_raw(AgentPeer *peer, const void *data, gsize size);

/* The next frame of @type on @channel; others before it are kept for later calls. NULL when the
 * link ends first. */
PeerFrame *peer_get(AgentPeer *peer, guint32 channel, guint8 type);
/* The same for one that must come. */
PeerFrame *peer_expect(AgentPeer *peer, guint32 channel, guint8 type);
/* Whether one is there already, without waiting for more than an answered PING. */
gboolean peer_has(AgentPeer *peer, guint32 channel, guint8 type);

/* Take an errno out of a frame; its name, or "". */
const char *peer_errno(struct wire_in *in);

/* SPAWN with defaults; change the spec before peer_spawn(). */
void peer_spawn_init(struct wire_spawn *spawn, char **argv);
void peer_spawn(AgentPeer *peer, guint32 channel, const struct wire_spawn *spawn);
/* SPAWN sh -c @script as run 1 of group @channel, and wait for STARTED; the leader's pid. */
pid_t peer_sh(AgentPeer *peer, guint32 channel, const char *script);

void peer_data(AgentPeer *peer, guint32 channel, const void *data, gsize size);
void peer_end(AgentPeer *peer, guint32 channel);
void peer_credit(AgentPeer *peer, guint32 channel, guint8 stream, guint32 bytes);
void peer_close(AgentPeer *peer, guint32 channel, guint8 stream);
/* Send and wait for DONE; the errno name, "" for success. */
const char *peer_signal(AgentPeer *peer, guint32 channel, enum wire_target target,
			const char *name);
const char *peer_stop(AgentPeer *peer, guint32 channel, guint32 grace_ms);
const char *peer_set(AgentPeer *peer, guint32 channel, const char *name, const char *value);
const char *peer_winsize(AgentPeer *peer, guint32 channel, guint16 columns, guint16 rows);
const char *peer_sweep(AgentPeer *peer, guint32 group);
void peer_ping(AgentPeer *peer);

/* All DATA of @stream up to its END, giving credit as it comes. */
char *peer_read_all(AgentPeer *peer, guint32 channel, guint8 stream, gsize *ret_size);
/* DATA of stdout until @count lines are there; the text so far. */
char *peer_read_lines(AgentPeer *peer, guint32 channel, guint count);
/* Wait for EXIT, and compare: why, and the status or the signal's name. */
void peer_expect_exit(AgentPeer *peer, guint32 channel, int status);
void peer_expect_signalled(AgentPeer *peer, guint32 channel, const char *name);

/* Wait until @pid is gone (or a zombie of somebody else). */
void peer_wait_gone(pid_t pid);

#endif
