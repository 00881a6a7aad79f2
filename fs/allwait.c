/* An open all/wait has the runs that were the children's present ones at open, or, if there was
 * none, at the first read that meets one. The lines stay, so it can be read again from its start. */
#include "fs/allwait.h"

#include "fs/openfile.h"

#include "broker/members.h"

#include <errno.h>

typedef struct AllWait AllWait;

/* One child's run. */
typedef struct WaitedRun WaitedRun;
struct WaitedRun {
	AllWait *all;
	const Member *member; /* borrowed from all->members */
	Run *run;	      /* owned */
	NotifierWatch watch;
};

struct AllWait {
	GPtrArray *members;
	WaitedRun *runs;
	guint count, open;
	GString *text;
	Notifier changed;
};

/* The line of @run, which has ended. */
static void
print_run(GString *out, const Member *member, const Run *run)
{
	member_text(member, out);
	g_string_append_c(out, ' ');
	run_wait_text(run, out);
}

guint64
allwait_size(Context *context)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GPtrArray) members = members_of(context);

	for (guint i = 0; i < members->len; i++) {
		const Member *member = g_ptr_array_index(members, i);
		Run *run = context_run(member->context);

		if (run != NULL && !run_ended(run))
			return 1;
		if (run != NULL)
			print_run(text, member, run);
	}
	return text->len;
}

/* Add its line if it has ended. */
static gboolean
waited_run_check(WaitedRun *waited)
{
	if (!run_ended(waited->run))
		return FALSE;
	notifier_unwatch(&waited->watch);
	waited->all->open--;
	print_run(waited->all->text, waited->member, waited->run);
	return TRUE;
}

static void
waited_run_on_change(void *data)
{
	WaitedRun *waited = data;

	if (waited_run_check(waited))
		notifier_emit(&waited->all->changed);
}

/* The runs that there are now, unless it has some already. */
static void
allwait_bind(AllWait *all, Context *context)
{
	if (all->count > 0)
		return;
	g_clear_pointer(&all->members, g_ptr_array_unref);
	all->members = members_of(context);
	g_free(all->runs);
	all->runs = g_new0(WaitedRun, all->members->len);
	for (guint i = 0; i < all->members->len; i++) {
		const Member *member = g_ptr_array_index(all->members, i);
		Run *run = context_run(member->context);
		WaitedRun *waited = &all->runs[all->count];

		if (run == NULL)
			continue;
		*waited = (WaitedRun){ all, member, run_ref(run), { 0 } };
		all->count++;
		all->open++;
		notifier_watch(run_changed(run), &waited->watch, waited_run_on_change, waited);
		waited_run_check(waited);
	}
}

int
allwait_open(OpenFile *file)
{
	AllWait *all = g_new0(AllWait, 1);

	all->text = g_string_new(NULL);
	allwait_bind(all, file->context);
	file->state = all;
	return 0;
}

void
allwait_release(OpenFile *file)
{
	AllWait *all = file->state;

	for (guint i = 0; i < all->count; i++) {
		notifier_unwatch(&all->runs[i].watch);
		run_unref(all->runs[i].run);
	}
	notifier_done(&all->changed);
	g_string_free(all->text, TRUE);
	g_ptr_array_unref(all->members);
	g_free(all->runs);
	g_free(all);
}

gssize
allwait_look(OpenFile *file, guint64 offset, gsize size, struct iovec iov[2], int *ret_count)
{
	AllWait *all = file->state;

	allwait_bind(all, file->context);
	if (offset >= all->text->len)
		return all->open == 0 ? 0 : -EAGAIN;
	iov[0].iov_base = all->text->str + offset;
	iov[0].iov_len = MIN(size, all->text->len - offset);
	*ret_count = 1;
	return (gssize)iov[0].iov_len;
}

Notifier *
allwait_changed(OpenFile *file)
{
	return &((AllWait *)file->state)->changed;
}
