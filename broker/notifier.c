/* A doubly linked list of embedded watches. While it is told, a cursor stands on the next one to
 * tell; a watch that is removed from under it moves it on. */
#include "broker/notifier.h"

/* Emissions under way, innermost first: their cursors must survive any removal. */
typedef struct Emission Emission;
struct Emission {
	Emission *outer;
	NotifierWatch *next;
};
static Emission *emissions;

void
notifier_watch(Notifier *notifier, NotifierWatch *watch, NotifierFunc func, void *data)
{
	watch->func = func;
	watch->data = data;
	watch->previous = &notifier->first;
	watch->next = notifier->first;
	if (watch->next != NULL)
		watch->next->previous = &watch->next;
	notifier->first = watch;
}

void
notifier_unwatch(NotifierWatch *watch)
{
	if (watch->previous == NULL)
		return;
	for (Emission *emission = emissions; emission != NULL; emission = emission->outer) {
		if (emission->next == watch)
			emission->next = watch->next;
	}
	*watch->previous = watch->next;
	if (watch->next != NULL)
		watch->next->previous = watch->previous;
	watch->previous = NULL;
	watch->next = NULL;
}

/* New watches are put in front, so an emission that walks to the end never meets one added
 * meanwhile. */
void
notifier_emit(Notifier *notifier)
{
	Emission emission = { emissions, notifier->first };

	emissions = &emission;
	while (emission.next != NULL) {
		NotifierWatch *watch = emission.next;

		emission.next = watch->next;
		watch->func(watch->data);
	}
	emissions = emission.outer;
}

void
notifier_done(Notifier *notifier)
{
	while (notifier->first != NULL)
		notifier_unwatch(notifier->first);
}
