/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pager's tables, and what requests do to them. */
#ifndef VMFORK_PAGER_PAGER_H
#define VMFORK_PAGER_PAGER_H

#include "clone.h"
#include "image.h"
#include "pager_proto.h"

#define PAGER_IMAGES_MAX	256
#define PAGER_CLONES_MAX	1024

struct pager {
	struct image images[PAGER_IMAGES_MAX];
	struct clone clones[PAGER_CLONES_MAX];
	int epoll;		/* clones' links are added and removed by pager.c */
	bool idle_work;		/* there may be something for pager_idle() to do */
	uint32_t idle_at;	/* the clone whose turn it is */
	uint32_t clones_end;	/* behind the last entry that was ever used */
};

/**
 * pager_request() - do what a checked request says and fill in the answer.
 * @fds:	came with it; taken over (set to -1) or left to the caller to close
 */
void pager_request(struct pager *p, const struct pager_req *req, int *fds,
		   struct pager_rep *rep);

/** pager_idle() - no event is there: do a little of what is not urgent. */
void pager_idle(struct pager *p);

/** pager_stop_serving() - a lost clone's link is watched no more. */
void pager_stop_serving(struct pager *p, struct clone *c);

/* What an epoll event is about: the kind, and an index into a table. */
enum watch { WATCH_SIGNAL, WATCH_LISTENER, WATCH_PEER, WATCH_CLONE };

static inline uint64_t watch_data(enum watch kind, uint32_t index)
{
	return (uint64_t)kind << 32 | index;
}

/** watch_add() - have the loop told when @fd is readable. */
int watch_add(int epoll, int fd, enum watch kind, uint32_t index);

#endif /* VMFORK_PAGER_PAGER_H */
