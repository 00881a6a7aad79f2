/* The frames that an agent says, but for DATA and END.
 *
 * Each function writes one frame of control into the link's buffer, field by field as wire.h
 * lists them; the link sends it at the end of the turn. A frame that does not fit ends the link,
 * so nothing here can fail. Errors are told as errname.h says. */
#include "broker/agent/report.h"

#include "broker/agent/agent.h"
#include "pty/errname.h"
#include "pty/exitcode.h"
#include "pty/signals.h"
#include "pty/textbuf.h"

/* An errno, or "" for 0. Where the numbers are Linux's usual ones no names are needed. */
static void
put_error(struct wire_out *out, int error)
{
#ifdef ERRNO_USUAL
	char digits[12];
	struct textbuf buf;

	textbuf_init(&buf, digits, sizeof(digits));
	if (error)
		textbuf_add_signed(&buf, error);
	wire_put_string(out, digits);
#else
	wire_put_string(out, error ? errno_name(error) : "");
#endif
}

/* Begin a frame on the run's channel. */
static struct wire_out *
run_begin(struct run *run, enum wire_type type)
{
	return link_begin(&run->agent->link, run->channel, type);
}

void
report_hello(struct agent *agent, const struct wire_hello *hello)
{
	wire_put_hello(link_begin(&agent->link, 0, WIRE_HELLO), hello);
	link_end(&agent->link);
}

void
report_started(struct run *run, uint32_t mask, const int *fds, unsigned count)
{
	struct wire_out *out = run_begin(run, WIRE_STARTED);

	wire_put_u32(out, (uint32_t)run->pid);
	wire_put_u32(out, mask);
	if (count)
		link_end_with(&run->agent->link, fds, count);
	else
		link_end(&run->agent->link);
}

/* FAILED: the fields of @failure, whose fact may be replaced by a whole sentence. */
static void
put_failed(struct wire_out *out, const struct spawn_failure *failure, const char *sentence)
{
	wire_put_u8(out, (uint8_t)failure->stage);
	put_error(out, failure->error);
	wire_put_u8(out, !sentence);
	wire_put_u32(out, (uint32_t)failure->index);
	wire_put_string(out, sentence ? sentence : failure->fact);
}

void
report_failed(struct agent *agent, uint32_t channel, enum spawn_stage stage, int error,
	      const char *text)
{
	struct spawn_failure failure = { .stage = (int32_t)stage, .error = error };

	put_failed(link_begin(&agent->link, channel, WIRE_FAILED), &failure, text);
	link_end(&agent->link);
}

void
report_spawn_failure(struct run *run, const struct spawn_failure *failure)
{
	put_failed(run_begin(run, WIRE_FAILED), failure, NULL);
	link_end(&run->agent->link);
}

static uint64_t
usec(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

void
report_exit(struct run *run, int status, uint64_t real_usec, const struct rusage *usage)
{
	struct exit_code code = exit_code_from_status(status);
	bool signalled = code.why == EXIT_WHY_SIGNAL;
	char name[16] = "";

	if (signalled &&
	    signal_name(code.argument, name, sizeof(name)) < 0) { /* a libc's own: 32, 33 */
		struct textbuf buf;

		textbuf_init(&buf, name, sizeof(name));
		textbuf_add_signed(&buf, code.argument);
	}
	wire_put_exit(run_begin(run, WIRE_EXIT),
		      &(struct wire_exit){
			      .why = (uint8_t)code.why,
			      .status = signalled ? 0 : (uint32_t)code.argument,
			      .signal = name,
			      .core = code.core,
			      .real_usec = real_usec,
			      .user_usec = usec(usage->ru_utime),
			      .system_usec = usec(usage->ru_stime),
			      .maxrss_kib = (uint64_t)usage->ru_maxrss,
		      });
	link_end(&run->agent->link);
}

void
report_state(struct run *run, bool stopped)
{
	wire_put_u8(run_begin(run, WIRE_STATE), stopped);
	link_end(&run->agent->link);
}

void
report_prompt(struct run *run, bool echo, const uint8_t *data, size_t size)
{
	struct wire_out *out = run_begin(run, WIRE_PROMPT);

	wire_put_u8(out, echo);
	wire_put_bytes(out, data, size);
	link_end(&run->agent->link);
}

void
report_usage(struct run *run, uint64_t user_usec, uint64_t system_usec, uint64_t peak)
{
	struct wire_out *out = run_begin(run, WIRE_USAGE);

	wire_put_u64(out, user_usec);
	wire_put_u64(out, system_usec);
	wire_put_u64(out, peak);
	link_end(&run->agent->link);
}

void
report_credit(struct run *run, enum wire_stream stream, uint32_t bytes)
{
	struct wire_out *out = run_begin(run, WIRE_CREDIT);

	wire_put_u8(out, (uint8_t)stream);
	wire_put_u32(out, bytes);
	link_end(&run->agent->link);
}

void
report_input_closed(struct run *run)
{
	wire_put_u8(run_begin(run, WIRE_CLOSE), WIRE_STDIN);
	link_end(&run->agent->link);
}

void
report_killed(struct run *run, int left)
{
	char text[80];
	struct textbuf buf;

	textbuf_init(&buf, text, sizeof(text));
	textbuf_add_signed(&buf, left);
	textbuf_add(&buf, left == 1 ? " process" : " processes");
	textbuf_add(&buf, " did not end within the grace and got KILL");
	report_log(run->agent, run->channel, WIRE_INFO, text);
}

void
report_done(struct agent *agent, uint32_t channel, uint32_t serial, int error, const char *text)
{
	struct wire_out *out = link_begin(&agent->link, channel, WIRE_DONE);

	wire_put_u32(out, serial);
	put_error(out, error);
	wire_put_string(out, text);
	link_end(&agent->link);
}

void
report_pong(struct agent *agent, uint32_t serial)
{
	wire_put_u32(link_begin(&agent->link, 0, WIRE_PONG), serial);
	link_end(&agent->link);
}

void
report_log(struct agent *agent, uint32_t channel, enum wire_level level, const char *text)
{
	struct wire_out *out = link_begin(&agent->link, channel, WIRE_LOG);

	wire_put_u8(out, (uint8_t)level);
	wire_put_string(out, text);
	link_end(&agent->link);
}
