// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests of the control socket that wait for VMs or clones to end. */
#include "waiters.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "describe.h"
#include "server.h"
#include "ticket.h"

struct waiter {
	struct request *request;	/* NULL: free */
	uint64_t ticket;		/* or: */
	uint64_t *handles;
	unsigned int n;
};

static struct waiter waiters[WAITERS_MAX];

static struct waiter *new_waiter(struct request *q)
{
	for (struct waiter *w = waiters; w < waiters + WAITERS_MAX; w++) {
		if (w->request)
			continue;
		*w = (struct waiter){ .request = q };
		return w;
	}
	return NULL;
}

int wait_ticket(struct request *q, uint64_t ticket)
{
	struct waiter *w = new_waiter(q);

	if (!w)
		return -EBUSY;
	w->ticket = ticket;
	return 0;
}

int wait_killed(struct request *q, uint64_t *handles, unsigned int n)
{
	struct waiter *w = new_waiter(q);

	if (!w)
		return -EBUSY;
	w->handles = handles;
	w->n = n;
	return 0;
}

static bool ended(const struct waiter *w)
{
	struct ticket *t;

	if (w->ticket) {
		t = ticket_find(w->ticket);
		return !t || (t->state == TICKET_FORKED && ticket_all_ended(t));
	}
	for (unsigned int i = 0; i < w->n; i++)
		if (vm_find(w->handles[i]))
			return false;
	return true;
}

static void answer(struct waiter *w)
{
	struct request *q = w->request;
	struct ticket *t = w->ticket ? ticket_find(w->ticket) : NULL;
	struct waiter was = *w;

	w->request = NULL;
	if (!was.ticket)
		request_ok(q, json_pack("{s:i}", "killed", (int)was.n));
	else if (t)
		request_ok(q, json_pack("{s:o}", "exits", describe_exits(t)));
	else
		request_fail(q, ESTALE, "the ticket was closed meanwhile", "");
	free(was.handles);
}

void waiters_check(void)
{
	for (struct waiter *w = waiters; w < waiters + WAITERS_MAX; w++)
		if (w->request && ended(w))
			answer(w);
}
