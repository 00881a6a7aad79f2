/* A mount: what the handlers of the kernel's requests share. Its parts are made and freed in
 * main.c. */
#ifndef MITOFS_FS_MOUNT_H
#define MITOFS_FS_MOUNT_H

#include "fs/node.h"
#include "fs/parked.h"

typedef struct Mount Mount;

struct Mount {
	Broker *broker;
	NodeTable *nodes;
	Parking *parking;
	GQueue open_files; /* OpenFile */
	uid_t uid;	   /* the mounting user, who owns everything */
	gid_t gid;
	gboolean shared; /* allow_other: the uid of each writer is checked */
	gboolean ended;	 /* the kernel is gone: nothing may be sent to it */
};

/* Whether the caller may change anything: the owner and root may. */
gboolean mount_may_write(const Mount *mount, const Reply *reply);

#endif
