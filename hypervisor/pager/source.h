/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where an image's absent pages come from. */
#ifndef VMFORK_PAGER_SOURCE_H
#define VMFORK_PAGER_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "avoid.h"

/** enum fetch_result - what a source says of a page, besides a negative errno. */
enum fetch_result {
	FETCH_DATA = 0,		/* its bytes are in the buffer (they may be zeros) */
	FETCH_ZERO,		/* zeros; the buffer is untouched */
	FETCH_LOWER,		/* as in the lower image */
};

/** FETCH_MAX - most pages at once. */
#define FETCH_MAX	8U

struct source;

struct source_ops {
	/**
	 * fetch: @n pages from @page on, always with the same answers: an enum
	 * fetch_result for each. -ESRCH: gone for good.
	 */
	int (*fetch)(const struct source *s, uint64_t page, unsigned int n, uint8_t *buf,
		     uint8_t *results);
	void (*close)(struct source *s);
};

struct source {
	const struct source_ops *ops;
	/* snapshot process */
	int mem;		/* /proc/PID/mem */
	int pagemap;		/* /proc/PID/pagemap */
	uint64_t base;		/* address of page 0 in the snapshot process */
	bool lower;		/* it is a clone's: see source_snapshot.c */
	struct avoid frozen;	/* @lower: the clone's bitmap as of its fork */
};

/**
 * source_snapshot_init() - a snapshot process; takes over the descriptors.
 * @frozen:	NULL for a root VM's; else there is a lower image. Taken over.
 */
void source_snapshot_init(struct source *s, int mem, int pagemap, uint64_t base,
			  const struct avoid *frozen);

/** source_none_init() - of an image that is complete. */
void source_none_init(struct source *s);

#endif /* VMFORK_PAGER_SOURCE_H */
