/* The command line: mitofs [OPTIONS] [SOURCE] MOUNTPOINT. */
#ifndef MITOFS_FS_OPTIONS_H
#define MITOFS_FS_OPTIONS_H

#include "broker/broker.h"

typedef struct Options Options;

struct Options {
	char *mountpoint;
	gboolean foreground;
	gboolean debug;
	gboolean version; /* print it, and nothing else */
	gboolean nonempty;
	gboolean shared;	  /* allow_other, allow_root */
	GLogLevelFlags log_level; /* the least that is logged */
	BrokerOptions broker;
	GStrv fuse; /* mount options for FUSE, escaped */
};

/* Parse @argv, which is not changed. With -h the process prints its help and exits. NULL on
 * error. */
Options *options_parse(int argc, char **argv, GError **error);
void options_free(Options *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Options, options_free)

#endif
