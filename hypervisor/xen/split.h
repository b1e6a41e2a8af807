/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes a migration stream apart: RAM into an image, all else into a descriptor. */
#ifndef VMFORK_XEN_SPLIT_H
#define VMFORK_XEN_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct split - one stream.
 * @in:		where it comes from; ours: closed at the end or after an error, so that who
 *		writes does not wait for ever
 * @image:	gets the pages of RAM below @npages, each at its pfn
 * @out:	gets the rest, a stream as well
 * @presence:	@npages bytes, enum page_state, of the image
 * @is_stopped:	does the domain stand still by now? With @data.
 * @hold_from:	0, or: after the page of this number and before the next pages @hold(@data) is
 *		called, once; an error that it returns ends all
 * @err:	0 or a negative errno
 * @stopped_ns:	when that was first seen, by CLOCK_MONOTONIC
 * @copied:	pages stored, repeats included; @copied_late: after @stopped_ns;
 *		@copied_early: before @hold returned
 */
struct split {
	int in;
	int image;
	int out;
	uint8_t *presence;
	uint64_t npages;
	uint64_t hold_from;
	uint64_t top;		/* the last page that came */
	bool (*is_stopped)(void *data);
	int (*hold)(void *data);
	void *data;
	int err;
	uint64_t stopped_ns;
	uint64_t copied;
	uint64_t copied_late;
	uint64_t copied_early;
};

/** split_run() - do it all. */
void split_run(struct split *s);

#endif /* VMFORK_XEN_SPLIT_H */
