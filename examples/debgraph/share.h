/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The work in shares: alone, or one per clone. */
#ifndef DEBGRAPH_SHARE_H
#define DEBGRAPH_SHARE_H

#include "graph.h"
#include "result.h"

/** struct share - of every @every-th package, each @count-th beginning with @index. */
struct share {
	unsigned int index;
	unsigned int count;
	unsigned int every;
};

/** share_compute() - answer for a share, into @r. Return: 0 or -ENOMEM. */
int share_compute(const struct graph *g, const struct share *share, struct result *r);

/**
 * struct plan - how the work is to be shared.
 * @hold:	NULL, or a file: when all answers are in, the clones stay until a byte
 *		can be read from it (a FIFO, say), so that they can be looked at
 */
struct plan {
	unsigned int clones;
	unsigned int every;
	const char *hold;
};

/**
 * share_among_clones() - fork this machine and merge the clones' answers into @total.
 * Returns in the parent alone. Return: 0, or a negative errno, said on stderr: a clone
 * that ended badly or without its result is an error.
 */
int share_among_clones(const struct graph *g, const struct plan *plan, struct result *total);

#endif /* DEBGRAPH_SHARE_H */
