/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where QEMU's PC machines put the RAM file into the guest's address space. */
#ifndef VMFORK_QEMU_SLOTS_H
#define VMFORK_QEMU_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "pager_proto.h"

/** ram_slots() - the slots of @memory bytes in machine "pc" or "q35".
 * Return: how many (1 or 2), 0 for another machine. */
unsigned int ram_slots(const char *machine, uint64_t memory, struct pager_slot *slots);

/** bitmap_bytes() - bytes of a bitmap with a bit per gfn, in whole pages. */
size_t bitmap_bytes(const struct pager_slot *slots, unsigned int n);

#endif /* VMFORK_QEMU_SLOTS_H */
