/* What a failed spawn was, for a person.
 *
 * Runs in the broker, with the same spec that the child had and the struct spawn_failure that came
 * back: the sentence names the thing that was wrong, so that nobody has to guess which of ten
 * settings "Operation not permitted" was about. What only the child knew it has put into the
 * failure. Looks at no file: it is of another place. */
#include "pty/spawn.h"

#include "pty/errname.h"
#include "pty/textbuf.h"

#include <errno.h>
#include <string.h>

static const struct {
	uint8_t stage;
	char name[9];
} names[] = {
	{ SPAWN_FORK, "fork" },	  { SPAWN_SESSION, "session" }, { SPAWN_TERMINAL, "terminal" },
	{ SPAWN_STDIO, "stdio" }, { SPAWN_RLIMIT, "rlimit" },	{ SPAWN_AFFINITY, "affinity" },
	{ SPAWN_NICE, "nice" },	  { SPAWN_OOM, "oom" },		{ SPAWN_UMASK, "umask" },
	{ SPAWN_CWD, "cwd" },	  { SPAWN_PREEXEC, "preexec" }, { SPAWN_EXEC, "exec" },
};

const char *
spawn_stage_name(enum spawn_stage stage)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].stage == stage)
			return names[i].name;
	return "spawn";
}

static void
add_limit(struct textbuf *buf, uint64_t limit)
{
	if (limit == RLIMIT_UNLIMITED)
		textbuf_add(buf, "unlimited");
	else
		textbuf_add_unsigned(buf, limit);
}

/* `nofile 99999999: above the hard limit 4096`. */
static void
add_rlimit(struct textbuf *buf, const struct spawn_spec *spec, const struct spawn_failure *failure)
{
	const struct rlimit_setting *setting;

	if (failure->index < 0 || (size_t)failure->index >= spec->rlimit_count)
		return;
	setting = &spec->rlimits[failure->index];
	textbuf_add_all(buf, setting->name, " ", NULL);
	add_limit(buf, setting->soft);
	if (setting->has_hard) {
		textbuf_add(buf, ":");
		add_limit(buf, setting->hard);
	}
	if (*failure->fact)
		textbuf_add_all(buf, ": above the hard limit ", failure->fact, NULL);
	else
		textbuf_add(buf, ": " ERRNO_WORDS);
}

/* `"nosuch" not found in PATH=/usr/bin:/bin`, or the file and the reason. */
static void
add_file(struct textbuf *buf, const struct spawn_spec *spec, const struct spawn_failure *failure)
{
	textbuf_add_all(buf, "\"", spec->file, "\"", NULL);
	if (failure->error == ENOENT && !strchr(spec->file, '/'))
		textbuf_add_all(buf, " not found in PATH=", failure->fact, NULL);
	else
		textbuf_add(buf, ": " ERRNO_WORDS);
}

/* The setting that @stage applied, as the user wrote it. */
static void
add_value(struct textbuf *buf, const struct spawn_spec *spec, enum spawn_stage stage)
{
	if (stage == SPAWN_CWD)
		textbuf_add_all(buf, " \"", spec->cwd && *spec->cwd ? spec->cwd : "~", "\"", NULL);
	if (stage == SPAWN_AFFINITY)
		textbuf_add_all(buf, " ", spec->affinity, NULL);
	if (stage == SPAWN_NICE || stage == SPAWN_OOM) {
		textbuf_add(buf, " ");
		textbuf_add_signed(buf, stage == SPAWN_NICE ? spec->nice : spec->oom);
	}
}

void
spawn_failure_text(const struct spawn_spec *spec, const struct spawn_failure *failure, char *text,
		   size_t size)
{
	enum spawn_stage stage = (enum spawn_stage)failure->stage;
	struct textbuf buf;

	textbuf_init(&buf, text, size);
	if (stage == SPAWN_EXEC) {
		add_file(&buf, spec, failure);
		return;
	}
	textbuf_add(&buf, spawn_stage_name(stage));
	if (stage == SPAWN_PREEXEC) {
		textbuf_add(&buf, " ");
		add_file(&buf, spec, failure);
	} else if (stage == SPAWN_RLIMIT) {
		textbuf_add(&buf, " ");
		add_rlimit(&buf, spec, failure);
	} else {
		add_value(&buf, spec, stage);
		textbuf_add(&buf, ": " ERRNO_WORDS);
	}
}
