// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections of vmforkd: requests in, answers and events out. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fdpass.h"
#include "log.h"
#include "request.h"
#include "util.h"

/**
 * DOC: Peers
 *
 * Normally there is one; for a moment there may be two, when vmforkd was started
 * again. The pager waits for none of them: sockets do not block, and a peer that does
 * not read its answers is dropped. It may connect again and is then told which
 * clones are lost and which images full, as if it had just happened.
 */
#define SEND_BUFFER (1 << 20)

static void drop(struct peers *ps, unsigned int i, const char *why)
{
	log_debug("peer %u dropped: %s", i, why);
	close(ps->fd[i]);
	ps->fd[i] = -1;
}

static void send_rep(struct peers *ps, unsigned int i, const struct pager_rep *rep)
{
	if (fd_send(ps->fd[i], rep, sizeof(*rep), NULL, 0) < 0)
		drop(ps, i, "it cannot be written to");
}

static int set_nonblocking(int fd)
{
	int fl = fcntl(fd, F_GETFL);

	return fl < 0 || fcntl(fd, F_SETFL, fl | O_NONBLOCK) < 0 ? -errno : 0;
}

static int add_peer(struct peers *ps, struct pager *p, int fd)
{
	int size = SEND_BUFFER, err;

	for (unsigned int i = 0; i < PEERS_MAX; i++) {
		if (ps->fd[i] >= 0)
			continue;
		err = set_nonblocking(fd);
		if (!err)
			err = watch_add(p->epoll, fd, WATCH_PEER, i);
		if (err)
			break;
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		ps->fd[i] = fd;
		return (int)i;
	}
	close(fd);
	return -EMFILE;
}

int peers_init(struct peers *ps, struct pager *p, int fd, uid_t owner)
{
	int listening = 0, err;
	socklen_t len = sizeof(listening);

	for (unsigned int i = 0; i < PEERS_MAX; i++)
		ps->fd[i] = -1;
	ps->listener = -1;
	ps->owner = owner;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
		return -errno;
	if (!listening) {
		err = add_peer(ps, p, fd);
		return err < 0 ? err : 0;
	}
	ps->listener = fd;
	err = set_nonblocking(fd);
	return err ? err : watch_add(p->epoll, fd, WATCH_LISTENER, 0);
}

static void say_what_holds(struct peers *ps, struct pager *p, unsigned int i)
{
	for (size_t k = 0; k < PAGER_CLONES_MAX && ps->fd[i] >= 0; k++) {
		struct pager_rep rep = {
			.event = PAGER_EV_CLONE_LOST, .handle = p->clones[k].handle,
			.result = p->clones[k].lost,
		};

		if (rep.handle && p->clones[k].lost)
			send_rep(ps, i, &rep);
	}
	for (size_t k = 0; k < PAGER_IMAGES_MAX && ps->fd[i] >= 0; k++) {
		struct pager_rep rep = {
			.event = PAGER_EV_NOSPACE, .handle = p->images[k].handle,
		};

		if (rep.handle && p->images[k].full)
			send_rep(ps, i, &rep);
	}
}

static bool may_speak(const struct peers *ps, int fd)
{
	struct ucred c;
	socklen_t len = sizeof(c);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) < 0)
		return false;
	return c.uid == 0 || c.uid == ps->owner;
}

void peers_accept(struct peers *ps, struct pager *p)
{
	int fd = accept4(ps->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int i;

	if (fd < 0)
		return;
	if (!may_speak(ps, fd)) {
		log_warn("a connection of another user was refused");
		close(fd);
		return;
	}
	i = add_peer(ps, p, fd);
	if (i < 0)
		log_warn("too many connections");
	else
		say_what_holds(ps, p, (unsigned int)i);
}

void peers_serve(struct peers *ps, struct pager *p, unsigned int i)
{
	struct pager_rep rep = { .seq = 0 };
	struct pager_req req;
	char buf[sizeof(req) + 1];
	int fds[FDPASS_MAX];
	unsigned int nfds;
	ssize_t n;
	int err;

	if (ps->fd[i] < 0)
		return;
	n = fd_recv(ps->fd[i], buf, sizeof(buf), fds, &nfds);
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		drop(ps, i, n ? "broken message" : "closed");
		return;
	}
	rep.seq = request_seq(buf, (size_t)n);
	err = request_parse(buf, (size_t)n, nfds, &req);
	if (!err)
		pager_request(p, &req, fds, &rep);
	rep.result = err ? err : rep.result;
	fds_close(fds, nfds);
	if (rep.seq)
		send_rep(ps, i, &rep);
	else
		drop(ps, i, "not a request");
}

void peers_event(struct peers *ps, enum pager_event ev, uint64_t handle, int result)
{
	struct pager_rep rep = { .event = ev, .handle = handle, .result = result };

	for (unsigned int i = 0; i < PEERS_MAX; i++) {
		if (ps->fd[i] >= 0)
			send_rep(ps, i, &rep);
	}
}
