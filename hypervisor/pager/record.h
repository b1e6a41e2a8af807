/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of an image: which pages its clones asked for, in order of first use. */
#ifndef VMFORK_PAGER_RECORD_H
#define VMFORK_PAGER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pager_proto.h"

/**
 * DOC: Records
 *
 * What the clones of a VM fetch repeats from fork to fork. Each image has a record, a
 * memory file that vmforkd keeps (struct pager_record), and begins with what the record
 * of the VM's earlier image says: those pages are put into the image in the background
 * (fill.c). What is asked for besides is appended.
 *
 * A page that is there raises no fault, so nobody sees whether it is used. Therefore
 * some are held back: in each generation another sixteenth of the earlier record's
 * pages, by a hash. Such a probe that is asked for stays in the record; one that is not
 * is left out of the next. So a record forgets what is no longer used, within sixteen
 * forks, and the used share of the probes is that of all pages that are filled.
 *
 * A record is a hint and nothing else: whatever it says, only right bytes are put into
 * the image. An entry is written before the count that tells of it; a pager that dies
 * leaves at most some uses unsaid. Two pagers at once may lose or repeat entries.
 */
#define RECORD_PROBES	16U

/** struct record - @file NULL: there is none, and nothing is noted. */
struct record {
	struct pager_record *file;
	size_t bytes;
	uint32_t capacity;
	uint64_t npages;
	uint64_t *seen;		/* bit per page: asked for, or going to be filled */
	uint64_t *probe;	/* bit per page: held back */
	bool unsettled;		/* probes were asked for since record_settle() */
	uint32_t probes, probes_used;
};

/**
 * record_init() - take over @fd and what an earlier pager wrote there.
 * @npages:	of the image: entries beyond are no entries
 * Return: 0; -EINVAL if the file has no room for an entry; or what mmap said.
 */
int record_init(struct record *r, int fd, uint64_t npages);
void record_fini(struct record *r);

/** record_seed() - begin with the record in @fd, which stays as it is and the caller's;
 * nothing happens if this one has begun already. */
void record_seed(struct record *r, int fd);

/** record_note() - a clone asked for this page, which was absent. */
void record_note(struct record *r, uint64_t page);

/** record_held_back() - is this page a probe, which is not to be filled? */
bool record_held_back(const struct record *r, uint64_t page);

/** record_settle() - write down which probes were asked for. */
void record_settle(struct record *r);

/** record_count() - entries that there are now: the earlier record's, and what was asked for. */
uint32_t record_count(const struct record *r);

/** record_seeded() - entries that are the earlier record's. */
uint32_t record_seeded(const struct record *r);

/**
 * record_next() - pages that are to be filled, in order, from entry *@at on, before @end.
 * Return: a page, or UINT64_MAX at the end.
 */
uint64_t record_next(const struct record *r, uint32_t *at, uint32_t end);

/** record_stats() - what there is to say of it. */
void record_stats(const struct record *r, struct pager_image_stats *stats);

#endif /* VMFORK_PAGER_RECORD_H */
