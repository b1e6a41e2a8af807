// SPDX-License-Identifier: GPL-2.0
/* Records between a parent and its clones: read(), write(), poll() and WAIT. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mailbox.h"

static const struct vmfork_patience for_ever = {
	TASK_INTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT, HZ
};
static const struct vmfork_patience for_room = {
	TASK_INTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT, HZ / 50
};

/* The mailbox as the call found it: 0 for @epoch means that it just begins. A machine
 * that was forked during a call fails it, also where the mailbox is a link by now. */
static int same_machine(const struct vmfork_mailbox *box, u64 *epoch)
{
	if (!*epoch)
		*epoch = box->epoch;
	if (box->epoch != *epoch)
		return -ESTALE;
	return vmfork_mailbox_check(box);
}

/* can nothing more come, once the records are read? */
static bool ended(const struct vmfork_mailbox *box)
{
	return box->role != VMFORK_MAILBOX_IDLE && !box->live && !box->unreported;
}

struct reading {
	struct vmfork_mailbox *box;
	u64 epoch;
	size_t room;
	struct vmfork_queued *taken;
};

static int try_take(void *arg)
{
	struct reading *rd = arg;
	struct vmfork_mailbox *box = rd->box;
	struct vmfork_queued *q;
	int r;

	raw_spin_lock(&vmfork_lock);
	r = same_machine(box, &rd->epoch);
	if (r)
		goto unlock;
	q = list_first_entry_or_null(&box->records, struct vmfork_queued, node);
	if (!q) {
		r = ended(box) ? 0 : -EAGAIN;
	} else if (sizeof(q->head) + q->head.len > rd->room) {
		r = -EMSGSIZE;
	} else {
		list_del_init(&q->node);
		if (q->head.type == VMFORK_RECORD_EXIT)
			box->unreported--;
		rd->taken = q;
	}
unlock:
	raw_spin_unlock(&vmfork_lock);
	return r;
}

/* Return: false when the machine was forked meanwhile and the record is no one's */
static bool put_back(struct vmfork_mailbox *box, struct vmfork_queued *q, u64 epoch)
{
	bool back;

	raw_spin_lock(&vmfork_lock);
	back = box->epoch == epoch && epoch == vmfork_epoch();
	if (back) {
		list_add(&q->node, &box->records);
		if (q->head.type == VMFORK_RECORD_EXIT)
			box->unreported++;
	}
	raw_spin_unlock(&vmfork_lock);
	return back;
}

static bool copy_record(char __user *buf, const struct vmfork_queued *q)
{
	return !copy_to_user(buf, &q->head, sizeof(q->head)) &&
		!copy_to_user(buf + sizeof(q->head), q->payload, q->head.len);
}

ssize_t vmfork_mailbox_read(struct vmfork_mailbox *box, char __user *buf, size_t n, bool nonblock)
{
	struct reading rd = { .box = box, .room = n };
	struct vmfork_queued *q;
	ssize_t size;
	int r;

	r = nonblock ? try_take(&rd) : vmfork_wait_until(try_take, &rd, &for_ever);
	q = rd.taken;
	if (r || !q)
		return r;
	size = sizeof(q->head) + q->head.len;
	if (!copy_record(buf, q)) {
		if (put_back(box, q, rd.epoch))
			return -EFAULT;
		size = -EFAULT;
	}
	if (q->head.type == VMFORK_RECORD_DATA) {
		if (size > 0)
			vmfork_mailbox_consumed(box, q->head.id, q->head.len, rd.epoch);
		kvfree(q);
	}
	return size;
}

struct writing {
	struct vmfork_mailbox *box;
	u64 epoch;
	u32 id;
	u32 len;
	struct vmfork_msg_data *msg;
};

static struct vmfork_peer *peer_of(struct vmfork_mailbox *box, u32 id)
{
	if (box->role == VMFORK_MAILBOX_LINK)
		return id == 0 ? &box->peers[0] : NULL;
	return id >= 1 && id <= box->count ? &box->peers[id - 1] : NULL;
}

static int post(struct vmfork_mailbox *box, struct writing *w)
{
	struct vmfork_peer *p = peer_of(box, w->id);
	int r;

	if (box->role == VMFORK_MAILBOX_IDLE)
		return -ENOTCONN;
	if (!p)
		return -EINVAL;
	if (!p->live)
		return -EPIPE;
	if (p->window < w->len)
		return -EAGAIN;
	w->msg->ticket = cpu_to_le64(box->handle);
	r = vmfork_channel_put(VMFORK_G2H_DATA, 0, w->msg, sizeof(*w->msg) + w->len);
	if (!r)
		p->window -= w->len;
	return r;
}

static int try_post(void *arg)
{
	struct writing *w = arg;
	int r;

	raw_spin_lock(&vmfork_lock);
	r = same_machine(w->box, &w->epoch);
	if (!r)
		r = post(w->box, w);
	raw_spin_unlock(&vmfork_lock);
	return r;
}

ssize_t vmfork_mailbox_write(struct vmfork_mailbox *box, const char __user *buf, size_t n,
			     bool nonblock)
{
	struct writing w = { .box = box };
	struct vmfork_record head;
	int r;

	if (n < sizeof(head))
		return -EINVAL;
	if (copy_from_user(&head, buf, sizeof(head)))
		return -EFAULT;
	if (head.type != VMFORK_RECORD_DATA || head.len < 1 || head.len > VMFORK_MSG_MAX ||
	    n != sizeof(head) + head.len)
		return -EINVAL;
	w.id = head.id;
	w.len = head.len;
	w.msg = kvmalloc(sizeof(*w.msg) + head.len, GFP_KERNEL);
	if (!w.msg)
		return -ENOMEM;
	w.msg->id = cpu_to_le32(head.id);
	w.msg->tag = cpu_to_le32(head.tag);
	r = -EFAULT;
	if (!copy_from_user(w.msg + 1, buf + sizeof(head), head.len))
		r = nonblock ? try_post(&w) : vmfork_wait_until(try_post, &w, &for_room);
	kvfree(w.msg);
	return r ? r : n;
}

/* is there room for the largest message to each that lives? */
static bool roomy(const struct vmfork_mailbox *box)
{
	u32 i;

	for (i = 0; i < box->count; i++)
		if (box->peers[i].live && box->peers[i].window < VMFORK_MSG_MAX)
			return false;
	return box->role != VMFORK_MAILBOX_IDLE;
}

__poll_t vmfork_mailbox_poll(struct vmfork_mailbox *box)
{
	__poll_t events = 0;

	raw_spin_lock(&vmfork_lock);
	if (vmfork_mailbox_check(box)) {
		events = EPOLLERR | EPOLLHUP;
	} else {
		if (!list_empty(&box->records))
			events |= EPOLLIN | EPOLLRDNORM;
		else if (ended(box))
			events |= EPOLLHUP;
		if (roomy(box))
			events |= EPOLLOUT | EPOLLWRNORM;
	}
	raw_spin_unlock(&vmfork_lock);
	return events;
}

struct reaping {
	struct vmfork_mailbox *box;
	u64 epoch;
	u32 id;
	bool keep;
	struct vmfork_exit_info *info;
};

static struct vmfork_queued *find_exit(struct vmfork_mailbox *box, u32 id)
{
	struct vmfork_queued *q;

	list_for_each_entry(q, &box->records, node)
		if (q->head.type == VMFORK_RECORD_EXIT && (!id || q->head.id == id))
			return q;
	return NULL;
}

static int reap(struct vmfork_mailbox *box, struct reaping *rp)
{
	struct vmfork_queued *q;

	if (box->role == VMFORK_MAILBOX_LINK)
		return -ESTALE;
	if (rp->id > box->count)
		return -ECHILD;
	q = find_exit(box, rp->id);
	if (!q)
		return (rp->id ? box->peers[rp->id - 1].live : box->live) ? -EAGAIN : -ECHILD;
	memcpy(rp->info, q->payload, sizeof(*rp->info));
	if (!rp->keep) {
		list_del_init(&q->node);
		box->unreported--;
	}
	return 0;
}

static int try_reap(void *arg)
{
	struct reaping *rp = arg;
	int r;

	raw_spin_lock(&vmfork_lock);
	r = same_machine(rp->box, &rp->epoch);
	if (!r)
		r = reap(rp->box, rp);
	raw_spin_unlock(&vmfork_lock);
	return r;
}

int vmfork_mailbox_wait(struct vmfork_mailbox *box, u32 id, u32 flags,
			struct vmfork_exit_info *ret)
{
	struct reaping rp = {
		.box = box,
		.id = id,
		.keep = flags & VMFORK_WAIT_NOREAP,
		.info = ret,
	};

	if (flags & VMFORK_WAIT_NOHANG)
		return try_reap(&rp);
	return vmfork_wait_until(try_reap, &rp, &for_ever);
}

void vmfork_mailbox_unwait(struct vmfork_mailbox *box, u32 id)
{
	struct vmfork_queued *q;

	raw_spin_lock(&vmfork_lock);
	if (!vmfork_mailbox_check(box) && box->role == VMFORK_MAILBOX_PARENT) {
		q = &box->peers[id - 1].exit;
		if (list_empty(&q->node)) {
			list_add(&q->node, &box->records);
			box->unreported++;
		}
	}
	raw_spin_unlock(&vmfork_lock);
}
