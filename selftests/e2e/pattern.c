// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory whose contents are known. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "e2e.h"
#include "tap.h"

#define WORDS (PAGE / sizeof(uint64_t))
#define PAGEMAP_PFN ((1ULL << 55) - 1)
#define HIGH_PFN (0x100000000ULL / PAGE)

uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t x = a + (b + 1) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

uint64_t *pages_new(size_t pages)
{
	void *mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		tap_bail("no memory for %zu pages: %s", pages, strerror(errno));
	return mem;
}

size_t pages_high(const uint64_t *mem, size_t pages)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t n = 0;

	for (size_t p = 0; p < pages; p++) {
		off_t at = (off_t)(((uintptr_t)mem / PAGE + p) * sizeof(uint64_t));
		uint64_t entry = 0;

		if (pread(fd, &entry, sizeof(entry), at) != sizeof(entry))
			tap_bail("/proc/self/pagemap: %s", strerror(errno));
		n += (entry & PAGEMAP_PFN) >= HIGH_PFN;
	}
	close(fd);
	return n;
}

uint64_t pattern_first(uint64_t seed, size_t page)
{
	return mix(seed, page);
}

void pattern_fill_some(uint64_t *mem, size_t pages, uint64_t seed, size_t step, size_t first)
{
	for (size_t p = first; p < pages; p += step) {
		uint64_t first_word = pattern_first(seed, p);

		for (size_t w = 0; w < WORDS; w++)
			mem[p * WORDS + w] = first_word + w * 0x100000001b3ULL;
	}
}

void pattern_fill(uint64_t *mem, size_t pages, uint64_t seed)
{
	pattern_fill_some(mem, pages, seed, 1, 0);
}

static bool page_bad(const uint64_t *page, uint64_t first_word)
{
	uint64_t differ = 0;

	for (size_t w = 0; w < WORDS; w++)
		differ |= page[w] ^ (first_word + w * 0x100000001b3ULL);
	return differ != 0;
}

size_t pattern_bad_some(const uint64_t *mem, size_t pages, uint64_t seed, size_t step,
			size_t first)
{
	size_t bad = 0;

	for (size_t p = first; p < pages; p += step)
		bad += page_bad(mem + p * WORDS, pattern_first(seed, p));
	return bad;
}

size_t pattern_bad(const uint64_t *mem, size_t pages, uint64_t seed)
{
	return pattern_bad_some(mem, pages, seed, 1, 0);
}

uint64_t page_sum(const uint64_t *page)
{
	uint64_t sum = 0xcbf29ce484222325ULL;

	for (size_t w = 0; w < WORDS; w++)
		sum = (sum ^ page[w]) * 0x100000001b3ULL + (sum >> 47);
	return sum;
}
