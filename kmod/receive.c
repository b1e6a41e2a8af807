// SPDX-License-Identifier: GPL-2.0
/* Messages from the host, handed to whom they are for. */
#define pr_fmt(fmt) "vmfork: " fmt

#include "channel.h"
#include "hostfork.h"
#include "mailbox.h"
#include "request.h"

/* one worker: a work item never runs beside itself */
static u8 payload[VMFORK_RING_PAYLOAD_MAX] __aligned(8);

static void dispatch(u64 epoch, const struct vmfork_ring_msg *msg)
{
	switch (msg->type) {
	case VMFORK_H2G_REPLY:
		vmfork_request_reply(epoch, msg->cookie, (const void *)payload);
		break;
	case VMFORK_H2G_EXITED:
		vmfork_mailbox_exited(epoch, (const void *)payload);
		break;
	case VMFORK_H2G_DATA:
		vmfork_mailbox_data(epoch, (const void *)payload,
				    msg->len - sizeof(struct vmfork_msg_data));
		break;
	case VMFORK_H2G_CREDIT:
		vmfork_mailbox_credit(epoch, (const void *)payload);
		break;
	case VMFORK_H2G_FORK:
		vmfork_hostfork_ask(epoch, (const void *)payload);
		break;
	default:
		pr_warn_ratelimited("message of unknown type %u from the host\n", msg->type);
	}
}

void vmfork_receive(struct work_struct *work)
{
	struct vmfork_ring_msg msg;
	u64 epoch;
	int r;

	for (;;) {
		raw_spin_lock(&vmfork_lock);
		r = vmfork_channel_take(&msg, payload);
		epoch = vmfork_epoch();
		raw_spin_unlock(&vmfork_lock);
		if (r)
			break;
		dispatch(epoch, &msg);
		wake_up_all(&vmfork_wait);
		cond_resched();
	}
	vmfork_mailbox_pay();
	wake_up_all(&vmfork_wait);
}
