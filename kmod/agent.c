// SPDX-License-Identifier: GPL-2.0
/* The agent: the process that completes a clone's identity before others run. */
#define pr_fmt(fmt) "vmfork: " fmt

#include <linux/capability.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "agent.h"
#include "chardev.h"
#include "forkpoint.h"
#include "gate.h"
#include "request.h"

#define TIMEOUT_MS_DEFAULT	30000

enum state { NONE, IDLE, AWAITED, REPORTING };

static struct {
	enum state state;
	struct file *file;	/* compared, never followed */
	struct pid *pid;	/* its thread group; a reference, to be compared */
	u32 timeout_ms;
} agent;			/* vmfork_lock, or the fork point */

static void out_of_time(struct work_struct *work)
{
	if (vmfork_agent_awaited())
		panic("vmfork: this clone's agent did not report its identity in time");
}

static DECLARE_DELAYED_WORK(watchdog, out_of_time);

bool vmfork_agent_registered(void)
{
	return READ_ONCE(agent.state) != NONE;
}

bool vmfork_agent_awaited(void)
{
	enum state s = READ_ONCE(agent.state);

	return s == AWAITED || s == REPORTING;
}

const char *vmfork_agent_state(void)
{
	static const char *const words[] = { "none", "idle", "awaited", "reporting" };

	return words[READ_ONCE(agent.state)];
}

/* A descendant whose parents have ended belongs to init, and is held like all of init's. */
bool vmfork_agent_exempts(const struct task_struct *t)
{
	const struct pid *pid = READ_ONCE(agent.pid);
	bool found = false;

	if (!pid)
		return false;
	rcu_read_lock();
	for (; !found && t->pid > 1; t = rcu_dereference(t->real_parent))
		found = task_tgid((struct task_struct *)t) == pid;
	rcu_read_unlock();
	return found;
}

static int take_place(struct file *file, struct pid *pid, u32 timeout_ms)
{
	int r = -EBUSY;

	raw_spin_lock(&vmfork_lock);
	if (agent.state == NONE) {
		agent.state = IDLE;
		agent.file = file;
		agent.pid = pid;
		agent.timeout_ms = timeout_ms;
		r = 0;
	}
	raw_spin_unlock(&vmfork_lock);
	return r;
}

long vmfork_agent_register(struct file *file, const struct vmfork_agent __user *arg)
{
	struct vmfork_agent a;
	struct pid *pid;
	int r;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.flags || !vmfork_is_zero(a.reserved))
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!vmfork_gate_possible())
		return -EOPNOTSUPP;
	pid = get_pid(task_tgid(current));
	r = take_place(file, pid, a.timeout_ms ? a.timeout_ms : TIMEOUT_MS_DEFAULT);
	if (r)
		put_pid(pid);
	return r;
}

static void leave(struct file *file)
{
	struct pid *pid = NULL;
	bool awaited = false;

	raw_spin_lock(&vmfork_lock);
	if (agent.file == file) {
		awaited = vmfork_agent_awaited();
		pid = agent.pid;
		agent.state = NONE;
		agent.file = NULL;
		agent.pid = NULL;
	}
	raw_spin_unlock(&vmfork_lock);
	if (awaited)
		panic("vmfork: this clone's agent ended before it had reported its identity");
	put_pid(pid);
}

void vmfork_agent_release(struct file *file)
{
	leave(file);
}

/* The agent may have ended and left the descriptor to a child. */
void vmfork_agent_flush(struct file *file)
{
	if (READ_ONCE(agent.file) == file && current->flags & PF_EXITING &&
	    task_tgid(current) == READ_ONCE(agent.pid))
		leave(file);
}

void vmfork_agent_request(struct vmfork_fork *fork)
{
	bool here = agent.state != NONE;

	fork->flags = cpu_to_le32(here ? VMFORK_FORK_AGENT : 0);
	fork->agent_ms = cpu_to_le32(here ? agent.timeout_ms : 0);
}

bool vmfork_agent_await(void)
{
	if (agent.state == NONE)
		return false;
	agent.state = AWAITED;
	return true;
}

void vmfork_agent_watch(void)
{
	if (vmfork_agent_awaited())
		mod_delayed_work(vmfork_wq, &watchdog, msecs_to_jiffies(agent.timeout_ms));
}

/* AWAITED -> REPORTING. The mutex: the fork point's caller has done its part. */
static int begin(struct file *file, u64 *epoch)
{
	int r = 0;

	if (vmfork_fork_lock())
		return -EINTR;
	raw_spin_lock(&vmfork_lock);
	*epoch = vmfork_epoch();
	if (agent.file != file)
		r = -EPERM;
	else if (agent.state == IDLE)
		r = -EINVAL;
	else if (agent.state == REPORTING)
		r = -EBUSY;
	else
		agent.state = REPORTING;
	raw_spin_unlock(&vmfork_lock);
	vmfork_fork_unlock();
	return r;
}

/* REPORTING -> AWAITED, or with the gate IDLE */
static void end(int result)
{
	mutex_lock(&vmfork_fork_mutex);
	raw_spin_lock(&vmfork_lock);
	if (agent.state == REPORTING)
		agent.state = result ? AWAITED : IDLE;
	raw_spin_unlock(&vmfork_lock);
	if (!result) {
		cancel_delayed_work(&watchdog);
		vmfork_gate_open();
	}
	vmfork_fork_unlock();
	if (!result)
		vmfork_chardev_announce();
}

static int until_the_end(void *arg)
{
	return -EAGAIN;
}

/* Does not return: the host ends this machine; if not, the watchdog does. */
static int give_up(u64 epoch, const struct vmfork_msg_report *msg)
{
	static const struct vmfork_patience p = { TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT, HZ };
	int r = -EOPNOTSUPP;

	pr_err("this clone's identity cannot be completed: %s\n", msg->why);
	if (vmfork_features() & VMFORK_FEATURE_IDENTITY)
		r = vmfork_channel_send(epoch, VMFORK_G2H_REPORT, msg, sizeof(*msg), &p);
	if (r)
		panic("vmfork: this clone's identity cannot be completed: %s", msg->why);
	return vmfork_wait_until(until_the_end, NULL, &p);
}

static int succeed(u64 epoch, const struct vmfork_msg_report *msg)
{
	struct vmfork_reply reply;

	if (!(vmfork_features() & VMFORK_FEATURE_IDENTITY))
		return 0;
	return vmfork_request(epoch, VMFORK_G2H_REPORT, msg, sizeof(*msg),
			      &vmfork_patience_clones, &reply);
}

long vmfork_agent_report(struct file *file, const struct vmfork_report __user *arg)
{
	struct vmfork_msg_report msg = { };
	struct vmfork_report rep;
	u64 epoch;
	int r;

	if (copy_from_user(&rep, arg, sizeof(rep)))
		return -EFAULT;
	if (rep.flags || !vmfork_is_zero(rep.reserved) ||
	    vmfork_layout_result(rep.result) != rep.result ||
	    strnlen(rep.why, sizeof(rep.why)) == sizeof(rep.why))
		return -EINVAL;
	msg.result = cpu_to_le32(rep.result);
	vmfork_layout_text(msg.why, rep.why);
	r = begin(file, &epoch);
	if (r)
		return r;
	r = rep.result ? give_up(epoch, &msg) : succeed(epoch, &msg);
	end(r);
	return r;
}

void vmfork_agent_exit(void)
{
	cancel_delayed_work_sync(&watchdog);
}
