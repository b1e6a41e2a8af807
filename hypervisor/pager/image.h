/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image: a sparse file, its presence map, and the source of what is absent. */
#ifndef VMFORK_PAGER_IMAGE_H
#define VMFORK_PAGER_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "pager_proto.h"
#include "record.h"
#include "source.h"

/**
 * DOC: States of a page of an image
 *
 *   PAGE_ABSENT -> PAGE_PRESENT   image_fill(): after the whole page is in the file
 *   PAGE_ABSENT -> PAGE_ZERO      image_set_zero(): its source has zeros
 *
 * Nothing else: what is present or zero stays so. The byte in the map is written
 * (release) after the file, so a pager that dies in between leaves "absent", and the
 * next one writes the same bytes again. A hole of the file is never read: only the
 * map says what is there.
 */
struct image {
	uint64_t handle;	/* 0: free entry */
	uint64_t npages;
	int file;
	uint8_t *map;		/* enum page_state, shared with pagers to come */
	struct image *lower;	/* NULL in the first generation */
	struct source source;
	unsigned int users;	/* clones and higher images */
	struct record record;
	struct fill {
		uint64_t left;	/* pages that may be filled before they are asked for */
		bool all;	/* not those of the record alone */
		uint32_t known;	/* entries of the record that are filled from */
		uint32_t entry;	/* of the record, next to be filled */
		uint64_t page;	/* of all, next to be filled */
	} fill;
	bool full;		/* NOSPACE was seen: to be said once */
	bool full_said;
	struct pager_image_stats stats;
};

/**
 * image_init() - take over @file, @map_fd and @source (also on failure).
 * Return: 0; -EINVAL if a file is too short; or what mmap said.
 */
int image_init(struct image *img, uint64_t handle, uint64_t npages, int file, int map_fd,
	       struct image *lower, const struct source *source);
void image_fini(struct image *img);

enum page_state image_state(const struct image *img, uint64_t page);

/**
 * image_fetch() - the bytes of an absent page, from the source or further below.
 * Return: FETCH_DATA, FETCH_ZERO (@buf is undefined then), or a negative errno.
 */
int image_fetch(const struct image *img, uint64_t page, void *buf);

/** image_fill() - put @n pages into the file, then into the map. -ENOSPC: no room. */
int image_fill(struct image *img, uint64_t page, const void *buf, unsigned int n);
void image_set_zero(struct image *img, uint64_t page);

/**
 * image_bring() - fetch @n absent pages, at most FETCH_MAX, and put them into the file.
 * Return: 0, all are PRESENT or ZERO now; or a negative errno, some may be.
 */
int image_bring(struct image *img, uint64_t page, unsigned int n);

/** page_is_zero() - is this page (8-byte aligned) all zeros? */
bool page_is_zero(const void *buf);

#endif /* VMFORK_PAGER_IMAGE_H */
