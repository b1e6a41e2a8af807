/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second half of a fork: from a checkpoint to running clones. Internal to forks. */
#ifndef VMFORKD_FORK_CLONES_H
#define VMFORKD_FORK_CLONES_H

#include "fork.h"

/** fork_clones_begin() - enter LOADING: load what waits, start what is missing. */
void fork_clones_begin(struct fork *f);

/* fork.c, for the second half */
void fork_set_state(struct fork *f, enum fork_state s);
struct fork *fork_alloc(void);
void fork_finish(struct fork *f, int err);
void fork_call_guest(struct fork *f);
void fork_parent_runs(struct fork *f);

#endif /* VMFORKD_FORK_CLONES_H */
