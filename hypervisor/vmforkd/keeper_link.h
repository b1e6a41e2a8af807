/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keeper's line to control: messages each way, descriptors with them. */
#ifndef VMFORKD_KEEPER_LINK_H
#define VMFORKD_KEEPER_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "keeper_proto.h"

struct sd_event;

/** link_handle_fn - a message; who keeps one of @fds sets it to -1. */
typedef void (*link_handle_fn)(const struct keeper_msg *m, char *blob, int *fds,
			       unsigned int nfds);

/** link_open() - @fd, taken, is the line to a new control; the old one is closed. */
void link_open(struct sd_event *loop, int fd, link_handle_fn handle);
bool link_is_open(void);
/** link_tell() - queue a message, never wait; nothing without a line. @fd: duplicated. */
void link_tell(enum keeper_op op, uint32_t seq, pid_t pid, int status, const char *name, int fd);
/** link_drain() - handle all that control has said. */
void link_drain(void);
void link_close(void);

#endif /* VMFORKD_KEEPER_LINK_H */
