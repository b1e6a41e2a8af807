// SPDX-License-Identifier: GPL-2.0
/* Secrets: machines that are not to be forked, memory that clones are not to have. */
#define pr_fmt(fmt) "vmfork: " fmt

#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "bits.h"
#include "channel.h"
#include "chardev.h"
#include "secret.h"

#define BYTES_MAX	(1UL << 20)	/* of one open */

struct region {
	struct list_head node;	/* in the list of all */
	struct list_head of;	/* in that of its open */
	struct mm_struct *mm;	/* pays for it */
	unsigned long count;
	struct page *pages[];
};

static LIST_HEAD(regions);	/* vmfork_lock, or the fork point */
static LIST_HEAD(deniers);	/* vmfork_lock; grows under vmfork_fork_mutex */

void vmfork_secrets_init(struct vmfork_secrets *s)
{
	INIT_LIST_HEAD(&s->regions);
	INIT_LIST_HEAD(&s->denier);
}

/* a fork that is on its way is let pass: the caller has not been told yet */
static int deny(struct vmfork_secrets *s)
{
	int r = -EEXIST;

	if (vmfork_fork_lock())
		return -EINTR;
	raw_spin_lock(&vmfork_lock);
	if (list_empty(&s->denier)) {
		s->pid = task_tgid_nr(current);
		list_add_tail(&s->denier, &deniers);
		r = 0;
	}
	raw_spin_unlock(&vmfork_lock);
	vmfork_fork_unlock();
	return r;
}

int vmfork_secrets_check(void)
{
	const struct vmfork_secrets *s;
	pid_t pid = 0;

	raw_spin_lock(&vmfork_lock);
	s = list_first_entry_or_null(&deniers, struct vmfork_secrets, denier);
	if (s)
		pid = s->pid;
	raw_spin_unlock(&vmfork_lock);
	if (!s)
		return 0;
	pr_notice("fork refused: process %d holds a secret (VMFORK_SECRET_DENY)\n", pid);
	return -EBUSY;
}

/* Anonymous, so that nobody else has it; within what the host's bitmaps cover. */
static bool page_can_be_secret(struct page *page)
{
	return PageAnon(page) && page_to_pfn(page) < vmfork_channel_layout()->gfns;
}

/* Private, and kept from the children of fork(). */
static bool range_can_be_secret(struct mm_struct *mm, unsigned long begin, unsigned long end)
{
	struct vm_area_struct *vma;
	unsigned long at = begin;
	bool good = true;

	mmap_read_lock(mm);
	while (good && at < end) {
		vma = find_vma(mm, at);
		good = vma && vma->vm_start <= at && vma->vm_flags & VM_WRITE &&
		       !(vma->vm_flags & VM_SHARED) &&
		       vma->vm_flags & (VM_WIPEONFORK | VM_DONTCOPY);
		at = good ? vma->vm_end : end;
	}
	mmap_read_unlock(mm);
	return good;
}

static int pin(struct region *g, unsigned long addr)
{
	unsigned long i;
	long n;

	n = pin_user_pages_fast(addr, g->count, FOLL_WRITE | FOLL_LONGTERM, g->pages);
	if (n < 0)
		return n;
	if (n == g->count) {
		for (i = 0; i < g->count && page_can_be_secret(g->pages[i]); i++)
			;
		if (i == g->count)
			return 0;
	}
	unpin_user_pages(g->pages, n);
	return n == g->count ? -EINVAL : -EFAULT;
}

static void free_region(struct region *g)
{
	unpin_user_pages_dirty_lock(g->pages, g->count, true);
	account_locked_vm(g->mm, g->count, false);
	mmdrop(g->mm);
	kvfree(g);
}

static struct region *new_region(unsigned long addr, unsigned long count)
{
	struct region *g = kvzalloc(struct_size(g, pages, count), GFP_KERNEL_ACCOUNT);
	int r;

	if (!g)
		return ERR_PTR(-ENOMEM);
	g->count = count;
	g->mm = current->mm;
	r = account_locked_vm(g->mm, count, true);
	if (r)
		goto free;
	r = pin(g, addr);
	if (r)
		goto unaccount;
	mmgrab(g->mm);
	return g;

unaccount:
	account_locked_vm(g->mm, count, false);
free:
	kvfree(g);
	return ERR_PTR(r);
}

static int add_region(struct vmfork_secrets *s, struct region *g)
{
	int r = -ENOMEM;

	raw_spin_lock(&vmfork_lock);
	if (s->bytes + g->count * PAGE_SIZE <= BYTES_MAX) {
		s->bytes += g->count * PAGE_SIZE;
		list_add_tail(&g->node, &regions);
		list_add_tail(&g->of, &s->regions);
		r = 0;
	}
	raw_spin_unlock(&vmfork_lock);
	return r;
}

static int wipe(struct vmfork_secrets *s, const struct vmfork_secret *a)
{
	struct region *g;
	u64 end;
	int r;

	if (!a->len || !PAGE_ALIGNED(a->addr) || !PAGE_ALIGNED(a->len) ||
	    check_add_overflow(a->addr, a->len, &end) || end > TASK_SIZE)
		return -EINVAL;
	if (a->len > BYTES_MAX)
		return -ENOMEM;
	if (!(READ_ONCE(vmfork_channel_layout()->host_features) & VMFORK_FEATURE_FREE_SET))
		return -EOPNOTSUPP;
	if (!range_can_be_secret(current->mm, a->addr, end))
		return -EINVAL;
	g = new_region(a->addr, a->len >> PAGE_SHIFT);
	if (IS_ERR(g))
		return PTR_ERR(g);
	r = add_region(s, g);
	if (r)
		free_region(g);
	return r;
}

long vmfork_secrets_set(struct vmfork_secrets *s, const struct vmfork_secret __user *arg)
{
	struct vmfork_secret a;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (!vmfork_is_zero(a.reserved))
		return -EINVAL;
	switch (a.flags) {
	case VMFORK_SECRET_DENY:
		return a.addr || a.len ? -EINVAL : deny(s);
	case VMFORK_SECRET_WIPE:
		return wipe(s, &a);
	default:
		return -EINVAL;
	}
}

void vmfork_secrets_release(struct vmfork_secrets *s)
{
	struct region *g, *next;

	raw_spin_lock(&vmfork_lock);
	list_del_init(&s->denier);
	list_for_each_entry(g, &s->regions, of)
		list_del(&g->node);
	raw_spin_unlock(&vmfork_lock);
	list_for_each_entry_safe(g, next, &s->regions, of)
		free_region(g);
}

u64 vmfork_secrets_spare(u8 *map, u64 gfns)
{
	const struct region *g;
	unsigned long i;
	u64 n = 0;

	list_for_each_entry(g, &regions, node)
		for (i = 0; i < g->count; i++)
			n += vmfork_bits_set(map, gfns, page_to_pfn(g->pages[i]), 1);
	return n;
}

void vmfork_secrets_wipe(void)
{
	const struct region *g;
	unsigned long i;

	list_for_each_entry(g, &regions, node)
		for (i = 0; i < g->count; i++)
			clear_highpage(g->pages[i]);
}
