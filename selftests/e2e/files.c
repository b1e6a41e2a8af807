// SPDX-License-Identifier: GPL-2.0-or-later
/* Files whose contents are known, on the machine's own disk. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e.h"

int file_write(const char *path, size_t pages, uint64_t seed)
{
	uint64_t page[PAGE / sizeof(uint64_t)];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), r = 0;

	if (fd < 0)
		return -errno;
	for (size_t p = 0; p < pages && !r; p++) {
		pattern_fill(page, 1, mix(seed, p));
		if (pwrite(fd, page, PAGE, p * PAGE) != (ssize_t)PAGE)
			r = -EIO;
	}
	if (!r && fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

long file_bad(const char *path, size_t pages, uint64_t seed)
{
	uint64_t page[PAGE / sizeof(uint64_t)];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long bad = 0;

	if (fd < 0)
		return -errno;
	for (size_t p = 0; p < pages; p++) {
		if (pread(fd, page, PAGE, p * PAGE) != (ssize_t)PAGE ||
		    pattern_bad(page, 1, mix(seed, p)))
			bad++;
	}
	close(fd);
	return bad;
}

void drop_caches(void)
{
	int fd;

	sync();
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "3", 1) < 0)
		abort();
	close(fd);
}

int dir_marks(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	if (!d)
		return -errno;
	while ((e = readdir(d)))
		n += !strncmp(e->d_name, "mark.", 5);
	closedir(d);
	return n;
}
