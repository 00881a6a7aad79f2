/* Methods: how a place is reached from its parent's.
 *
 * A row says which client program leads there, how the first stage travels with it, where it asks
 * its questions, and what its messages mean. The rows are the groups of key files (GKeyFile): the
 * built-in one, which is also installed to be read, then one of the system's and one of the user's.
 * `local` is no client program but the agent's own image, executed once more. */
#ifndef MITOFS_BROKER_METHOD_H
#define MITOFS_BROKER_METHOD_H

#include "broker/failure.h"

#include <glib.h>

typedef struct Method Method;

typedef enum MethodStage { STAGE_LINE, STAGE_WORDS, STAGE_STDIN } MethodStage;
typedef enum MethodQuestions {
	QUESTIONS_NONE,
	QUESTIONS_TERMINAL,
	QUESTIONS_STDERR
} MethodQuestions;

/* The method called @name as the files have it now, or NULL with EINVAL that names those there are,
 * or what is wrong in a file. Free with method_free(). */
Method *method_find(const char *name, GError **error);
/* The method of the root's place, `local`. */
Method *method_new_local(void);
void method_free(Method *method);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Method, method_free)

const char *method_name(const Method *method);
gboolean method_is_local(const Method *method);
MethodStage method_stage(const Method *method);
MethodQuestions method_questions(const Method *method);
/* Whether the image may be sent before the place has said anything. */
gboolean method_flight(const Method *method);
/* Whether @question is about a host's key. */
gboolean method_is_hostkey_question(const Method *method, const char *question);
/* What a line that the client said means, or FAILURE_NONE. */
FailureKind method_classify(const Method *method, const char *line);

/* Whether @args (the method first) are in order. */
gboolean method_check(const Method *method, char *const *args, GError **error);
/* The client's words for @args (the method first) and first stage @stage, for a login shell or for
 * /bin/sh -c as method_stage() has it. Caller frees. */
GStrv method_argv(const Method *method, char *const *args, const char *stage);

#endif
