// SPDX-License-Identifier: LGPL-2.1-or-later
/* Secrets: what is not to be forked. */
#include <stdint.h>
#include <sys/mman.h>

#include "private.h"

VMFORK_EXPORT int vmfork_secret_deny(int vm)
{
	struct vmfork_secret arg = { .flags = VMFORK_SECRET_DENY };

	return vmfork_ioctl(vm, VMFORK_SECRET, &arg);
}

VMFORK_EXPORT int vmfork_secret_wipe(int vm, void *addr, size_t len)
{
	struct vmfork_secret arg = {
		.addr = (uintptr_t)addr, .len = len, .flags = VMFORK_SECRET_WIPE,
	};

	/* a private mapping of a file cannot be wiped in children: they do not get it */
	if (madvise(addr, len, MADV_WIPEONFORK) && madvise(addr, len, MADV_DONTFORK))
		return -errno;
	if (madvise(addr, len, MADV_DONTDUMP))
		return -errno;
	return vmfork_ioctl(vm, VMFORK_SECRET, &arg);
}
