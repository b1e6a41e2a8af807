// SPDX-License-Identifier: GPL-2.0-or-later
/* An "avoid" bitmap: pages whose contents do not matter while they are absent. */
#include "avoid.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int avoid_init(struct avoid *a, int fd, uint64_t offset, uint64_t bytes,
	       const struct slots *slots)
{
	struct stat st;

	*a = (struct avoid){ .fd = fd, .offset = offset, .bytes = bytes, .slots = *slots };
	if (fstat(fd, &st) < 0 || offset + bytes > (uint64_t)st.st_size) {
		avoid_fini(a);
		return -EINVAL;
	}
	return 0;
}

void avoid_fini(struct avoid *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

bool avoid_test(const struct avoid *a, uint64_t page, uint64_t *ret_gfn)
{
	uint64_t gfn;
	uint8_t byte;

	if (a->fd < 0 || !slots_gfn(&a->slots, page, &gfn) || gfn >> 3 >= a->bytes)
		return false;
	if (pread(a->fd, &byte, 1, (off_t)(a->offset + (gfn >> 3))) != 1)
		return false;
	*ret_gfn = gfn;
	return byte >> (gfn & 7) & 1;
}
