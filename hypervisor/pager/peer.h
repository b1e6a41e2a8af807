/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections of vmforkd: requests in, answers and events out. */
#ifndef VMFORK_PAGER_PEER_H
#define VMFORK_PAGER_PEER_H

#include <sys/types.h>

#include "pager.h"

#define PEERS_MAX 8

struct peers {
	int listener;		/* -1: none, one connection was given */
	int fd[PEERS_MAX];	/* -1: free */
	uid_t owner;		/* who started us; this user and root may connect */
};

/** peers_init() - @fd: a listening or a connected SOCK_SEQPACKET socket, taken over. */
int peers_init(struct peers *ps, struct pager *p, int fd, uid_t owner);

/** peers_accept() - somebody connects: events that hold still are said to it. */
void peers_accept(struct peers *ps, struct pager *p);

/** peers_serve() - one request of peer @i; a broken or rude peer is dropped. */
void peers_serve(struct peers *ps, struct pager *p, unsigned int i);

/** peers_event() - say something unasked to every peer. @result: why, or 0 */
void peers_event(struct peers *ps, enum pager_event ev, uint64_t handle, int result);

#endif /* VMFORK_PAGER_PEER_H */
