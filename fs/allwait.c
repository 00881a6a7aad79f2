/* An open all/wait has the runs that were the children's present ones at open, or, if there was
 * none, at the first read that meets one. The lines stay, so it can be read again from its start. */
#include "fs/allwait.h"

#include "fs/openfile.h"

#include <errno.h>

typedef struct AllWait AllWait;

/* One child's run. */
typedef struct WaitedRun WaitedRun;
struct WaitedRun {
	AllWait *all;
	Context *context; /* owned */
	Run *run;	  /* owned */
	NotifierWatch watch;
};

struct AllWait {
	WaitedRun *runs;
	guint count, open;
	GString *text;
	Notifier changed;
};

/* The line of @run, which has ended. */
static void
print_run(GString *out, const Context *context, const Run *run)
{
	context_name_text(context, out);
	g_string_append_c(out, ' ');
	run_wait_text(run, out);
}

guint64
allwait_size(Context *context)
{
	g_autoptr(GString) text = g_string_new(NULL);
	guint64 serial = 0;
	Context *child;

	while ((child = context_child_after(context, serial)) != NULL) {
		Run *run = context_run(child);

		serial = context_serial(child);
		if (run != NULL && !run_ended(run))
			return 1;
		if (run != NULL)
			print_run(text, child, run);
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
	print_run(waited->all->text, waited->context, waited->run);
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
	guint64 serial = 0;
	Context *child;

	if (all->count > 0)
		return;
	g_free(all->runs);
	all->runs = g_new0(WaitedRun, context_child_count(context));
	while ((child = context_child_after(context, serial)) != NULL) {
		Run *run = context_run(child);
		WaitedRun *waited = &all->runs[all->count];

		serial = context_serial(child);
		if (run == NULL)
			continue;
		*waited = (WaitedRun){ all, context_ref(child), run_ref(run), { 0 } };
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
		context_unref(all->runs[i].context);
	}
	notifier_done(&all->changed);
	g_string_free(all->text, TRUE);
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
