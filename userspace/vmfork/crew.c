// SPDX-License-Identifier: GPL-2.0-or-later
/* The clones of one vmfork(1), and the tickets they come by. See crew.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>

#include "clone.h"
#include "crew.h"
#include "vmfork.h"

int crew_init(struct crew *c, int vm, unsigned int n)
{
	*c = (struct crew){ .vm = vm, .n = n, .at_a_time = n, .checkpoint = -1, .spare = -1 };
	c->child = calloc(n ? n : 1, sizeof(*c->child));
	if (!c->child)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		c->child[i].ticket = -1;
		c->child[i].files[0] = c->child[i].files[1] = -1;
		c->child[i].fetch.fd = -1;
	}
	return 0;
}

void crew_free(struct crew *c)
{
	for (unsigned int i = 0; c->child && i < c->n; i++) {
		/* one ticket may be several children's */
		if (c->child[i].id <= 1)
			vmfork_close(c->child[i].ticket);
		output_free(&c->child[i].out);
		output_free(&c->child[i].err);
	}
	vmfork_close(c->spare);
	vmfork_close(c->checkpoint);
	free(c->child);
}

/* A read that would block is tried again after poll(); so is a write. */
static void begin(struct crew *c, struct child *child, int ticket, unsigned int id, double now)
{
	fcntl(ticket, F_SETFL, O_NONBLOCK);
	child->state = CHILD_RUNNING;
	child->ticket = ticket;
	child->id = id;
	child->began = now;
	c->running++;
}

void crew_take_ticket(struct crew *c, int ticket, double now)
{
	for (unsigned int i = 0; i < c->n; i++)
		begin(c, &c->child[i], ticket, i + 1, now);
	c->next = c->n;
}

/* It is told by its number which set is its own; a new ticket's window has room. */
static int start(struct crew *c, int ticket, double now)
{
	struct child *child = &c->child[c->next];
	uint32_t number = c->next;
	int r;

	r = vmfork_create_clones(ticket, c->checkpoint);
	if (!r)
		r = vmfork_send(ticket, 1, TAG_JOB, &number, sizeof(number));
	if (r) {
		vmfork_close(ticket);
		return r;
	}
	begin(c, child, ticket, 1, now);
	c->next++;
	return 1;
}

int crew_start_next(struct crew *c, double now)
{
	int ticket = c->spare, r;

	if (c->next == c->n || c->running >= c->at_a_time)
		return 0;
	c->spare = -1;
	if (ticket < 0)
		ticket = vmfork_request_ticket(c->vm, 1, 0, NULL);
	if (ticket == -EDQUOT && c->running)
		return 0;	/* when one of those has ended there is room */
	if (ticket < 0)
		return ticket;
	r = start(c, ticket, now);
	if (r > 0 && c->next < c->n)
		c->spare = vmfork_request_ticket(c->vm, 1, 0, NULL);
	return r;
}

struct child *crew_find(const struct crew *c, int ticket, unsigned int id)
{
	for (unsigned int i = 0; i < c->n; i++)
		if (c->child[i].ticket == ticket && c->child[i].id == id &&
		    c->child[i].state == CHILD_RUNNING)
			return &c->child[i];
	return NULL;
}

void crew_kill(struct crew *c, struct child *child)
{
	for (unsigned int i = 0; i < c->n; i++) {
		struct child *one = &c->child[i];

		if (one->state != CHILD_RUNNING || (child && child != one))
			continue;
		while (vmfork_kill(one->ticket, one->id) == -EINTR)
			;
	}
}

void crew_end(struct crew *c, struct child *child)
{
	child->state = CHILD_ENDED;
	c->running--;
	if (c->checkpoint < 0)
		return;		/* the ticket is the others' as well */
	vmfork_close(child->ticket);
	child->ticket = -1;
}
