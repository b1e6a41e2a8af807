/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filling an image before its pages are asked for. */
#ifndef VMFORK_PAGER_FILL_H
#define VMFORK_PAGER_FILL_H

#include "avoid.h"
#include "clone.h"
#include "image.h"

/**
 * fill_begin() - from the beginning, @left pages at most, with @all not those of the record alone.
 */
void fill_begin(struct image *img, uint64_t left, bool all);

/** fill_clone_begin() - the same for a clone of it, with what its siblings of before asked for. */
void fill_clone_begin(struct clone *c);

/**
 * fill_step() - fetch a few pages of the image that are not there yet.
 * @avoid:	of one of its clones: what that does not care for is left out
 * Return: whether there may be more to do.
 */
bool fill_step(struct image *img, const struct avoid *avoid);

/** fill_clone_step() - the same for a clone with pages of its own; else there is nothing to do. */
bool fill_clone_step(struct clone *c);

#endif /* VMFORK_PAGER_FILL_H */
