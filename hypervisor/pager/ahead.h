/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading ahead: which faults of a clone go through its memory one after the other. */
#ifndef VMFORK_PAGER_AHEAD_H
#define VMFORK_PAGER_AHEAD_H

#include <stdint.h>

/**
 * DOC: Streams
 *
 * Most faults come in no order, and reading ahead of them would be waste. But a program
 * that goes through a large area faults on page after page. A stream is such a series:
 * the second fault in a row that was expected, and each further one, doubles how much is
 * fetched at once, up to FETCH_MAX pages; the next is expected behind that. A fault that no
 * stream expects begins a new one, in the place of the one that was not continued for
 * longest, and fetches one page. Downwards nothing is read ahead.
 */
#define STREAMS	4U

struct ahead {
	struct stream {
		uint64_t next;		/* page that is expected; 0: unused */
		unsigned int window;	/* pages that were fetched last */
		unsigned int hits;	/* faults that were expected, in a row */
		unsigned int used;	/* when; wraps */
	} streams[STREAMS];
	unsigned int clock;
};

/** ahead_window() - how many pages are worth fetching at once for a fault at @page. */
unsigned int ahead_window(struct ahead *a, uint64_t page);

/** ahead_fetched() - that many were, of those that ahead_window() said. */
void ahead_fetched(struct ahead *a, uint64_t page, unsigned int n);

#endif /* VMFORK_PAGER_AHEAD_H */
