/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The presence map of an image: which pages the pager has put there. */
#ifndef QEMU_PRESENCE_H
#define QEMU_PRESENCE_H

#include <stdint.h>

/** presence_count() - pages that are PAGE_PRESENT in map @fd (pager_proto.h). What
 * PAGER_IMAGE_STATS says, without a pager that may be away or slow. */
int presence_count(int fd, uint64_t *ret_pages);

#endif /* QEMU_PRESENCE_H */
