// SPDX-License-Identifier: GPL-2.0
/* Requests to the host that it answers with a REPLY. */
#include <linux/list.h>
#include <linux/slab.h>

#include "request.h"

/**
 * DOC: A request's life
 *
 *   unsent -> listed (sent, waited for) -> done: the waiter takes and frees it
 *                                       -> orphan: the waiter gave up; the REPLY,
 *                                          or a purge after a fork, frees it
 */
struct request {
	struct list_head node;	/* in requests once sent; vmfork_lock */
	u64 epoch;
	u64 cookie;
	u32 type;
	const void *payload;	/* the caller's; until sent */
	u32 len;
	bool sent;
	bool done;
	bool orphan;
	int result;
	struct vmfork_reply reply;
};

static LIST_HEAD(requests);
static u64 last_cookie;

const struct vmfork_patience vmfork_patience_request = { TASK_INTERRUPTIBLE, 30 * HZ, HZ };
const struct vmfork_patience vmfork_patience_clones = { TASK_KILLABLE, 180 * HZ, HZ };

static int send_locked(struct request *q)
{
	int r;

	q->cookie = ++last_cookie;
	r = vmfork_channel_put(q->type, q->cookie, q->payload, q->len);
	if (r)
		return r;
	q->sent = true;
	list_add_tail(&q->node, &requests);
	return -EAGAIN;	/* now for the answer */
}

static int progress(void *arg)
{
	struct request *q = arg;
	int r;

	raw_spin_lock(&vmfork_lock);
	r = vmfork_channel_current(q->epoch);
	if (q->done)
		r = q->result;
	else if (!r)
		r = q->sent ? -EAGAIN : send_locked(q);
	raw_spin_unlock(&vmfork_lock);
	return r;
}

/* Return: may the caller free it? */
static bool settle(struct request *q, int *result)
{
	bool ours;

	raw_spin_lock(&vmfork_lock);
	if (q->done)
		*result = q->result;
	ours = q->done || !q->sent || vmfork_channel_current(q->epoch);
	if (q->sent && ours)
		list_del(&q->node);
	q->orphan = !ours;
	q->payload = NULL;
	raw_spin_unlock(&vmfork_lock);
	return ours;
}

int vmfork_request(u64 epoch, u32 type, const void *payload, u32 len,
		   const struct vmfork_patience *p, struct vmfork_reply *ret)
{
	struct request *q;
	int r;

	q = kzalloc(sizeof(*q), GFP_KERNEL);
	if (!q)
		return -ENOMEM;
	q->epoch = epoch;
	q->type = type;
	q->payload = payload;
	q->len = len;
	r = vmfork_wait_until(progress, q, p);
	if (!settle(q, &r))
		return r;
	if (!r)
		*ret = q->reply;
	kfree(q);
	return r;
}

static struct request *find(u64 epoch, u64 cookie)
{
	struct request *q;

	list_for_each_entry(q, &requests, node)
		if (q->cookie == cookie && q->epoch == epoch && !q->done)
			return q;
	return NULL;
}

/* nobody wants what this brought */
static void give_back(const struct request *q)
{
	struct vmfork_msg_ticket close = { };

	if (q->result)
		return;
	if (q->type == VMFORK_G2H_TICKET) {
		close.ticket = cpu_to_le64(q->reply.handle);
		vmfork_channel_send(q->epoch, VMFORK_G2H_CLOSE_TICKET, &close, sizeof(close),
				    &vmfork_patience_close);
	} else if (q->type == VMFORK_G2H_OPEN_CHECKPOINT) {
		close.checkpoint = cpu_to_le64(q->reply.handle);
		vmfork_channel_send(q->epoch, VMFORK_G2H_CLOSE_CHECKPOINT, &close, sizeof(close),
				    &vmfork_patience_close);
	}
}

void vmfork_request_reply(u64 epoch, u64 cookie, const struct vmfork_msg_reply *reply)
{
	struct request *q = NULL;
	bool orphan = false;

	raw_spin_lock(&vmfork_lock);
	if (epoch == vmfork_epoch())
		q = find(epoch, cookie);
	if (q) {
		q->result = vmfork_layout_result(le32_to_cpu(reply->result));
		q->reply.granted = le32_to_cpu(reply->granted);
		q->reply.handle = le64_to_cpu(reply->handle);
		q->done = true;
		orphan = q->orphan;
		if (orphan)
			list_del(&q->node);
	}
	raw_spin_unlock(&vmfork_lock);
	if (orphan) {
		give_back(q);
		kfree(q);
	}
}

void vmfork_request_purge(void)
{
	struct request *q, *next;
	LIST_HEAD(gone);

	raw_spin_lock(&vmfork_lock);
	list_for_each_entry_safe(q, next, &requests, node)
		if (q->orphan && q->epoch != vmfork_epoch())
			list_move(&q->node, &gone);
	raw_spin_unlock(&vmfork_lock);
	list_for_each_entry_safe(q, next, &gone, node)
		kfree(q);
}
