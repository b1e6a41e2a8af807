/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A clone's line to the vmfork(1) that made it. */
#ifndef WRAPPER_LINK_H
#define WRAPPER_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "vmfork.h"

/** struct link - @fd; @gone: nobody is at the other end (any more). */
struct link {
	int fd;
	bool gone;
};

/** link_send() - send @len bytes under @tag; to stdout or stderr if nobody listens. */
void link_send(struct link *l, unsigned int tag, const char *buf, size_t len);

/** link_say() - a line for the parent's stderr. */
void link_say(struct link *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * link_recv() - the next message.
 * @buf:	VMFORK_MSG_MAX bytes
 * Return: its length, with *@ret_tag; 0 or -errno: none will come.
 */
ssize_t link_recv(struct link *l, unsigned int *ret_tag, char *buf);

/** link_forward() - one read's worth of @from. Return: false at its end. */
bool link_forward(struct link *l, int from, unsigned int tag);

#endif /* WRAPPER_LINK_H */
