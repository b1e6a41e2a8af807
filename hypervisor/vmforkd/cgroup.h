/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cgroup for each machine: control's side. */
#ifndef VMFORKD_CGROUP_H
#define VMFORKD_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "channel_parse.h"

/**
 * DOC: Cgroups
 *
 *   BASE                 made, or found delegated, by the keeper (keeper_cgroup.c)
 *    ├─ daemon           keeper, control, pager: all that is shared by machines is
 *    │                   charged here, the images' pages (a tmpfs) above all
 *    ├─ checkpoints      snapshot processes: they outlive their machine, and must not
 *    │                   be killed with it
 *    └─ vmHANDLE         QEMU of one machine: its private pages, its own page cache
 *
 * Made before QEMU is spawned, which enters it before it is executed. Removed with the
 * machine's object; what a kill left is removed by the next control role and at the end
 * by the keeper. A page that a snapshot still holds stays charged to the machine it was
 * of, so a machine that overwrites its memory after a fork is charged twice for it.
 *
 * A limit is on top of what QEMU itself needs, else the smallest would start nothing.
 */
#define CGROUP_QEMU_MIB	96

/** cgroup_usable() - are there cgroups with memory and cpu here? */
bool cgroup_usable(void);
/** cgroup_make() - for machine @handle; nothing if they are not usable. */
int cgroup_make(uint64_t handle, const struct limits *l);
/** cgroup_procs() - a descriptor that who writes to it enters by, or -1: none. */
int cgroup_procs(uint64_t handle);
/** cgroup_remove() - no process is in it any more. */
void cgroup_remove(uint64_t handle);
/** cgroup_sweep() - remove those of machines that are not @known. */
void cgroup_sweep(bool (*known)(uint64_t handle));
/** cgroup_left() - a process was still in one that was to be removed: sweep again. */
bool cgroup_left(void);
/** cgroup_killed() - did the kernel kill there for want of memory? */
bool cgroup_killed(uint64_t handle);
/** cgroup_describe() - its use, for people; NULL: nothing is known. */
json_t *cgroup_describe(uint64_t handle);

/** cgroup_value() - of @key in "KEY NUMBER" lines. Pure. Return: 0 if it is not there. */
uint64_t cgroup_value(const char *text, const char *key);

#endif /* VMFORKD_CGROUP_H */
