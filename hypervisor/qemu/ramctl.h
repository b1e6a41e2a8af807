/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The RAM library's control thread. */
#ifndef VMFORK_RAMLIB_RAMCTL_H
#define VMFORK_RAMLIB_RAMCTL_H

#include "ram.h"

/** ramctl_init() - @sock: to the backend; @dev: /dev/userfaultfd or -1. */
void ramctl_init(int sock, int dev);

/** ramctl_start() - say hello and serve requests in a thread with no signals. */
int ramctl_start(struct ram *r);

#endif /* VMFORK_RAMLIB_RAMCTL_H */
