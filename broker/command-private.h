/* What the queue of commands (command.c) and the verbs (verbs.c, verb-*.c) share. */
#ifndef MITOFS_BROKER_COMMAND_PRIVATE_H
#define MITOFS_BROKER_COMMAND_PRIVATE_H

#include "broker/context-private.h"
#include "broker/place.h"

typedef struct Verb Verb;

typedef enum VerbKind {
	VERB_QUEUED,  /* one at a time per context, in the order of arrival */
	VERB_CONTROL, /* at once, never behind others */
} VerbKind;

struct Verb {
	const char *name;
	guint min, max; /* arguments */
	const char *usage;
	VerbKind kind;
	/* Carry it out: command_finish() follows, now or later. May be called again by
	 * command_begin_again(). */
	void (*begin)(Command *command);
	/* It was begun and is to be taken back: command_finish() follows, now or later. NULL: it
	 * cannot wait. */
	void (*cancel)(Command *command, const GError *error);
};

struct Command {
	Context *context; /* a reference */
	const Verb *verb;
	const SettingRow *setting; /* for a settings verb */
	GStrv words;
	char **args; /* in words, behind the verb */
	CommandDone done;
	void *data;
	GError *outcome;
	guint begun : 1, finished : 1, submitting : 1, cancelling : 1, waited : 1, cancelled : 1;
	guint told : 1; /* `error` has all that is to be said of its failure */
	/* For whatever the verb waits on. */
	Settings *settings; /* to be set when the place has agreed */
	Link *link;
	guint32 serial;	     /* of a request on it, 0: none */
	Run *run;	     /* whose end it waits for */
	NotifierWatch watch; /* on the run */
	guint timer;
	void *state; /* the verb's own */
};

/* The verb called @name, or NULL. */
const Verb *verb_find(const char *name);
/* The verb of all settings rows, and of `signal`. */
extern const Verb verb_setting;
extern const Verb verb_signal;
/* Those of all children together: fanout.c. */
extern const Verb verb_fanout;
extern const Verb verb_fanout_signal;

/* command_submit() and command_signal() with words that are checked as always and then carried out
 * by another verb. @by NULL: by their own. */
Command *command_submit_by(Context *context, const Verb *by, GStrv words, gboolean async,
			   CommandDone done, void *data, GError **error);
Command *command_signal_by(Context *context, const Verb *verb, const char *text, CommandDone done,
			   void *data, GError **error);

/* It has its outcome; the command is gone behind this call. @error is borrowed. */
void command_finish(Command *command, const GError *error);
void command_fail(Command *command, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Carry it out anew: what it waited for has happened. */
void command_begin_again(Command *command);
/* Whether no command runs; if one does, either the command fails with EBUSY or it waits a while
 * for the end, since both streams have ended, and begins again. */
gboolean command_needs_ended_run(Command *command);
/* LinkDone: the command's outcome is the answer. */
void command_on_answer(const GError *error, void *data);
/* Remember the request that it waits for; ECONNRESET at once when there was no link. */
void command_wait_answer(Command *command, Link *link, guint32 serial);
/* For Verb.cancel: forget the request. */
void command_cancel_answer(Command *command, const GError *error);

/* Who waits for it is told @error now, and it goes on alone. Never from inside the call. */
void command_detach(Command *command, const GError *error);

/* Verbs with a file of their own. */
void begin_defaults(Command *command);
void begin_destroy(Command *command);
void cancel_destroy(Command *command, const GError *error);

#endif
