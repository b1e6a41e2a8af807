// SPDX-License-Identifier: GPL-2.0
/* The fork point: the instant from which a parent and its clones go on. */
#define pr_fmt(fmt) "vmfork: " fmt

#include <linux/atomic.h>
#include <linux/nmi.h>
#include <linux/sched/signal.h>
#include <linux/stop_machine.h>
#include <linux/suspend.h>

#include <asm/barrier.h>

#include "agent.h"
#include "avoid.h"
#include "chardev.h"
#include "dropcache.h"
#include "forkpoint.h"
#include "freeset.h"
#include "gate.h"
#include "identity.h"
#include "request.h"
#include "secret.h"
#include "suspend.h"
#include "told.h"

#define TAKE_TIMEOUT_NS	(VMFORK_TAKE_SEC * NSEC_PER_SEC)

/**
 * DOC: In the fork point
 *
 * fork_point() runs on one CPU in stop_machine(): all others spin with interrupts
 * off, so no other code of this kernel runs between the request and its return. It
 * must not sleep, nor take a lock that a preempted task might hold. In this order:
 *
 *   both     free set and secrets, request fields, IDLE -> REQUESTED, doorbell, wait
 *   (the host stops the machine here; parent and clones go on from here)
 *   both     copy the answer, reseed
 *   clone    secrets wiped, fresh rings and the next epoch, identity, clone block, the link, gate shut
 *   parent   the ticket's mailbox has peers
 *   both     RELEASED -> IDLE
 *
 * A host that releases a machine with an answer that is neither the parent's nor a
 * clone's, or that leaves a state word which no rule allows, leaves it in the dark:
 * if a clone returned an error to its caller, that would go on as the parent, beside
 * the parent. Such a machine panics. A parent to whom nothing was forked has an errno.
 *
 * Over Xen the machine is stopped by its own suspend path instead, on the host's demand:
 * suspend.c has the same steps in another frame.
 *
 * The rest, that may sleep, follows in vmfork_forkpoint_run(): in a clone the clock,
 * then the gate opens, unless an agent opens it (agent.h): then the caller is held, too,
 * when it leaves the kernel.
 *
 * On PREEMPT_RT the lists of free pages, and the lock of the random pool, may be
 * held by a preempted task: no free set, and the reseed waits for the callback's
 * end, still before the gate opens.
 */
static struct vmfork_figures figures;	/* vmfork_fork_mutex */
static struct vmfork_fork answer;	/* the host's, copied once; vmfork_fork_mutex */

/* Against the host, another CPU whatever this kernel believes: a UP kernel's
 * cmpxchg() has no lock prefix. */
static u32 swap_state(struct vmfork_fork *fork, u32 from, u32 to)
{
	return le32_to_cpu((__force __le32)sync_cmpxchg((__force u32 *)&fork->state,
							(__force u32)cpu_to_le32(from),
							(__force u32)cpu_to_le32(to)));
}

static u32 read_state(struct vmfork_fork *fork)
{
	/* the answer is read after the state that says it is there */
	return le32_to_cpu(virt_load_acquire(&fork->state));
}

static void request(struct vmfork_fork *fork, const struct vmfork_forkpoint *fp)
{
	fork->kind = cpu_to_le32(fp->kind);
	fork->ticket = cpu_to_le64(fp->ticket);
	if (fp->name)
		memcpy(fork->name, fp->name, sizeof(fork->name));
	else
		memset(fork->name, 0, sizeof(fork->name));
	fork->free_pages = cpu_to_le64(fp->free_pages);
	vmfork_agent_request(fork);
}

/*
 * The time that passed between two looks, as a clock source that wraps while no
 * tick reads it may tell it: never negative.
 */
static u64 elapsed(ktime_t *last)
{
	ktime_t now = ktime_get();
	s64 ns = ktime_to_ns(ktime_sub(now, *last));

	*last = now;
	return ns > 0 ? ns : 0;
}

/* Return: 0 the host released us; -ETIMEDOUT it never took the request */
static int await(struct vmfork_fork *fork)
{
	ktime_t last = ktime_get();
	u64 waited = 0;

	for (;;) {
		switch (read_state(fork)) {
		case VMFORK_FORK_RELEASED:
			return 0;
		case VMFORK_FORK_TAKEN:
			break;
		case VMFORK_FORK_REQUESTED:
			waited += elapsed(&last);
			if (waited < TAKE_TIMEOUT_NS)
				break;
			if (swap_state(fork, VMFORK_FORK_REQUESTED, VMFORK_FORK_ABANDONED) ==
			    VMFORK_FORK_REQUESTED)
				return -ETIMEDOUT;
			break;
		default:
			panic("vmfork: parent or clone? The host's state word makes no sense");
		}
		touch_nmi_watchdog();
		cpu_relax();
	}
}

static void become_clone(struct vmfork_forkpoint *fp)
{
	vmfork_secrets_wipe();
	vmfork_channel_restart();
	vmfork_identity_become(&answer);
	vmfork_told_read(vmfork_channel_region());
	vmfork_avoid_begin();
	if (fp->box)
		vmfork_mailbox_become_link(fp->box);
	vmfork_gate_shut(vmfork_agent_await() ? NULL : fp->caller);
}

static void stay_parent(struct vmfork_forkpoint *fp)
{
	vmfork_identity_passed();
	if (fp->kind == VMFORK_FORK_TICKET)
		vmfork_mailbox_begin(fp->box, fp->clones);
}

static void take_answer(struct vmfork_forkpoint *fp, const struct vmfork_fork *fork)
{
	memcpy(&answer, fork, sizeof(answer));
	barrier();	/* from here on only the copy is looked at */
	fp->answered = true;
	fp->released = ktime_get();
	fp->result = vmfork_layout_result(le32_to_cpu(answer.result));
	if (fp->result)
		return;
	fp->id = le32_to_cpu(answer.id);
	fp->clones = le32_to_cpu(answer.clones);
	fp->checkpoint = le64_to_cpu(answer.checkpoint);
	fp->realtime_ns = vmfork_layout_realtime(le64_to_cpu(answer.realtime_ns),
						 vmfork_channel_wall());
}

static void go_on(struct vmfork_forkpoint *fp, enum vmfork_who who)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		vmfork_identity_reseed(answer.seed, sizeof(answer.seed));
	if (who == VMFORK_WHO_CLONE)
		become_clone(fp);
	else
		stay_parent(fp);
}

static void answered(struct vmfork_forkpoint *fp, struct vmfork_fork *fork)
{
	enum vmfork_who who;

	take_answer(fp, fork);
	who = vmfork_layout_who(&answer, vmfork_identity_vm());
	if (who == VMFORK_WHO_UNKNOWN)
		panic("vmfork: parent or clone? The host's answer makes no sense");
	if (!fp->result)
		go_on(fp, who);
	vmfork_identity_record(fork);
}

void vmfork_forkpoint_fill(struct vmfork_forkpoint *fp)
{
	if (fp->free_set)
		fp->free_pages = vmfork_freeset_fill(vmfork_channel_free_set(),
						     vmfork_channel_layout()->gfns);
	if (fp->spares)
		fp->free_pages += vmfork_secrets_spare(vmfork_channel_free_set(),
						       vmfork_channel_layout()->gfns);
	vmfork_channel_region()->fork.free_pages = cpu_to_le64(fp->free_pages);
}

bool vmfork_forkpoint_request(struct vmfork_forkpoint *fp)
{
	struct vmfork_fork *fork = &vmfork_channel_region()->fork;

	request(fork, fp);
	fp->result = -EIO;
	if (swap_state(fork, VMFORK_FORK_IDLE, VMFORK_FORK_REQUESTED) != VMFORK_FORK_IDLE)
		return false;
	vmfork_channel_bell();
	return true;
}

enum vmfork_fork_state vmfork_forkpoint_state(void)
{
	return read_state(&vmfork_channel_region()->fork);
}

bool vmfork_forkpoint_abandon(void)
{
	return swap_state(&vmfork_channel_region()->fork, VMFORK_FORK_REQUESTED,
			  VMFORK_FORK_ABANDONED) == VMFORK_FORK_REQUESTED;
}

void vmfork_forkpoint_leave(struct vmfork_forkpoint *fp)
{
	struct vmfork_fork *fork = &vmfork_channel_region()->fork;

	fp->result = await(fork);
	if (!fp->result)
		answered(fp, fork);
	memzero_explicit(fork->seed, sizeof(fork->seed));
	/* the host may reuse the block from here on */
	virt_store_release(&fork->state, cpu_to_le32(VMFORK_FORK_IDLE));
}

static int fork_point(void *data)
{
	struct vmfork_forkpoint *fp = data;

	vmfork_forkpoint_fill(fp);
	if (vmfork_forkpoint_request(fp))
		vmfork_forkpoint_leave(fp);
	return 0;
}

/* a kernel thread may reseed, whoever forks */
static void reseed_late(struct work_struct *work)
{
	vmfork_identity_reseed(answer.seed, sizeof(answer.seed));
}

static DECLARE_WORK(reseed_work, reseed_late);

static void finish(struct vmfork_forkpoint *fp)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && fp->answered) {
		queue_work(vmfork_wq, &reseed_work);
		flush_work(&reseed_work);
	}
	memzero_explicit(answer.seed, sizeof(answer.seed));
	if (fp->id)
		vmfork_identity_set_clock(fp->realtime_ns, fp->released);
	if (vmfork_agent_awaited())
		vmfork_agent_watch();
	else
		vmfork_gate_open();
}

static int prepare(struct vmfork_forkpoint *fp)
{
	const struct vmfork_layout *layout = vmfork_channel_layout();
	int r;

	raw_spin_lock(&vmfork_lock);
	r = vmfork_channel_current(fp->epoch);
	raw_spin_unlock(&vmfork_lock);
	if (r)
		return r;
	if (vmfork_agent_awaited())
		return -EAGAIN;
	r = vmfork_secrets_check();
	if (r)
		return r;
	r = vmfork_identity_prepare();
	if (r) {
		pr_err("fork refused: cannot open /dev/urandom: %d\n", r);
		return -EOPNOTSUPP;
	}
	fp->free_set = vmfork_features() & VMFORK_FEATURE_FREE_SET;
	fp->spares = layout->host_features & VMFORK_FEATURE_FREE_SET;
	if (fp->spares)
		memset(vmfork_channel_free_set(), 0, layout->bitmap_bytes);
	fp->caller = current;
	return vmfork_gate_prepare();
}

static void pass(struct vmfork_forkpoint *fp)
{
	ktime_t begin = ktime_get();
	ktime_t stopped;

	if (vmfork_channel_suspends()) {
		stopped = vmfork_suspend_pass(fp);
	} else {
		stop_machine(fork_point, fp, NULL);
		stopped = ktime_sub(ktime_get(), begin);
	}
	finish(fp);
	if (fp->result)
		return;
	figures.forks++;
	figures.free_pages = fp->free_pages;
	figures.stop_ns = ktime_to_ns(stopped);
}

/* Without CONFIG_PM_SLEEP the kernel exports nothing that writes out every file system:
 * its ksys_sync_helper() is then an empty function. */
static int sync_files(void)
{
	if (!IS_ENABLED(CONFIG_PM_SLEEP)) {
		pr_warn_once("fork refused: CLONE_SYNC takes CONFIG_PM_SLEEP; sync(2) before\n");
		return -EOPNOTSUPP;
	}
	ksys_sync_helper();
	return 0;
}

int vmfork_forkpoint_run(struct vmfork_forkpoint *fp)
{
	int r;

	if (vmfork_avoid_hazards() & VMFORK_HAZARD_ENCRYPTED) {
		pr_err("fork refused: this machine's memory is encrypted\n");
		return -EOPNOTSUPP;
	}
	if (vmfork_agent_awaited())	/* before anything is written out */
		return -EAGAIN;
	r = vmfork_identity_await_random();
	if (r)
		return r;
	if (fp->flags & VMFORK_CLONE_SYNC) {
		r = sync_files();
		if (r)
			return r;
	}
	vmfork_dropcache(fp->flags);
	if (vmfork_fork_lock())
		return -EINTR;
	r = prepare(fp);
	if (!r) {
		pass(fp);
		r = fp->result;
	}
	vmfork_fork_unlock();
	vmfork_request_purge();
	vmfork_mailbox_purge();
	wake_up_all(&vmfork_wait);
	vmfork_channel_poll();
	if (!r && fp->id && !vmfork_agent_awaited())
		vmfork_chardev_announce();
	return r;
}

void vmfork_forkpoint_untold(const struct vmfork_forkpoint *fp)
{
	if (!fp->id)
		return;
	pr_err("clone %u: the program that forked cannot be told so: killed\n", fp->id);
	send_sig(SIGKILL, current, 1);
}

/* A machine that was reset, or a module that was reloaded, may find what the one
 * before it left. */
void vmfork_forkpoint_attach(struct vmfork_channel *region)
{
	struct vmfork_fork *fork = &region->fork;

	swap_state(fork, VMFORK_FORK_REQUESTED, VMFORK_FORK_ABANDONED);
	swap_state(fork, VMFORK_FORK_ABANDONED, VMFORK_FORK_IDLE);
	swap_state(fork, VMFORK_FORK_RELEASED, VMFORK_FORK_IDLE);
}

u64 vmfork_features(void)
{
	u64 host = READ_ONCE(vmfork_channel_layout()->host_features);
	u64 features = host & (VMFORK_FEATURE_CHECKPOINT | VMFORK_FEATURE_MESSAGES |
			       VMFORK_FEATURE_LIMITS | VMFORK_FEATURE_PARAMS);

	features |= host & vmfork_avoid_features();
	if (vmfork_gate_enabled())
		features |= VMFORK_FEATURE_GATE;
	if (vmfork_gate_possible())
		features |= host & VMFORK_FEATURE_IDENTITY;
	if (vmfork_agent_registered())
		features |= VMFORK_FEATURE_AGENT;
	if (IS_ENABLED(CONFIG_PM_SLEEP))
		features |= VMFORK_FEATURE_SYNC;
	return features;
}

void vmfork_forkpoint_figures(struct vmfork_figures *ret)
{
	if (vmfork_fork_lock()) {
		memset(ret, 0, sizeof(*ret));	/* the reader is being killed */
		return;
	}
	*ret = figures;
	vmfork_fork_unlock();
}
