/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of machines: life time, memory, share of the processors. */
#ifndef VMFORKD_VMLIMITS_H
#define VMFORKD_VMLIMITS_H

#include <jansson.h>

#include "channel_parse.h"

/**
 * DOC: Limits
 *
 * A ticket has the limits of its clones, a machine those that it got. What a machine may
 * grant to clones of its own is within its own limits: no more memory, no greater share,
 * what is left of its time. The host's own forks (`vmforkctl fork`, `clone`) are not
 * bound by that: who may use the control socket may start machines without any.
 *
 * The life time begins when the machine runs, and its end is an instant (CLOCK_BOOTTIME)
 * in the machine's journal, so that a restart of vmforkd neither stops nor resets it.
 * Memory and share are the cgroup's affair (cgroup.h); without one they are refused.
 */
#define LIMIT_MEMORY_MAX_MIB	(1U << 30)

struct vm;

/** limits_parse() - @o: object or NULL (no limits). Pure. Return: 0 or -EINVAL, @why. */
int limits_parse(const json_t *o, struct limits *ret, char *why, size_t len);
json_t *limits_to_json(const struct limits *l);
/** limits_within() - what @asked comes to for clones of a machine with @own. Pure. */
struct limits limits_within(const struct limits *asked, const struct limits *own);
/** limits_can() - 0, or -EOPNOTSUPP: there is no cgroup for them here. */
int limits_can(const struct limits *l);

/** expiry_begin() - @vm is about to run: its time begins, within its parent's. */
void expiry_begin(struct vm *vm, const struct vm *parent);
/** expiry_adopt() - after a restart. */
void expiry_adopt(struct vm *vm);
/** expiry_over() - it ends. */
void expiry_over(struct vm *vm);

#endif /* VMFORKD_VMLIMITS_H */
