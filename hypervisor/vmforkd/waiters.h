/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of the control socket that wait for VMs or clones to end. */
#ifndef VMFORKD_WAITERS_H
#define VMFORKD_WAITERS_H

#include <stdint.h>

#define WAITERS_MAX 64

struct request;

/** wait_ticket() - answer @q once all clones of the ticket have ended. */
int wait_ticket(struct request *q, uint64_t ticket);
/** wait_killed() - answer @q once VMs that are ending, picked by @handles, are gone. */
int wait_killed(struct request *q, uint64_t *handles, unsigned int n);
/** waiters_check() - look whether anything waited for has come. */
void waiters_check(void);

#endif /* VMFORKD_WAITERS_H */
