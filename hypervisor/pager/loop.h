/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop of the pager. */
#ifndef VMFORK_PAGER_LOOP_H
#define VMFORK_PAGER_LOOP_H

#include <sys/types.h>

/**
 * loop_run() - serve until SIGTERM or SIGINT.
 * @fd:		listening or connected SOCK_SEQPACKET socket
 * @owner:	besides root, this user may connect
 * @spin_us:	see the DOC in loop.c
 * Return: 0 on a signal, or a negative errno.
 */
int loop_run(int fd, uid_t owner, unsigned int spin_us);

#endif /* VMFORK_PAGER_LOOP_H */
