/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of packages, real and virtual: text to number. */
#ifndef DEBGRAPH_NAMES_H
#define DEBGRAPH_NAMES_H

#include <stdint.h>

#include "index.h"

#define NAME_NONE UINT32_MAX

/** struct name - one name: the package of that name, and who provides it. */
struct name {
	struct span text;
	uint32_t package;		/* NAME_NONE: virtual or unknown */
	uint32_t providers;		/* how many */
	uint32_t provider_begin;	/* set by whoever lays the providers out */
};

struct names {
	struct name *table;		/* open addressing; @text.s NULL: free */
	uint32_t size;			/* a power of two */
	uint32_t used;
};

int names_init(struct names *n, uint32_t size);
void names_free(struct names *n);

/** names_find() - the name, or NULL. */
struct name *names_find(const struct names *n, struct span text);

/** names_add() - the name, new or not; NULL: out of memory. Moves older names. */
struct name *names_add(struct names *n, struct span text);

#endif /* DEBGRAPH_NAMES_H */
