/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test VMs, snapshots, images and clones, as vmforkd would handle them. */
#ifndef VMFORK_RIG_H
#define VMFORK_RIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pager_proto.h"
#include "pgclient.h"
#include "ramlib_proto.h"
#include "tvm.h"

/** RIG_PAGES - RAM of a test VM: 16 MiB. */
#define RIG_PAGES	4096ULL
/** The second half of the RAM is at this gfn: slots are never trivial here. */
#define RIG_HALF	(RIG_PAGES / 2)
#define RIG_HIGH_GFN	0x10000ULL
#define RIG_BITMAP	((RIG_HIGH_GFN + RIG_HALF) / 8)
#define RIG_BITMAP_OFFSET 4096ULL

struct vm {
	pid_t pid;
	int ctl;		/* the RAM library's socket */
	int cmd;		/* orders */
	uint64_t base;
	int uffd;		/* a clone's */
	int avoid;		/* its bitmap's file */
	uint64_t handle;
};

struct image_rig {
	uint64_t handle;
	int file, map, mem, pagemap, frozen;
	int lifeline;		/* our end */
	pid_t snapshot;
	uint64_t base;
	uint64_t lower;		/* handle or 0 */
};

/** vm_start() - a process under libvmfork-ram.so; its hello has been heard. */
int vm_start(struct vm *vm);
void vm_kill(struct vm *vm);
/** vm_order(), vm_answer(): split, for orders that take a while. -ETIMEDOUT: stuck. */
void vm_order(struct vm *vm, enum tvm_op op, uint64_t first, uint64_t n, uint64_t seed,
	      unsigned int threads);
int64_t vm_answer(struct vm *vm);
int64_t vm_fill(struct vm *vm, uint64_t first, uint64_t n, uint64_t seed);
/** vm_check() - pages that differ from the pattern (seed 0: zeros). */
int64_t vm_check(struct vm *vm, uint64_t first, uint64_t n, uint64_t seed);
/** vm_poisoned() - pages that are full of struct pager_poison, with the right gfn. */
int64_t vm_poisoned(struct vm *vm, uint64_t first, uint64_t n);
/** vm_avoid() - set or clear bits of its bitmap, by file page. */
void vm_avoid(struct vm *vm, uint64_t first, uint64_t n, bool set);

/**
 * image_take() - snapshot @vm; an image of it in @file (-1: a new memory file).
 * @lower: 0, or the handle of the image that @vm itself is a clone of.
 */
int image_take(struct image_rig *img, struct vm *vm, int file, uint64_t lower);
void image_drop(struct image_rig *img);
/** image_end_snapshot() - close the lifeline and wait until the process has ended. */
bool image_end_snapshot(struct image_rig *img);
int image_add(struct pgproc *pg, const struct image_rig *img);
uint8_t image_state_of(const struct image_rig *img, uint64_t page);
/** image_pages_in_file() - allocated pages of the image file. */
uint64_t image_pages_in_file(const struct image_rig *img);

/** clone_start() - a test VM on the image, not yet added to a pager. */
int clone_start(struct vm *vm, const struct image_rig *img);
int clone_add(struct pgproc *pg, const struct vm *vm, const struct image_rig *img,
	      uint32_t flags);

/** ram_ctl() - one request to the RAM library; its fds are ours. */
int ram_ctl(struct vm *vm, uint32_t op, int fd, struct ramlib_rep *ret_rep, int *ret_fds,
	    unsigned int *ret_nfds);

#endif /* VMFORK_RIG_H */
