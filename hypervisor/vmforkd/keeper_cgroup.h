/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cgroup that those of all machines are in: the keeper's side. */
#ifndef VMFORKD_KEEPER_CGROUP_H
#define VMFORKD_KEEPER_CGROUP_H

#include <stddef.h>

/**
 * keeper_cgroup_open() - find or make it, and enter its "daemon".
 *
 * One that systemd delegated (Delegate=yes) is used as it is; root makes one of its own,
 * vmfork.PID, at the top of cgroup v2. Memory and cpu must be had there.
 * Return: its path, or NULL, which was said in one line of the log.
 */
const char *keeper_cgroup_open(void);
/** keeper_cgroup_close() - leave it and remove what we made; no child is left. */
void keeper_cgroup_close(void);

/* Pure, for the tests: both copy what they find, or return -ENOENT. */
/** cgroup_mount_find() - where cgroup v2 is mounted whole, from /proc/self/mountinfo. */
int cgroup_mount_find(const char *mountinfo, char *ret, size_t len);
/** cgroup_own_find() - our place in it, from /proc/self/cgroup. */
int cgroup_own_find(const char *cgroup, char *ret, size_t len);

#endif /* VMFORKD_KEEPER_CGROUP_H */
