/* CPU lists as taskset(1) and cpuset(7) write them: "0-3,8". */
#ifndef MITOFS_PTY_AFFINITY_H
#define MITOFS_PTY_AFFINITY_H

#include <sys/types.h>

#define AFFINITY_SELF (-1)

/* Parse @list; 0 or -EINVAL. affinity_apply() also applies it to @pid or AFFINITY_SELF (0 means:
 * only check), then -errno of sched_setaffinity(2); it leaves errno alone. CPUs from 0 to 1023. */
int affinity_check(const char *list);
int affinity_apply(const char *list, pid_t pid);

#endif
