/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The backend's end of the RAM library's control socket. */
#ifndef VMFORK_RAMLIB_CLIENT_H
#define VMFORK_RAMLIB_CLIENT_H

#include "ramlib_proto.h"

struct ramlib;
struct sd_event;

/**
 * ramlib_reply_fn - a request was answered, or RAMLIB_HELLO came.
 * @err:	0, the library's errno, or -ECONNRESET
 * @fds:	received; those that are kept are set to -1 by the callee
 */
typedef void (*ramlib_reply_fn)(void *data, int err, const struct ramlib_rep *rep, int *fds,
				unsigned int nfds);

/** ramlib_open() - serve @sock (taken). @hello is called once, for RAMLIB_HELLO, or
 * never; it may be NULL. */
int ramlib_open(struct sd_event *loop, int sock, ramlib_reply_fn hello, void *data,
		struct ramlib **ret_lib);
/** ramlib_free() - no callback is called any more. NULL is fine. */
void ramlib_free(struct ramlib *lib);
/** ramlib_request() - one at a time (-EBUSY); @fd goes with it and stays the caller's. */
int ramlib_request(struct ramlib *lib, enum ramlib_op op, int fd, ramlib_reply_fn fn, void *data);

#endif /* VMFORK_RAMLIB_CLIENT_H */
