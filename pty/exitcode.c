/* What a wait status means.
 *
 * The one place that takes a status of wait4(2) apart, so that the agent, the broker and the
 * helper programs agree on why a command ended and on the number that a shell would show for it.
 * POSIX leaves the number of a death by signal at "greater than 128"; 128 + signal is what bash,
 * dash, zsh and sudo use. Pure functions, no state. */
#include "pty/exitcode.h"

#include <sys/wait.h>

struct exit_code
exit_code_from_status(int status)
{
	if (WIFSIGNALED(status))
		return (struct exit_code){ EXIT_WHY_SIGNAL, WTERMSIG(status), WCOREDUMP(status) };
	return (struct exit_code){ EXIT_WHY_EXIT, WEXITSTATUS(status), false };
}

int
exit_code_shell(struct exit_code code)
{
	return (code.why == EXIT_WHY_SIGNAL ? 128 + code.argument : code.argument) & 0xff;
}
