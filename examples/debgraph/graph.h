/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dependency graph of a package index, with alternatives and virtual packages. */
#ifndef DEBGRAPH_GRAPH_H
#define DEBGRAPH_GRAPH_H

#include <stdint.h>

#include "index.h"

/**
 * DOC: The graph
 *
 * Nodes are packages, numbered in the index's order. A package has groups, one for
 * each dependency; a group has alternatives, package numbers in order of preference:
 * for "a | b" the package a, the providers of a, the package b, the providers of b.
 * One of a group's alternatives satisfies it; a group without any is unsatisfiable.
 *
 *	groups of p:		group_begin[p] .. group_begin[p + 1]
 *	alternatives of g:	alt_begin[g] .. alt_begin[g + 1]  in alts[]
 */
struct graph {
	uint32_t packages;
	uint32_t groups;
	uint32_t *group_begin;		/* packages + 1 */
	uint32_t *alt_begin;		/* groups + 1 */
	uint32_t *alts;
	struct span *name;		/* into the text */
	uint64_t *installed_kib;
	uint32_t virtuals;		/* names that are provided and are no package */
};

/**
 * graph_build() - make the graph of an index.
 * @text:	must outlive the graph
 * Return: 0, -EBADMSG not an index, -ENOMEM, -EOVERFLOW. A package that comes twice
 * is taken the first time.
 */
int graph_build(struct span text, struct graph **ret);

void graph_free(struct graph *g);

#endif /* DEBGRAPH_GRAPH_H */
