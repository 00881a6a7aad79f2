/* CPU lists as taskset(1) and cpuset(7) write them: "0-3,8". */
#ifndef MITOFS_PTY_AFFINITY_H
#define MITOFS_PTY_AFFINITY_H

#include <sys/types.h>

/* Parse @list; 0 or -EINVAL. With @pid > 0 also apply it (0 means: only check), then -errno of
 * sched_setaffinity(2). CPUs from 0 to 1023. */
int affinity_check(const char *list);
int affinity_apply(const char *list, pid_t pid);

#endif
