/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A clone that is forked: its new image begins with the one that it pages from. */
#ifndef VMFORK_XEN_LOWER_H
#define VMFORK_XEN_LOWER_H

#include <stdint.h>

/**
 * lower_copy() - copy what is in image @lower, and its presence map.
 * @presence:	of the new @image, @npages bytes
 * @lower_map:	presence map of @lower, a file
 * Return: 0 or a negative errno; -ENOSPC: the image directory is full.
 */
int lower_copy(int image, uint8_t *presence, uint64_t npages, int lower, int lower_map);

#endif /* VMFORK_XEN_LOWER_H */
