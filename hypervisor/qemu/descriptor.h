/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors: a VM's state without its memory, as QEMU writes and reads it. */
#ifndef VMFORK_DESCRIPTOR_H
#define VMFORK_DESCRIPTOR_H

#include <stddef.h>
#include <stdint.h>

/** DESCRIPTOR_MAX - largest that is taken from QEMU or from its stored form. */
#define DESCRIPTOR_MAX	(4U << 20)

/**
 * descriptor_check() - could these @len bytes be a whole descriptor?
 * Return: 0; -EBADMSG: not a QEMU state of version 3 that begins with a full section
 * of a device and has its end; -EFBIG.
 */
int descriptor_check(const void *buf, size_t len);

/** descriptor_pack() - the stored form, in malloc()ed memory. @buf is a descriptor. */
int descriptor_pack(const void *buf, size_t len, void **ret, size_t *ret_len);
/** descriptor_unpack() - @buf, @len: a stored form. What it gives is a descriptor. */
int descriptor_unpack(const void *buf, size_t len, void **ret, size_t *ret_len);

/**
 * descriptor_feed() - write what is left of @file, from its position on, to a pipe.
 * Once all is written the pipe is not touched again: QEMU may have read it, loaded it and
 * closed its end by then. Return: 1 all is written; 0 the pipe is full; or -errno.
 */
int descriptor_feed(int pipe, int file);

#endif /* VMFORK_DESCRIPTOR_H */
