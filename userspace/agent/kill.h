/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that must not go on with their parent's state: SIGKILL while they are held. */
#ifndef AGENT_KILL_H
#define AGENT_KILL_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

/** struct kill_list - patterns of fnmatch(3): of units, and of executables (a path if
 * the pattern has a '/', else the last part of it). */
struct kill_list {
	struct words units;
	struct words executables;
};

/**
 * kill_unit_of() - the unit that a process belongs to. Pure.
 * @cgroup:	/proc/PID/cgroup
 * @unit:	WORD_MAX bytes: the innermost service or scope, or ""
 */
void kill_unit_of(const char *cgroup, char *unit);

/** kill_matches() - is a process of @unit that runs @exe on the list? Pure. */
bool kill_matches(const struct kill_list *list, const char *unit, const char *exe);

/**
 * kill_all() - SIGKILL all that match, and wait until they are dead: held tasks die
 * without running another user instruction.
 * @units:	gets the services that lost a process
 * @ret_killed:	how many
 * Return: 0; -ETIMEDOUT: one does not die; -errno.
 */
int kill_all(const struct kill_list *list, struct words *units, unsigned int *ret_killed);

#endif /* AGENT_KILL_H */
