/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes to every clone: an archive (--put), then stdin. */
#ifndef WRAPPER_FEED_H
#define WRAPPER_FEED_H

#include <stdbool.h>
#include <sys/types.h>

#include "options.h"

/**
 * DOC: Spools
 *
 * Both are kept in unnamed files as they come, so that each clone takes them at its
 * own pace, also one that begins when the others are done, and none waits for another.
 */
struct spool {
	int fd;			/* unnamed file; -1: there is none of this kind */
	int from;		/* what is spooled, while more may come; else -1 */
	off_t size;		/* so far */
};

struct feed {
	struct spool put, input;
};

/** struct feed_place - how far one clone is. */
struct feed_place {
	off_t put, input;
	bool put_ended, input_ended;
};

/**
 * feed_init() - make the archive of --put; take stdin if asked to.
 * Return: 0, or a STATUS_*: what failed was said.
 */
int feed_init(struct feed *f, const struct options *o);
void feed_free(struct feed *f);

/** feed_fd() - wait for this to be readable, then call feed_read(); -1: for nothing. */
int feed_fd(const struct feed *f);

/** feed_read() - spool what stdin has now. Return: 0 or -errno: input ends here. */
int feed_read(struct feed *f);

/**
 * feed_send() - send to clone @id of @ticket all that it takes now.
 * Return: 0 it has all there is so far; -EAGAIN no room; -errno: it takes no more.
 */
int feed_send(const struct feed *f, struct feed_place *at, int ticket, unsigned int id);

#endif /* WRAPPER_FEED_H */
