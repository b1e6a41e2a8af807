/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the pager gives up once it has started. */
#ifndef VMFORK_PAGER_PRIVILEGES_H
#define VMFORK_PAGER_PRIVILEGES_H

/**
 * privileges_drop() - memory locked, limits set, another user, no capabilities.
 * @user:	name, or NULL: stay who we are
 * Return: 0, or a negative errno: do not go on.
 */
int privileges_drop(const char *user);

#endif /* VMFORK_PAGER_PRIVILEGES_H */
