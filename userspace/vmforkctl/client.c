// SPDX-License-Identifier: GPL-2.0-or-later
/* The client's end of vmforkd's control socket. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"
#include "fdpass.h"
#include "table.h"

static int say(const char *what, const char *why)
{
	fprintf(stderr, "vmforkctl: %s%s%s\n", what, why ? ": " : "", why ? why : "");
	return -1;
}

static int say_unreachable(const char *path, int e)
{
	if (e == ENOENT || e == ECONNREFUSED)
		fprintf(stderr, "vmforkctl: no vmforkd at %s: start it with `systemctl start vmforkd` "
			"(or by hand: `vmforkd`), or say where it is with --socket\n", path);
	else if (e == EACCES)
		fprintf(stderr, "vmforkctl: no permission on %s: be root or a member of group vmfork\n",
			path);
	else
		fprintf(stderr, "vmforkctl: %s: %s\n", path, strerror(e));
	return -e;
}

int client_open(struct client *c, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int e;

	*c = (struct client){ .fd = -1, .passed = -1 };
	if (!path)
		path = getenv("VMFORK_SOCKET");
	if (!path || !*path)
		path = CLIENT_SOCKET;
	if (strlen(path) >= sizeof(addr.sun_path))
		return say_unreachable(path, ENAMETOOLONG);
	strcpy(addr.sun_path, path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 && !connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)))
		return 0;
	e = errno;
	client_close(c);
	return say_unreachable(path, e);
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	fds_close(&c->passed, 1);
	free(c->buf);
	*c = (struct client){ .fd = -1, .passed = -1 };
}

static int send_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int send_request(struct client *c, const char *op, json_t *request)
{
	char *text;
	int r = -ENOMEM;

	if (!request)
		request = json_object();
	json_object_set_new(request, "id", json_integer(++c->last_id));
	json_object_set_new(request, "op", json_string(op));
	text = json_dumps(request, JSON_COMPACT);
	if (text)
		r = send_all(c->fd, text, strlen(text));
	if (!r)
		r = send_all(c->fd, "\n", 1);
	free(text);
	json_decref(request);
	return r;
}

static void keep_last(struct client *c, int *fds, unsigned int n)
{
	if (!n)
		return;
	fds_close(&c->passed, 1);
	c->passed = fds[--n];
	fds_close(fds, n);
}

int client_take_fd(struct client *c)
{
	int fd = c->passed;

	c->passed = -1;
	return fd;
}

/* More bytes of the answer. Return: >0, 0 at the end, or -errno */
static ssize_t receive(struct client *c)
{
	int fds[FDPASS_MAX];
	unsigned int nfds;
	ssize_t n;

	if (c->len == c->room) {
		size_t room = c->room ? c->room * 2 : 16384;
		char *p = room > CLIENT_LINE_MAX ? NULL : realloc(c->buf, room);

		if (!p)
			return -EMSGSIZE;
		c->buf = p;
		c->room = room;
	}
	n = fd_recv(c->fd, c->buf + c->len, c->room - c->len, fds, &nfds);
	if (n < 0)
		return n;
	keep_last(c, fds, nfds);
	c->len += (size_t)n;
	return n;
}

json_t *client_next(struct client *c)
{
	size_t seen = 0, line;
	json_t *json;
	char *nl;

	while (!c->len || !(nl = memchr(c->buf + seen, '\n', c->len - seen))) {
		ssize_t n;

		seen = c->len;
		n = receive(c);
		if (n == 0)
			say("vmforkd closed the connection", "see its log");
		else if (n < 0)
			say("cannot read vmforkd's answer", strerror((int)-n));
		if (n <= 0)
			return NULL;
	}
	line = (size_t)(nl - c->buf) + 1;
	json = json_loadb(c->buf, line, JSON_REJECT_DUPLICATES, NULL);
	c->len -= line;
	memmove(c->buf, nl + 1, c->len);
	if (!json_is_object(json)) {
		json_decref(json);
		json = NULL;
		say("vmforkd's answer is not a JSON object", NULL);
	}
	return json;
}

static void say_refused(const char *op, const struct answer *a)
{
	char message[1024], hint[1024];

	text_clean(message, sizeof(message), a->message);
	text_clean(hint, sizeof(hint), a->hint);
	fprintf(stderr, "vmforkctl: %s: %s%s%s\n", op, message, *hint ? "\nHint: " : "", hint);
}

json_t *client_call(struct client *c, const char *op, json_t *request)
{
	json_t *line, *result = NULL;
	struct answer a;
	int r = send_request(c, op, request);

	if (r) {
		say("cannot send to vmforkd", strerror(-r));
		return NULL;
	}
	line = client_next(c);
	if (!line)
		return NULL;
	if (answer_check(line, c->last_id, &a))
		say("vmforkd's answer is not one", "do its version and this one match?");
	else if (!a.result)
		say_refused(op, &a);
	else
		result = json_incref(a.result);
	json_decref(line);
	return result;
}
