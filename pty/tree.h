/* Every process that a command started, however it detached.
 *
 * A descendant can leave its parent, its process group and its session, and it can clear its
 * environment. What it keeps across all of that is its resource limits, so a command's soft
 * RLIMIT_RTTIME carries a tag. That limit counts the CPU time, in microseconds, that a real-time
 * task may use without blocking; the tag is 2^62 plus a number, a limit of 146,000 years, so it
 * limits nothing. A process belongs to a tree when it has the tree's tag, or when its line of
 * parents leads to a member. Trees are found by walking /proc. */
#ifndef MITOFS_PTY_TREE_H
#define MITOFS_PTY_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* agent: 15 bits, random per agent; group: 26 bits, the context; run: 21 bits, its run. */
uint64_t tree_tag(uint32_t agent, uint32_t group, uint32_t run);

/* The tag that @pid carries. 0, -ENODATA when it has none, -ESRCH when it is gone. */
int tree_tag_of(pid_t pid, uint64_t *ret);

/* Which processes to take. */
struct tree_query {
	pid_t leader;	 /* take it and every descendant; 0: none */
	bool below_only; /* not @leader itself */
	uint64_t tag;	 /* and every process with this tag under @mask, and their descendants; */
	uint64_t mask;	 /* 0: none */
	pid_t group;	 /* of these only the members of this process group; 0: all */
	pid_t parent;	 /* of these only the children of this process itself; 0: all */
	pid_t spare;	 /* never take this process (its descendants may still be taken); 0: none */
};
#define TREE_MASK_RUN UINT64_MAX		     /* agent, group and run must match */
#define TREE_MASK_GROUP (~UINT64_C(0x1fffff))	     /* agent and group */
#define TREE_MASK_AGENT (~((UINT64_C(1) << 47) - 1)) /* the agent alone */

/* Call @visit for each process of the query, zombies left out, the calling process never taken.
 * Returns how many there were, or -errno (-ENOENT: no /proc here, or that of another pid namespace). Allocates with malloc(3);
 * -ENOMEM when that fails. */
int tree_walk(const struct tree_query *query, void (*visit)(pid_t pid, void *data), void *data);

/* Send @signal to each process of the query; TERM and HUP are followed by CONT, without which a
 * stopped process, or one that is about to stop, would not see them. For SIGKILL it walks again
 * until a walk finds nothing new, at most 100 times, since a process may fork while it is being
 * walked. Returns how many were signalled, or -errno; -EPERM when there were some and none might
 * be signalled. */
int tree_kill(const struct tree_query *query, int signal);

#endif
