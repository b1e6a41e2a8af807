/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many clones, and how much memory, may be had. */
#ifndef VMFORKD_POLICY_H
#define VMFORKD_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"

/** struct policy_input - all that a decision depends on. */
struct policy_input {
	unsigned int wanted;
	bool exact;
	unsigned int clones_max;	/* per ticket */
	unsigned int clones_total;
	unsigned int clones_now;
	uint64_t clone_bytes;		/* estimate for one */
	uint64_t memory_max;		/* 0: none */
	uint64_t memory_used;		/* estimate for all machines */
	uint64_t memory_available;	/* of the host */
};

/**
 * policy_decide() - pure.
 * @ret_granted: 1..wanted
 * @why:	what limited it, "" if nothing did
 * Return: 0, -EINVAL (wanted is out of range), -EDQUOT.
 */
int policy_decide(const struct policy_input *in, unsigned int *ret_granted, char *why, size_t len);

uint64_t policy_root_bytes(const struct vm_config *config);
uint64_t policy_clone_bytes(const struct vm_config *config);

/** policy_grant() - decide on what is the case now; says in the log what limited it. */
int policy_grant(const char *who, const struct vm_config *config, unsigned int wanted, bool exact,
		 unsigned int *ret_granted);
/** policy_root() - may a root VM start? -EDQUOT with @why if not. */
int policy_root(const struct vm_config *config, char *why, size_t len);
/** policy_last() - what limited the last request that was not granted whole. */
const char *policy_last(void);

#endif /* VMFORKD_POLICY_H */
