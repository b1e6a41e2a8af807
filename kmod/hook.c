// SPDX-License-Identifier: GPL-2.0
/* Tracepoints that are not exported to modules, by name. */
#include <linux/errno.h>
#include <linux/string.h>

#include "hook.h"

static void find(struct tracepoint *tp, void *data)
{
	struct vmfork_hook *hook = data;

	if (!strcmp(tp->name, hook->name))
		hook->tp = tp;
}

int vmfork_hook_on(struct vmfork_hook *hook)
{
	if (!hook->tp)
		for_each_kernel_tracepoint(find, hook);
	if (!hook->tp)
		return -ENOENT;
	return tracepoint_probe_register(hook->tp, hook->probe, NULL);
}

void vmfork_hook_off(struct vmfork_hook *hook)
{
	tracepoint_probe_unregister(hook->tp, hook->probe, NULL);
	tracepoint_synchronize_unregister();
}
