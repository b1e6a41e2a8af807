/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens in the parent: feed the clones and collect from them until all have ended. */
#ifndef WRAPPER_PARENT_H
#define WRAPPER_PARENT_H

#include "crew.h"
#include "options.h"
#include "summary.h"

/**
 * parent_collect() - see to the clones until the last has ended.
 * @crew:	running, or with a queue: to be started one by one
 * @feed:	what goes to each
 * @sets:	argument sets of a queue, for what is said of them; or NULL
 * @ret:	@clones, @n, @seconds and @status are filled in; @clones is the caller's
 *		to free
 * Return: 0, or -errno when there was nothing to collect with.
 *
 * The first of these ends the clones early, by vmfork_kill(), and then what they have
 * sent is still read, so that every end is known:
 *   a signal		status 128 + signal; nothing more is written
 *   stdout is closed	status 141 (SIGPIPE); nothing more is written
 *   --fail=fast	the highest status of those that failed
 * A clone whose time is up is ended alone; the status is 124 then.
 */
int parent_collect(const struct options *o, struct crew *crew, struct feed *feed,
		   char *const *sets, struct summary *ret);

/** parent_now() - CLOCK_MONOTONIC, seconds. */
double parent_now(void);

#endif /* WRAPPER_PARENT_H */
