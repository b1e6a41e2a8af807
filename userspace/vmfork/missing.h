/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this machine or its host lacks, in words. */
#ifndef MISSING_H
#define MISSING_H

#include <linux/vmfork.h>

/**
 * missing_next() - the next thing that is not there.
 * @at:	0 for the first; it moves on
 * Return: one line, static; NULL: nothing more.
 */
const char *missing_next(const struct vmfork_api *api, unsigned int *at);

#endif /* MISSING_H */
