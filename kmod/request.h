/* SPDX-License-Identifier: GPL-2.0 */
/* Requests to the host that it answers with a REPLY. */
#ifndef VMFORK_REQUEST_H
#define VMFORK_REQUEST_H

#include "channel.h"

/** struct vmfork_reply - what the host answered. */
struct vmfork_reply {
	u32 granted;
	u64 handle;
};

extern const struct vmfork_patience vmfork_patience_request;	/* interruptible, 30 s */
extern const struct vmfork_patience vmfork_patience_clones;	/* killable, 180 s */

/**
 * vmfork_request() - send a request and wait for the answer.
 * If the caller gives up, a handle that the answer still brings is closed.
 * @ret:	set on success only
 * Return: 0, the host's errno, -ESTALE, -ERESTARTSYS, -ETIMEDOUT, -ENODEV, -EIO,
 * -ENOMEM.
 */
int vmfork_request(u64 epoch, u32 type, const void *payload, u32 len,
		   const struct vmfork_patience *p, struct vmfork_reply *ret);

/** vmfork_request_reply() - a REPLY came. */
void vmfork_request_reply(u64 epoch, u64 cookie, const struct vmfork_msg_reply *reply);

/** vmfork_request_purge() - forget abandoned requests of passed epochs. */
void vmfork_request_purge(void);

#endif /* VMFORK_REQUEST_H */
