/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all of the control role shares. */
#ifndef VMFORKD_CORE_H
#define VMFORKD_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"

/**
 * struct core - the control role.
 * @next_handle: one counter names VMs, families, tickets and checkpoints; a
 *		handle is never used twice, not even across restarts
 * @adopting:	VMs of an earlier control role are being found again
 */
struct core {
	struct sd_event *loop;
	const struct backend_ops *backend;
	int image_dir;
	bool stopping;
	bool adopting;
	uint64_t next_handle;
};

extern struct core core;

/** core_new_handle() - never 0, never given out before. */
uint64_t core_new_handle(void);
/** core_schedule() - soon, from the event loop: core_reap(), waiters, state file. */
void core_schedule(void);
/** core_retry() - look again a little later, should no bell come: at guests whose rings
 * were full, at clones whose parents' queues were long. */
void core_retry(void);
/** core_reap() - destroy what has ended: VMs, then tickets, then checkpoints. */
void core_reap(void);

#endif /* VMFORKD_CORE_H */
