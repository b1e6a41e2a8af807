/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A clone: a VM whose absent pages come from an image. */
#ifndef VMFORK_PAGER_CLONE_H
#define VMFORK_PAGER_CLONE_H

#include <stdbool.h>
#include <stdint.h>

#include "ahead.h"
#include "avoid.h"
#include "image.h"
#include "vmlink.h"

/**
 * DOC: States of a clone
 *
 *   free -> SERVED      clone_init()
 *   SERVED -> LOST      clone_serve(): it could only be given a wrong page; its waiters
 *                       wait until it is killed, and nothing more is served
 *   SERVED, LOST -> free   clone_fini()
 */
struct clone {
	uint64_t handle;	/* 0: free entry */
	struct image *image;
	struct vmlink link;
	struct avoid avoid;
	struct ahead ahead;
	struct fill fill;	/* of a link with give(): its own pages */
	bool poison;		/* PAGER_F_POISON */
	int lost;		/* 0, or the negative errno that ended it */
	uint64_t last_page;	/* livelock check of fault.c */
	unsigned int again;
	struct pager_clone_stats stats;
};

/** clone_init() - take over @link and @avoid; the image gets a user. */
void clone_init(struct clone *c, uint64_t handle, struct image *image,
		const struct vmlink *link, const struct avoid *avoid);
void clone_fini(struct clone *c);

/**
 * clone_serve() - take and answer the faults that are there now, one batch.
 * Allocates nothing and waits for nothing but the source.
 * Return: how many faults were answered; or a negative errno: the clone is lost.
 */
int clone_serve(struct clone *c);

#endif /* VMFORK_PAGER_CLONE_H */
