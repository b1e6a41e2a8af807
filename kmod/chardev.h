/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/vmfork. */
#ifndef VMFORK_CHARDEV_H
#define VMFORK_CHARDEV_H

#include <linux/string.h>

/** vmfork_is_zero() - is a reserved array all zeros? */
#define vmfork_is_zero(array)	(!memchr_inv(array, 0, sizeof(array)))

int vmfork_chardev_init(void);
void vmfork_chardev_exit(void);

/** vmfork_chardev_announce() - a uevent: this machine has become a clone, and its tasks
 * were let go. May sleep. */
void vmfork_chardev_announce(void);

/* sysfs.c */
struct attribute_group;
extern const struct attribute_group *vmfork_sysfs_groups[];

#endif /* VMFORK_CHARDEV_H */
