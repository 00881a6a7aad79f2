/* The wire: what the broker and an agent say to each other over one byte stream.
 *
 * A frame is a header of 12 bytes and a payload of at most WIRE_PAYLOAD_MAX:
 *
 * 	u32 channel   0: the link itself; else one run, numbered by the broker, never used again
 * 	u32 length    bytes of payload
 * 	u8  type      enum wire_type
 * 	u8  zero[3]
 *
 * Numbers are little endian. A string is u32 length, the bytes, and a NUL that the length does
 * not count, so that a decoder may point into the frame. An errno is a string (pty/errname.h). A
 * list is u32 count, then its strings. Anything malformed ends the link, never the reader of it.
 *
 * Who says what, when. (b: broker to agent, a: agent to broker.)
 *
 *   a HELLO     the agent's first frame, channel 0: struct wire_hello. The broker sends nothing before.
 *   b SPAWN     opens a channel: struct wire_spawn. Answered on that channel by STARTED or FAILED.
 *   a STARTED   u32 pid, u32 mask: execve succeeded. Bit n of mask: stream n was handed over as a
 *               descriptor (SCM_RIGHTS, attached to this frame's first byte, in stream order; with a
 *               pty one master for both, mask 3). Only where SPAWN asked for it. A handed-over stream
 *               has no DATA, END, CREDIT or CLOSE any more.
 *   a FAILED    u8 stage, str errno, u8 child, u32 index, str text: the channel is gone. (CANCEL makes
 *               it ECANCELED.) With child 1 index and text are the struct spawn_failure's, of which the
 *               broker, who knows what it asked for, makes a sentence; else text is the sentence, in
 *               which ERRNO_WORDS stands for the words of the errno.
 *   ab DATA     u8 stream (0 stdin, 1 stdout, 2 stderr), bytes: at most what the receiver gave credit for.
 *   ab END      u8 stream: end of that stream; stdin's from the broker, the others' from the agent, also
 *               after CLOSE. On a pty stdin's END writes the VEOF character and ends nothing.
 *   ab CREDIT   u8 stream, u32 bytes: the receiver takes that many more. Each stream starts with
 *               WIRE_CREDIT_START; more than WIRE_CREDIT_MAX outstanding is malformed.
 *   b CLOSE     u8 stream: the broker reads no more of stdout or stderr; the agent closes its end and
 *               drops what it has (the writer gets SIGPIPE). Answered by END.
 *   a CLOSE     u8 0: stdin's reader is gone; what the broker still sends is dropped, credit is returned.
 *   a EXIT      u8 why (enum exit_why), u32 status or 0, str signal name or "", u8 core, u64 real,
 *               user, system microseconds, u64 maxrss KiB. Once; before or after the ENDs.
 *   a STATE     u8 1 stopped, 0 continued.
 *   a USAGE     u64 user, u64 system microseconds, u64 memory peak bytes; at most once a second.
 *   a LOG       u8 level (enum wire_level), str text: on channel 0 or a run's.
 *   b SIGNAL    u32 serial, u8 target (enum wire_target), str name ("0" probes). Answered by DONE.
 *   b STOP      u32 serial, u32 grace ms: TERM and CONT to the tree now, KILL after grace. DONE when sent.
 *   b WINSIZE   u32 serial, u16 columns, u16 rows. Answered by DONE.
 *   b SET       u32 serial, str name (nice, affinity, oom), str value: to the whole tree. DONE.
 *   b CANCEL    takes the channel's SPAWN back if it was not answered yet; else ignored.
 *   b FORGET    the broker is done with this channel: the agent drops its record. What still runs of it
 *               stays, as a shell's background job would.
 *   b SWEEP     channel 0: u32 serial, u32 group: KILL whatever is left of any run of that group. DONE.
 *   b PING      channel 0: u32 serial, answered at once by a PONG with the same.
 *   b SHUTDOWN  channel 0: u32 grace ms: TERM and CONT to every tree, KILL after grace, then exit. The
 *               same happens, with WIRE_LOSS_GRACE_MS at most, when the link ends.
 *   a PROMPT    u8 echo, bytes: what the command wrote to its controlling terminal, which is not its
 *               stdin, stdout or stderr, and whether that terminal echoes what is typed. Only where
 *               SPAWN asked for one.
 *   b ANSWER    bytes: typed at that terminal.
 *   a DONE      u32 serial, str errno ("" for success), str sentence as FAILED's: the answer to a serial.
 *
 * Late frames for a channel that is gone are dropped (the race is legal); a frame for a channel
 * that was never opened, in the wrong direction, or over its credit is malformed. */
#ifndef MITOFS_BROKER_WIRE_H
#define MITOFS_BROKER_WIRE_H

#include "pty/spawn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_VERSION 1
#define WIRE_HEADER 12
/* A command of 128 KiB in words of one byte is a SPAWN of 384 KiB. */
#define WIRE_PAYLOAD_MAX (512u * 1024)
#define WIRE_CREDIT_START (64u * 1024)
#define WIRE_CREDIT_MAX (8u * 1024 * 1024)
#define WIRE_LOSS_GRACE_MS 3000
#define WIRE_LIST_MAX 65536
/* How the directories are called that the first stage of a connection makes, in which an agent finds
 * its own file. */
#define WIRE_STAGE_DIR ".mitofs-"

enum wire_type {
	WIRE_SPAWN = 1,
	WIRE_DATA = 2,
	WIRE_END = 3,
	WIRE_CREDIT = 4,
	WIRE_SIGNAL = 5,
	WIRE_WINSIZE = 6,
	WIRE_SET = 7,
	WIRE_CLOSE = 8,
	WIRE_PING = 9,
	WIRE_SHUTDOWN = 10,
	WIRE_CANCEL = 11,
	WIRE_ANSWER = 12,
	WIRE_STOP = 13,
	WIRE_FORGET = 14,
	WIRE_SWEEP = 15,
	WIRE_HELLO = 32,
	WIRE_STARTED = 33,
	WIRE_FAILED = 34,
	WIRE_EXIT = 35,
	WIRE_LOG = 36,
	WIRE_STATE = 37,
	WIRE_USAGE = 38,
	WIRE_PROMPT = 39,
	WIRE_PONG = 40,
	WIRE_DONE = 41,
};

enum wire_stream { WIRE_STDIN = 0, WIRE_STDOUT = 1, WIRE_STDERR = 2 };
enum wire_target { WIRE_TARGET_GROUP = 0, WIRE_TARGET_LEADER = 1, WIRE_TARGET_TREE = 2 };
/* As syslog(3) and `loglevel` name them. */
enum wire_level { WIRE_ERROR = 3, WIRE_WARNING = 4, WIRE_INFO = 6, WIRE_DEBUG = 7 };

struct wire_frame {
	uint32_t channel;
	uint8_t type;
	uint32_t length;
	const uint8_t *payload; /* borrowed from the buffer it was found in */
};

/* Find the first frame in @data. 1 with @ret and @ret_used (header and payload bytes), 0 when it
 * is not complete yet, -EPROTO when the header is malformed. Whether a known type may come at
 * this end is the caller's to check. */
int wire_frame_find(const uint8_t *data, size_t size, struct wire_frame *ret, size_t *ret_used);

/* A buffer that frames are written into. Grows with realloc(3), never beyond @limit; what does
 * not fit sets @failed, and the frame that was being written is taken back by wire_end().
 * Embedded: zero it, set limit; wire_out_done() frees. */
struct wire_out {
	uint8_t *data;
	size_t size, capacity, limit;
	size_t frame; /* where the frame that is being written starts */
	bool failed;
	bool secret; /* what is in it leaves no trace in memory; until it is empty */
};

void wire_out_done(struct wire_out *out);
/* Drop the first @count bytes: they have been sent. */
void wire_out_consume(struct wire_out *out, size_t count);

/* Begin a frame, put its fields, end it. wire_end() returns 0, -ENOMEM or -E2BIG (payload too
 * large), having removed the frame in the latter cases. */
void wire_begin(struct wire_out *out, uint32_t channel, enum wire_type type);
int wire_end(struct wire_out *out);
void wire_put_u8(struct wire_out *out, uint8_t value);
void wire_put_u16(struct wire_out *out, uint16_t value);
void wire_put_u32(struct wire_out *out, uint32_t value);
void wire_put_u64(struct wire_out *out, uint64_t value);
void wire_put_bytes(struct wire_out *out, const void *data,
		    size_t size); /* no length before them */
/* Room for @size bytes, which the caller fills, and may shorten by lowering out->size; NULL: failed.
 * Valid until something else is put. */
uint8_t *wire_put_space(struct wire_out *out, size_t size);
void wire_put_string(struct wire_out *out, const char *text);
void wire_put_list(struct wire_out *out, char *const *list); /* NULL-terminated, or NULL for none */

/* A cursor over a payload. Past the end, or after anything malformed, every get returns 0 or "" and
 * @failed stays set; check it once at the end. */
struct wire_in {
	const uint8_t *next, *end;
	bool failed;
};

void wire_in_init(struct wire_in *in, const struct wire_frame *frame);
uint8_t wire_get_u8(struct wire_in *in);
uint16_t wire_get_u16(struct wire_in *in);
uint32_t wire_get_u32(struct wire_in *in);
uint64_t wire_get_u64(struct wire_in *in);
/* Points into the payload; has no NUL inside (malformed), one behind. */
const char *wire_get_string(struct wire_in *in);
/* A NULL-terminated array for free(3), its strings in the payload; NULL (and failed) on no
 * memory, more than WIRE_LIST_MAX strings, or anything malformed. */
char **wire_get_list(struct wire_in *in);
/* What is left, borrowed. */
const uint8_t *wire_get_rest(struct wire_in *in, size_t *ret_size);
/* 0 when everything was well formed and nothing is left over, else -EPROTO. */
int wire_in_finish(const struct wire_in *in);

/* SPAWN's payload. */
struct wire_spawn {
	struct spawn_spec spec; /* its tag is not sent: the agent makes it of group and run */
	uint32_t group;		/* the context, for SWEEP; at most 26 bits count */
	uint32_t run;		/* its run number; at most 21 bits count */
	uint32_t grace_ms;	/* for the end of the link */
	bool hand_over;		/* pass the streams' descriptors with STARTED */
	bool client;		/* it leads to another agent */
	bool ask;		/* it gets a terminal for its questions: PROMPT and ANSWER */
};

void wire_put_spawn(struct wire_out *out, const struct wire_spawn *spawn);
/* Strings point into the payload, arrays are the caller's: wire_spawn_done() frees them. 0,
 * -EPROTO or -ENOMEM. */
int wire_get_spawn(struct wire_in *in, struct wire_spawn *ret);
void wire_spawn_done(struct wire_spawn *spawn);

/* A row of HELLO's signal table. */
struct wire_signal {
	uint32_t number;
	const char *name;
};

/* HELLO's payload. All strings are borrowed (encode) or in the payload (decode). */
struct wire_hello {
	uint32_t version;
	const char *host, *user, *home;
	uint32_t uid, pid;
	const char *sysname, *release, *machine;
	const char *shell; /* the user's: passwd entry, else $SHELL, else "/bin/sh" */
	bool shell_found;  /* false: it is the default, and the broker warns */
	uint32_t cpus;
	uint64_t pty_max, pty_used;  /* 0: unknown */
	uint64_t process_limit;	     /* RLIMIT_NPROC's soft limit, RLIMIT_UNLIMITED for none */
	struct wire_signal *signals; /* free(3) after decoding */
	uint32_t signal_count;
};

void wire_put_hello(struct wire_out *out, const struct wire_hello *hello);
int wire_get_hello(struct wire_in *in, struct wire_hello *ret);

/* EXIT's payload. */
struct wire_exit {
	uint8_t why; /* enum exit_why */
	uint32_t status;
	const char *signal;
	bool core;
	uint64_t real_usec, user_usec, system_usec, maxrss_kib;
};

void wire_put_exit(struct wire_out *out, const struct wire_exit *ended);
int wire_get_exit(struct wire_in *in, struct wire_exit *ret);

#endif
