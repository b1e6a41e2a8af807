// SPDX-License-Identifier: GPL-2.0-or-later
/* dropcache: a fork that drops the page cache first, and one that leaves it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: dropcache FILE MiB
 *
 * FILE is of `vmfork-e2e file`. It is read, so that it is in the page cache; how much of it is
 * there after the fork, in parent and clone, is what counts; then the clone reads it again.
 */
#define SEED 0x10d6e4UL
#define REPORT 1

struct report {
	uint64_t cached;	/* pages */
	int64_t bad;
};

static size_t cached_pages(const char *path, size_t pages)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	unsigned char *there = calloc(pages, 1);
	size_t n = 0;

	if (map == MAP_FAILED || !there || mincore(map, pages * PAGE, there))
		tap_bail("%s: %s", path, strerror(errno));
	for (size_t p = 0; p < pages; p++)
		n += there[p] & 1;
	munmap(map, pages * PAGE);
	free(there);
	close(fd);
	return n;
}

static void in_clone(int vm, int link, const char *path, size_t pages)
{
	struct report r = { .cached = cached_pages(path, pages) };

	r.bad = file_bad(path, pages, SEED);
	clone_send(vm, link, REPORT, &r, sizeof(r));
	clone_exit(vm, 0);
}

static void fork_once(int vm, const char *path, size_t pages, unsigned int flags)
{
	int ticket = machine_ticket(vm, 1), id;
	struct vmfork_exit_info e;
	struct report r = { 0 };
	size_t before, after;

	file_bad(path, pages, SEED);
	before = cached_pages(path, pages);
	id = vmfork_clone(ticket, flags);
	if (id < 0)
		tap_bail("fork: %s", strerror(-id));
	if (id > 0)
		in_clone(vm, ticket, path, pages);
	after = cached_pages(path, pages);
	gather(ticket, 1, REPORT, &r, sizeof(r));
	gather_exits(ticket, 1, &e);
	close(ticket);
	tap_diag("cached pages: before %zu, parent %zu, clone %lu", before, after, r.cached);
	tap_ok(before == pages, "all of the file is cached before the fork");
	if (flags)
		tap_ok(after < pages / 10 && r.cached < pages / 10, "it is dropped");
	else
		tap_ok(after == pages && r.cached == pages, "it is left");
	tap_ok(!r.bad, "the clone reads it right (%ld pages wrong)", (long)r.bad);
}

int test_dropcache(int argc, char **argv)
{
	int vm = machine_open();
	size_t pages;

	if (argc < 3)
		tap_bail("dropcache FILE MiB");
	pages = strtoul(argv[2], NULL, 0) * 256;
	fork_once(vm, argv[1], pages, 0);
	fork_once(vm, argv[1], pages, VMFORK_CLONE_DROP_CACHE);
	return tap_done();
}
