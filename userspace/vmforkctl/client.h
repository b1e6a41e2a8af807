/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's end of vmforkd's control socket. */
#ifndef VMFORKCTL_CLIENT_H
#define VMFORKCTL_CLIENT_H

#include <stddef.h>
#include <jansson.h>

#define CLIENT_SOCKET	"/run/vmfork/control.sock"
#define CLIENT_LINE_MAX	(4U << 20)	/* longest answer that is taken */

struct client {
	int fd;
	json_int_t last_id;
	char *buf;		/* bytes received and not used yet */
	size_t len, room;
	int passed;		/* descriptor that came with an answer, or -1 */
};

/**
 * client_open() - connect to vmforkd.
 * @path:	its socket; NULL: $VMFORK_SOCKET, or CLIENT_SOCKET
 * Return: 0 or -errno; says what to do on stderr.
 */
int client_open(struct client *c, const char *path);
void client_close(struct client *c);

/**
 * client_call() - one operation, to its end.
 * @op:		name of the operation
 * @request:	its members, taken over; NULL: none
 * Return: the result, an object, the caller's; or NULL, and the error was said.
 */
json_t *client_call(struct client *c, const char *op, json_t *request);

/** client_take_fd() - the descriptor of the last answer, the caller's; or -1. */
int client_take_fd(struct client *c);

/** client_next() - the next line, an object, the caller's; NULL at the end or on an
 * error, which is said. */
json_t *client_next(struct client *c);

/** struct answer - a checked answer; strings and @result live as long as its JSON. */
struct answer {
	json_t *result;		/* on success: an object, borrowed */
	const char *name;	/* else: errno's name, */
	const char *message;	/* what happened, */
	const char *hint;	/* and what to do; any of them may be "" */
};

/** answer_check() - is @line the answer to request @id? Return: 0, or -EBADMSG. */
int answer_check(const json_t *line, json_int_t id, struct answer *ret);

#endif /* VMFORKCTL_CLIENT_H */
