/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/vmfork as the agent uses it. Functions return 0 or -errno. */
#ifndef AGENT_DEVICE_H
#define AGENT_DEVICE_H

#include <stddef.h>
#include <linux/vmfork.h>

/** device_hint() - what to do about an error of opening it. */
const char *device_hint(int err);

/** device_register() - be the agent, until @fd is closed for good. */
int device_register(int fd, unsigned int timeout_ms);

/** device_next() - read the change of identity that poll() told of. */
int device_next(int fd, struct vmfork_identity *ret);

/** device_net() - what the host says of the network; -ENODATA: nothing. */
int device_net(int fd, struct vmfork_net *ret);

/** device_params() - parameters, malloc()ed, with a NUL behind; -ENODATA: none. */
int device_params(int fd, char **ret_buf, size_t *ret_len);

/**
 * device_report() - identity is complete (@result 0), or is not: then it does not
 * return. -EINVAL: nobody is held.
 */
int device_report(int fd, int result, const char *why);

#endif /* AGENT_DEVICE_H */
