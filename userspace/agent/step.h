/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps from a parent's identity to a clone's own, before user code runs. */
#ifndef AGENT_STEP_H
#define AGENT_STEP_H

#include <stddef.h>

/**
 * DOC: The order of steps
 *
 * They run in this order, one by one, while every other user task is held. None of
 * them waits for a held task, talks D-Bus or loads a kernel module (the helper that
 * does would be held). Sockets come after the links are down: the RST that
 * destroying one sends would carry the parent's addresses. A step that fails ends
 * the clone, unless the configuration calls it optional.
 */
enum step {
	STEP_LINK_DOWN,		/* every network device that is hardware */
	STEP_SOCKETS,		/* the parent's connections, silently */
	STEP_NETWORK,		/* link address, address, routes, neighbours */
	STEP_HOSTNAME,
	STEP_HOSTS,		/* /etc/hosts, /etc/resolv.conf */
	STEP_MACHINE_ID,
	STEP_BOOT_ID,
	STEP_PARAMS,		/* /run/vmfork/params.json */
	STEP_KILL,		/* processes with random state of their own */
	STEP_SSH_KEYS,
	STEP_HOOKS,		/* the administrator's, "pre" */
	STEP_MAX
};

/** step_name() - as in the configuration and in reports. */
const char *step_name(enum step step);

/** step_find() - Return: the step of that name, or -ENOENT. */
int step_find(const char *name, size_t len);

#endif /* AGENT_STEP_H */
