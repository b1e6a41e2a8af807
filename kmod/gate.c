// SPDX-License-Identifier: GPL-2.0
/* The gate: holds every user task of a clone until its identity is right. */
#define pr_fmt(fmt) "vmfork: " fmt

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/tracepoint.h>
#include <linux/wait.h>

#include "agent.h"
#include "compat.h"
#include "gate.h"

#define SPARE_ENTRIES	512	/* tasks that appear between prepare and the fork point */

static bool gate = true;
module_param(gate, bool, 0644);
MODULE_PARM_DESC(gate, "hold a clone's user tasks until its clock and RNG are set");

struct entry {
	struct callback_head work;
	struct entries *of;
};

/* One fork's entries: freed, and the module let go, by the last to be run. */
struct entries {
	struct rcu_head rcu;
	refcount_t refs;
	atomic_t used;
	u32 size;
	bool pinned;
	struct entry entry[];
};

static struct entries *current_entries;	/* changed under vmfork_fork_mutex */
static bool shut;			/* set in the fork point, cleared by open */
static u32 last_held;
static DECLARE_WAIT_QUEUE_HEAD(opened);
static struct tracepoint *newtask;

bool vmfork_gate_enabled(void)
{
	return gate;
}

bool vmfork_gate_possible(void)
{
	return newtask;
}

u32 vmfork_gate_held(void)
{
	return READ_ONCE(last_held);
}

static void put_entries(struct entries *e)
{
	bool pinned = e->pinned;

	if (!refcount_dec_and_test(&e->refs))
		return;
	kvfree_rcu(e, rcu);
	if (pinned)
		module_put(THIS_MODULE);
}

/* runs in the held task, on its way to user mode or to its end */
static void hold(struct callback_head *work)
{
	struct entries *e = container_of(work, struct entry, work)->of;

	if (!(current->flags & PF_EXITING))
		(void)___wait_event(opened, !READ_ONCE(shut), (TASK_KILLABLE | TASK_NOLOAD), 0, 0,
				    schedule());
	put_entries(e);
}

/* Return: 1 held, 0 the task is exiting or the gate opens just now */
static u32 hold_task(struct entries *e, struct task_struct *t)
{
	struct entry *entry;
	u32 i;

	if (!refcount_inc_not_zero(&e->refs))
		return 0;
	i = atomic_fetch_inc(&e->used);
	/* each task can have one clone() in flight, and there are two entries for each */
	if (i >= e->size)
		panic("vmfork: a clone with too many tasks to hold cannot be let run\n");
	entry = &e->entry[i];
	entry->of = e;
	init_task_work(&entry->work, hold);
	if (!task_work_add(t, &entry->work, TWA_RESUME))
		return 1;
	put_entries(e);
	return 0;
}

static void on_newtask(void *data, struct task_struct *t, unsigned long clone_flags)
{
	struct entries *e;

	if (likely(!READ_ONCE(shut)))
		return;
	e = READ_ONCE(current_entries);
	if (e && !(t->flags & VMFORK_PF_NO_USER) && !vmfork_agent_exempts(current) &&
	    !vmfork_agent_exempts(t))
		hold_task(e, t);
}

static u32 count_tasks(void)
{
	struct task_struct *p, *t;
	u32 n = 0;

	rcu_read_lock();
	for_each_process_thread(p, t)
		n++;
	rcu_read_unlock();
	return n;
}

int vmfork_gate_prepare(void)
{
	u32 size = 2 * count_tasks() + SPARE_ENTRIES;
	struct entries *e;

	if (!newtask || (!gate && !vmfork_agent_registered()))
		return 0;
	e = kvmalloc(struct_size(e, entry, size), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	refcount_set(&e->refs, 1);
	atomic_set(&e->used, 0);
	e->size = size;
	e->pinned = false;
	WRITE_ONCE(current_entries, e);
	return 0;
}

void vmfork_gate_shut(const struct task_struct *exempt)
{
	struct entries *e = current_entries;
	struct task_struct *p, *t;
	u32 held = 0;

	if (!e)
		return;
	__module_get(THIS_MODULE);
	e->pinned = true;
	rcu_read_lock();
	for_each_process_thread(p, t)
		if (t != exempt && !(t->flags & VMFORK_PF_NO_USER) && !vmfork_agent_exempts(t))
			held += hold_task(e, t);
	rcu_read_unlock();
	WRITE_ONCE(last_held, held);
	WRITE_ONCE(shut, true);
}

void vmfork_gate_open(void)
{
	struct entries *e = current_entries;

	if (!e)
		return;
	WRITE_ONCE(shut, false);
	WRITE_ONCE(current_entries, NULL);
	wake_up_all(&opened);
	put_entries(e);
}

static void find_newtask(struct tracepoint *tp, void *data)
{
	if (!strcmp(tp->name, "task_newtask"))
		newtask = tp;
}

int vmfork_gate_init(void)
{
	for_each_kernel_tracepoint(find_newtask, NULL);
	if (!newtask) {
		pr_warn("no task_newtask tracepoint: user tasks of a clone will not be held\n");
		gate = false;
		return 0;
	}
	return tracepoint_probe_register(newtask, on_newtask, NULL);
}

void vmfork_gate_exit(void)
{
	if (!newtask)
		return;
	tracepoint_probe_unregister(newtask, on_newtask, NULL);
	tracepoint_synchronize_unregister();
	/* a task may still be in the last instructions of hold() */
	synchronize_rcu_tasks();
}
