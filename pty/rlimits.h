/* Resource limits by the names that prlimit(1) and ulimit use: "nofile", "core", "nproc" ... */
#ifndef MITOFS_PTY_RLIMITS_H
#define MITOFS_PTY_RLIMITS_H

#include <stdbool.h>
#include <stdint.h>

#define RLIMIT_UNLIMITED UINT64_MAX

/* One limit to set; without @has_hard the hard limit stays as it is. */
struct rlimit_setting {
	const char *name;
	uint64_t soft;
	uint64_t hard;
	bool has_hard;
};

/* The resource number for setrlimit(2) of @name, or -EINVAL. */
int rlimit_resource(const char *name);

/* Parse "SOFT[:HARD]", numbers or "unlimited", into @ret (not its name). 0 or -EINVAL; a SOFT above
 * HARD is -EINVAL too. */
int rlimit_parse(const char *text, struct rlimit_setting *ret);

/* As prlimit(2) has them; RLIMIT_UNLIMITED for none. */
struct rlimit_native {
	uint64_t soft, hard;
};

/* The limits of the calling process: 0 or -errno of prlimit(2). These three leave errno alone. */
int rlimit_get(int resource, struct rlimit_native *ret);
int rlimit_set(int resource, const struct rlimit_native *limit);
int rlimit_apply(const struct rlimit_setting *setting);

#endif
