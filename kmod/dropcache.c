// SPDX-License-Identifier: GPL-2.0
/* Page cache that is dropped before a fork. */
#define pr_fmt(fmt) "vmfork: " fmt

#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/workqueue.h>

#include <linux/vmfork.h>

#include "dropcache.h"

/**
 * DOC: Dropped by asking the kernel to
 *
 * What walks over all file systems is not exported, but is behind a file: it takes clean
 * pages that nobody maps, of every file system and block device. A kernel thread opens
 * it, since the caller may see no /proc. What was dropped is free when the free set is
 * made, so clones read files from their own disks instead of fetching pages; the parent
 * has to read them again, too.
 */
#define DROP_CACHES	"/proc/sys/vm/drop_caches"

static bool drop_cache;
module_param(drop_cache, bool, 0644);
MODULE_PARM_DESC(drop_cache, "drop clean page cache before each fork, asked for or not");

static void drop_clean(struct work_struct *work)
{
	struct file *f = filp_open(DROP_CACHES, O_WRONLY, 0);
	ssize_t r = PTR_ERR_OR_ZERO(f);
	loff_t pos = 0;

	if (!r) {
		r = kernel_write(f, "1", 1, &pos);
		filp_close(f, NULL);
	}
	if (r < 0)
		pr_warn("cannot drop the page cache: " DROP_CACHES ": %zd\n", r);
}

void vmfork_dropcache(u32 flags)
{
	struct work_struct work;

	if (!(flags & VMFORK_CLONE_DROP_CACHE) && !READ_ONCE(drop_cache))
		return;
	INIT_WORK_ONSTACK(&work, drop_clean);
	queue_work(system_unbound_wq, &work);
	flush_work(&work);
	destroy_work_on_stack(&work);
}
