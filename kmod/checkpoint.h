/* SPDX-License-Identifier: GPL-2.0 */
/* Checkpoints: references to an immutable instant of a machine. */
#ifndef VMFORK_CHECKPOINT_H
#define VMFORK_CHECKPOINT_H

#include <linux/types.h>
#include <linux/vmfork.h>

/** vmfork_checkpoint_make() - VMFORK_CHECKPOINT. */
long vmfork_checkpoint_make(struct vmfork_checkpoint __user *arg);

/** vmfork_checkpoint_open() - VMFORK_OPEN_CHECKPOINT. */
long vmfork_checkpoint_open(struct vmfork_open_checkpoint __user *arg);

/** vmfork_checkpoint_handle() - handle behind a descriptor of the caller's.
 * Return: 0; -EBADF; -EINVAL not a checkpoint; -ESTALE; -ENODEV. */
int vmfork_checkpoint_handle(int fd, u64 *ret);

#endif /* VMFORK_CHECKPOINT_H */
