/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a machine cannot be forked: devices of the host's, memory and disks of others. */
#ifndef VMFORK_QEMU_FORKABLE_H
#define VMFORK_QEMU_FORKABLE_H

#include <stddef.h>
#include <jansson.h>

#include "backend.h"

/**
 * DOC: What cannot be forked
 *
 * A machine as vmforkd makes it can. One that was given arguments for QEMU
 * (`vmforkctl run --qemu-arg`) is looked at once, when it has started:
 *
 *   arguments       network and TPM back ends, folders of the host's
 *   qom-list        devices that are the host's, or another process's, by their type
 *   query-memdev    memory besides the machine's own: not in an image
 *   query-block     writable disks without an overlay: clones would share what is
 *                   written, swap and file systems above all
 *   query-migrate   what QEMU itself cannot save
 *
 * It runs all the same; forks and tickets are refused, and told the first reason found.
 * All are pure: @why is written if it is empty and there is a reason.
 */
void forkable_args(const struct vm_config *config, char *why, size_t len);
/** forkable_devices() - @list: of qom-list. Return: name of the device, or NULL. */
const char *forkable_devices(const json_t *list, char *why, size_t len);
void forkable_memory(const json_t *memdevs, char *why, size_t len);
void forkable_disks(const json_t *blocks, char *why, size_t len);
void forkable_state(const json_t *migration, char *why, size_t len);

/** forkable_text() - printable ASCII, whatever QEMU said. */
void forkable_text(char *why);

#endif /* VMFORK_QEMU_FORKABLE_H */
