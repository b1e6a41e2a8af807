/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ssh host keys: the parent's go before the release, new ones come after it. */
#ifndef AGENT_SSH_H
#define AGENT_SSH_H

#include "config.h"

/** ssh_kill_list() - sshd has the keys in its memory: it is to be killed. */
int ssh_kill_list(struct words *executables);

/** ssh_remove_keys() - /etc/ssh/ssh_host_*_key and .pub. */
int ssh_remove_keys(void);

/**
 * ssh_keys_from_params() - write the keys that the parameters have as
 * {"ssh_host_keys": {"ed25519": "PRIVATE KEY", ...}}.
 * Return: 0; -ENODATA: they have none; -EINVAL: not such an object; -errno.
 */
int ssh_keys_from_params(const char *params, size_t len);

/** ssh_generate_keys() - those of @types that are not there, and missing .pub files.
 * Slow: for after the release. Return: 0, an exit status, or -errno. */
int ssh_generate_keys(const struct words *types);

/** ssh_publish_keys() - the same for the .pub files alone. */
int ssh_publish_keys(void);

#endif /* AGENT_SSH_H */
