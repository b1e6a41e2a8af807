// SPDX-License-Identifier: GPL-2.0
/* Forks that the host asks for: run by a worker, so that no user task is involved. */
#include "forkpoint.h"
#include "hostfork.h"

static struct {
	bool busy;	/* vmfork_lock */
	u64 epoch;
	u64 cookie;
	u32 flags;
} ask;

static void refuse(u64 epoch, u64 cookie, int error)
{
	struct vmfork_msg_refused msg = {
		.cookie = cpu_to_le64(cookie),
		.result = cpu_to_le32(error),
	};

	vmfork_channel_send(epoch, VMFORK_G2H_FORK_REFUSED, &msg, sizeof(msg),
			    &vmfork_patience_close);
}

static void run(struct work_struct *work)
{
	struct vmfork_forkpoint fp = {
		.kind = VMFORK_FORK_HOST,
		.epoch = ask.epoch,
		.ticket = ask.cookie,
		.flags = ask.flags,
	};
	int r = vmfork_forkpoint_run(&fp);

	if (r && !fp.answered)
		refuse(fp.epoch, fp.ticket, r);
	raw_spin_lock(&vmfork_lock);
	ask.busy = false;
	raw_spin_unlock(&vmfork_lock);
}

static DECLARE_WORK(work, run);

void vmfork_hostfork_ask(u64 epoch, const struct vmfork_msg_fork *msg)
{
	u64 cookie = le64_to_cpu(msg->cookie);
	u32 flags = le32_to_cpu(msg->flags);
	bool busy;

	if (flags & ~VMFORK_CLONE_KNOWN) {
		refuse(epoch, cookie, -EINVAL);
		return;
	}
	raw_spin_lock(&vmfork_lock);
	busy = ask.busy;
	if (!busy) {
		ask.busy = true;
		ask.epoch = epoch;
		ask.cookie = cookie;
		ask.flags = flags;
	}
	raw_spin_unlock(&vmfork_lock);
	if (busy)
		refuse(epoch, cookie, -EBUSY);
	else
		queue_work(vmfork_wq, &work);
}

void vmfork_hostfork_exit(void)
{
	cancel_work_sync(&work);
}
