// SPDX-License-Identifier: GPL-2.0-or-later
/* The memory that the benchmarks fill, read and write. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "memory.h"

#define PAGE		4096U
#define WORK_BYTES	65536U
#define DIRTY_TICK_NS	10000000L	/* 100 bursts a second */

static struct {
	uint64_t *base;
	size_t pages;
	atomic_uint dirty_per_tick;	/* main thread writes, dirty_thread() reads */
	atomic_ullong dirtied;	/* the other way round */
	pthread_t dirty;
	int dirty_started;
} memory;

static unsigned char work_area[WORK_BYTES];

static size_t pages_of(size_t mib)
{
	size_t pages = mib << 8;

	return pages < memory.pages ? pages : memory.pages;
}

static uint64_t *page(size_t n)
{
	return memory.base + n * (PAGE / sizeof(*memory.base));
}

int memory_fill(size_t mib)
{
	size_t pages = mib << 8;
	void *base = NULL;

	if (memory.base)
		munmap(memory.base, memory.pages * PAGE);
	memory.base = NULL;
	memory.pages = 0;
	if (pages) {
		base = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (base == MAP_FAILED)
			return -errno;
	}
	memory.base = base;
	memory.pages = pages;
	for (size_t i = 0; i < pages; i++)
		*page(i) = i * 0x9e3779b97f4a7c15ULL + 1;
	for (size_t i = 0; i < WORK_BYTES; i++)
		work_area[i] = (unsigned char)(i * 131 + (i >> 8));
	return 0;
}

uint64_t memory_touch(size_t mib)
{
	size_t pages = pages_of(mib);
	uint64_t sum = 0;

	for (size_t i = 0; i < pages; i++)
		sum += *(volatile uint64_t *)page(i);
	return sum;
}

void memory_write(size_t mib)
{
	size_t pages = pages_of(mib);

	for (size_t i = 0; i < pages; i++)
		*(volatile uint64_t *)(page(i) + 1) = i;
}

uint32_t memory_work(void)
{
	uint32_t a = 1, b = 0;

	for (size_t i = 0; i < WORK_BYTES; i++) {
		a += work_area[i];
		b += a;
	}
	return a ^ b << 16;
}

static void *dirty_thread(void *arg)
{
	const struct timespec tick = { .tv_nsec = DIRTY_TICK_NS };
	size_t next = 0;

	for (;;) {
		unsigned int n = memory.pages ? memory.dirty_per_tick : 0;

		while (n--) {
			*(volatile uint64_t *)(page(next) + 2) += 1;
			next = (next + 1) % memory.pages;
			memory.dirtied++;
		}
		nanosleep(&tick, NULL);
	}
	return NULL;
}

unsigned long long memory_dirtied(void)
{
	return memory.dirtied;
}

int memory_dirty(unsigned int pages_per_s)
{
	int err;

	memory.dirty_per_tick = pages_per_s / (1000000000L / DIRTY_TICK_NS);
	if (!pages_per_s || memory.dirty_started)
		return 0;
	err = pthread_create(&memory.dirty, NULL, dirty_thread, NULL);
	if (!err)
		memory.dirty_started = 1;
	return -err;
}
