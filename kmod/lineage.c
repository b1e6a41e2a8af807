// SPDX-License-Identifier: GPL-2.0
/* Lineage: who this machine is and whom it comes from, for people and for udev. */
#define pr_fmt(fmt) "vmfork: " fmt

#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "channel.h"
#include "identity.h"
#include "lineage.h"

#define ANCESTORS_MAX	48	/* what fits into a page of text; older ones are forgotten */

static struct ancestor {
	u64 vm;
	u64 checkpoint;	/* that it was made from; 0 for a root VM */
	u32 id;
	u32 depth;
} ancestors[ANCESTORS_MAX];	/* the parent first; vmfork_lock, or the fork point */
static u32 count;

void vmfork_lineage_push(const struct vmfork_identity *id)
{
	memmove(&ancestors[1], &ancestors[0], sizeof(ancestors) - sizeof(ancestors[0]));
	ancestors[0] = (struct ancestor){ id->vm, id->checkpoint, id->id, id->depth };
	count = min_t(u32, count + 1, ANCESTORS_MAX);
}

void vmfork_lineage_attach(const struct vmfork_identity *id)
{
	if (count || !id->depth)
		return;
	ancestors[0] = (struct ancestor){ .vm = id->parent, .depth = id->depth - 1 };
	count = 1;
}

/* this machine, then its ancestors, a line each: depth, VM, ID, checkpoint */
static ssize_t lineage_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vmfork_identity me;
	const struct ancestor *a;
	int n;

	vmfork_identity_get(&me);
	n = sysfs_emit(buf, "%u %llu %u %llu\n", me.depth, me.vm, me.id, me.checkpoint);
	raw_spin_lock(&vmfork_lock);
	for (a = ancestors; a < ancestors + count; a++)
		n += sysfs_emit_at(buf, n, "%u %llu %u %llu\n", a->depth, a->vm, a->id,
				   a->checkpoint);
	raw_spin_unlock(&vmfork_lock);
	return n;
}
static DEVICE_ATTR_RO(lineage);

#define IDENTITY_ATTR(member)								\
static ssize_t member##_show(struct device *dev, struct device_attribute *attr, char *buf) \
{											\
	struct vmfork_identity me;							\
											\
	vmfork_identity_get(&me);							\
	return sysfs_emit(buf, "%llu\n", (u64)me.member);				\
}											\
static DEVICE_ATTR_RO(member)

IDENTITY_ATTR(id);
IDENTITY_ATTR(depth);
IDENTITY_ATTR(family);
IDENTITY_ATTR(vm);
IDENTITY_ATTR(parent);
IDENTITY_ATTR(checkpoint);
IDENTITY_ATTR(generation);
IDENTITY_ATTR(clones);

static struct attribute *attrs[] = {
	&dev_attr_id.attr,
	&dev_attr_depth.attr,
	&dev_attr_family.attr,
	&dev_attr_vm.attr,
	&dev_attr_parent.attr,
	&dev_attr_checkpoint.attr,
	&dev_attr_generation.attr,
	&dev_attr_clones.attr,
	&dev_attr_lineage.attr,
	NULL
};

const struct attribute_group vmfork_lineage_group = { .attrs = attrs };

void vmfork_lineage_announce(struct device *dev)
{
	char text[5][40];
	char *env[6] = { text[0], text[1], text[2], text[3], text[4], NULL };
	struct vmfork_identity me;
	int r;

	vmfork_identity_get(&me);
	scnprintf(text[0], sizeof(text[0]), "VMFORK_ID=%u", me.id);
	scnprintf(text[1], sizeof(text[1]), "VMFORK_DEPTH=%u", me.depth);
	scnprintf(text[2], sizeof(text[2]), "VMFORK_GENERATION=%llu", me.generation);
	scnprintf(text[3], sizeof(text[3]), "VMFORK_VM=%llu", me.vm);
	scnprintf(text[4], sizeof(text[4]), "VMFORK_PARENT=%llu", me.parent);
	r = kobject_uevent_env(&dev->kobj, KOBJ_CHANGE, env);
	if (r)
		pr_warn("cannot tell udev of the fork: %d\n", r);
}
