/* SPDX-License-Identifier: GPL-2.0 */
/* Records between a parent and its clones: what read(), write() and poll() see. */
#ifndef VMFORK_MAILBOX_H
#define VMFORK_MAILBOX_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/types.h>

#include "channel.h"

/**
 * DOC: A mailbox's roles
 *
 *   IDLE    nothing was forked by it (yet): a ticket before CLONE, a checkpoint
 *   PARENT  peers 1..m are the clones of its ticket
 *   LINK    the only peer is the parent of this machine, under ID 0
 *
 *   IDLE -> PARENT  vmfork_mailbox_begin(): the fork point in the parent
 *   PARENT -> IDLE  vmfork_mailbox_undo(): CREATE_CLONES that was refused
 *   any -> LINK     vmfork_mailbox_become_link(): the fork point in the clone
 *
 * A mailbox whose epoch has passed is FOREIGN: every call fails with ESTALE. It
 * becomes so with no hand laid on it.
 */
enum vmfork_mailbox_role {
	VMFORK_MAILBOX_IDLE,
	VMFORK_MAILBOX_PARENT,
	VMFORK_MAILBOX_LINK,
};

/** struct vmfork_queued - a record that waits for its reader. */
struct vmfork_queued {
	struct list_head node;
	struct vmfork_record head;
	const void *payload;
};

/** struct vmfork_peer - one clone, or the parent. */
struct vmfork_peer {
	u32 window;	/* bytes that may still be sent */
	u32 held;	/* bytes received and not yet credited */
	u32 owed;	/* of these: read, to be credited */
	bool live;
	struct vmfork_queued exit;
	struct vmfork_exit_info info;
};

/** struct vmfork_mailbox - embedded in tickets and checkpoints; vmfork_lock. */
struct vmfork_mailbox {
	struct list_head node;		/* in the list of all */
	enum vmfork_mailbox_role role;
	u64 epoch;
	u64 handle;			/* the ticket's; 0 in a link */
	struct list_head records;
	struct list_head stale;		/* records of the parent's, to be freed */
	struct vmfork_peer *peers;	/* peer ID n is peers[n - 1]; a link has peers[0] */
	u32 capacity;
	u32 count;
	u32 live;
	u32 unreported;
	bool owes;			/* some credit could not be sent */
};

/** vmfork_mailbox_init() - room for @capacity peers, at least 1. */
int vmfork_mailbox_init(struct vmfork_mailbox *box, u64 epoch, u32 capacity);
void vmfork_mailbox_destroy(struct vmfork_mailbox *box);

/* Under vmfork_lock, or in the fork point: */

/** vmfork_mailbox_check() - 0, ENODEV, ESTALE, EIO. */
int vmfork_mailbox_check(const struct vmfork_mailbox *box);
void vmfork_mailbox_begin(struct vmfork_mailbox *box, u32 clones);
void vmfork_mailbox_undo(struct vmfork_mailbox *box);
void vmfork_mailbox_become_link(struct vmfork_mailbox *box);

/* Elsewhere; the errors of the uapi: */
ssize_t vmfork_mailbox_read(struct vmfork_mailbox *box, char __user *buf, size_t n, bool nonblock);
ssize_t vmfork_mailbox_write(struct vmfork_mailbox *box, const char __user *buf, size_t n,
			     bool nonblock);
__poll_t vmfork_mailbox_poll(struct vmfork_mailbox *box);
int vmfork_mailbox_wait(struct vmfork_mailbox *box, u32 id, u32 flags,
			struct vmfork_exit_info *ret);
/** vmfork_mailbox_unwait() - the caller could not be told: report it again. */
void vmfork_mailbox_unwait(struct vmfork_mailbox *box, u32 id);
/** vmfork_mailbox_consumed() - a record with @len bytes of payload was read. */
void vmfork_mailbox_consumed(struct vmfork_mailbox *box, u32 id, u32 len, u64 epoch);

/* From receive.c: */
void vmfork_mailbox_exited(u64 epoch, const struct vmfork_msg_exited *msg);
void vmfork_mailbox_data(u64 epoch, const struct vmfork_msg_data *msg, u32 len);
void vmfork_mailbox_credit(u64 epoch, const struct vmfork_msg_credit *msg);
/** vmfork_mailbox_pay() - send the credits that found no room. */
void vmfork_mailbox_pay(void);

/** vmfork_mailbox_purge() - free what the parent's machine left in the queues. */
void vmfork_mailbox_purge(void);

#endif /* VMFORK_MAILBOX_H */
