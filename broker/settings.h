/* Settings: what a context's next command is started with. Immutable once shared: a child of a
 * context starts with a reference to its parent's, and a change makes a copy, so a thousand like
 * contexts cost one set. */
#ifndef MITOFS_BROKER_SETTINGS_H
#define MITOFS_BROKER_SETTINGS_H

#include "broker/broker.h"
#include "broker/wire.h"

typedef struct Settings Settings;
typedef struct SettingRow SettingRow;

struct Settings {
	int refs; /* private */
	char *cwd;
	gboolean clear_env;
	GPtrArray *set_env;   /* of "NAME=VALUE" */
	GPtrArray *unset_env; /* of names */
	int umask, nice, oom; /* or SPAWN_KEEP */
	char *affinity;	      /* "" for none */
	GArray *rlimits;      /* of struct rlimit_setting; names are static */
	char *shell;	      /* NULL: the place's own */
	GStrv preexec;	      /* NULL for none */
	gboolean pty;
	guint columns, rows;
	guint64 timeout_ms; /* 0: none */
	guint64 grace_ms;
	guint64 retain;
	gboolean drop;
	InputEofMode eof_mode;
	enum { ON_CLOSE_NONE, ON_CLOSE_HUP, ON_CLOSE_KILL } on_close;
	char *pipe_path; /* NULL for none; not inherited */
	gboolean pipe_append;
	GStrv members; /* paths of contexts, raw; NULL: the children; not inherited */
	guint64 connect_timeout_ms, keepalive_ms;
	int log_level; /* enum wire_level */
	guint fanout;
};

Settings *settings_new(void);
Settings *settings_ref(Settings *settings);
void settings_unref(Settings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_unref)
/* A copy that may be changed. */
Settings *settings_copy(const Settings *settings);
/* What a new child starts with: the parent's, without what is the parent's alone. */
Settings *settings_inherit(Settings *settings);

/* The row of a settings verb, or NULL. */
const SettingRow *setting_find(const char *verb);
const char *setting_name(const SettingRow *row);
/* Whether it may change while a command runs. */
gboolean setting_while_running(const SettingRow *row);
/* Whether the agent has to apply it to a running command (SET with the argument as it is). */
gboolean setting_at_place(const SettingRow *row);
/* Check and set @args (without the verb) in @settings, a copy of one's own. EINVAL with a
 * sentence. */
gboolean setting_apply(const SettingRow *row, Settings *settings, char *const *args,
		       const BrokerOptions *options, GError **error);

/* The verbs that make @settings out of the defaults, one a line, in the table's order. */
void settings_text(const Settings *settings, GString *out);

/* Fill @spec from @settings; strings and arrays stay the settings'. */
void settings_fill(const Settings *settings, struct spawn_spec *spec);

#endif
