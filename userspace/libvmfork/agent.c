// SPDX-License-Identifier: LGPL-2.1-or-later
/* The agent's calls: be it, be told of the network, report. */
#include <string.h>

#include "private.h"

VMFORK_EXPORT int vmfork_agent(int vm, unsigned int timeout_ms)
{
	struct vmfork_agent arg = { .timeout_ms = timeout_ms };

	return vmfork_ioctl(vm, VMFORK_AGENT, &arg);
}

VMFORK_EXPORT int vmfork_agent_report(int vm, int result, const char *why)
{
	struct vmfork_report arg = { .result = result };

	if (why)
		strncpy(arg.why, why, sizeof(arg.why) - 1);
	return vmfork_ioctl(vm, VMFORK_AGENT_REPORT, &arg);
}

VMFORK_EXPORT int vmfork_get_net(int vm, struct vmfork_net *ret_net)
{
	struct vmfork_net net = { 0 };
	int r = vmfork_ioctl(vm, VMFORK_GET_NET, &net);

	if (!r)
		*ret_net = net;
	return r;
}
