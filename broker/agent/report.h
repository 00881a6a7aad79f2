/* The frames that an agent says of itself: one function each. All wait for the end of the turn. */
#ifndef MITOFS_BROKER_AGENT_REPORT_H
#define MITOFS_BROKER_AGENT_REPORT_H

#include "broker/wire.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

struct agent;
struct run;

void report_hello(struct agent *agent, const struct wire_hello *hello);
/* @fds (@count of them) are taken. */
void report_started(struct run *run, uint32_t mask, const int *fds, unsigned count);
void report_failed(struct agent *agent, uint32_t channel, enum spawn_stage stage, int error,
		   const char *text);
/* The child's own failure, for which the broker has the words. */
void report_spawn_failure(struct run *run, const struct spawn_failure *failure);
void report_exit(struct run *run, int status, uint64_t real_usec, const struct rusage *usage);
void report_state(struct run *run, bool stopped);
/* What was written to the terminal of a client's questions. */
void report_prompt(struct run *run, bool echo, const uint8_t *data, size_t size);
void report_usage(struct run *run, uint64_t user_usec, uint64_t system_usec, uint64_t peak);
void report_credit(struct run *run, enum wire_stream stream, uint32_t bytes);
void report_input_closed(struct run *run);
/* @left processes outlived the grace of a STOP. */
void report_killed(struct run *run, int left);
/* The answer to @serial: @error is 0 or an errno. */
void report_done(struct agent *agent, uint32_t channel, uint32_t serial, int error,
		 const char *text);
void report_pong(struct agent *agent, uint32_t serial);
void report_log(struct agent *agent, uint32_t channel, enum wire_level level, const char *text);

#endif
