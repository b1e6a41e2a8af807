/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vmfork-pager as a child, and a plain synchronous client of its protocol. */
#ifndef VMFORK_PGCLIENT_H
#define VMFORK_PGCLIENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "pager_proto.h"

struct pgproc {
	pid_t pid;
	int sock;
	uint32_t seq;
	struct pager_rep events[64];	/* that came while waiting for answers */
	unsigned int nevents;
};

/** pg_start() - start build/bin/vmfork-pager (or $VMFORK_PAGER); dies with us. */
int pg_start(struct pgproc *pg);
/** pg_start_on() - the same with this socket as its --fd; pg->sock is the caller's. */
int pg_start_on(struct pgproc *pg, int theirs);
/** pg_kill() - SIGKILL and reap; the socket is closed. */
void pg_kill(struct pgproc *pg);
/** pg_stop() - SIGTERM; Return: its exit status, or -1 if it died of something else. */
int pg_stop(struct pgproc *pg);

/** pg_call() - one request; sets req->seq. Return: the answer's result. */
int pg_call(struct pgproc *pg, struct pager_req *req, const int *fds, unsigned int nfds,
	    struct pager_rep *ret_rep);
/** pg_event() - wait for an event of this kind about @handle; false after 60 s. */
bool pg_event(struct pgproc *pg, enum pager_event ev, uint64_t handle);

int pg_image_del(struct pgproc *pg, uint64_t handle);
int pg_clone_del(struct pgproc *pg, uint64_t handle);
struct pager_clone_stats pg_clone_stats(struct pgproc *pg, uint64_t handle);
struct pager_image_stats pg_image_stats(struct pgproc *pg, uint64_t handle);

/** recv_wait() - is @fd readable within 60 s? */
bool recv_wait(int fd);

#endif /* VMFORK_PGCLIENT_H */
