/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --get brings from one clone: an archive, unpacked as it comes. */
#ifndef WRAPPER_FETCH_H
#define WRAPPER_FETCH_H

#include <stddef.h>
#include <sys/types.h>

/** struct fetch - @fd: to the tar(1) that unpacks, or -1. */
struct fetch {
	int fd;
	pid_t pid;
	int err;
};

/** fetch_bytes() - more of the archive of clone @number, into @into/@number/, which is
 * made. The first error is kept for fetch_end(). */
void fetch_bytes(struct fetch *f, const char *into, unsigned int number, const char *buf,
		 size_t len);

/** fetch_end() - no more will come. Return: 0, or the first error. */
int fetch_end(struct fetch *f);

/** make_directories() - @dir/@number, and what is missing above. Return: 0 or -errno. */
int make_directories(const char *dir, unsigned int number, char *ret_path, size_t len);

#endif /* WRAPPER_FETCH_H */
