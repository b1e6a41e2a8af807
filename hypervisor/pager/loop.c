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
#include "util.h"

/**
 * DOC: Spinning
 *
 * One thread, one epoll set. A VM that has just got a page often wants the next one at
 * once. If the pager runs on another CPU than the VM, being woken costs more than
 * serving (measured in a VM: 115 us a fault asleep, 33 us spinning; on the same CPU no
 * difference). After a fault the loop therefore asks epoll without waiting, for at most
 * @spin_us, and only while that pays: each fault that came while spinning earns a turn,
 * each spin in vain costs one. With nothing to serve, it sleeps.
 */
#define EVENTS_MAX	32
#define CREDIT_MAX	8
#define CREDIT_START	2

struct loop {
	struct pager pager;
	struct peers peers;
	int signals;
	unsigned int credit;	/* spins in vain that are still allowed */
	uint64_t spin_ns;
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
	peers_event(&l->peers, PAGER_EV_NOSPACE, img->handle, 0);
}

/* Return: faults served */
static int serve_clone(struct loop *l, uint32_t i)
{
	struct clone *c = &l->pager.clones[i];
	int n;

	if (!c->handle || c->lost)
		return 0;
	n = clone_serve(c);
	say_full(l, c->image);
	if (n >= 0)
		return n;
	pager_stop_serving(&l->pager, c);
	peers_event(&l->peers, PAGER_EV_CLONE_LOST, c->handle, n);
	return 0;
}

/* Return: faults served, or -EINTR: end */
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
		return serve_clone(l, i);
	}
	return 0;
}

/* Return: how many events are there; what is not urgent is done if there are none. */
static int work_or_events(struct loop *l, struct epoll_event *evs)
{
	int n = epoll_wait(l->pager.epoll, evs, EVENTS_MAX, 0);

	if (!n)
		pager_idle(&l->pager);
	return n;
}

/* Wait for events, for a while without sleeping if that has paid lately. */
static int wait_events(struct loop *l, struct epoll_event *evs, bool spin)
{
	uint64_t end;
	int n;

	if (l->pager.idle_work)
		return work_or_events(l, evs);
	if (!spin || !l->credit || !l->spin_ns)
		return epoll_wait(l->pager.epoll, evs, EVENTS_MAX, -1);
	end = now_ns() + l->spin_ns;
	do {
		n = epoll_wait(l->pager.epoll, evs, EVENTS_MAX, 0);
		if (n) {
			l->credit = l->credit < CREDIT_MAX ? l->credit + 1 : CREDIT_MAX;
			return n;
		}
	} while (now_ns() < end);
	l->credit--;
	return epoll_wait(l->pager.epoll, evs, EVENTS_MAX, -1);
}

static int run(struct loop *l)
{
	struct epoll_event evs[EVENTS_MAX];
	uint64_t answered = 0;
	bool served = false;

	for (;;) {
		int n = wait_events(l, evs, served);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (!l->credit && answered && now_ns() - answered < l->spin_ns)
			l->credit = CREDIT_START;
		served = false;
		for (int i = 0; i < n; i++) {
			int r = handle(l, &evs[i]);

			if (r == -EINTR)
				return 0;
			served |= r > 0;
		}
		if (served)
			answered = now_ns();
	}
}

int loop_run(int fd, uid_t owner, unsigned int spin_us)
{
	struct loop *l = &loop;
	int err;

	l->spin_ns = spin_us * 1000ULL;
	l->credit = CREDIT_START;
	l->pager.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->pager.epoll < 0)
		return -errno;
	err = watch_signals(l);
	if (!err)
		err = peers_init(&l->peers, &l->pager, fd, owner);
	if (!err)
		err = run(l);
	close(l->pager.epoll);
	return err;
}
