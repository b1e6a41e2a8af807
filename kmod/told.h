/* SPDX-License-Identifier: GPL-2.0 */
/* What the host told this machine at its beginning: its network, its parameters. */
#ifndef VMFORK_TOLD_H
#define VMFORK_TOLD_H

#include <linux/vmfork.h>
#include <linux/vmfork_channel.h>

/**
 * DOC: The clone block
 *
 * The host writes it before the machine runs: a root VM's is read when the channel is
 * attached (also by a module that was loaded again), a clone's in its fork point. It is
 * copied once; only the copy is checked and used. A parent keeps what it was told.
 */

/** vmfork_told_read() - copy the block; the fork point, or before the channel is used. */
void vmfork_told_read(const struct vmfork_channel *region);

/** vmfork_told_net() - VMFORK_GET_NET. */
long vmfork_told_net(struct vmfork_net __user *arg);
/** vmfork_told_params() - VMFORK_GET_PARAMS. */
long vmfork_told_params(struct vmfork_params __user *arg);

#endif /* VMFORK_TOLD_H */
