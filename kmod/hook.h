/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints that are not exported to modules, by name. */
#ifndef VMFORK_HOOK_H
#define VMFORK_HOOK_H

#include <linux/tracepoint.h>

/** struct vmfork_hook - a function on a tracepoint.
 * @name:	of the tracepoint
 * @probe:	with its arguments, after a void * that is not used */
struct vmfork_hook {
	const char *name;
	void *probe;
	struct tracepoint *tp;
};

/** vmfork_hook_on() - Return: 0; -ENOENT no such tracepoint in this kernel; -ENOMEM. */
int vmfork_hook_on(struct vmfork_hook *hook);

/** vmfork_hook_off() - returns when nobody is in the probe any more. */
void vmfork_hook_off(struct vmfork_hook *hook);

#endif /* VMFORK_HOOK_H */
