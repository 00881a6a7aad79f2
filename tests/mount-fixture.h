/* The two halves of the mount tests' fixture: mount.c runs test bodies and scripts, mount-fixture.c
 * starts mitofs before them and looks for leftovers behind them. See mount.h. */
#ifndef MITOFS_TESTS_MOUNT_FIXTURE_H
#define MITOFS_TESTS_MOUNT_FIXTURE_H

#include "tests/mount.h"

/* In memory that the body's process shares with the parent. */
typedef struct MountShared {
	gboolean ended; /* the body has ended the broker, */
	int status;	/* and this is what wait(2) has to say of it */
} MountShared;

struct Mount {
	const MountSetup *setup;
	char *mark;    /* MITOFS_TEST=... in the environment of everything that the test starts */
	char *dir;     /* the temporary directory; in it: */
	char *point;   /* the mountpoint, */
	char *scratch; /* $T, */
	char *log;     /* and the broker's stderr */
	char *program;
	GStrv environment;
	pid_t broker; /* 0: none, or reaped */
	int pidfd;    /* of the broker; -1: none */
	MountShared *shared;
	char *table;	   /* the mount table before the test */
	GPtrArray *others; /* on a bed: every process before the test; else NULL */
	/* When it had been mounted and nothing done yet. */
	GPtrArray *base;
	guint base_fds;
	gboolean failed;
};

/* Start everything; on failure the test has failed already, and the rest may be called all the
 * same. */
Mount *mount_new(const MountSetup *setup);
/* Check for leftovers, and free. */
void mount_free(Mount *mount);
void mount_fail(Mount *mount, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* What it is stuck in: every process, and the end of what the broker said. */
void mount_dump(Mount *mount);

/* A test that failed may have left the broker stopped. */
void mount_continue(Mount *mount);
/* Somebody hangs in the mount and cannot be killed: KILL the broker, which frees all. */
void mount_stuck(Mount *mount);

/* Call @func in a process of its own; FALSE (and the test has failed) when that does not end by
 * itself within
 * @seconds with exit code 0. */
gboolean mount_guard(Mount *mount, const char *what, MountTest func, guint seconds);
/* In a child: become who the test runs as, and execute. Does not return. */
void mount_exec(const Mount *mount, char **argv) G_GNUC_NORETURN;

#endif
