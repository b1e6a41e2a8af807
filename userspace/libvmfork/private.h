/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of libvmfork share. */
#ifndef LIBVMFORK_PRIVATE_H
#define LIBVMFORK_PRIVATE_H

#include <errno.h>
#include <sys/ioctl.h>

#include "vmfork.h"

#define VMFORK_EXPORT __attribute__((visibility("default")))

/* vmfork_ioctl() - ioctl(2) that returns 0 or a negative errno. */
static inline int vmfork_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

/* vmfork_fork_ioctl() - the same for a fork, whose flags are in @arg: writes file data out
 * here if the kernel cannot do it for VMFORK_CLONE_SYNC. */
int vmfork_fork_ioctl(int fd, unsigned long request, void *arg, __u32 *flags)
	__attribute__((visibility("hidden")));

/* vmfork_set_name() - @name into a zeroed field: -EINVAL unless it fits with its NUL. */
int vmfork_set_name(char field[VMFORK_NAME_MAX], const char *name)
	__attribute__((visibility("hidden")));

#endif /* LIBVMFORK_PRIVATE_H */
