/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pager as the keeper's child: a socket that outlives it, and control's connections to it. */
#ifndef VMFORKD_KEEPER_PAGER_H
#define VMFORKD_KEEPER_PAGER_H

#include <sys/types.h>

struct options;

/** keeper_pager_listen() - once, before the first start. */
int keeper_pager_listen(void);

/** keeper_pager_start() - Return: its pid, or -errno. */
int keeper_pager_start(const struct options *o);

/** keeper_pager_offer() - a new connection for control, if there is one and a pager (@pid). */
void keeper_pager_offer(pid_t pid);

#endif /* VMFORKD_KEEPER_PAGER_H */
