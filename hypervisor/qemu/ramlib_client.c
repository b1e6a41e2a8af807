// SPDX-License-Identifier: GPL-2.0-or-later
/* The backend's end of the RAM library's control socket. */
#include "ramlib_client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "fdpass.h"

/* @op: of the request under way, or 0. What comes unasked or late is thrown away: after
 * a restart that may be the answer to a request of the vmforkd before this one. */
struct ramlib {
	int sock;
	sd_event_source *io;
	ramlib_reply_fn hello;
	void *hello_data;
	uint32_t op;
	ramlib_reply_fn fn;
	void *data;
};

static void answer(struct ramlib *lib, int err, const struct ramlib_rep *rep, int *fds,
		   unsigned int nfds)
{
	ramlib_reply_fn fn = lib->fn;

	lib->op = 0;
	lib->fn = NULL;
	if (fn)
		fn(lib->data, err, rep, fds, nfds);
}

static void lost(struct ramlib *lib, int err)
{
	static const struct ramlib_rep none;

	lib->io = sd_event_source_disable_unref(lib->io);
	close(lib->sock);
	lib->sock = -1;
	answer(lib, err, &none, NULL, 0);
}

static void take(struct ramlib *lib, const struct ramlib_rep *rep, int *fds, unsigned int nfds)
{
	if (rep->op == RAMLIB_HELLO && lib->hello) {
		ramlib_reply_fn hello = lib->hello;

		lib->hello = NULL;
		hello(lib->hello_data, 0, rep, fds, nfds);
	} else if (lib->op && rep->op == lib->op) {
		answer(lib, rep->result, rep, fds, nfds);
	}
}

static int on_io(sd_event_source *s, int fd, uint32_t events, void *data)
{
	struct ramlib *lib = data;
	struct ramlib_rep rep;
	int fds[FDPASS_MAX];
	unsigned int nfds;
	ssize_t n = fd_recv(lib->sock, &rep, sizeof(rep), fds, &nfds);

	if (n == -EAGAIN)
		return 0;
	if (n <= 0) {
		lost(lib, -ECONNRESET);
		return 0;
	}
	if (n == sizeof(rep) && rep.result <= 0)
		take(lib, &rep, fds, nfds);
	fds_close(fds, nfds);
	return 0;
}

int ramlib_open(struct sd_event *loop, int sock, ramlib_reply_fn hello, void *data,
		struct ramlib **ret_lib)
{
	struct ramlib *lib = calloc(1, sizeof(*lib));
	int r = -ENOMEM;

	if (lib) {
		lib->sock = sock;
		lib->hello = hello;
		lib->hello_data = data;
		r = sd_event_add_io(loop, &lib->io, sock, EPOLLIN, on_io, lib);
	}
	if (r < 0) {
		close(sock);
		free(lib);
		return r;
	}
	*ret_lib = lib;
	return 0;
}

void ramlib_free(struct ramlib *lib)
{
	if (!lib)
		return;
	sd_event_source_disable_unref(lib->io);
	if (lib->sock >= 0)
		close(lib->sock);
	free(lib);
}

int ramlib_request(struct ramlib *lib, enum ramlib_op op, int fd, ramlib_reply_fn fn, void *data)
{
	struct ramlib_req req = { .op = op };
	int r;

	if (lib->sock < 0)
		return -ECONNRESET;
	if (lib->op)
		return -EBUSY;
	r = fd_send(lib->sock, &req, sizeof(req), &fd, 1);
	if (r < 0)
		return r;
	lib->op = op;
	lib->fn = fn;
	lib->data = data;
	return 0;
}
