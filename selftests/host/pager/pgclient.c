// SPDX-License-Identifier: GPL-2.0-or-later
/* A vmfork-pager as a child, and a plain synchronous client of its protocol. */
#include "pgclient.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "fdpass.h"
#include "util.h"

#define WAIT_MS 60000

bool recv_wait(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, WAIT_MS) == 1;
}

static void __attribute__((noreturn)) run_pager(int sock)
{
	const char *path = getenv("VMFORK_PAGER");
	char fd[16];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sock = dup(sock);	/* without close-on-exec */
	snprintf(fd, sizeof(fd), "%d", sock);
	path = path ? path : "build/bin/vmfork-pager";
	execl(path, path, "--fd", fd, (char *)NULL);
	perror(path);
	_exit(127);
}

int pg_start_on(struct pgproc *pg, int theirs)
{
	*pg = (struct pgproc){ .sock = -1 };
	pg->pid = fork();
	if (pg->pid == 0)
		run_pager(theirs);
	return pg->pid < 0 ? -errno : 0;
}

int pg_start(struct pgproc *pg)
{
	int s[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) < 0)
		return -errno;
	err = pg_start_on(pg, s[1]);
	close(s[1]);
	pg->sock = s[0];
	return err;
}

static int end(struct pgproc *pg, int sig)
{
	int status;

	kill(pg->pid, sig);
	waitpid(pg->pid, &status, 0);
	if (pg->sock >= 0)
		close(pg->sock);
	pg->pid = -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void pg_kill(struct pgproc *pg)
{
	end(pg, SIGKILL);
}

int pg_stop(struct pgproc *pg)
{
	return end(pg, SIGTERM);
}

static int receive(struct pgproc *pg, struct pager_rep *rep)
{
	int fds[FDPASS_MAX];
	unsigned int nfds;
	ssize_t n;

	if (!recv_wait(pg->sock))
		return -ETIMEDOUT;
	n = fd_recv(pg->sock, rep, sizeof(*rep), fds, &nfds);
	if (n < 0)
		return (int)n;
	return n == sizeof(*rep) ? 0 : -EPIPE;
}

static void keep_event(struct pgproc *pg, const struct pager_rep *rep)
{
	if (pg->nevents < ARRAY_SIZE(pg->events))
		pg->events[pg->nevents++] = *rep;
}

int pg_call(struct pgproc *pg, struct pager_req *req, const int *fds, unsigned int nfds,
	    struct pager_rep *ret_rep)
{
	struct pager_rep rep;
	int err;

	req->seq = ++pg->seq;
	err = fd_send(pg->sock, req, sizeof(*req), fds, nfds);
	while (!err) {
		err = receive(pg, &rep);
		if (err || rep.seq == req->seq)
			break;
		keep_event(pg, &rep);
	}
	if (err)
		return err;
	if (ret_rep)
		*ret_rep = rep;
	return rep.result;
}

static bool is_event(const struct pager_rep *rep, enum pager_event ev, uint64_t handle)
{
	return !rep->seq && rep->event == ev && rep->handle == handle;
}

bool pg_event(struct pgproc *pg, enum pager_event ev, uint64_t handle)
{
	struct pager_rep rep;

	for (unsigned int i = 0; i < pg->nevents; i++) {
		if (is_event(&pg->events[i], ev, handle))
			return true;
	}
	while (receive(pg, &rep) == 0) {
		keep_event(pg, &rep);
		if (is_event(&rep, ev, handle))
			return true;
	}
	return false;
}

static struct pager_rep about(struct pgproc *pg, enum pager_op op, uint64_t handle)
{
	struct pager_req req = { .op = op, .handle = handle };
	struct pager_rep rep = { 0 };
	int err = pg_call(pg, &req, NULL, 0, &rep);

	rep.result = err;
	return rep;
}

int pg_image_del(struct pgproc *pg, uint64_t handle)
{
	return about(pg, PAGER_IMAGE_DEL, handle).result;
}

int pg_clone_del(struct pgproc *pg, uint64_t handle)
{
	return about(pg, PAGER_CLONE_DEL, handle).result;
}

struct pager_clone_stats pg_clone_stats(struct pgproc *pg, uint64_t handle)
{
	return about(pg, PAGER_CLONE_STATS, handle).clone;
}

struct pager_image_stats pg_image_stats(struct pgproc *pg, uint64_t handle)
{
	return about(pg, PAGER_IMAGE_STATS, handle).image;
}
