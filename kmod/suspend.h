/* SPDX-License-Identifier: GPL-2.0 */
/* The fork point inside the machine's suspend path, for transports that stop it so. */
#ifndef VMFORK_SUSPEND_H
#define VMFORK_SUSPEND_H

#include "forkpoint.h"

/** vmfork_suspend_pass() - go through the fork point; fills @fp as fork_point() does.
 * Return: for how long the machine stood still. */
ktime_t vmfork_suspend_pass(struct vmfork_forkpoint *fp);

void vmfork_suspend_init(void);
void vmfork_suspend_exit(void);

#endif /* VMFORK_SUSPEND_H */
