// SPDX-License-Identifier: GPL-2.0
/* Records between a parent and its clones: mailboxes and what the host puts into them. */
#define pr_fmt(fmt) "vmfork: " fmt

#include <linux/mm.h>
#include <linux/slab.h>

#include "mailbox.h"

static LIST_HEAD(mailboxes);

static void reset_peer(struct vmfork_peer *p, bool live)
{
	p->window = VMFORK_WINDOW;
	p->held = 0;
	p->owed = 0;
	p->live = live;
}

int vmfork_mailbox_init(struct vmfork_mailbox *box, u64 epoch, u32 capacity)
{
	u32 i;

	INIT_LIST_HEAD(&box->node);
	INIT_LIST_HEAD(&box->records);
	INIT_LIST_HEAD(&box->stale);
	box->role = VMFORK_MAILBOX_IDLE;
	box->epoch = epoch;
	box->capacity = capacity;
	box->peers = kvcalloc(capacity, sizeof(*box->peers), GFP_KERNEL_ACCOUNT);
	if (!box->peers)
		return -ENOMEM;
	for (i = 0; i < capacity; i++)
		INIT_LIST_HEAD(&box->peers[i].exit.node);
	raw_spin_lock(&vmfork_lock);
	list_add_tail(&box->node, &mailboxes);
	raw_spin_unlock(&vmfork_lock);
	return 0;
}

static void free_records(struct list_head *list)
{
	struct vmfork_queued *q, *next;

	list_for_each_entry_safe(q, next, list, node) {
		list_del_init(&q->node);
		if (q->head.type == VMFORK_RECORD_DATA)
			kvfree(q);
	}
}

void vmfork_mailbox_destroy(struct vmfork_mailbox *box)
{
	raw_spin_lock(&vmfork_lock);
	list_del_init(&box->node);
	raw_spin_unlock(&vmfork_lock);
	free_records(&box->records);
	free_records(&box->stale);
	kvfree(box->peers);
	box->peers = NULL;
}

int vmfork_mailbox_check(const struct vmfork_mailbox *box)
{
	return vmfork_channel_current(box->epoch);
}

void vmfork_mailbox_begin(struct vmfork_mailbox *box, u32 clones)
{
	u32 i;

	box->role = VMFORK_MAILBOX_PARENT;
	box->count = min(clones, box->capacity);
	box->live = box->count;
	box->unreported = 0;
	for (i = 0; i < box->count; i++)
		reset_peer(&box->peers[i], true);
}

void vmfork_mailbox_undo(struct vmfork_mailbox *box)
{
	box->role = VMFORK_MAILBOX_IDLE;
	box->count = 0;
	box->live = 0;
	box->unreported = 0;
}

void vmfork_mailbox_become_link(struct vmfork_mailbox *box)
{
	box->role = VMFORK_MAILBOX_LINK;
	box->epoch = vmfork_epoch();
	box->handle = 0;
	box->count = 1;
	box->live = 1;
	box->unreported = 0;
	box->owes = false;
	list_splice_tail_init(&box->records, &box->stale);
	reset_peer(&box->peers[0], true);
}

/* the mailbox and peer that the host means, or NULL */
static struct vmfork_peer *find(u64 epoch, u64 handle, u32 id, struct vmfork_mailbox **ret)
{
	struct vmfork_mailbox *box;

	if (epoch != vmfork_epoch())
		return NULL;
	list_for_each_entry(box, &mailboxes, node) {
		if (box->epoch != epoch || box->handle != handle)
			continue;
		*ret = box;
		if (box->role == VMFORK_MAILBOX_PARENT && id >= 1 && id <= box->count)
			return &box->peers[id - 1];
		if (box->role == VMFORK_MAILBOX_LINK && id == 0)
			return &box->peers[0];
	}
	return NULL;
}

void vmfork_mailbox_exited(u64 epoch, const struct vmfork_msg_exited *msg)
{
	u32 id = le32_to_cpu(msg->id);
	struct vmfork_mailbox *box;
	struct vmfork_peer *p;

	raw_spin_lock(&vmfork_lock);
	p = find(epoch, le64_to_cpu(msg->ticket), id, &box);
	if (p && p->live) {
		p->live = false;
		box->live--;
	} else {
		p = NULL;
	}
	if (p && box->role == VMFORK_MAILBOX_PARENT) {
		p->info.id = id;
		p->info.reason = le32_to_cpu(msg->reason);
		p->info.status = (s32)le32_to_cpu(msg->status);
		p->info.reserved = 0;
		vmfork_layout_text(p->info.why, msg->why);
		p->exit.head.type = VMFORK_RECORD_EXIT;
		p->exit.head.id = id;
		p->exit.head.tag = 0;
		p->exit.head.len = sizeof(p->info);
		p->exit.payload = &p->info;
		list_add_tail(&p->exit.node, &box->records);
		box->unreported++;
	}
	raw_spin_unlock(&vmfork_lock);
}

static struct vmfork_queued *new_record(const struct vmfork_msg_data *msg, u32 len)
{
	struct vmfork_queued *q = kvmalloc(sizeof(*q) + len, GFP_KERNEL);

	if (!q)
		return NULL;
	q->head.type = VMFORK_RECORD_DATA;
	q->head.id = le32_to_cpu(msg->id);
	q->head.tag = le32_to_cpu(msg->tag);
	q->head.len = len;
	q->payload = q + 1;
	memcpy(q + 1, msg + 1, len);
	return q;
}

void vmfork_mailbox_data(u64 epoch, const struct vmfork_msg_data *msg, u32 len)
{
	struct vmfork_queued *q = new_record(msg, len);
	struct vmfork_mailbox *box;
	struct vmfork_peer *p;

	raw_spin_lock(&vmfork_lock);
	p = find(epoch, le64_to_cpu(msg->ticket), le32_to_cpu(msg->id), &box);
	if (p && !q)
		vmfork_channel_kill("no memory for a message");
	if (p && q && p->held + len <= VMFORK_WINDOW) {
		p->held += len;
		list_add_tail(&q->node, &box->records);
		q = NULL;
	} else if (p) {
		pr_warn_ratelimited("the host sent more than its window: dropped\n");
	}
	raw_spin_unlock(&vmfork_lock);
	kvfree(q);
}

void vmfork_mailbox_credit(u64 epoch, const struct vmfork_msg_credit *msg)
{
	u32 bytes = le32_to_cpu(msg->bytes);
	struct vmfork_mailbox *box;
	struct vmfork_peer *p;

	raw_spin_lock(&vmfork_lock);
	p = find(epoch, le64_to_cpu(msg->ticket), le32_to_cpu(msg->id), &box);
	if (p)
		p->window += min(bytes, VMFORK_WINDOW - p->window);
	raw_spin_unlock(&vmfork_lock);
}

/* tell the host what was read; what finds no room is tried again soon */
static int pay_peer(struct vmfork_mailbox *box, struct vmfork_peer *p)
{
	struct vmfork_msg_credit msg = {
		.ticket = cpu_to_le64(box->handle),
		.bytes = cpu_to_le32(p->owed),
	};
	int r;

	if (box->role == VMFORK_MAILBOX_PARENT)
		msg.id = cpu_to_le32((u32)(p - box->peers) + 1);
	r = vmfork_channel_put(VMFORK_G2H_CREDIT, 0, &msg, sizeof(msg));
	if (r) {
		box->owes = true;
		return r;
	}
	p->held -= p->owed;
	p->owed = 0;
	return 0;
}

/* Credit comes in quarters of a window, or when nothing is left to read. */
void vmfork_mailbox_consumed(struct vmfork_mailbox *box, u32 id, u32 len, u64 epoch)
{
	struct vmfork_peer *p;

	raw_spin_lock(&vmfork_lock);
	if (!vmfork_channel_current(epoch) && box->epoch == epoch && box->count) {
		p = &box->peers[id ? id - 1 : 0];
		p->owed += len;
		if (p->owed >= VMFORK_WINDOW / 4 || p->owed == p->held)
			pay_peer(box, p);
	}
	raw_spin_unlock(&vmfork_lock);
}

void vmfork_mailbox_pay(void)
{
	struct vmfork_mailbox *box;
	bool owes = false;
	u32 i;

	raw_spin_lock(&vmfork_lock);
	list_for_each_entry(box, &mailboxes, node) {
		if (!box->owes || vmfork_mailbox_check(box))
			continue;
		box->owes = false;
		for (i = 0; i < box->count && !box->owes; i++)
			if (box->peers[i].owed)
				pay_peer(box, &box->peers[i]);
		owes |= box->owes;
	}
	raw_spin_unlock(&vmfork_lock);
	if (owes)
		vmfork_channel_poll_later();
}

/* exit records are part of their mailbox, which may go once the lock is dropped */
static void empty(struct list_head *list, struct list_head *gone)
{
	struct vmfork_queued *q, *next;

	list_for_each_entry_safe(q, next, list, node) {
		if (q->head.type == VMFORK_RECORD_DATA)
			list_move_tail(&q->node, gone);
		else
			list_del_init(&q->node);
	}
}

void vmfork_mailbox_purge(void)
{
	struct vmfork_mailbox *box;
	LIST_HEAD(gone);

	raw_spin_lock(&vmfork_lock);
	list_for_each_entry(box, &mailboxes, node) {
		empty(&box->stale, &gone);
		if (box->epoch != vmfork_epoch())
			empty(&box->records, &gone);
	}
	raw_spin_unlock(&vmfork_lock);
	free_records(&gone);
}
