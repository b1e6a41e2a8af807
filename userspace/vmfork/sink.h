/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where what comes from the clones goes: the terminal, files, unpacked archives. */
#ifndef WRAPPER_SINK_H
#define WRAPPER_SINK_H

#include "crew.h"

/**
 * struct parent - the parent's state while its clones run.
 * @stop_status: != 0: the clones were killed, and this is why
 * @failed_fast: ... because enough of them had failed
 * @muted:	nobody wants output any more
 * @sink_failed: some output could not be kept; it was said
 */
struct parent {
	const struct options *o;
	struct crew *crew;
	struct feed *feed;
	double began;
	unsigned int done, failed;
	int stop_status;
	bool failed_fast;
	bool muted;
	bool sink_failed;
};

/* parent.c: */
void parent_draw(const struct parent *p);
/** parent_stop() - end the clones; no more output. */
void parent_stop(struct parent *p, int status);
/** parent_look() - see to signals and time, while something else waits. */
void parent_look(struct parent *p);

/** sink_init() - make each child's streams. Return: 0 or -errno, which was said. */
int sink_init(struct parent *p);

/** sink_take() - @len bytes under @tag. Return: 0 or -errno: give up. */
int sink_take(struct parent *p, struct child *child, unsigned int tag, const char *buf,
	      size_t len);

/** sink_end() - nothing more comes of @child. */
int sink_end(struct parent *p, struct child *child, unsigned int number);

#endif /* WRAPPER_SINK_H */
