// SPDX-License-Identifier: LGPL-2.1-or-later
/* Checkpoints: an instant of the machine, kept. */
#include <string.h>

#include "private.h"

int vmfork_set_name(char field[VMFORK_NAME_MAX], const char *name)
{
	size_t len = strnlen(name, VMFORK_NAME_MAX);

	if (len == 0 || len == VMFORK_NAME_MAX)
		return -EINVAL;
	memcpy(field, name, len);
	return 0;
}

VMFORK_EXPORT int vmfork_checkpoint(int vm, const char *name, unsigned int flags, int *ret_fd)
{
	struct vmfork_checkpoint arg = { .flags = flags, .fd = -1 };
	int r = name ? vmfork_set_name(arg.name, name) : 0;

	if (!r)
		r = vmfork_fork_ioctl(vm, VMFORK_CHECKPOINT, &arg, &arg.flags);
	if (r)
		return r;
	*ret_fd = arg.fd;
	return (int)arg.id;
}

VMFORK_EXPORT int vmfork_open_checkpoint(int vm, const char *name)
{
	struct vmfork_open_checkpoint arg = { .fd = -1 };
	int r = vmfork_set_name(arg.name, name);

	if (!r)
		r = vmfork_ioctl(vm, VMFORK_OPEN_CHECKPOINT, &arg);
	return r ? r : arg.fd;
}
