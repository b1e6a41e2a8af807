/* SPDX-License-Identifier: GPL-2.0 */
/* Lineage: who this machine is and whom it comes from, for people and for udev. */
#ifndef VMFORK_LINEAGE_H
#define VMFORK_LINEAGE_H

#include <linux/device.h>
#include <linux/vmfork.h>

extern const struct attribute_group vmfork_lineage_group;

/** vmfork_lineage_attach() - what a module that was just loaded can know; vmfork_lock. */
void vmfork_lineage_attach(const struct vmfork_identity *id);

/** vmfork_lineage_push() - @id was this machine's until now; the fork point only. */
void vmfork_lineage_push(const struct vmfork_identity *id);

/** vmfork_lineage_announce() - a uevent: this machine has become a clone. */
void vmfork_lineage_announce(struct device *dev);

#endif /* VMFORK_LINEAGE_H */
