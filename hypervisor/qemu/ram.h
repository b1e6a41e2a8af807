/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's RAM inside QEMU, as the RAM library maps it. */
#ifndef VMFORK_RAMLIB_RAM_H
#define VMFORK_RAMLIB_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * DOC: States of the RAM
 *
 *   NONE -> ANONYMOUS   ram_take(): QEMU maps the RAM file
 *   ANONYMOUS -> IMAGE  ram_map_image(): a stand-by becomes a clone, once
 *
 * Between the two nothing can read it: it is mapped without access until the
 * userfaultfd is registered, because reading a hole of an image puts a page of zeros
 * into the image. The userfaultfd stays open here for as long as the process lives:
 * were the last copy of it closed elsewhere, holes would read as zeros.
 *
 * In both states it is not inherited by children but for the snapshot process.
 */
struct ram {
	uint8_t *base;
	size_t len;
	unsigned int advice;	/* what QEMU asked for, bits of ram.c */
	int uffd;		/* -1: ANONYMOUS */
};

/**
 * ram_take() - QEMU's mmap of the RAM file: anonymous memory instead.
 * Return: 0, or a negative errno; -EINVAL for a kind of mapping that is not known.
 */
int ram_take(struct ram *r, void *addr, size_t len, int prot, int flags, off_t offset,
	     off_t file_size);

/**
 * ram_note_advice() - QEMU's madvise of the whole RAM, to be repeated after a remap.
 * Return: whether it may be done: no huge pages over an image.
 */
bool ram_note_advice(struct ram *r, const void *addr, size_t len, int advice);

/**
 * ram_map_image() - private mapping of image @fd over the RAM, faults to a new
 * userfaultfd, made by @dev (/dev/userfaultfd) or, if that is negative, by syscall.
 * Return: the userfaultfd (the RAM's own), or a negative errno.
 */
int ram_map_image(struct ram *r, int fd, int dev);

/**
 * ram_snapshot() - fork a process that holds the memory as it is now.
 * @lifeline:	it ends when the other end of this pipe is closed everywhere
 * Return: its pid, or a negative errno.
 */
pid_t ram_snapshot(const struct ram *r, int lifeline);

#endif /* VMFORK_RAMLIB_RAM_H */
