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

/* Bits beyond the end of the bitmap or of the slot are not set. */
unsigned int avoid_run(const struct avoid *a, uint64_t page, unsigned int max,
		       uint64_t *ret_gfn)
{
	uint8_t bytes[AVOID_RUN_MAX / 8 + 1];
	uint64_t gfn, left, first;
	unsigned int n = 0, bit;
	ssize_t got;

	if (a->fd < 0 || !slots_gfn(&a->slots, page, &gfn, &left) || gfn >> 3 >= a->bytes)
		return 0;
	first = gfn >> 3;
	bit = gfn & 7;
	max = max < left ? max : (unsigned int)left;
	left = a->bytes - first;
	got = (bit + max + 7) / 8;
	got = pread(a->fd, bytes, (size_t)got < left ? (size_t)got : (size_t)left,
		    (off_t)(a->offset + first));
	while (n < max && (ssize_t)(bit / 8) < got && bytes[bit / 8] >> bit % 8 & 1) {
		bit++;
		n++;
	}
	*ret_gfn = gfn;
	return n;
}

bool avoid_test(const struct avoid *a, uint64_t page)
{
	uint64_t gfn;

	return avoid_run(a, page, 1, &gfn);
}
