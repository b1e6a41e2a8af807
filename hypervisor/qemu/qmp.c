// SPDX-License-Identifier: GPL-2.0-or-later
/* A client of QEMU's machine protocol, asynchronous on the event loop. */
#include "qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "fdpass.h"
#include "log.h"
#include "qmp_parse.h"
#include "sockets.h"
#include "util.h"

#define QUEUE_FIRST	32

struct command {
	char *line;	/* with its newline; NULL once sent */
	int fd;		/* own copy, or -1 */
	bool carries;	/* had a descriptor */
	qmp_reply_fn fn;
	void *data;
};

/**
 * struct qmp - a connection.
 * @queue:	ring of @room: [first, first + n); the first @sent of them are on their way
 * @offset:	bytes of queue[first + sent] that are written already
 * @carrying:	one of those on their way carries a descriptor
 */
struct qmp {
	int sock;
	sd_event_source *io;
	sd_event_source *close_soon;
	const struct qmp_handler *handler;
	void *data;
	struct command *queue;
	unsigned int room;
	unsigned int first;
	unsigned int n;
	unsigned int sent;
	size_t offset;
	bool carrying;
	struct qmp_lines lines;
};

static struct command *nth(struct qmp *q, unsigned int i)
{
	return &q->queue[(q->first + i) % q->room];
}

/* Room for one more command. */
static int grow(struct qmp *q)
{
	unsigned int room = q->room ? 2 * q->room : QUEUE_FIRST;
	struct command *wider;

	if (q->n < q->room)
		return 0;
	if (q->n >= QMP_QUEUE_MAX)
		return -ENOBUFS;
	wider = calloc(room, sizeof(*wider));
	if (!wider)
		return -ENOMEM;
	for (unsigned int i = 0; i < q->n; i++)
		wider[i] = *nth(q, i);
	free(q->queue);
	q->queue = wider;
	q->room = room;
	q->first = 0;
	return 0;
}

static void release(struct command *c)
{
	free(c->line);
	if (c->fd >= 0)
		close(c->fd);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

/* The first command was answered. */
static void answered(struct qmp *q, int err, json_t *ret, const char *text)
{
	struct command c = *nth(q, 0);

	if (q->sent) {
		q->sent--;
		if (c.carries)
			q->carrying = false;
	}
	q->first = (q->first + 1) % q->room;
	q->n--;
	if (err == -EREMOTEIO)
		log_debug("qmp: %s", text);
	if (c.fn)
		c.fn(c.data, err, ret, text);
	release(&c);
}

static int on_close_soon(sd_event_source *s, void *data)
{
	struct qmp *q = data;

	q->io = sd_event_source_disable_unref(q->io);
	q->close_soon = sd_event_source_disable_unref(q->close_soon);
	if (q->sock >= 0)
		close(q->sock);
	q->sock = -1;
	while (q->n)
		answered(q, -ECONNRESET, NULL, NULL);
	q->handler->closed(q->data);
	return 0;
}

/* Never from inside a caller's qmp_send(): from the loop. */
static void close_soon(struct qmp *q)
{
	if (q->io)
		sd_event_source_set_enabled(q->io, SD_EVENT_OFF);
	if (q->close_soon || q->sock < 0)
		return;
	sd_event_add_defer(sd_event_source_get_event(q->io), &q->close_soon, on_close_soon, q);
}

static void want_output(struct qmp *q, bool yes)
{
	sd_event_source_set_io_events(q->io, EPOLLIN | (yes ? (uint32_t)EPOLLOUT : 0));
}

/* Return: true when it is written whole. */
static bool write_command(struct qmp *q, struct command *c)
{
	size_t left = strlen(c->line + q->offset);
	int r = 0;

	if (c->fd >= 0) {
		/* the descriptor travels with the first byte: the rest follows */
		r = fd_send(q->sock, c->line, 1, &c->fd, 1);
		if (r == 0) {
			close(c->fd);
			c->fd = -1;
			q->offset = 1;
			left--;
		}
	}
	while (r == 0 && left) {
		ssize_t n = send(q->sock, c->line + q->offset, left, MSG_NOSIGNAL);

		if (n < 0)
			r = -errno;
		else {
			q->offset += (size_t)n;
			left -= (size_t)n;
		}
	}
	if (r == -EAGAIN)
		want_output(q, true);
	else if (r < 0)
		close_soon(q);
	return r == 0;
}

static void flush(struct qmp *q)
{
	while (q->sock >= 0 && q->sent < q->n) {
		struct command *c = nth(q, q->sent);

		if (c->carries && q->carrying && q->offset == 0)
			return;
		q->carrying |= c->carries;
		if (!write_command(q, c))
			return;
		free(c->line);
		c->line = NULL;
		q->offset = 0;
		q->sent++;
	}
}

static int take_line(struct qmp *q, const char *line, size_t len)
{
	struct qmp_message m;
	int r;

	if (!len)
		return 0;
	r = qmp_parse(line, len, &m);
	if (r < 0)
		return r;
	if (m.kind == QMP_EVENT)
		q->handler->event(q->data, m.text, m.body);
	else if (m.kind != QMP_GREETING && !q->sent)
		r = -EBADMSG;
	else if (m.kind == QMP_RETURN)
		answered(q, 0, m.body, NULL);
	else if (m.kind == QMP_ERROR)
		answered(q, -EREMOTEIO, NULL, m.text);
	qmp_message_clear(&m);
	return r;
}

static int take_input(struct qmp *q)
{
	const char *line;
	size_t len, room;
	char *at;
	ssize_t n;

	room = qmp_lines_room(&q->lines, &at);
	if (!room)
		return -EMSGSIZE;
	n = recv(q->sock, at, room, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	qmp_lines_added(&q->lines, (size_t)n);
	while ((line = qmp_lines_next(&q->lines, &len))) {
		int r = take_line(q, line, len);

		if (r < 0)
			return r;
	}
	return 0;
}

static int on_io(sd_event_source *s, int fd, uint32_t events, void *data)
{
	struct qmp *q = data;
	int r = 0;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		r = take_input(q);
	if (r < 0) {
		if (r != -ECONNRESET)
			log_warn("qmp: %s: connection given up", strerror(-r));
		close_soon(q);
		return 0;
	}
	want_output(q, false);
	flush(q);
	return 0;
}

int qmp_connect(struct sd_event *loop, const char *dir, const char *name,
		const struct qmp_handler *handler, void *data, struct qmp **ret_qmp)
{
	struct qmp *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return -ENOMEM;
	q->handler = handler;
	q->data = data;
	q->sock = socket_connect(dir, name);
	r = q->sock < 0 ? q->sock : sd_event_add_io(loop, &q->io, q->sock, EPOLLIN, on_io, q);
	if (r >= 0)
		r = qmp_send(q, "{\"execute\":\"qmp_capabilities\"}", -1, NULL, NULL);
	if (r < 0) {
		qmp_free(q);
		return r;
	}
	*ret_qmp = q;
	return 0;
}

void qmp_free(struct qmp *q)
{
	if (!q)
		return;
	sd_event_source_disable_unref(q->io);
	sd_event_source_disable_unref(q->close_soon);
	if (q->sock >= 0)
		close(q->sock);
	for (unsigned int i = 0; i < q->n; i++)
		release(nth(q, i));
	free(q->queue);
	free(q);
}

int qmp_send(struct qmp *q, const char *line, int fd, qmp_reply_fn fn, void *data)
{
	struct command c = { .fd = -1, .carries = fd >= 0, .fn = fn, .data = data };
	int r;

	if (q->sock < 0)
		return -ECONNRESET;
	r = grow(q);
	if (r < 0)
		return r;
	if (asprintf(&c.line, "%s\n", line) < 0)
		return -ENOMEM;
	if (fd >= 0) {
		c.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (c.fd < 0) {
			free(c.line);
			return -errno;
		}
	}
	*nth(q, q->n) = c;
	q->n++;
	flush(q);
	return 0;
}

int qmp_execute(struct qmp *q, const char *command, json_t *arguments, int fd,
		qmp_reply_fn fn, void *data)
{
	json_t *o = json_pack("{s:s}", "execute", command);
	_cleanup_free_ char *line = NULL;
	int r = -ENOMEM;

	if (o && (!arguments || json_object_set(o, "arguments", arguments) == 0))
		line = json_dumps(o, JSON_COMPACT);
	if (line)
		r = qmp_send(q, line, fd, fn, data);
	json_decref(o);
	json_decref(arguments);
	return r;
}
