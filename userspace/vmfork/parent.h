/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens in the parent: collect output and exits until all clones have ended. */
#ifndef WRAPPER_PARENT_H
#define WRAPPER_PARENT_H

#include "options.h"
#include "summary.h"

/**
 * parent_collect() - see to the clones of @ticket until the last has ended.
 * @granted:	how many there are
 * @ret:	@clones, @granted, @seconds and @status are filled in; @clones is the
 *		caller's to free
 * Return: 0, or -errno when there was nothing to collect with.
 *
 * The first of these ends the clones early, by vmfork_kill(), and then what they have
 * sent is still read, so that every end is known:
 *   a signal		status 128 + signal; nothing more is written
 *   stdout is closed	status 141 (SIGPIPE); nothing more is written
 *   the time is up	status 124
 *   --fail=fast	status of the clone that failed
 */
int parent_collect(const struct options *o, int ticket, unsigned int granted,
		   struct summary *ret);

#endif /* WRAPPER_PARENT_H */
