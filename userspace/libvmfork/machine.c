// SPDX-License-Identifier: LGPL-2.1-or-later
/* The machine: /dev/vmfork itself. */
#include <fcntl.h>
#include <unistd.h>

#include "private.h"

VMFORK_EXPORT int vmfork_open(void)
{
	int fd = open("/dev/vmfork", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

VMFORK_EXPORT void vmfork_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

VMFORK_EXPORT int vmfork_get_api(int vm, struct vmfork_api *ret_api)
{
	struct vmfork_api api = { 0 };
	int r = vmfork_ioctl(vm, VMFORK_GET_API, &api);

	if (!r)
		*ret_api = api;
	return r;
}

VMFORK_EXPORT int vmfork_get_identity(int vm, struct vmfork_identity *ret_identity)
{
	struct vmfork_identity identity = { 0 };
	int r = vmfork_ioctl(vm, VMFORK_GET_ID, &identity);

	if (!r)
		*ret_identity = identity;
	return r;
}

VMFORK_EXPORT int vmfork_id(int vm)
{
	struct vmfork_identity identity;
	int r = vmfork_get_identity(vm, &identity);

	return r ? r : (int)identity.id;
}

VMFORK_EXPORT int vmfork_wait_identity(int vm, struct vmfork_identity *ret_identity)
{
	struct vmfork_identity identity;
	ssize_t n = read(vm, &identity, sizeof(identity));

	if (n < 0)
		return -errno;
	if (n != sizeof(identity))
		return -EBADMSG;
	*ret_identity = identity;
	return 0;
}

VMFORK_EXPORT int vmfork_exit(int vm, int status)
{
	struct vmfork_exit arg = { .status = status };

	return vmfork_ioctl(vm, VMFORK_EXIT, &arg);
}
