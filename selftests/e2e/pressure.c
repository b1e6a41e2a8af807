// SPDX-License-Identifier: GPL-2.0-or-later
/* pressure: more memory than there is, and pages that are moved, split and given back meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: pressure MiB PROCESSES ROUNDS
 *
 * Processes fill MiB each, look at it again, give every other page back, split and join huge
 * pages and do it over, while the memory is compacted and the caches are dropped. The sum may be
 * more than the machine has, if it has swap. What was written must be read, to the last page.
 */
static void poke(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0 && errno != EBUSY && errno != EINVAL)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	close(fd);
}

static size_t round_bad(uint64_t *mem, size_t pages, uint64_t seed)
{
	size_t bad;

	pattern_fill(mem, pages, seed);
	poke("/proc/sys/vm/compact_memory", "1");
	bad = pattern_bad(mem, pages, seed);
	for (size_t p = 0; p < pages; p += 2)
		madvise(mem + p * PAGE / 8, PAGE, MADV_DONTNEED);
	for (size_t p = 0; p < pages; p += 2)
		bad += mem[p * PAGE / 8] != 0;
	bad += pattern_bad_some(mem, pages, seed, 2, 1);
	return bad;
}

static int worker(size_t pages, unsigned int n, unsigned int rounds)
{
	uint64_t *mem = pages_new(pages);
	size_t bad = 0;

	for (unsigned int r = 0; r < rounds; r++) {
		madvise(mem, pages * PAGE, (n + r) % 2 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
		bad += round_bad(mem, pages, mix(n, r));
		poke("/proc/sys/vm/drop_caches", "1");
		madvise(mem, pages * PAGE, MADV_DONTNEED);
	}
	return bad ? 1 : 0;
}

int test_pressure(int argc, char **argv)
{
	size_t pages = argc > 1 ? strtoul(argv[1], NULL, 0) * 256 : 8192;
	unsigned int n = argc > 2 ? (unsigned int)atoi(argv[2]) : 4;
	unsigned int rounds = argc > 3 ? (unsigned int)atoi(argv[3]) : 3, good = 0;
	int status;

	fflush(stdout);
	for (unsigned int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(worker(pages, i, rounds));
		if (pid < 0)
			tap_bail("fork: %s", strerror(errno));
	}
	for (unsigned int i = 0; i < n; i++) {
		wait(&status);
		good += status == 0;
	}
	tap_ok(good == n, "%u of %u processes of %zu MiB read what they wrote, %u times", good, n,
	       pages / 256, rounds);
	return tap_done();
}
