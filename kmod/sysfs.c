// SPDX-License-Identifier: GPL-2.0
/* Figures of the last fork, under /sys/class/misc/vmfork/. */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "agent.h"
#include "chardev.h"
#include "forkpoint.h"
#include "gate.h"
#include "lineage.h"

/* fork points that this machine passed since the module was loaded */
static ssize_t forks_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vmfork_figures f;

	vmfork_forkpoint_figures(&f);
	return sysfs_emit(buf, "%llu\n", f.forks);
}
static DEVICE_ATTR_RO(forks);

/* size of the last free set */
static ssize_t free_pages_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vmfork_figures f;

	vmfork_forkpoint_figures(&f);
	return sysfs_emit(buf, "%llu\n", f.free_pages);
}
static DEVICE_ATTR_RO(free_pages);

/* how long the last fork point took, as this machine's clock saw it */
static ssize_t stop_ns_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vmfork_figures f;

	vmfork_forkpoint_figures(&f);
	return sysfs_emit(buf, "%llu\n", f.stop_ns);
}
static DEVICE_ATTR_RO(stop_ns);

/* tasks that the gate was shut for when this machine became a clone */
static ssize_t held_tasks_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", vmfork_gate_held());
}
static DEVICE_ATTR_RO(held_tasks);

/* none, idle, or in a clone: awaited, reporting */
static ssize_t agent_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", vmfork_agent_state());
}
static DEVICE_ATTR_RO(agent);

static struct attribute *attrs[] = {
	&dev_attr_forks.attr,
	&dev_attr_free_pages.attr,
	&dev_attr_stop_ns.attr,
	&dev_attr_held_tasks.attr,
	&dev_attr_agent.attr,
	NULL
};

static const struct attribute_group group = { .attrs = attrs };

const struct attribute_group *vmfork_sysfs_groups[] = { &group, &vmfork_lineage_group, NULL };
