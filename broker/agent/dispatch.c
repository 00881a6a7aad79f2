/* From a frame to the function that does it.
 *
 * A type that the broker may send is a row. Frames for a run whose channel is gone are dropped,
 * since they and the frame that closed it may have crossed; one for a channel that was never
 * opened, or of a type that has no row here, is malformed. The handlers that need no more than a
 * few lines stand in this file. */
#include "broker/agent/dispatch.h"

#include "broker/agent/agent.h"
#include "broker/agent/control.h"
#include "broker/agent/report.h"
#include "broker/agent/start.h"
#include "broker/agent/trees.h"

#include <errno.h>
#include <signal.h>

static int
on_data(struct agent *agent, struct run *run, struct wire_in *in)
{
	uint8_t stream = wire_get_u8(in);
	size_t size;
	const uint8_t *data = wire_get_rest(in, &size);

	(void)agent;
	if (wire_in_finish(in) < 0 || stream != WIRE_STDIN)
		return -EPROTO;
	return input_data(&run->input, data, size);
}

static int
on_end(struct agent *agent, struct run *run, struct wire_in *in)
{
	uint8_t stream = wire_get_u8(in);

	(void)agent;
	if (wire_in_finish(in) < 0 || stream != WIRE_STDIN)
		return -EPROTO;
	return input_end(&run->input);
}

/* The output that the broker means by @stream, or NULL. */
static struct output *
run_output(struct run *run, uint8_t stream)
{
	return stream == WIRE_STDOUT || stream == WIRE_STDERR ? &run->outputs[stream - WIRE_STDOUT]
							      : NULL;
}

static int
on_credit(struct agent *agent, struct run *run, struct wire_in *in)
{
	struct output *output = run_output(run, wire_get_u8(in));
	uint32_t bytes = wire_get_u32(in);

	(void)agent;
	return wire_in_finish(in) < 0 || !output ? -EPROTO : output_credit(output, bytes);
}

static int
on_close(struct agent *agent, struct run *run, struct wire_in *in)
{
	struct output *output = run_output(run, wire_get_u8(in));

	(void)agent;
	return wire_in_finish(in) < 0 || !output ? -EPROTO : output_close(output);
}

static int
on_cancel(struct agent *agent, struct run *run, struct wire_in *in)
{
	(void)agent;
	if (wire_in_finish(in) < 0)
		return -EPROTO;
	start_cancel(run);
	return 0;
}

static int
on_answer(struct agent *agent, struct run *run, struct wire_in *in)
{
	size_t size;
	const uint8_t *data = wire_get_rest(in, &size);

	(void)agent;
	question_answer(&run->question, data, size);
	return 0;
}

static int
on_forget(struct agent *agent, struct run *run, struct wire_in *in)
{
	(void)agent;
	if (wire_in_finish(in) < 0)
		return -EPROTO;
	if (run->state == RUN_STARTING)
		(void)trees_signal_run(run, SIGKILL);
	run_forget(run);
	return 0;
}

static int
on_ping(struct agent *agent, struct run *run, struct wire_in *in)
{
	uint32_t serial = wire_get_u32(in);

	(void)run;
	if (wire_in_finish(in) < 0)
		return -EPROTO;
	report_pong(agent, serial);
	return 0;
}

static int
on_shutdown(struct agent *agent, struct run *run, struct wire_in *in)
{
	uint32_t grace_ms = wire_get_u32(in);

	(void)run;
	if (wire_in_finish(in) < 0)
		return -EPROTO;
	ending_begin(agent, grace_ms, 0);
	return 0;
}

static const struct row {
	enum wire_type type;
	bool of_link; /* on channel 0, else on a run's */
	int (*handle)(struct agent *agent, struct run *run, struct wire_in *in);
} rows[] = {
	{ WIRE_DATA, false, on_data },	    { WIRE_END, false, on_end },
	{ WIRE_CREDIT, false, on_credit },  { WIRE_CLOSE, false, on_close },
	{ WIRE_CANCEL, false, on_cancel },  { WIRE_ANSWER, false, on_answer },
	{ WIRE_FORGET, false, on_forget },  { WIRE_SIGNAL, false, control_signal },
	{ WIRE_STOP, false, control_stop }, { WIRE_WINSIZE, false, control_winsize },
	{ WIRE_SET, false, control_set },   { WIRE_SWEEP, true, control_sweep },
	{ WIRE_PING, true, on_ping },	    { WIRE_SHUTDOWN, true, on_shutdown },
};

int
dispatch_frame(struct agent *agent, const struct wire_frame *frame)
{
	const struct row *row = NULL;
	struct run *run = NULL;
	struct wire_in in;

	if (frame->type == WIRE_SPAWN)
		return start_spawn(agent, frame);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].type == frame->type)
			row = &rows[i];
	if (!row || row->of_link != !frame->channel || frame->channel > agent->highest)
		return -EPROTO;
	if (!row->of_link) {
		run = run_find(agent, frame->channel);
		if (!run)
			return 0;
	}
	wire_in_init(&in, frame);
	return row->handle(agent, run, &in);
}
