// SPDX-License-Identifier: LGPL-2.1-or-later
/* Tickets: ask, fork, wait, kill. */
#include "private.h"

VMFORK_EXPORT int vmfork_request_ticket_limits(int vm, unsigned int n, unsigned int flags,
					       const struct vmfork_limits *limits,
					       unsigned int *ret_granted)
{
	struct vmfork_request_ticket arg = {
		.clones = n, .flags = flags, .fd = -1, .lifetime_s = limits->lifetime_s,
		.memory_mib = limits->memory_mib, .cpu_weight = limits->cpu_weight,
	};
	int r = vmfork_ioctl(vm, VMFORK_REQUEST_TICKET, &arg);

	if (r)
		return r;
	if (ret_granted)
		*ret_granted = arg.clones;
	return arg.fd;
}

VMFORK_EXPORT int vmfork_request_ticket(int vm, unsigned int n, unsigned int flags,
					unsigned int *ret_granted)
{
	static const struct vmfork_limits none;

	return vmfork_request_ticket_limits(vm, n, flags, &none, ret_granted);
}

VMFORK_EXPORT int vmfork_clone(int ticket, unsigned int flags)
{
	struct vmfork_clone arg = { .flags = flags };
	int r = vmfork_ioctl(ticket, VMFORK_TICKET_CLONE, &arg);

	return r ? r : (int)arg.id;
}

VMFORK_EXPORT int vmfork_create_clones(int ticket, int checkpoint)
{
	struct vmfork_create_clones arg = { .checkpoint_fd = checkpoint };

	return vmfork_ioctl(ticket, VMFORK_TICKET_CREATE_CLONES, &arg);
}

VMFORK_EXPORT int vmfork_wait(int ticket, unsigned int id, unsigned int flags,
			      struct vmfork_exit_info *ret_info)
{
	struct vmfork_wait arg = { .id = id, .flags = flags };
	int r = vmfork_ioctl(ticket, VMFORK_TICKET_WAIT, &arg);

	if (!r && ret_info)
		*ret_info = arg.info;
	return r;
}

VMFORK_EXPORT int vmfork_kill(int ticket, unsigned int id)
{
	struct vmfork_kill arg = { .id = id };

	return vmfork_ioctl(ticket, VMFORK_TICKET_KILL, &arg);
}

VMFORK_EXPORT int vmfork_get_ticket(int ticket, struct vmfork_ticket_info *ret_info)
{
	struct vmfork_ticket_info info = { 0 };
	int r = vmfork_ioctl(ticket, VMFORK_TICKET_INFO, &info);

	if (!r)
		*ret_info = info;
	return r;
}
