/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line on the terminal: how many clones run, how many are done. */
#ifndef WRAPPER_PROGRESS_H
#define WRAPPER_PROGRESS_H

/** progress_draw() - on stderr if that is a terminal, else nothing. */
void progress_draw(unsigned int running, unsigned int done, unsigned int failed);

/** progress_clear() - take the line away, before anything else is written. */
void progress_clear(void);

#endif /* WRAPPER_PROGRESS_H */
