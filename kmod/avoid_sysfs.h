/* SPDX-License-Identifier: GPL-2.0 */
/* Figures of the avoidance policies: a folder for each under /sys/class/misc/vmfork/. */
#ifndef VMFORK_AVOID_SYSFS_H
#define VMFORK_AVOID_SYSFS_H

#include <linux/sysfs.h>

extern const struct attribute_group vmfork_free_set_group;
extern const struct attribute_group vmfork_free_hook_group;
extern const struct attribute_group vmfork_io_overwrite_group;

#endif /* VMFORK_AVOID_SYSFS_H */
