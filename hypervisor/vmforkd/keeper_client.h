/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control role's end of the line to its keeper. */
#ifndef VMFORKD_KEEPER_CLIENT_H
#define VMFORKD_KEEPER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** keeper_open() - @fd is the socket; takes in the store and the children (blocks). */
int keeper_open(int fd);
/** keeper_attach() - serve it from the event loop from now on. */
int keeper_attach(void);
/** keeper_stop() - have everything ended. */
void keeper_stop(void);
/** keeper_spawn_service() - a child that is no machine's, and serves DNS and DHCP; its
 * end is told to network_service_ended(). */
int keeper_spawn_service(const char *name, char *const argv[], uid_t uid, gid_t gid);
/** keeper_kill_children() - SIGKILL to those whose names begin so. */
void keeper_kill_children(const char *prefix);
bool keeper_has_child(const char *prefix);
/** keeper_child_handle() - "vm12.qemu" -> 12, else 0. */
uint64_t keeper_child_handle(const char *name);
/** keeper_each_fd() - names in the store that begin with @prefix. */
void keeper_each_fd(const char *prefix, void (*fn)(const char *name, void *data), void *data);
/** keeper_kill_strangers() - children of VMs that do not exist. */
void keeper_kill_strangers(bool (*known)(uint64_t handle));

#endif /* VMFORKD_KEEPER_CLIENT_H */
