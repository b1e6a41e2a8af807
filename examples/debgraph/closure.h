/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The question: what does installing one package bring along? */
#ifndef DEBGRAPH_CLOSURE_H
#define DEBGRAPH_CLOSURE_H

#include <stdbool.h>
#include <stdint.h>

#include "graph.h"

/** struct closure - the answer for one package. */
struct closure {
	uint32_t package;
	uint32_t count;			/* packages to install, itself included */
	uint64_t installed_kib;		/* of all of them */
	uint32_t missing;		/* dependencies that nothing here satisfies */
	bool cyclic;			/* what it needs needs it in turn */
};

/** struct walker - scratch memory for many questions about one graph. */
struct walker {
	const struct graph *g;
	uint32_t *seen;			/* by package: == round: in the closure */
	uint32_t *queue;
	uint32_t round;
};

int walker_init(struct walker *w, const struct graph *g);
void walker_free(struct walker *w);

/**
 * walker_closure() - breadth first from @package. A dependency that the closure
 * satisfies already adds nothing; else its first alternative is taken, as apt does.
 */
struct closure walker_closure(struct walker *w, uint32_t package);

#endif /* DEBGRAPH_CLOSURE_H */
