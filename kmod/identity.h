/* SPDX-License-Identifier: GPL-2.0 */
/* Who this machine is: handles, generation, random numbers, time of day. */
#ifndef VMFORK_IDENTITY_H
#define VMFORK_IDENTITY_H

#include <linux/ktime.h>
#include <linux/types.h>

#include "layout.h"

int vmfork_identity_init(void);
void vmfork_identity_exit(void);

/** vmfork_identity_attach() - take over what the region says of this machine.
 * @fork:	a private copy of its fork block */
void vmfork_identity_attach(const struct vmfork_layout *layout, const struct vmfork_fork *fork);

/** vmfork_identity_get() - the identity, and a number that changes with it. */
u64 vmfork_identity_get(struct vmfork_identity *ret);
u64 vmfork_identity_serial(void);
/** vmfork_identity_vm() - this machine's handle; the fork point only. */
u64 vmfork_identity_vm(void);

/** vmfork_identity_prepare() - what the reseed needs. Before the fork point. */
int vmfork_identity_prepare(void);

/* Waits until the kernel's pool is ready. Return: 0, or -ERESTARTSYS for a signal. */
int vmfork_identity_await_random(void);

/* The fork point only: */

/** vmfork_identity_reseed() - mix @seed into the kernel's pool and reseed from it. */
void vmfork_identity_reseed(const u8 *seed, size_t len);
/** vmfork_identity_passed() - this machine passed a fork point as the parent. */
void vmfork_identity_passed(void);
/** vmfork_identity_become() - this machine is the clone that @fork describes. */
void vmfork_identity_become(const struct vmfork_fork *fork);
/** vmfork_identity_record() - leave the identity in the fork block, where a reloaded
 * module finds it. */
void vmfork_identity_record(struct vmfork_fork *fork);

/* In a clone, before its user tasks run: */

/** vmfork_identity_set_clock() - CLOCK_REALTIME was @realtime_ns at @then. */
void vmfork_identity_set_clock(u64 realtime_ns, ktime_t then);

#endif /* VMFORK_IDENTITY_H */
