// SPDX-License-Identifier: GPL-2.0-or-later
/* lodger: a process that holds memory over a fork and does with it what it is told. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: lodger DIR MiB
 *
 * Fills MiB of memory with a pattern and serves commands: one line into the FIFO DIR/in,
 * one line back out of DIR/out. It runs in the background when the host forks the
 * machine, so that the test can go on in the clones' consoles. Commands:
 *
 *   check             pages of its memory that are not as they were filled
 *   free              unmap it
 *   new SEED          map as much again, fill it; bad pages after that
 *   direct FILE       read FILE (of `vmfork-e2e file`) into it by O_DIRECT: bytes or
 *                     -errno, and bad pages among those that were to be read
 *   span FILE FIRST N read pages FIRST.. of FILE into the same pages of its memory by one
 *                     O_DIRECT read: bytes or -errno, and bad pages among those that it
 *                     was not to touch; then the pages are filled as they were
 *   punch             give every other page back, which splits huge pages: bad pages, of
 *                     those left and of those that came back; then all is as it was filled
 *   quit
 */
#define SEED 0x10d6e4UL

struct lodger {
	const char *dir;
	uint64_t *mem;
	size_t pages;
	uint64_t seed;
};

static int open_fifo(const struct lodger *l, const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", l->dir, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		tap_bail("%s: %s", path, strerror(errno));
	return fd;
}

static void answer(const struct lodger *l, long a, long b)
{
	int fd = open_fifo(l, "out", O_WRONLY);

	dprintf(fd, "%ld %ld\n", a, b);
	close(fd);
}

static long direct_bad(const struct lodger *l, size_t pages)
{
	long bad = 0;

	for (size_t p = 0; p < pages; p++)
		bad += pattern_bad(l->mem + p * PAGE / 8, 1, mix(SEED, p));
	return bad;
}

static void do_direct(const struct lodger *l, const char *path)
{
	size_t want = l->pages * PAGE, got = 0;
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && got < want) {
		size_t left = want - got;

		n = pread(fd, (char *)l->mem + got, left < 1048576 ? left : 1048576, (off_t)got);
		got += n > 0 ? (size_t)n : 0;
	}
	answer(l, n < 0 ? -errno : (long)got, direct_bad(l, got / PAGE));
	close(fd);
}

/* Pages outside of [@first, @end) that have lost what they held. */
static long bad_outside(const struct lodger *l, size_t first, size_t end)
{
	return (long)(pattern_bad_some(l->mem, first, l->seed, 1, 0) +
		      pattern_bad_some(l->mem, l->pages, l->seed, 1, end));
}

static void do_span(const struct lodger *l, const char *path, size_t first, size_t n)
{
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	long got;

	if (first + n > l->pages)
		tap_bail("span of more than there is");
	got = pread(fd, l->mem + first * PAGE / 8, n * PAGE, (off_t)(first * PAGE));
	if (got < 0)
		got = -errno;
	answer(l, got, bad_outside(l, first, first + (got < 0 ? n : (size_t)got / PAGE)));
	pattern_fill_some(l->mem, first + n, l->seed, 1, first);
	close(fd);
}

static void do_new(struct lodger *l, const char *seed)
{
	l->mem = pages_new(l->pages);
	l->seed = strtoul(seed, NULL, 0);
	pattern_fill(l->mem, l->pages, l->seed);
	answer(l, (long)l->pages, (long)pattern_bad(l->mem, l->pages, l->seed));
}

static void do_punch(const struct lodger *l)
{
	long bad = 0;

	for (size_t p = 0; p < l->pages; p += 2)
		madvise(l->mem + p * PAGE / 8, PAGE, MADV_DONTNEED);
	for (size_t p = 0; p < l->pages; p += 2)
		bad += l->mem[p * PAGE / 8] != 0;
	bad += (long)pattern_bad_some(l->mem, l->pages, l->seed, 2, 1);
	pattern_fill_some(l->mem, l->pages, l->seed, 2, 0);
	answer(l, (long)l->pages, bad);
}

static void serve(struct lodger *l, const char *verb, const char *arg, const size_t *n)
{
	if (!strcmp(verb, "check")) {
		answer(l, (long)l->pages, (long)pattern_bad(l->mem, l->pages, l->seed));
	} else if (!strcmp(verb, "free")) {
		munmap(l->mem, l->pages * PAGE);
		answer(l, (long)l->pages, 0);
	} else if (!strcmp(verb, "punch")) {
		do_punch(l);
	} else if (!strcmp(verb, "new")) {
		do_new(l, arg);
	} else if (!strcmp(verb, "direct")) {
		do_direct(l, arg);
	} else if (!strcmp(verb, "span")) {
		do_span(l, arg, n[0], n[1]);
	} else {
		answer(l, -ENOSYS, 0);
	}
}

static bool take(struct lodger *l)
{
	char line[256], verb[16] = "", arg[200] = "";
	int fd = open_fifo(l, "in", O_RDONLY);
	ssize_t n = read(fd, line, sizeof(line) - 1);
	size_t numbers[2] = { 0, 0 };

	close(fd);
	line[n > 0 ? n : 0] = 0;
	if (sscanf(line, "%15s %199s %zu %zu", verb, arg, &numbers[0], &numbers[1]) < 1)
		return true;
	if (!strcmp(verb, "quit"))
		return false;
	serve(l, verb, arg, numbers);
	return true;
}

/* It lives as long as its machine, and is not what is to go when the memory is short. */
static void stay(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	alarm(0);	/* no watchdog */
	if (fd < 0 || write(fd, "-1000", 5) != 5)
		tap_bail("oom_score_adj: %s", strerror(errno));
	close(fd);
}

int test_lodger(int argc, char **argv)
{
	struct lodger l = { .seed = SEED };
	char path[256];

	if (argc < 3)
		tap_bail("lodger DIR MiB");
	l.dir = argv[1];
	l.pages = strtoul(argv[2], NULL, 0) * 256;
	mkdir(l.dir, 0700);
	for (const char *const *name = (const char *const[]){ "in", "out", NULL }; *name; name++) {
		snprintf(path, sizeof(path), "%s/%s", l.dir, *name);
		if (mkfifo(path, 0600) && errno != EEXIST)
			tap_bail("%s: %s", path, strerror(errno));
	}
	stay();
	l.mem = pages_new(l.pages);
	pattern_fill(l.mem, l.pages, l.seed);
	while (take(&l))
		;
	return 0;
}

/* file PATH MiB: what a lodger reads */
int test_file(int argc, char **argv)
{
	int r;

	if (argc < 3)
		tap_bail("file PATH MiB");
	r = file_write(argv[1], strtoul(argv[2], NULL, 0) * 256, SEED);
	if (r)
		tap_bail("%s: %s", argv[1], strerror(-r));
	return 0;
}
