// SPDX-License-Identifier: GPL-2.0-or-later
/* disk: parent and clones write the same file differently, and each reads its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: disk [CLONES] [MiB]
 *
 * Before the fork one file is on the disk and one is only in the page cache (written,
 * not synced). All machines then overwrite the first in place at the same time, sync,
 * drop their caches and read it anew, and read the second.
 */
enum { REPORT = 1, WRITTEN, READ };

#define FILE_PATH "/var/tmp/e2e-disk"
#define DIRTY_PATH "/var/tmp/e2e-disk.dirty"
#define DIRTY_PAGES 64

struct report {
	int64_t bad_before;	/* the file as of the fork */
	int64_t bad_after;	/* as overwritten, from the disk */
	int64_t bad_dirty;
	int64_t size;
};

static uint64_t seed_of(unsigned int id)
{
	return mix(0xd15c, id);
}

static void write_dirty(void)
{
	uint64_t page[PAGE / 8];
	int fd = open(DIRTY_PATH, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	for (size_t p = 0; p < DIRTY_PAGES; p++) {
		pattern_fill(page, 1, mix(seed_of(900), p));
		if (fd < 0 || write(fd, page, PAGE) != (ssize_t)PAGE)
			tap_bail("cannot write " DIRTY_PATH);
	}
	close(fd);
}

static int overwrite(struct report *rep, unsigned int id, size_t pages)
{
	rep->bad_before = file_bad(FILE_PATH, pages, seed_of(800));
	return file_write(FILE_PATH, pages, seed_of(id));
}

static void read_back(struct report *rep, unsigned int id, size_t pages)
{
	struct stat st;

	drop_caches();
	rep->bad_after = file_bad(FILE_PATH, pages, seed_of(id));
	rep->bad_dirty = file_bad(DIRTY_PATH, DIRTY_PAGES, seed_of(900));
	rep->size = stat(FILE_PATH, &st) ? -1 : st.st_size;
}

static void in_clone(int vm, int link, unsigned int id, size_t pages)
{
	struct report rep;
	int r = overwrite(&rep, id, pages);

	if (r)
		clone_broken(vm, "overwrite", r);
	clone_send(vm, link, WRITTEN, "", 1);
	clone_await(vm, link, READ);
	read_back(&rep, id, pages);
	clone_send(vm, link, REPORT, &rep, sizeof(rep));
	clone_exit(vm, 0);
}

static void judge(const struct report *rep, unsigned int id, size_t pages)
{
	tap_ok(!rep->bad_before && !rep->bad_after && !rep->bad_dirty &&
	       rep->size == (int64_t)(pages * PAGE),
	       "machine %u reads its own disk (before %ld, after %ld, unsynced %ld pages wrong)",
	       id, rep->bad_before, rep->bad_after, rep->bad_dirty);
}

int test_disk(int argc, char **argv)
{
	unsigned int m = argc > 1 ? (unsigned int)atoi(argv[1]) : 3;
	size_t pages = (argc > 2 ? (size_t)atoi(argv[2]) : 8) * 256;
	struct report reps[CLONES_TEST_MAX], own;
	struct vmfork_exit_info exits[CLONES_TEST_MAX];
	int vm = machine_open(), ticket, id;

	if (file_write(FILE_PATH, pages, seed_of(800)))
		tap_bail("cannot write " FILE_PATH);
	ticket = machine_ticket(vm, m);
	write_dirty();
	id = machine_clone(ticket);
	if (id > 0)
		in_clone(vm, ticket, (unsigned int)id, pages);
	tap_ok(!overwrite(&own, 0, pages), "the parent overwrites its file");
	if (gather(ticket, m, WRITTEN, NULL, 1)) {
		tell(ticket, m, READ);
		read_back(&own, 0, pages);
		judge(&own, 0, pages);
	}
	if (gather(ticket, m, REPORT, reps, sizeof(reps[0])) && gather_exits(ticket, m, exits))
		for (unsigned int i = 0; i < m; i++)
			judge(&reps[i], i + 1, pages);
	unlink(FILE_PATH);
	unlink(DIRTY_PATH);
	return tap_done();
}
