// SPDX-License-Identifier: GPL-2.0
/* Avoidance: what a clone need not fetch, one policy for each reason why. */
#define pr_fmt(fmt) "vmfork: " fmt

#include <linux/bitops.h>
#include <linux/cc_platform.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>

#include "avoid.h"

static struct vmfork_avoid_policy * const policies[] = {
	&vmfork_free_set, &vmfork_free_hook, &vmfork_io_overwrite,
};

static DEFINE_MUTEX(policies_mutex);	/* @on, @watching and @started */
static bool started;			/* before that a parameter is only noted */

static struct vmfork_avoid_bitmap bitmap;
struct vmfork_avoid_bitmap *vmfork_avoid_marking __read_mostly;

u64 vmfork_avoid_hazards(void)
{
	u64 hazards = 0;

	if (page_poisoning_enabled_static())
		hazards |= VMFORK_HAZARD_PAGE_POISON;
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT))
		hazards |= VMFORK_HAZARD_ENCRYPTED;
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		hazards |= VMFORK_HAZARD_PREEMPT_RT;
	return hazards;
}

bool vmfork_avoid_in_force(const struct vmfork_avoid_policy *policy)
{
	return READ_ONCE(policy->watching) && !(policy->hazards & vmfork_avoid_hazards());
}

u64 vmfork_avoid_features(void)
{
	u64 features = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(policies); i++)
		if (vmfork_avoid_in_force(policies[i]))
			features |= policies[i]->feature;
	return features;
}

void vmfork_avoid_count(const struct vmfork_avoid_policy *policy, u64 pages)
{
	this_cpu_add(policy->counts->pages, pages);
	this_cpu_inc(policy->counts->events);
}

struct vmfork_avoid_counts vmfork_avoid_total(const struct vmfork_avoid_policy *policy)
{
	struct vmfork_avoid_counts sum = { };
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		sum.pages += READ_ONCE(per_cpu_ptr(policy->counts, cpu)->pages);
		sum.events += READ_ONCE(per_cpu_ptr(policy->counts, cpu)->events);
	}
	return sum;
}

/* x86's words are the channel's bytes in their order */
static u64 set_bits(unsigned long *words, u64 first, u64 end)
{
	u64 n = 0;

	for (; first < end; first++) {
		/* most are set already: do not take the cache line for nothing */
		if (test_bit(first, words))
			continue;
		set_bit(first, words);
		n++;
	}
	return n;
}

void vmfork_avoid_mark_in(const struct vmfork_avoid_bitmap *b,
			  const struct vmfork_avoid_policy *policy, unsigned long pfn,
			  unsigned long count)
{
	u64 n;

	if (pfn >= b->gfns)
		return;
	n = set_bits(b->words, pfn, min_t(u64, pfn + count, b->gfns));
	if (n)
		vmfork_avoid_count(policy, n);
}

void vmfork_avoid_attach(u8 *map, u64 gfns, bool clone)
{
	bitmap.words = (unsigned long *)map;
	bitmap.gfns = gfns;
	if (clone)
		smp_store_release(&vmfork_avoid_marking, &bitmap);	/* after what it points to */
}

void vmfork_avoid_begin(void)
{
	WRITE_ONCE(vmfork_avoid_marking, &bitmap);
}

void vmfork_avoid_detach(void)
{
	WRITE_ONCE(vmfork_avoid_marking, NULL);
	synchronize_rcu();	/* marks are made by tracepoints, not preemptible */
	bitmap = (struct vmfork_avoid_bitmap){ };
}

static int start(struct vmfork_avoid_policy *p)
{
	int r;

	if (p->watching)
		return 0;
	r = p->enable ? p->enable() : 0;
	if (!r)
		WRITE_ONCE(p->watching, true);
	return r;
}

static void stop(struct vmfork_avoid_policy *p)
{
	if (p->watching && p->disable)
		p->disable();
	WRITE_ONCE(p->watching, false);
}

static int set_param(const char *val, const struct kernel_param *kp)
{
	struct vmfork_avoid_policy *p = kp->arg;
	bool on;
	const struct kernel_param as_bool = { .arg = &on };
	int r = param_set_bool(val, &as_bool);

	if (r)
		return r;
	mutex_lock(&policies_mutex);
	if (started && on)
		r = start(p);
	else if (started)
		stop(p);
	if (!r)
		p->on = on;
	mutex_unlock(&policies_mutex);
	return r;
}

static int get_param(char *buf, const struct kernel_param *kp)
{
	const struct vmfork_avoid_policy *p = kp->arg;
	const struct kernel_param as_bool = { .arg = (void *)&p->on };

	return param_get_bool(buf, &as_bool);
}

const struct kernel_param_ops vmfork_avoid_param_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_param,
	.get = get_param,
};

/* A policy that this kernel has not the hooks for is no reason not to fork. */
int vmfork_avoid_init(void)
{
	unsigned int i;
	int r;

	mutex_lock(&policies_mutex);
	started = true;
	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		if (!policies[i]->on)
			continue;
		r = start(policies[i]);
		if (r)
			pr_warn("%s: not on this kernel: %d\n", policies[i]->name, r);
	}
	mutex_unlock(&policies_mutex);
	return 0;
}

void vmfork_avoid_exit(void)
{
	unsigned int i;

	mutex_lock(&policies_mutex);
	started = false;
	for (i = 0; i < ARRAY_SIZE(policies); i++)
		stop(policies[i]);
	mutex_unlock(&policies_mutex);
}
