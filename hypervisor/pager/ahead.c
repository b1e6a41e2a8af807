// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading ahead: which faults of a clone go through its memory one after the other. */
#include "ahead.h"

#include <stddef.h>

#include "source.h"

#define HITS_MIN	2U	/* expected faults before anything is fetched ahead */

static struct stream *find(struct ahead *a, uint64_t page)
{
	for (unsigned int i = 0; i < STREAMS; i++) {
		if (a->streams[i].next == page && page)
			return &a->streams[i];
	}
	return NULL;
}

static struct stream *oldest(struct ahead *a)
{
	struct stream *s = &a->streams[0];

	for (unsigned int i = 1; i < STREAMS; i++) {
		if (a->clock - a->streams[i].used > a->clock - s->used)
			s = &a->streams[i];
	}
	return s;
}

unsigned int ahead_window(struct ahead *a, uint64_t page)
{
	struct stream *s = find(a, page);

	a->clock++;
	if (!s) {
		s = oldest(a);
		*s = (struct stream){ .window = 1 };
	} else if (++s->hits >= HITS_MIN) {
		s->window = s->window * 2 < FETCH_MAX ? s->window * 2 : FETCH_MAX;
	}
	s->used = a->clock;
	s->next = page + 1;
	return s->window;
}

void ahead_fetched(struct ahead *a, uint64_t page, unsigned int n)
{
	struct stream *s = find(a, page + 1);

	if (s)
		s->next = page + n;
}
