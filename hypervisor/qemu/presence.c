// SPDX-License-Identifier: GPL-2.0-or-later
/* The presence map of an image: which pages the pager has put there. */
#include "presence.h"

#include <errno.h>
#include <unistd.h>

#include "pager_proto.h"

static int count_from(int fd, off_t from, off_t to, uint64_t *pages)
{
	uint8_t map[16384];

	while (from < to) {
		size_t want = to - from < (off_t)sizeof(map) ? (size_t)(to - from) : sizeof(map);
		ssize_t n = pread(fd, map, want, from);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		for (ssize_t i = 0; i < n; i++)
			*pages += map[i] == PAGE_PRESENT;
		from += n;
	}
	return 0;
}

/* Holes, all PAGE_ABSENT, are left out: a machine of many GiB forks in an instant. */
int presence_count(int fd, uint64_t *ret_pages)
{
	off_t from = 0, to;
	uint64_t pages = 0;
	int r;

	for (;;) {
		from = lseek(fd, from, SEEK_DATA);
		if (from < 0 && errno == ENXIO)
			break;
		if (from < 0)
			return -errno;
		to = lseek(fd, from, SEEK_HOLE);
		if (to < 0)
			return -errno;
		r = count_from(fd, from, to, &pages);
		if (r < 0)
			return r;
		from = to;
	}
	*ret_pages = pages;
	return 0;
}
