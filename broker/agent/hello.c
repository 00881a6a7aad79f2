/* What an agent says of its place.
 *
 * Sent once, as the link's first frame: the broker takes it for the sign that this is an agent
 * at all. The same facts fill the struct spawn_place that every child needs. Asked for once, at
 * the start, since nothing of it is expected to change while an agent lives; the pty and process
 * limits are for errors and `status`. */
#include "broker/agent/hello.h"

#include "broker/agent/agent.h"
#include "broker/agent/report.h"
#include "pty/procfile.h"
#include "pty/signals.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#define SIGNALS_MAX 128
#define NAME_SIZE 12

/* All signals of this system, their names in @names. */
static uint32_t
signals_list(struct wire_signal *signals, char names[][NAME_SIZE])
{
	uint32_t count = 0;

	for (int number = 1; number <= signal_last() && count < SIGNALS_MAX; number++) {
		if (signal_name(number, names[count], NAME_SIZE) < 0)
			continue;
		signals[count] = (struct wire_signal){ (uint32_t)number, names[count] };
		count++;
	}
	return count;
}

static uint32_t
cpus_count(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	return sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : (uint32_t)CPU_COUNT(&set);
}

static uint64_t
proc_number(const char *path)
{
	uint64_t number = 0;

	return procfile_number(path, &number) < 0 ? 0 : number;
}

static uint64_t
process_limit(void)
{
	struct rlimit limit;

	if (prlimit(0, RLIMIT_NPROC, NULL, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return RLIMIT_UNLIMITED;
	return limit.rlim_cur;
}

void
hello_send(struct agent *agent)
{
	struct wire_signal signals[SIGNALS_MAX];
	char names[SIGNALS_MAX][NAME_SIZE];
	struct utsname system = { 0 };
	struct account *account = &agent->account;

	account_read(account);
	agent->place.home = account->home;
	uname(&system);
	report_hello(agent, &(struct wire_hello){
				    .version = WIRE_VERSION,
				    .host = system.nodename,
				    .user = account->user,
				    .home = account->home,
				    .uid = getuid(),
				    .pid = (uint32_t)getpid(),
				    .sysname = system.sysname,
				    .release = system.release,
				    .machine = system.machine,
				    .shell = account->shell,
				    .shell_found = account->shell_found,
				    .cpus = cpus_count(),
				    .pty_max = proc_number("/proc/sys/kernel/pty/max"),
				    .pty_used = proc_number("/proc/sys/kernel/pty/nr"),
				    .process_limit = process_limit(),
				    .signals = signals,
				    .signal_count = signals_list(signals, names),
			    });
	if (!account->home_found)
		report_log(agent, 0, WIRE_WARNING,
			   "the user's home is not there: commands start in /");
}
