// SPDX-License-Identifier: GPL-2.0
/* Figures of the avoidance policies: a folder for each under /sys/class/misc/vmfork/. */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "avoid.h"
#include "avoid_sysfs.h"

static const struct vmfork_avoid_policy *policy_of(struct device_attribute *attr)
{
	return container_of(attr, struct dev_ext_attribute, attr)->var;
}

/* bits that it has set since the module was loaded */
static ssize_t pages_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", vmfork_avoid_total(policy_of(attr)).pages);
}

/* how often it set any */
static ssize_t events_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", vmfork_avoid_total(policy_of(attr)).events);
}

/* is it on, with no hazard in its way? (the parameter of its name switches it) */
static ssize_t in_force_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", vmfork_avoid_in_force(policy_of(attr)));
}

/* VMFORK_HAZARD_* that this kernel has and that forbid it */
static ssize_t hazards_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%#llx\n", policy_of(attr)->hazards & vmfork_avoid_hazards());
}

#define FIGURE(_policy, _name)								\
	static struct dev_ext_attribute _policy##_##_name = {				\
		__ATTR_RO(_name), &vmfork_##_policy					\
	}

#define FIGURES(_policy)								\
	FIGURE(_policy, pages);								\
	FIGURE(_policy, events);							\
	FIGURE(_policy, in_force);							\
	FIGURE(_policy, hazards);							\
	static struct attribute *_policy##_attrs[] = {					\
		&_policy##_pages.attr.attr, &_policy##_events.attr.attr,		\
		&_policy##_in_force.attr.attr, &_policy##_hazards.attr.attr, NULL	\
	};										\
	const struct attribute_group vmfork_##_policy##_group = {			\
		.name = #_policy, .attrs = _policy##_attrs				\
	}

FIGURES(free_set);
FIGURES(free_hook);
FIGURES(io_overwrite);
