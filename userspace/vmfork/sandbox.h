/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --sandbox: a clone whose changes to its disks are listed. */
#ifndef WRAPPER_SANDBOX_H
#define WRAPPER_SANDBOX_H

#include "changes.h"
#include "link.h"

/**
 * sandbox_enter() - look at the disks.
 * Return: 0, or -errno: it was said to the parent, and the command must not run.
 */
int sandbox_enter(struct link *l, struct change_list *ret_before);

/** sandbox_report() - a line for each change: "A path", "M path", "D path". */
void sandbox_report(struct link *l, struct change_list *before);

#endif /* WRAPPER_SANDBOX_H */
