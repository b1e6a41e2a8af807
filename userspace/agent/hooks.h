/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The administrator's programs in /etc/vmfork/clone.d: each is run as "NAME pre" before user
 * code runs in the clone, and as "NAME post" afterwards. */
#ifndef AGENT_HOOKS_H
#define AGENT_HOOKS_H

#include <stdbool.h>

#include "config.h"

#define HOOKS_PRE_LOG	"/run/vmfork/pre-hooks.log"

/** hook_name_valid() - [A-Za-z0-9_-] and dots inside: no backups, no hidden files. Pure. */
bool hook_name_valid(const char *name);

/** hooks_list() - executables of @dir in the order of their names (as strcmp()).
 * Return: 0, also without @dir; -ENOSPC: too many; -errno. */
int hooks_list(const char *dir, struct words *ret);

/**
 * hooks_run() - all of them, in order, until one fails.
 * @stage:	"pre" or "post"
 * @env:	added to their environment, NULL at the end
 * @timeout_ms:	for all of them together
 * @ret_failed:	WORD_MAX bytes: the one that failed
 * Return: 0; its exit status; -ETIMEDOUT; -errno.
 */
int hooks_run(const char *dir, const char *stage, char *const *env, unsigned int timeout_ms,
	      char *ret_failed);

#endif /* AGENT_HOOKS_H */
