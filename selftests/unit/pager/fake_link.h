/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The link and the source are scripted, so that answers which a kernel gives once in a
 * year (-EAGAIN, -EEXIST, -ESRCH) are given here; file, map and bitmap are real.
 */
#ifndef UNIT_FAKE_LINK_H
#define UNIT_FAKE_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "clone.h"
#include "image.h"

#define NPAGES 64U

struct script {
	struct fault faults[VMLINK_BATCH];
	int nfaults;
	int zero_result, copy_result;	/* given @results times, then 0 */
	unsigned int results;
	unsigned int wakes, zeros, copies;
	uint64_t last_page;
	unsigned int last_npages;
	uint8_t copied[PAGER_PAGE_SIZE] __attribute__((aligned(8)));
	int fetch_result;
	uint8_t fetch_byte;
	unsigned int fetches, last_run;
};

extern struct script script;
extern struct image img, upper;	/* @upper: made by the tests that have one */
extern struct clone clone_;
extern const struct source_ops source_ops;	/* gives what the script says */
extern const struct source_ops lower_ops;	/* has nothing: ask the image below */

/** fake_setup() - @img, an image of NPAGES pages without any, and @clone_ of it. */
void fake_setup(void);
void fake_teardown(void);

/** memory_file() - an empty file of @len bytes that can be sealed. Return: the caller's descriptor. */
int memory_file(size_t len);

/** make_image() - an image of NPAGES pages from @ops, the rest from @lower, which may be NULL. */
void make_image(struct image *i, uint64_t handle, struct image *lower,
		const struct source_ops *ops);

/** fault() - the VM touches @page. Return: 0 answered, or -errno. */
int fault(uint64_t page);

/** set_avoid() - the guest says that it does not care what is in @page. */
void set_avoid(uint64_t page);

/** file_byte() - the last byte of @page in the image's file. */
uint8_t file_byte(const struct image *i, uint64_t page);

#endif /* UNIT_FAKE_LINK_H */
