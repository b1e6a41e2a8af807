/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client of QEMU's machine protocol, asynchronous on the event loop. */
#ifndef VMFORK_QMP_H
#define VMFORK_QMP_H

#include <jansson.h>

struct qmp;
struct sd_event;

/**
 * DOC: The monitor client
 *
 * Commands are answered in the order in which they were sent, so they carry no
 * "id": QEMU 7.2 reads its monitor one byte at a time, and every byte that is not
 * sent is 2 us less of a VM's pause. Commands are written at once, many before the
 * first answer; but at most one that carries a descriptor is on its way, because
 * QEMU forgets the descriptor of one when that of the next arrives.
 *
 * A callback may send further commands; it must not free the client. When the
 * connection ends every command under way is answered with -ECONNRESET, then
 * @closed is called, once; nothing comes after it.
 *
 * A clone is told of each layer of each of its disks (load.c), and a merge takes out as
 * many with two commands each (merge.c): up to 8 disks of 256 layers, and some more.
 */
#define QMP_QUEUE_MAX	8192

/**
 * qmp_reply_fn - a command was answered.
 * @err:	0; -EREMOTEIO QEMU refused it; -ECONNRESET QEMU or the connection ended
 * @ret:	its return value, or NULL
 * @text:	QEMU's words, if it refused
 */
typedef void (*qmp_reply_fn)(void *data, int err, json_t *ret, const char *text);

struct qmp_handler {
	void (*event)(void *data, const char *name, json_t *body);
	void (*closed)(void *data);
};

/** qmp_connect() - a client of the monitor socket @name in @dir. Commands may be sent
 * at once. @handler must live as long as the client. */
int qmp_connect(struct sd_event *loop, const char *dir, const char *name,
		const struct qmp_handler *handler, void *data, struct qmp **ret_qmp);
/** qmp_free() - no callback is called any more. NULL is fine. */
void qmp_free(struct qmp *q);

/** qmp_send() - send @line, a JSON object without newline; @fd (or -1) goes with it
 * and stays the caller's. @fn may be NULL. Return: 0, or -errno: -ENOBUFS with
 * QMP_QUEUE_MAX commands that are not answered. */
int qmp_send(struct qmp *q, const char *line, int fd, qmp_reply_fn fn, void *data);
/** qmp_execute() - the same from the command's name and arguments (taken; or NULL). */
int qmp_execute(struct qmp *q, const char *command, json_t *arguments, int fd,
		qmp_reply_fn fn, void *data);

#endif /* VMFORK_QMP_H */
