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

/* vmfork_set_name() - @name into a zeroed field: -EINVAL unless it fits with its NUL. */
int vmfork_set_name(char field[VMFORK_NAME_MAX], const char *name)
	__attribute__((visibility("hidden")));

#endif /* LIBVMFORK_PRIVATE_H */
