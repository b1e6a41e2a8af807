// SPDX-License-Identifier: LGPL-2.1-or-later
/* Parameters: what a parent gives to each of its clones. */
#include <stdint.h>

#include "private.h"

VMFORK_EXPORT int vmfork_set_params(int ticket, unsigned int id, const void *buf, size_t len)
{
	struct vmfork_params arg = { .buf = (uintptr_t)buf, .len = (__u32)len, .id = id };

	if (len > VMFORK_PARAMS_MAX)
		return -EINVAL;
	return vmfork_ioctl(ticket, VMFORK_TICKET_SET_PARAMS, &arg);
}

VMFORK_EXPORT int vmfork_get_params(int vm, void *buf, size_t len, size_t *ret_len)
{
	struct vmfork_params arg = {
		.buf = (uintptr_t)buf,
		.len = len < VMFORK_PARAMS_MAX ? (__u32)len : VMFORK_PARAMS_MAX,
	};
	int r = vmfork_ioctl(vm, VMFORK_GET_PARAMS, &arg);

	if (!r)
		*ret_len = arg.len;
	return r;
}
