// SPDX-License-Identifier: GPL-2.0-or-later
/* The question: what does installing one package bring along? */
#include "closure.h"

#include <errno.h>
#include <stdlib.h>

int walker_init(struct walker *w, const struct graph *g)
{
	w->g = g;
	w->round = 0;
	w->seen = calloc(g->packages, sizeof(*w->seen));
	w->queue = calloc(g->packages, sizeof(*w->queue));
	if (w->seen && w->queue)
		return 0;
	walker_free(w);
	return -ENOMEM;
}

void walker_free(struct walker *w)
{
	free(w->seen);
	free(w->queue);
	w->seen = NULL;
	w->queue = NULL;
}

#define SATISFIED UINT32_MAX

/* The alternative to install for a group, or SATISFIED. */
static uint32_t choose(const struct walker *w, uint32_t begin, uint32_t end, uint32_t root,
		       bool *cyclic)
{
	const uint32_t *alts = w->g->alts;
	uint32_t i;

	for (i = begin; i < end; i++) {
		if (w->seen[alts[i]] != w->round)
			continue;
		if (alts[i] == root)
			*cyclic = true;
		return SATISFIED;
	}
	return alts[begin];
}

struct closure walker_closure(struct walker *w, uint32_t package)
{
	const struct graph *g = w->g;
	struct closure c = { .package = package };
	uint32_t group, next, p;
	uint32_t tail = 0;

	w->round++;
	w->seen[package] = w->round;
	w->queue[c.count++] = package;
	while (tail < c.count) {
		p = w->queue[tail++];
		c.installed_kib += g->installed_kib[p];
		for (group = g->group_begin[p]; group < g->group_begin[p + 1]; group++) {
			if (g->alt_begin[group] == g->alt_begin[group + 1]) {
				c.missing++;
				continue;
			}
			next = choose(w, g->alt_begin[group], g->alt_begin[group + 1], package,
				      &c.cyclic);
			if (next == SATISFIED)
				continue;
			w->seen[next] = w->round;
			w->queue[c.count++] = next;
		}
	}
	return c;
}
