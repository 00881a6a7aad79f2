/* Settings of running trees: nice, affinity, oom. */
#ifndef MITOFS_BROKER_AGENT_CHANGE_H
#define MITOFS_BROKER_AGENT_CHANGE_H

struct run;

/* Apply @value of setting @name to every thread of the run's tree. How many processes there
 * were, -EINVAL for a bad name or value, or the first -errno. */
int change_apply(struct run *run, const char *name, const char *value);

#endif
