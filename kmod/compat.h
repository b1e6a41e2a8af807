/* SPDX-License-Identifier: GPL-2.0 */
/* All differences between kernel versions. */
#ifndef VMFORK_COMPAT_H
#define VMFORK_COMPAT_H

#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/sched.h>
#include <linux/version.h>

/* orders of the buddy allocator: 0..VMFORK_NR_ORDERS-1 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define VMFORK_NR_ORDERS NR_PAGE_ORDERS
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define VMFORK_NR_ORDERS (MAX_ORDER + 1)
#else
#define VMFORK_NR_ORDERS MAX_ORDER
#endif

/* order of the pages in the per-cpu lists that follow those of low order */
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
#define VMFORK_PCP_HUGE_ORDER HPAGE_PMD_ORDER
#else
#define VMFORK_PCP_HUGE_ORDER 0
#endif

/* tasks that never run user code: PF_USER_WORKER came with 6.4 */
#ifdef PF_USER_WORKER
#define VMFORK_PF_NO_USER (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)
#else
#define VMFORK_PF_NO_USER (PF_KTHREAD | PF_IO_WORKER)
#endif

/* before 6.3 a mapping's flags are changed by hand */
static inline void vmfork_vm_flags(struct vm_area_struct *vma, vm_flags_t set, vm_flags_t clear)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
#endif
}

/* syscore operations have an argument since 6.19, and in stable series: see Kbuild */
#ifdef VMFORK_HAVE_REGISTER_SYSCORE
#define VMFORK_SYSCORE_ARG void *data
#define VMFORK_SYSCORE(name, on_suspend, on_resume)				\
	static const struct syscore_ops name##_ops = {				\
		.suspend = on_suspend, .resume = on_resume,			\
	};									\
	static struct syscore name = { .ops = &name##_ops }
#define vmfork_syscore_register register_syscore
#define vmfork_syscore_unregister unregister_syscore
#else
#define VMFORK_SYSCORE_ARG void
#define VMFORK_SYSCORE(name, on_suspend, on_resume)				\
	static struct syscore_ops name = { .suspend = on_suspend, .resume = on_resume }
#define vmfork_syscore_register register_syscore_ops
#define vmfork_syscore_unregister unregister_syscore_ops
#endif

#endif /* VMFORK_COMPAT_H */
