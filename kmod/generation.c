// SPDX-License-Identifier: GPL-2.0
/* The generation page: programs see without a system call that the machine was forked. */
#include <linux/gfp.h>

#include "compat.h"
#include "generation.h"

/* One for all programs. In the fork point no CPU is in user mode: none sees a mixture. */
static struct page *page;

void vmfork_generation_update(const struct vmfork_identity *id)
{
	struct vmfork_generation *g = page_address(page);

	g->id = id->id;
	g->depth = id->depth;
	g->vm = id->vm;
	WRITE_ONCE(g->generation, id->generation);
}

int vmfork_generation_mmap(struct vm_area_struct *vma)
{
	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != PAGE_SIZE ||
	    !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;
	vmfork_vm_flags(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYWRITE | VM_MAYEXEC);
	return vm_insert_page(vma, vma->vm_start, page);
}

int vmfork_generation_init(void)
{
	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	return page ? 0 : -ENOMEM;
}

void vmfork_generation_exit(void)
{
	__free_page(page);
}
