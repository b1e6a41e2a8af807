/* SPDX-License-Identifier: GPL-2.0 */
/* The generation page: programs see without a system call that the machine was forked. */
#ifndef VMFORK_GENERATION_H
#define VMFORK_GENERATION_H

#include <linux/mm.h>
#include <linux/vmfork.h>

int vmfork_generation_init(void);
void vmfork_generation_exit(void);

/** vmfork_generation_update() - show @id; the fork point, or under vmfork_lock. */
void vmfork_generation_update(const struct vmfork_identity *id);

/** vmfork_generation_mmap() - mmap() of /dev/vmfork. */
int vmfork_generation_mmap(struct vm_area_struct *vma);

#endif /* VMFORK_GENERATION_H */
