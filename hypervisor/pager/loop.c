// SPDX-License-Identifier: GPL-2.0-or-later
/* The event loop of the pager. */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "log.h"
#include "pager.h"
#include "peer.h"

/**
 * DOC: The loop
 *
 * One thread, one epoll set. It sleeps between faults: looking for the next one without
 * sleeping was measured and does not pay, because the waiter is then woken on another,
 * idle CPU, and doubles the latency where CPUs are scarce.
 */
#define EVENTS_MAX	32

struct loop {
	struct pager pager;
	struct peers peers;
	int signals;
};

static struct loop loop;

static int watch_signals(struct loop *l)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->signals < 0)
		return -errno;
	return watch_add(l->pager.epoll, l->signals, WATCH_SIGNAL, 0);
}

static void say_full(struct loop *l, struct image *img)
{
	if (!img->full || img->full_said)
		return;
	img->full_said = true;
	log_warn("image %llu: no space", (unsigned long long)img->handle);
	peers_event(&l->peers, PAGER_EV_NOSPACE, img->handle);
}

static void serve_clone(struct loop *l, uint32_t i)
{
	struct clone *c = &l->pager.clones[i];
	int err;

	if (!c->handle || c->lost)
		return;
	err = clone_serve(c);
	say_full(l, c->image);
	if (!err)
		return;
	pager_stop_serving(&l->pager, c);
	peers_event(&l->peers, PAGER_EV_CLONE_LOST, c->handle);
}

/* Return: 0, or -EINTR: end */
static int handle(struct loop *l, const struct epoll_event *ev)
{
	uint32_t i = (uint32_t)ev->data.u64;

	switch ((enum watch)(ev->data.u64 >> 32)) {
	case WATCH_SIGNAL:
		return -EINTR;
	case WATCH_LISTENER:
		peers_accept(&l->peers, &l->pager);
		return 0;
	case WATCH_PEER:
		peers_serve(&l->peers, &l->pager, i);
		return 0;
	case WATCH_CLONE:
		serve_clone(l, i);
		return 0;
	}
	return 0;
}

static int run(struct loop *l)
{
	struct epoll_event evs[EVENTS_MAX];

	for (;;) {
		int n = epoll_wait(l->pager.epoll, evs, EVENTS_MAX, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++) {
			if (handle(l, &evs[i]) == -EINTR)
				return 0;
		}
	}
}

int loop_run(int fd)
{
	struct loop *l = &loop;
	int err;

	l->pager.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->pager.epoll < 0)
		return -errno;
	err = watch_signals(l);
	if (!err)
		err = peers_init(&l->peers, &l->pager, fd);
	if (!err)
		err = run(l);
	close(l->pager.epoll);
	return err;
}
