/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line on the terminal: how many clones run, how many are done, how long still. */
#ifndef WRAPPER_PROGRESS_H
#define WRAPPER_PROGRESS_H

/** struct progress - @seconds: since the first clone began. */
struct progress {
	unsigned int total, running, done, failed;
	double seconds;
};

/** progress_draw() - on stderr if that is a terminal, else nothing. */
void progress_draw(const struct progress *p);

/** progress_eta() - seconds until all are done, from the pace so far; < 0: unknown. */
double progress_eta(const struct progress *p);

/** progress_clear() - take the line away, before anything else is written. */
void progress_clear(void);

#endif /* WRAPPER_PROGRESS_H */
