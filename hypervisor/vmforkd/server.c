// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket: connections, lines, requests. */
#include "server.h"

#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "core.h"
#include "describe.h"
#include "events.h"
#include "fdpass.h"
#include "log.h"
#include "ops.h"
#include "options.h"
#include "util.h"

struct client {
	uint64_t serial;	/* 0: free */
	int fd;
	bool watch;
	sd_event_source *source;
	char *in;		/* LINE_BYTES_MAX */
	size_t in_len;
	char *out;
	size_t out_len;
	int pass;		/* goes with the next byte of @out; or -1 */
};

static struct client clients[CLIENTS_MAX];
static uint64_t serials;
static sd_event_source *listener;

static void drop(struct client *c)
{
	c->source = sd_event_source_disable_unref(c->source);
	close(c->fd);
	fds_close(&c->pass, 1);
	free(c->in);
	free(c->out);
	memset(c, 0, sizeof(*c));
}

static struct client *find(uint64_t serial)
{
	for (struct client *c = clients; c < clients + CLIENTS_MAX; c++)
		if (serial && c->serial == serial)
			return c;
	return NULL;
}

/* Some of what waits; a descriptor goes with one byte. */
static ssize_t send_some(struct client *c)
{
	if (c->pass < 0)
		return send(c->fd, c->out, c->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (fd_send(c->fd, c->out, 1, &c->pass, 1) < 0)
		return -1;
	fds_close(&c->pass, 1);
	return 1;
}

static void flush(struct client *c)
{
	ssize_t n;

	while (c->out_len) {
		n = send_some(c);
		if (n < 0)
			break;
		c->out_len -= (size_t)n;
		memmove(c->out, c->out + n, c->out_len);
	}
	sd_event_source_set_io_events(c->source, EPOLLIN | (c->out_len ? EPOLLOUT : 0));
}

/* Takes @o. */
static void send_json(struct client *c, json_t *o)
{
	_cleanup_free_ char *s = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(7));
	size_t n = s ? strlen(s) : 0;
	char *out;

	json_decref(o);
	if (!s)
		return;
	out = c->out_len + n < OUTPUT_MAX ? realloc(c->out, c->out_len + n + 1) : NULL;
	if (!out) {
		log_warn("a client of the control socket does not read: dropped");
		shutdown(c->fd, SHUT_RDWR);
		return;
	}
	c->out = out;
	memcpy(out + c->out_len, s, n);
	out[c->out_len + n] = '\n';
	c->out_len += n + 1;
	flush(c);
}

static void answer(struct request *q, json_t *o)
{
	struct client *c = find(q->client);

	if (c)
		send_json(c, o);
	else
		json_decref(o);
	json_decref(q->json);
	free(q);
}

void request_ok(struct request *q, json_t *result)
{
	answer(q, json_pack("{s:I, s:b, s:o}", "id", q->id, "ok", 1, "result", result));
}

void request_ok_fd(struct request *q, int fd)
{
	struct client *c = find(q->client);

	if (c && c->pass >= 0) {
		close(fd);
		request_fail(q, EBUSY, "the descriptor before this one was not taken yet", "");
		return;
	}
	if (c)
		c->pass = fd;
	else
		close(fd);
	request_ok(q, json_object());
}

void request_fail(struct request *q, int err, const char *message, const char *hint)
{
	const char *name = strerrorname_np(err);

	answer(q, json_pack("{s:I, s:b, s:{s:s, s:s, s:s}}", "id", q->id, "ok", 0, "error",
			    "errno", name ? name : "EIO", "message", message, "hint", hint));
}

void request_failf(struct request *q, int err, const char *hint, const char *fmt, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	request_fail(q, err, message, hint);
}

bool request_gone(const struct request *q)
{
	const struct client *c = find(q->client);
	char byte;

	return !c || recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void request_watch(struct request *q)
{
	struct client *c = find(q->client);

	if (c)
		c->watch = true;
}

int request_parse(const char *line, size_t len, struct request *ret, char *why, size_t why_len)
{
	json_error_t e;
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, &e), *id;

	ret->id = 0;
	if (!o) {
		snprintf(why, why_len, "not JSON: %s", e.text);
		return -EINVAL;
	}
	id = json_object_get(o, "id");
	if (json_is_integer(id))
		ret->id = json_integer_value(id);
	if (!json_is_object(o) || !json_is_integer(id) ||
	    !json_is_string(json_object_get(o, "op"))) {
		snprintf(why, why_len, "a request is an object with an integer 'id' and a string 'op'");
		json_decref(o);
		return -EINVAL;
	}
	ret->json = o;
	return 0;
}

static void got_line(struct client *c, const char *line, size_t len)
{
	struct request *q = calloc(1, sizeof(*q));
	char why[256];

	if (!q)
		return;
	q->client = c->serial;
	if (request_parse(line, len, q, why, sizeof(why)) < 0)
		request_fail(q, EINVAL, why, "see Documentation/control-protocol.md");
	else
		ops_run(q);
}

static void got_lines(struct client *c)
{
	uint64_t serial = c->serial;
	char *nl;

	while (c->serial == serial && (nl = memchr(c->in, '\n', c->in_len))) {
		size_t n = (size_t)(nl - c->in);

		got_line(c, c->in, n);
		c->in_len -= n + 1;
		memmove(c->in, nl + 1, c->in_len);
	}
}

static int on_client(sd_event_source *s, int fd, uint32_t events, void *data)
{
	struct client *c = data;
	ssize_t n;

	if (events & EPOLLOUT)
		flush(c);
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return 0;
	n = recv(fd, c->in + c->in_len, LINE_BYTES_MAX - c->in_len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		drop(c);
		return 0;
	}
	c->in_len += (size_t)n;
	got_lines(c);
	if (c->in_len == LINE_BYTES_MAX) {
		log_warn("a client of the control socket sent a line that is too long: dropped");
		drop(c);
	}
	return 0;
}

/* QEMU's user is a member of the socket's group, and QEMU is not to be trusted. */
static bool may_speak(int fd)
{
	struct ucred c;
	socklen_t len = sizeof(c);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) < 0)
		return false;
	return opt.uid == (uid_t)-1 || c.uid != opt.uid;
}

static int on_connect(sd_event_source *s, int fd, uint32_t events, void *data)
{
	_cleanup_close_ int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (conn < 0)
		return 0;
	if (!may_speak(conn)) {
		log_warn("QEMU's user wants to use the control socket: refused");
		return 0;
	}
	for (struct client *c = clients; c < clients + CLIENTS_MAX; c++) {
		if (c->serial)
			continue;
		c->in = malloc(LINE_BYTES_MAX);
		if (!c->in || sd_event_add_io(core.loop, &c->source, conn, EPOLLIN, on_client,
					      c) < 0) {
			free(c->in);
			c->in = NULL;
			return 0;
		}
		c->fd = steal_fd(&conn);
		c->pass = -1;
		c->serial = ++serials;
		return 0;
	}
	log_warn("too many clients of the control socket (%d)", CLIENTS_MAX);
	return 0;
}

static void set_access(const char *path)
{
	struct group *gr = getgrnam("vmfork");

	if (gr && geteuid() == 0 && chown(path, (uid_t)-1, gr->gr_gid) < 0)
		log_warn("%s: chown: %m", path);
	if (chmod(path, 0660) < 0)
		log_warn("%s: chmod: %m", path);
}

int server_open(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	mode_t mask;
	int r;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(mask);
	if (r < 0)
		return r;
	set_access(path);
	if (listen(fd, 16) < 0)
		return -errno;
	r = sd_event_add_io(core.loop, &listener, fd, EPOLLIN, on_connect, NULL);
	if (r < 0)
		return r;
	sd_event_source_set_io_fd_own(listener, true);
	steal_fd(&fd);
	return 0;
}

void server_flush(void)
{
	for (struct client *c = clients; c < clients + CLIENTS_MAX; c++)
		if (c->serial)
			flush(c);
}

void server_close(const char *path)
{
	listener = sd_event_source_disable_unref(listener);
	for (struct client *c = clients; c < clients + CLIENTS_MAX; c++)
		if (c->serial)
			drop(c);
	unlink(path);
}

bool server_watched(void)
{
	for (struct client *c = clients; c < clients + CLIENTS_MAX; c++)
		if (c->serial && c->watch)
			return true;
	return false;
}

void server_event(json_t *o)
{
	for (struct client *c = clients; c < clients + CLIENTS_MAX; c++)
		if (c->serial && c->watch)
			send_json(c, json_incref(o));
	json_decref(o);
}
