// SPDX-License-Identifier: GPL-2.0-or-later
/* A clone that is forked: its new image begins with the one that it pages from. */
#include "lower.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pager_proto.h"
#include "util.h"

/*
 * What is paged out is left out of the stream. It need not be paged in for that: nobody has
 * changed it, so the lower image says what is in it. All of that is copied while the clone
 * runs; what it has of its own comes with the stream, and replaces it.
 */
#define CHUNK	(256U * PAGER_PAGE_SIZE)

static int copy_run(int to, int from, uint64_t offset, uint64_t len, void *buf)
{
	while (len) {
		ssize_t n = pread(from, buf, len < CHUNK ? len : CHUNK, (off_t)offset);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		if (pwrite(to, buf, (size_t)n, (off_t)offset) != n)
			return -ENOSPC;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static int copy_present(int to, int from, const uint8_t *presence, uint64_t npages, void *buf)
{
	uint64_t page = 0, end;
	int r = 0;

	for (; !r && page < npages; page = end + 1) {
		for (end = page; end < npages && presence[end] == PAGE_PRESENT; end++)
			;
		r = copy_run(to, from, page * PAGER_PAGE_SIZE, (end - page) * PAGER_PAGE_SIZE, buf);
	}
	return r;
}

int lower_copy(int image, uint8_t *presence, uint64_t npages, int lower, int lower_map)
{
	_cleanup_free_ void *buf = malloc(CHUNK);
	uint8_t *map = mmap(NULL, npages, PROT_READ, MAP_SHARED, lower_map, 0);
	int r;

	if (map == MAP_FAILED)
		return -errno;
	r = buf ? copy_present(image, lower, map, npages, buf) : -ENOMEM;
	if (!r)
		memcpy(presence, map, npages);
	munmap(map, npages);
	return r;
}
