/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heads of qcow2 images: an empty one for an overlay, and what a base says. */
#ifndef VMFORK_QCOW2_H
#define VMFORK_QCOW2_H

#include <stddef.h>
#include <stdint.h>

/** QCOW2_HEAD - bytes of a file that qcow2_size() looks at. */
#define QCOW2_HEAD 104

/**
 * qcow2_size() - the virtual size of an image that stands by itself.
 * @buf:	the file's first @len bytes
 * Return: 0; -EBADMSG no qcow2 image; -EMLINK it has a backing file; -EOPNOTSUPP it
 * is encrypted, has an external data file, or a feature not known here.
 */
int qcow2_size(const void *buf, size_t len, uint64_t *ret_size);

/** qcow2_make_empty() - write an empty image of @size bytes into the empty file @fd.
 * It has no backing file of its own: QEMU is told what is below. Return 0 or -errno. */
int qcow2_make_empty(int fd, uint64_t size);

#endif /* VMFORK_QCOW2_H */
