// SPDX-License-Identifier: GPL-2.0-or-later
/* The RAM library's control thread. */
#include "ramctl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fdpass.h"
#include "ramlib_proto.h"
#include "snapshot.h"
#include "util.h"

/**
 * DOC: The control thread
 *
 * It waits for requests and for snapshot processes that have ended. All its signals
 * are blocked: QEMU's go to QEMU's threads. It allocates nothing. When the backend is
 * gone it goes on reaping; QEMU does not notice.
 */
static struct {
	int sock;
	int dev;
	struct ram *ram;
	/* [0] is the socket, then the snapshots */
	struct pollfd poll[1 + SNAPSHOTS_MAX];
	struct snapshots snapshots;
} ctl = { .sock = -1, .dev = -1 };

static int open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* @fds: in: the lifeline; out: mem and pagemap, both or none */
static void snapshot(struct ramlib_rep *rep, int *fds, unsigned int *nfds)
{
	pid_t pid;

	rep->result = *nfds == 1 ? snapshots_room(&ctl.snapshots) : -EINVAL;
	if (rep->result)
		return;
	pid = ram_snapshot(ctl.ram, fds[0]);
	if (pid < 0) {
		rep->result = pid;
		return;
	}
	snapshots_add(&ctl.snapshots, pid);
	rep->pid = pid;
	fds_close(fds, *nfds);
	fds[0] = open_proc(pid, "mem");
	fds[1] = open_proc(pid, "pagemap");
	*nfds = 2;
	if (fds[0] < 0 || fds[1] < 0) {
		fds_close(fds, 2);
		*nfds = 0;
	}
}

/* @fds: in: the image; out: the userfaultfd */
static void map_image(struct ramlib_rep *rep, int *fds, unsigned int *nfds)
{
	int uffd = *nfds == 1 ? ram_map_image(ctl.ram, fds[0], ctl.dev) : -EINVAL;

	fds_close(fds, *nfds);
	*nfds = 0;
	if (uffd >= 0)
		fds[0] = fcntl(uffd, F_DUPFD_CLOEXEC, 0);
	rep->result = uffd < 0 ? uffd : fds[0] < 0 ? -errno : 0;
	*nfds = rep->result ? 0 : 1;
}

static void serve(const struct ramlib_req *req, int *fds, unsigned int nfds)
{
	uint64_t start = now_ns();
	struct ramlib_rep rep = {
		.op = req->op,
		.base = (uint64_t)(uintptr_t)ctl.ram->base,
		.len = ctl.ram->len,
	};

	if (req->flags)
		rep.result = -EINVAL;
	else if (req->op == RAMLIB_SNAPSHOT)
		snapshot(&rep, fds, &nfds);
	else if (req->op == RAMLIB_MAP)
		map_image(&rep, fds, &nfds);
	else
		rep.result = -EOPNOTSUPP;
	rep.ns = now_ns() - start;
	fd_send(ctl.sock, &rep, sizeof(rep), fds, rep.result ? 0 : nfds);
	fds_close(fds, nfds);
}

static void close_sock(void)
{
	close(ctl.sock);
	ctl.sock = -1;
}

static void take_request(void)
{
	struct ramlib_req req;
	int fds[FDPASS_MAX];
	unsigned int nfds;
	ssize_t n;

	n = fd_recv(ctl.sock, &req, sizeof(req), fds, &nfds);
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		close_sock();
		return;
	}
	if (n == sizeof(req)) {
		serve(&req, fds, nfds);
		return;
	}
	fds_close(fds, nfds);
	close_sock();
}

/* A negative descriptor is skipped by poll(2): nothing left of the backend. */
static void *control(void *arg)
{
	for (;;) {
		unsigned int n = ctl.snapshots.n;

		ctl.poll[0] = (struct pollfd){ .fd = ctl.sock, .events = POLLIN };
		memcpy(&ctl.poll[1], ctl.snapshots.pidfd, n * sizeof(ctl.poll[0]));
		if (poll(ctl.poll, 1 + n, -1) < 0)
			continue;
		snapshots_reap(&ctl.snapshots);
		if (ctl.poll[0].revents)
			take_request();
	}
	return NULL;
}

void ramctl_init(int sock, int dev)
{
	ctl.sock = sock;
	ctl.dev = dev;
}

static int say_hello(void)
{
	struct ramlib_rep rep = {
		.op = RAMLIB_HELLO,
		.base = (uint64_t)(uintptr_t)ctl.ram->base,
		.len = ctl.ram->len,
		.pid = getpid(),
	};

	return fd_send(ctl.sock, &rep, sizeof(rep), NULL, 0);
}

int ramctl_start(struct ram *r)
{
	sigset_t all, old;
	pthread_t t;
	int err;

	ctl.ram = r;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(&t, NULL, control, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return err;
	pthread_detach(t);
	return say_hello();
}
