/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cleanup attributes and other one-liners of the programs. */
#ifndef VMFORK_UTIL_H
#define VMFORK_UTIL_H

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void freep(void *p)
{
	free(*(void **)p);
}

#define _cleanup_close_ __attribute__((cleanup(closep)))
#define _cleanup_free_ __attribute__((cleanup(freep)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/** steal_fd() - take over a descriptor from a _cleanup_close_ variable. */
static inline int steal_fd(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

/** standard_fds() - first of all: no file of ours becomes stdin, stdout or stderr. What was
 * closed there is an error still to who reads or writes it. */
static inline void standard_fds(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			abort();
}

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static inline uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

#endif /* VMFORK_UTIL_H */
