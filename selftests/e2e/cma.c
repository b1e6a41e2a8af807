// SPDX-License-Identifier: GPL-2.0-or-later
/* cma: what is in the kernel's contiguous memory area, and whose. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

/**
 * DOC: cma held PID | free
 *
 * An area of CMA lends its pages to whatever can be moved; who allocates from the area makes
 * them move. This program looks from outside: at page frames' flags, which touches no page's
 * contents, and at free pages themselves by /dev/mem.
 *
 *   held PID   pages that the process has in the area, and all that it has
 *   free       of the area's free pages (SAMPLE of them): how many are full of the checker's
 *              poison, how many are zeros, how many hold something else; and all free ones
 *
 * A free page's contents matter to nobody, so `free` in a clone tells which pages were avoided:
 * the source had something else in the last number's stead. What it looks at is in the clone then.
 */
#define AREA "/sys/kernel/debug/cma/reserved/"
#define KPF_BUDDY 10
#define SAMPLE 1024
#define MAGIC 0x4e53494f50464d56ULL	/* PAGER_POISON_MAGIC */
#define PAGEMAP_PFN ((1ULL << 55) - 1)
#define PAGEMAP_PRESENT (1ULL << 63)

struct area {
	uint64_t first, pages;
};

static uint64_t figure(const char *name)
{
	char path[128];
	uint64_t value;
	FILE *f;

	snprintf(path, sizeof(path), AREA "%s", name);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%ju", (uintmax_t *)&value) != 1)
		tap_bail("%s: %s", path, strerror(errno));
	fclose(f);
	return value;
}

static struct area area_find(void)
{
	return (struct area){ figure("base_pfn"), figure("count") };
}

static int open_or_bail(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		tap_bail("%s: %s", path, strerror(errno));
	return fd;
}

static void read_at(int fd, void *buf, size_t len, uint64_t at)
{
	if (pread(fd, buf, len, (off_t)at) != (ssize_t)len)
		tap_bail("read at %#jx: %s", (uintmax_t)at, strerror(errno));
}

static uint64_t held_in(const struct area *a, int pagemap, uint64_t page, uint64_t end,
			uint64_t *present)
{
	uint64_t entry[512], n, held = 0;

	for (; page < end; page += n) {
		n = end - page < 512 ? end - page : 512;
		read_at(pagemap, entry, n * sizeof(*entry), page * sizeof(*entry));
		for (uint64_t i = 0; i < n; i++) {
			if (!(entry[i] & PAGEMAP_PRESENT))
				continue;
			(*present)++;
			held += (entry[i] & PAGEMAP_PFN) - a->first < a->pages;
		}
	}
	return held;
}

static int held(const struct area *a, const char *pid)
{
	char path[64], line[512];
	uintmax_t from, to;
	uint64_t n = 0, present = 0;
	FILE *maps;
	int pagemap;

	snprintf(path, sizeof(path), "/proc/%s/pagemap", pid);
	pagemap = open_or_bail(path);
	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		tap_bail("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), maps))
		if (!strstr(line, "[v") && sscanf(line, "%jx-%jx", &from, &to) == 2)
			n += held_in(a, pagemap, from / PAGE, to / PAGE, &present);
	fclose(maps);
	close(pagemap);
	printf("%ju %ju\n", (uintmax_t)n, (uintmax_t)present);
	return 0;
}

/* Its free pages' numbers; the array is the caller's. */
static uint64_t *area_free(const struct area *a, uint64_t *n)
{
	uint64_t *flags = calloc(a->pages, sizeof(*flags));
	int fd = open_or_bail("/proc/kpageflags");

	if (!flags)
		tap_bail("no memory");
	read_at(fd, flags, a->pages * sizeof(*flags), a->first * sizeof(*flags));
	close(fd);
	*n = 0;
	for (uint64_t i = 0; i < a->pages; i++)
		if (flags[i] >> KPF_BUDDY & 1)
			flags[(*n)++] = a->first + i;
	return flags;
}

static int free_pages(const struct area *a)
{
	uint64_t n, poison = 0, zeros = 0, other = 0, words[2];
	uint64_t *pfns = area_free(a, &n);
	uint64_t step = n / SAMPLE + 1;
	int mem = open_or_bail("/dev/mem");

	for (uint64_t i = 0; i < n; i += step) {
		read_at(mem, words, sizeof(words), pfns[i] * PAGE);
		if (words[0] == MAGIC && words[1] == pfns[i])
			poison++;
		else if (!words[0] && !words[1])
			zeros++;
		else
			other++;
	}
	close(mem);
	free(pfns);
	printf("%ju %ju %ju %ju\n", (uintmax_t)poison, (uintmax_t)zeros, (uintmax_t)other,
	       (uintmax_t)n);
	return 0;
}

int test_cma(int argc, char **argv)
{
	struct area a = area_find();

	if (argc == 3 && !strcmp(argv[1], "held"))
		return held(&a, argv[2]);
	if (argc == 2 && !strcmp(argv[1], "free"))
		return free_pages(&a);
	tap_bail("cma held PID | free");
}
