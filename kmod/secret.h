/* SPDX-License-Identifier: GPL-2.0 */
/* Secrets: machines that are not to be forked, memory that clones are not to have. */
#ifndef VMFORK_SECRET_H
#define VMFORK_SECRET_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/vmfork.h>

/**
 * DOC: What is wiped
 *
 * WIPE pins the pages that are at the addresses now. In the fork point their bits are
 * set in the free set, so that they never leave the parent, and a clone clears them
 * before anything else of it runs. Pages that come to these addresses later (after
 * munmap() or MADV_DONTNEED) are not meant, and those that were there stay pinned.
 *
 * fork() copies pinned pages at once, and nothing would wipe the child's copy: so the
 * memory must be kept from children (MADV_WIPEONFORK or MADV_DONTFORK) beforehand.
 */

/** struct vmfork_secrets - of one open of the device. */
struct vmfork_secrets {
	struct list_head regions;	/* vmfork_lock; freed at release */
	struct list_head denier;	/* in the list of those that deny; vmfork_lock */
	u64 bytes;			/* vmfork_lock */
	pid_t pid;
};

void vmfork_secrets_init(struct vmfork_secrets *s);
void vmfork_secrets_release(struct vmfork_secrets *s);

/** vmfork_secrets_set() - VMFORK_SECRET. */
long vmfork_secrets_set(struct vmfork_secrets *s, const struct vmfork_secret __user *arg);

/** vmfork_secrets_check() - Return: 0, or -EBUSY and who denies is in the log;
 * vmfork_fork_mutex. */
int vmfork_secrets_check(void);

/* The fork point only: */

/** vmfork_secrets_spare() - set the bits of all secret pages. Return: how many. */
u64 vmfork_secrets_spare(u8 *map, u64 gfns);
/** vmfork_secrets_wipe() - this is a clone. */
void vmfork_secrets_wipe(void);

#endif /* VMFORK_SECRET_H */
