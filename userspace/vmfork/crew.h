/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clones of one vmfork(1), and the tickets they come by. */
#ifndef WRAPPER_CREW_H
#define WRAPPER_CREW_H

#include <stdbool.h>
#include <sys/types.h>

#include "feed.h"
#include "fetch.h"
#include "jobs.h"
#include "options.h"
#include "output.h"
#include "summary.h"

/**
 * DOC: Where clones come from
 *
 * Without a queue one ticket gives all of them: one fork, or CREATE_CLONES of a
 * checkpoint. With a queue of argument sets the machine is forked once, into an
 * unnamed checkpoint, and each set gets a fresh clone of that by a ticket for one: all
 * sets begin from the same instant, and none sees what another did. The next ticket is
 * asked for before it is needed, so that its stand-by machine is up when it is.
 *
 *	WAITING -> RUNNING -> ENDED
 */
enum child_state { CHILD_WAITING, CHILD_RUNNING, CHILD_ENDED };

/** struct child - one clone; @ticket and @id in it. */
struct child {
	enum child_state state;
	int ticket;
	unsigned int id;
	double began;
	struct output_stream out, err;
	int files[2];		/* --output=dir: stdout and stderr, or -1 */
	struct feed_place feed;
	struct fetch fetch;
	struct clone_result result;
};

/** struct crew - all of them, by ID or number of their set, less 1. */
struct crew {
	struct child *child;
	unsigned int n;
	unsigned int next;	/* the first that waits */
	unsigned int running;
	unsigned int at_a_time;
	int vm;
	int checkpoint;		/* with a queue, else -1 */
	int spare;		/* a ticket for the next one, or -1 */
};

int crew_init(struct crew *c, int vm, unsigned int n);
void crew_free(struct crew *c);

/** crew_take_ticket() - children 1..n are the clones of @ticket; it is the crew's. */
void crew_take_ticket(struct crew *c, int ticket, double now);

/**
 * crew_start_next() - a clone for the next child that waits, if there may be one more.
 * Return: 1 started, 0 not now, -errno (-EDQUOT with none running: nothing is granted).
 */
int crew_start_next(struct crew *c, double now);

/** crew_find() - whose record this is. NULL: nobody's. */
struct child *crew_find(const struct crew *c, int ticket, unsigned int id);

/** crew_kill() - end @child, or with NULL all, now. */
void crew_kill(struct crew *c, struct child *child);

/** crew_end() - @child has ended: nothing more comes. */
void crew_end(struct crew *c, struct child *child);

#endif /* WRAPPER_CREW_H */
