/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a clone does after the release: the slow rest of its identity. */
#ifndef AGENT_SETTLE_H
#define AGENT_SETTLE_H

#include <sys/types.h>

#include "clone.h"
#include "file.h"

#define SETTLING_PATH	RUN_DIR "/settling"
#define SETTLE_REPORT	RUN_DIR "/settle.json"

/** settle_prepare() - before the release: timers are held from here on. */
int settle_prepare(const struct clone *c);

/**
 * settle_start() - a process of its own does it all and ends with 0 if nothing
 * failed; the agent is free for the next fork.
 * @close_fd:	the agent's registration, which the process must not hold
 * Return: its pid, or -errno.
 */
pid_t settle_start(const struct clone *c, int close_fd);

/** settle_stop() - end one that is under way, here and now. */
void settle_stop(pid_t pid);

#endif /* AGENT_SETTLE_H */
