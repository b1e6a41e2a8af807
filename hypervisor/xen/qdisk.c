// SPDX-License-Identifier: GPL-2.0-or-later
/* The QEMU that serves disks: where it is. */
#include "qdisk.h"

#include <stdlib.h>
#include <unistd.h>

#include "util.h"

/* Debian's, and what Xen builds itself; QEMUs for other uses are built without Xen. */
static const char *const places[] = {
	"/usr/libexec/xen-qemu-system-i386",
	"/usr/lib/xen/bin/qemu-system-i386",
	"/usr/libexec/xen/bin/qemu-system-i386",
	"/usr/local/lib/xen/bin/qemu-system-i386",
};

const char *qdisk_program(void)
{
	const char *given = getenv("VMFORK_XEN_QEMU");

	if (given)
		return given;
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return places[0];
}
