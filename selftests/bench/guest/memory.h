/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory that the benchmarks fill, read and write. */
#ifndef VMFORK_BENCH_MEMORY_H
#define VMFORK_BENCH_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/** memory_fill() - @mib of pages, each of which differs; replaces what there was. */
int memory_fill(size_t mib);

/** memory_touch() - read one word of each of the first @mib. Return: their sum. */
uint64_t memory_touch(size_t mib);

/** memory_write() - write one word of each page of the first @mib. */
void memory_write(size_t mib);

/** memory_work() - the unit of work of a "useful reply": a checksum of 64 KiB. */
uint32_t memory_work(void);

/** memory_dirty() - write @pages_per_s pages from now on, round and round; 0: stop. */
int memory_dirty(unsigned int pages_per_s);

/** memory_dirtied() - how many pages memory_dirty() has written so far, each as often as it was. */
unsigned long long memory_dirtied(void);

#endif /* VMFORK_BENCH_MEMORY_H */
