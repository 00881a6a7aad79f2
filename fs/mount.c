/* Who may change anything. Without allow_other the kernel lets nobody else in. */
#include "fs/mount.h"

gboolean
mount_may_write(const Mount *mount, const Reply *reply)
{
	uid_t uid = reply_caller_uid(reply);

	return !mount->shared || uid == 0 || uid == mount->uid;
}
