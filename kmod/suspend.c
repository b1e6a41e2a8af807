// SPDX-License-Identifier: GPL-2.0
/* The fork point inside the machine's suspend path, for transports that stop it so. */
#define pr_fmt(fmt) "vmfork: " fmt

#include <linux/sched/signal.h>
#include <linux/syscore_ops.h>

#include "compat.h"
#include "suspend.h"

/**
 * DOC: A fork through suspend
 *
 * A Xen domain is copied while it is suspended, and what it was connected to connects
 * anew in each copy: the kernel has all that in its suspend path. So the host, when it
 * has taken the request, asks for a suspend as it does for `xl save`, and this happens:
 *
 *   the caller   request, IDLE -> REQUESTED, doorbell; sleeps, and may be frozen
 *   suspend      user tasks frozen, devices suspended, stop_machine()
 *   on_suspend   free set
 *   (the host copies the machine; parent and clones go on from here)
 *   on_resume    the answer, all of vmfork_forkpoint_leave(), gate shut in a clone
 *   resume       devices: a clone's connect under its new domain; tasks thawed
 *   the caller   the clock, then the gate opens
 *
 * on_suspend() and on_resume() run on one CPU inside stop_machine() with interrupts off:
 * the rules of the fork point hold. on_suspend() is the first of its kind to run and
 * on_resume() the last, as it was registered last.
 *
 * A suspend that is not ours (`xl save` by an administrator) finds no passage pending, or
 * one that was not taken, and changes nothing. If the kernel cannot suspend, the host
 * gives up and releases the machine, which never stood still, with an error.
 */
static struct vmfork_forkpoint *pending;	/* vmfork_lock, or the fork point */
static ktime_t began;
static ktime_t stood;

static bool is_taken(void)
{
	enum vmfork_fork_state state = vmfork_forkpoint_state();

	return state == VMFORK_FORK_TAKEN || state == VMFORK_FORK_RELEASED;
}

static int on_suspend(VMFORK_SYSCORE_ARG)
{
	if (!pending || !is_taken())
		return 0;
	began = ktime_get();
	vmfork_forkpoint_fill(pending);
	return 0;
}

static void leave(void)
{
	struct vmfork_forkpoint *fp = pending;

	vmfork_forkpoint_leave(fp);
	WRITE_ONCE(pending, NULL);
}

static void on_resume(VMFORK_SYSCORE_ARG)
{
	if (!pending || !is_taken())
		return;
	leave();
	stood = ktime_sub(ktime_get(), began);
}

VMFORK_SYSCORE(syscore, on_suspend, on_resume);

/* Released without having stood still: with an error, or the host has lost its mind. */
static void check_release(const struct vmfork_forkpoint *fp)
{
	const struct vmfork_fork *fork = &vmfork_channel_region()->fork;

	if (!vmfork_layout_result(le32_to_cpu(READ_ONCE(fork->result))))
		panic("vmfork: parent or clone? Released without a suspend");
}

/* Return: true once @fp has been through, or was given up */
static bool is_over(struct vmfork_forkpoint *fp, unsigned long end)
{
	bool over;

	raw_spin_lock(&vmfork_lock);
	over = !pending;
	if (!over && vmfork_forkpoint_state() == VMFORK_FORK_RELEASED) {
		check_release(fp);
		leave();
		over = true;
	} else if (!over && time_after(jiffies, end) && vmfork_forkpoint_abandon()) {
		fp->result = -ETIMEDOUT;
		vmfork_forkpoint_attach(vmfork_channel_region());
		pending = NULL;
		over = true;
	}
	raw_spin_unlock(&vmfork_lock);
	return over;
}

ktime_t vmfork_suspend_pass(struct vmfork_forkpoint *fp)
{
	unsigned long end = jiffies + VMFORK_TAKE_SEC * HZ;

	stood = 0;
	raw_spin_lock(&vmfork_lock);
	pending = fp;
	if (!vmfork_forkpoint_request(fp))
		pending = NULL;
	raw_spin_unlock(&vmfork_lock);
	while (!is_over(fp, end)) {
		set_current_state(TASK_UNINTERRUPTIBLE | TASK_FREEZABLE);
		if (READ_ONCE(pending))
			schedule_timeout(HZ / 50);
		__set_current_state(TASK_RUNNING);
	}
	return stood;
}

void vmfork_suspend_init(void)
{
	vmfork_syscore_register(&syscore);
}

void vmfork_suspend_exit(void)
{
	vmfork_syscore_unregister(&syscore);
}
