/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket: connections, lines, requests. */
#ifndef VMFORKD_SERVER_H
#define VMFORKD_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define CLIENTS_MAX	64
#define LINE_BYTES_MAX	65536
#define OUTPUT_MAX	(16U << 20)	/* a client that reads less is dropped */

/** struct request - one request until it is answered: by exactly one of
 * request_ok() and request_fail(), which free it. */
struct request {
	uint64_t client;	/* it may have gone */
	json_int_t id;
	json_t *json;
};

/** request_parse() - pure: one line -> request (op checked to be a string). */
int request_parse(const char *line, size_t len, struct request *ret, char *why, size_t why_len);

/** request_ok() - takes @result. */
void request_ok(struct request *q, json_t *result);
/** request_ok_fd() - {} and a descriptor, which is taken. */
void request_ok_fd(struct request *q, int fd);
/** request_fail() - @err: an errno, positive; @hint may be "". */
void request_fail(struct request *q, int err, const char *message, const char *hint);
void request_failf(struct request *q, int err, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/** request_gone() - its client has gone and cannot be told: what only it would know must not stay. */
bool request_gone(const struct request *q);
/** request_watch() - its client gets events from now on. */
void request_watch(struct request *q);

int server_open(const char *path);
void server_close(const char *path);
/** server_flush() - before the end: write what clients are still to get. */
void server_flush(void);
/** server_event() - takes @o; to all that watch. */
void server_event(json_t *o);
bool server_watched(void);

#endif /* VMFORKD_SERVER_H */
