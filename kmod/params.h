/* SPDX-License-Identifier: GPL-2.0 */
/* Parameters that a parent gives its clones. */
#ifndef VMFORK_PARAMS_H
#define VMFORK_PARAMS_H

#include <linux/types.h>
#include <linux/vmfork.h>

/** vmfork_params_take() - copy and check what VMFORK_TICKET_SET_PARAMS got. */
int vmfork_params_take(struct vmfork_params *ret, const struct vmfork_params __user *arg);

/** vmfork_params_send() - to the host, for clones of the ticket @handle. */
int vmfork_params_send(u64 epoch, u64 handle, const struct vmfork_params *p);

#endif /* VMFORK_PARAMS_H */
