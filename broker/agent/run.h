/* A run: one channel of the link, one command. */
#ifndef MITOFS_BROKER_AGENT_RUN_H
#define MITOFS_BROKER_AGENT_RUN_H

#include "broker/agent/input.h"
#include "broker/agent/loop.h"
#include "broker/agent/output.h"
#include "broker/agent/question.h"
#include "broker/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct agent;
struct launch;

enum run_state {
	RUN_STARTING, /* forked; execve has neither succeeded nor failed yet */
	RUN_RUNNING,
	RUN_ENDED, /* the leader was reaped: its pid is nobody's any more */
};

/* Kept from SPAWN until the later of FORGET, the leader's end, and the end of a stop. */
struct run {
	struct agent *agent;
	struct run *next_channel, *next_pid; /* in the tables of struct runs */
	uint32_t channel;
	pid_t pid;
	enum run_state state;
	bool forgotten; /* the channel is gone; nothing is sent any more */
	bool hand_over;
	bool is_client; /* the command leads to another agent */
	uint64_t tag;
	uint64_t forked; /* loop_now_usec() */
	uint32_t grace_ms;
	struct source failure; /* the failure pipe, while starting */
	struct launch *launch; /* owned, until it runs or is gone: what SPAWN asked for */
	int master;	       /* of the pty, or -1 */
	struct input input;
	struct output outputs[2];				   /* stdout, stderr */
	struct question question;				   /* of a client */
	struct timer stop;					   /* KILL after a STOP's grace */
	uint64_t used_user, used_system, used_peak, used_resident; /* what USAGE last told */
};

#define RUNS_BUCKETS 256
struct runs {
	struct run *by_channel[RUNS_BUCKETS], *by_pid[RUNS_BUCKETS];
	unsigned live;	  /* leaders that are not reaped yet */
	uint64_t started; /* forks so far */
};

struct run *run_find(struct agent *agent, uint32_t channel);
struct run *run_find_pid(struct agent *agent, pid_t pid);

/* A record for @channel, starting, without process and streams. NULL: no memory. */
struct run *run_new(struct agent *agent, uint32_t channel);
/* The run has this process from now on. */
void run_set_pid(struct run *run, pid_t pid);

/* Whether its streams are handed over at STARTED: then there is no DATA before it either. */
bool run_will_pass(const struct run *run);
/* The failure pipe says that execve succeeded. */
void run_started(struct run *run);
/* The leader was reaped with @status. */
void run_reaped(struct run *run, int status, const struct rusage *usage);
/* The channel is gone: close what is open; freed now or when nothing waits for it any more. */
void run_forget(struct run *run);
/* Close every stream, without a word. */
void run_close_streams(struct run *run);
/* Free it if it is forgotten and nothing waits for it. */
void run_release(struct run *run);

/* Arm or disarm the KILL that follows a TERM. */
void run_stop_after(struct run *run, uint64_t grace_ms);

/* Call @visit for every run with a channel; it may forget that run. */
void runs_each(struct agent *agent, void (*visit)(struct run *run, void *data), void *data);

#endif
