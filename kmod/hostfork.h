/* SPDX-License-Identifier: GPL-2.0 */
/* Forks that the host asks for. */
#ifndef VMFORK_HOSTFORK_H
#define VMFORK_HOSTFORK_H

#include "channel.h"

/** vmfork_hostfork_ask() - the host wants this machine at the fork point. */
void vmfork_hostfork_ask(u64 epoch, const struct vmfork_msg_fork *msg);
void vmfork_hostfork_exit(void);

#endif /* VMFORK_HOSTFORK_H */
