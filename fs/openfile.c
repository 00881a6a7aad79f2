/* Open files: permission, waiting reads, polls.
 *
 * A read asks the row to look. If it has to wait, a WaitingRead parks the request and looks again
 * at each notification; nothing is consumed before the kernel has accepted the answer, so an
 * interrupted read lost nothing.
 *
 * A poll leaves a handle, which is used up by one wake-up: who was woken polls again and leaves
 * another. */
#include "fs/openfile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>

/* A read that waits. */
typedef struct WaitingRead WaitingRead;
struct WaitingRead {
	OpenFile *file;
	Parked *parked;
	NotifierWatch watch;
	guint64 offset;
	gsize size;
};

/* The open file that the kernel names. */
static OpenFile *
openfile_of(const struct fuse_file_info *info)
{
	return (OpenFile *)(guintptr)info->fh;
}

/* Whether the mode of @row allows what the flags of open(2) ask for; the kernel lets root pass. */
static gboolean
row_allows(const FileRow *row, int flags)
{
	int access = flags & O_ACCMODE;

	if (access != O_WRONLY && !(row->mode & S_IRUSR))
		return FALSE;
	return access == O_RDONLY || (row->mode & S_IWUSR);
}

/* Make the open file; the row's own part may refuse. */
static int
openfile_new(Mount *mount, const Node *node, int flags, OpenFile **ret_file)
{
	OpenFile *file = g_new0(OpenFile, 1);

	file->mount = mount;
	file->row = node->row;
	file->node = node->id;
	file->context = context_ref(node->context);
	file->text = node->text != NULL ? g_bytes_ref(node->text) : NULL;
	file->flags = flags;
	file->is_stream = (node->row->flags & FILE_CURSOR) && (flags & O_ACCMODE) != O_RDONLY;
	file->link.data = file;
	g_queue_push_tail_link(&mount->open_files, &file->link);
	int result = file->row->open != NULL ? file->row->open(file) : 0;
	if (result == 0 && (flags & O_TRUNC) && file->row->truncate != NULL)
		result = file->row->truncate(file->context, file);
	if (result < 0)
		openfile_free(file);
	else
		*ret_file = file;
	return result;
}

void
openfile_free(OpenFile *file)
{
	notifier_unwatch(&file->poll_watch);
	g_clear_pointer(&file->poll, fuse_pollhandle_destroy);
	if (file->row->release != NULL && file->state != NULL)
		file->row->release(file);
	g_queue_unlink(&file->mount->open_files, &file->link);
	g_clear_pointer(&file->text, g_bytes_unref);
	context_unref(file->context);
	g_free(file);
}

void
openfile_op_open(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
	Mount *mount = fuse_req_userdata(req);
	g_autoptr(Reply) reply = reply_new(req);
	Node *node = node_find(mount->nodes, id);
	gboolean writes = (info->flags & O_ACCMODE) != O_RDONLY || (info->flags & O_TRUNC);
	guint32 flags = FOPEN_DIRECT_IO | FOPEN_NOFLUSH;
	OpenFile *file;
	int result;

	if (node == NULL)
		result = -ESTALE;
	else if (!row_allows(node->row, info->flags) || (writes && !mount_may_write(mount, reply)))
		result = -EACCES;
	else
		result = openfile_new(mount, node, info->flags, &file);
	if (result < 0) {
		reply_error(g_steal_pointer(&reply), -result);
		return;
	}
	if (file->is_stream)
		flags |= FOPEN_STREAM;
	if (reply_open(g_steal_pointer(&reply), (guintptr)file, flags) < 0)
		openfile_free(file);
}

/* Answer with what was looked at, and consume it if that arrived. */
static void
openfile_give(OpenFile *file, Reply *reply, guint64 offset, gssize size, const struct iovec *iov,
	      int count)
{
	int result;

	if (size < 0) {
		reply_error(reply, (int)-size);
		return;
	}
	result = reply_iov(reply, iov, count);
	if (result < 0 || size == 0)
		return;
	file->cursor = offset + size;
	if (file->row->consume != NULL)
		file->row->consume(file, offset, size);
}

/* Something changed: answer if it need not wait any more. */
static void
waiting_read_on_change(void *data)
{
	WaitingRead *waiting = data;
	OpenFile *file = waiting->file;
	struct iovec iov[2];
	int count = 0;
	gssize size = file->row->look(file, waiting->offset, waiting->size, iov, &count);

	if (size == -EAGAIN)
		return;
	notifier_unwatch(&waiting->watch);
	openfile_give(file, parked_leave(waiting->parked), waiting->offset, size, iov, count);
	g_free(waiting);
}

/* It must not wait any longer: nothing was consumed, so the caller may ask again. */
static void
waiting_read_on_end(ParkedReason reason, void *data)
{
	WaitingRead *waiting = data;

	notifier_unwatch(&waiting->watch);
	reply_error(parked_leave(waiting->parked), reason == PARKED_STOPPING ? ESHUTDOWN : EINTR);
	g_free(waiting);
}

/* Park a read until there is something for it. */
static void
openfile_wait(OpenFile *file, Reply *reply, guint64 offset, gsize size)
{
	WaitingRead *waiting = g_new0(WaitingRead, 1);

	waiting->file = file;
	waiting->offset = offset;
	waiting->size = size;
	notifier_watch(file->row->changed(file), &waiting->watch, waiting_read_on_change, waiting);
	waiting->parked = parking_add(file->mount->parking, reply, waiting_read_on_end, waiting);
}

/* What a read gets now; a row may have more than it knows of yet. */
static gssize
openfile_look(OpenFile *file, guint64 offset, gsize size, struct iovec iov[2], int *ret_count)
{
	gssize result = file->row->look(file, offset, size, iov, ret_count);

	if (result == -EAGAIN && file->row->refresh != NULL && file->row->refresh(file))
		result = file->row->look(file, offset, size, iov, ret_count);
	return result;
}

/* A READ. Page-cache reads (splice, sendfile, mmap) come without a lock owner and with an offset of
 * their own: a text serves them, a stream cannot. */
void
openfile_op_read(fuse_req_t req, fuse_ino_t id, size_t size, off_t kernel_offset,
		 struct fuse_file_info *info)
{
	OpenFile *file = openfile_of(info);
	g_autoptr(Reply) reply = reply_new(req);
	gboolean from_cache = info->lock_owner == 0;
	guint64 offset = file->is_stream && !from_cache ? file->cursor : (guint64)kernel_offset;
	struct iovec iov[2];
	int count = 0;
	gssize result = -EINVAL;

	if (!(from_cache && (file->row->flags & FILE_STREAM)))
		result = openfile_look(file, offset, size, iov, &count);
	if (result == -EAGAIN && (file->row->flags & FILE_ENDS))
		result = 0;
	if (result == -EAGAIN && parking_stopping(file->mount->parking))
		result = -ESHUTDOWN;
	if (result == -EAGAIN && !(info->flags & O_NONBLOCK))
		openfile_wait(file, g_steal_pointer(&reply), offset, size);
	else
		openfile_give(file, g_steal_pointer(&reply), offset, result, iov, count);
}

void
openfile_op_write(fuse_req_t req, fuse_ino_t id, const char *bytes, size_t size, off_t offset,
		  struct fuse_file_info *info)
{
	OpenFile *file = openfile_of(info);

	file->row->write(file, reply_new(req), bytes, size, (info->flags & O_NONBLOCK) != 0);
}

/* Nothing hangs on a FLUSH, and nothing may wait in it: an exiting process is deaf there. */
void
openfile_op_flush(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
	reply_error(reply_new(req), 0);
}

/* The last close, some time ago: all requests of the file have been answered. */
void
openfile_op_release(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
	openfile_free(openfile_of(info));
	reply_error(reply_new(req), 0);
}

/* What poll(2) shows now. */
static guint
openfile_events(OpenFile *file)
{
	struct iovec iov[2];
	int count = 0;
	guint events = 0;

	if (file->row->look != NULL) {
		gssize size = file->row->look(file, file->cursor, 1, iov, &count);

		if (size != -EAGAIN)
			events |= POLLIN | POLLRDNORM;
		if (size <= 0 && size != -EAGAIN && (file->row->flags & FILE_STREAM))
			events |= POLLHUP;
	}
	if (file->row->write != NULL && (file->row->writable == NULL || file->row->writable(file)))
		events |= POLLOUT | POLLWRNORM;
	return events;
}

/* Something changed: wake who polls, if there is something to see. */
static void
openfile_on_poll_change(void *data)
{
	OpenFile *file = data;

	if (openfile_events(file) == 0)
		return;
	notifier_unwatch(&file->poll_watch);
	if (!file->mount->ended)
		fuse_lowlevel_notify_poll(file->poll);
	g_clear_pointer(&file->poll, fuse_pollhandle_destroy);
}

void
openfile_op_poll(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info,
		 struct fuse_pollhandle *handle)
{
	OpenFile *file = openfile_of(info);
	if (file->row->refresh != NULL)
		file->row->refresh(file);
	guint events = openfile_events(file);
	Notifier *changed = file->row->changed != NULL ? file->row->changed(file) : NULL;

	if (handle != NULL) {
		notifier_unwatch(&file->poll_watch);
		g_clear_pointer(&file->poll, fuse_pollhandle_destroy);
		if (changed != NULL)
			notifier_watch(changed, &file->poll_watch, openfile_on_poll_change, file);
		file->poll = handle;
	}
	reply_poll(reply_new(req), events);
}
