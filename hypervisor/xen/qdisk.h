/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QEMU that serves disks: where it is. */
#ifndef VMFORK_XEN_QDISK_H
#define VMFORK_XEN_QDISK_H

/** qdisk_program() - a QEMU that can serve disks of Xen's; the first of those that may be
 * there if there is none. $VMFORK_XEN_QEMU names another. */
const char *qdisk_program(void);

#endif /* VMFORK_XEN_QDISK_H */
