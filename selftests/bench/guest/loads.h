/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clones do in M5: memory, files, direct reads, a job of many processes. */
#ifndef BENCH_LOADS_H
#define BENCH_LOADS_H

#include <stddef.h>
#include <stdint.h>

/* Each returns 0 or a negative errno. */

/** loads_policy() - switch the module's heuristics: bit 0 free_set, 1 free_hook, 2
 * io_overwrite. Before the fork. */
int loads_policy(unsigned int mask);
/** loads_pool() - a file of @mib, and memory of the same size that is in use. */
int loads_pool(size_t mib);
/** loads_drop() - give the pool's memory back. */
int loads_drop(void);
/** loads_alloc() - write to @mib of fresh memory, give it back. */
int loads_alloc(size_t mib);
/** loads_file() - write a file of @mib into the page cache. */
int loads_file(size_t mib);
/** loads_reread() - read the file of loads_file() again, through the page cache. */
int loads_reread(void);
/** loads_read() - @n direct reads of 64 KiB from anywhere in the pool's file into anywhere of
 * its memory. */
int loads_read(unsigned int n);
/** loads_build() - unpack a tree, hash every file of it, @n times. */
int loads_build(unsigned int n);
/** loads_spawn() - @n times fork, exec, wait. */
int loads_spawn(unsigned int n);
/** loads_faults() - map, touch and unmap @mib. */
int loads_faults(size_t mib);

#endif /* BENCH_LOADS_H */
