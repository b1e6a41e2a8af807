// SPDX-License-Identifier: GPL-2.0-or-later
/* vmfork-xenvm: one Xen domain of vmforkd's. Main loop and requests. */
#include "xenvm.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <xen/io/xenbus.h>
#include <xen/sched.h>
#include <xenguest.h>

#include "fdpass.h"
#include "log.h"
#include "pvh_ram.h"
#include "util.h"
#include "xenvm_front.h"

#define PEER_FD	3
#define LAST_READS	64
#define LAST_MSEC	100

enum { P_PEER, P_SIGNAL, P_DONE, P_XS, P_EVTCHN, P_KICK, P_TTY, P_LISTENER, P_CLIENT, P_QEMU, P_COUNT };

static void say(const struct xenvm *x, const struct xenvm_rep *rep, int fd)
{
	if (fd_send(x->peer, rep, sizeof(*rep), &fd, fd >= 0) < 0)
		log_err("vmforkd does not listen");
}

void say_what(const struct xenvm *x, enum xenvm_what what, int fd)
{
	struct xenvm_rep rep = { .what = what, .domain = x->domain };

	say(x, &rep, fd);
}

static int run_request(struct xenvm *x)
{
	switch (x->req.op) {
	case XENVM_START:
		return x->req.clone ? standby_begin(x) : domain_create(x);
	case XENVM_PREPARE:
		return copy_prepare(x, x->fds);
	case XENVM_FREEZE:
		return domain_freeze(x, x->fds);
	case XENVM_RESUME:
		return domain_resume(x);
	case XENVM_RESTORE:
		return standby_end(x, x->fds[0]);
	case XENVM_LOAD:
		return load_pages(x, x->fds[0], x->fds[1], x->fds[2]);
	case XENVM_STATE:
		copy_drop(x);
		x->rep.stopped = domain_is_stopped(x);
		return 0;
	default:
		return -EINVAL;
	}
}

static void *worker(void *data)
{
	struct xenvm *x = data;
	uint64_t one = 1;

	x->rep.err = run_request(x);
	if (write(x->done, &one, sizeof(one)) < 0)
		abort();
	return NULL;
}

/* What vmforkd gives once and for all; its descriptors are kept. */
static void take_start(struct xenvm *x)
{
	int r;

	x->config = x->req.config;
	x->size = x->req.size;
	x->handle = x->req.handle;
	x->bell = steal_fd(&x->fds[0]);
	x->kick = steal_fd(&x->fds[1]);
	x->console.listener = steal_fd(&x->fds[2]);
	x->console.log = steal_fd(&x->fds[3]);
	memcpy(x->mac, x->req.mac, sizeof(x->mac));
	r = x->config.ndisks ? qemu_start(&x->qemu, x->fds[4], x->fds[5]) : 0;
	if (r) {
		log_err("the QEMU of its disks: %s", strerror(-r));
		x->ending = true;
	}
}

static void begin(struct xenvm *x)
{
	pthread_attr_t attr;
	pthread_t thread;

	x->busy = true;
	x->rep = (struct xenvm_rep){ .what = XENVM_DONE, .op = x->req.op };
	x->rep_fd = -1;
	if (x->req.op == XENVM_START)
		take_start(x);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, worker, x)) {
		x->rep.err = -EAGAIN;
		x->busy = false;
		say(x, &x->rep, -1);
	}
	pthread_attr_destroy(&attr);
}

static void answered(struct xenvm *x)
{
	uint64_t n;

	if (read(x->done, &n, sizeof(n)) < 0)
		return;
	x->busy = false;
	fds_close(x->fds, ARRAY_SIZE(x->fds));
	x->rep.domain = x->domain;
	say(x, &x->rep, x->rep_fd);
	fds_close(&x->rep_fd, 1);
	if (x->next.op) {
		x->req = x->next;
		memcpy(x->fds, x->next_fds, sizeof(x->fds));
		x->next.op = 0;
		begin(x);
	}
}

static void take_request(struct xenvm *x, const struct xenvm_req *req, int *fds, unsigned int nfds)
{
	int *to = x->busy ? x->next_fds : x->fds;

	if (x->next.op) {
		log_err("vmforkd asks too much");
		fds_close(fds, nfds);
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(x->fds); i++)
		to[i] = i < nfds ? fds[i] : -1;
	if (x->busy) {
		x->next = *req;
		return;
	}
	x->req = *req;
	begin(x);
}

static void from_peer(struct xenvm *x)
{
	struct xenvm_req req;
	int fds[FDPASS_MAX];
	unsigned int nfds = 0;
	ssize_t n = fd_recv(x->peer, &req, sizeof(req), fds, &nfds);

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n != sizeof(req) || nfds > ARRAY_SIZE(x->fds)) {
		x->ending = true;	/* vmforkd and its keeper are gone */
		return;
	}
	if (req.op == XENVM_CONNECTED || req.op == XENVM_CLOSED) {
		device_set_state(&x->device, req.op == XENVM_CONNECTED ? XenbusStateConnected :
				 XenbusStateClosed);
		return;
	}
	if (req.op == XENVM_UNPREPARE)
		copy_drop(x);
	else
		take_request(x, &req, fds, nfds);
}

static int gfns_file(const uint64_t *gfns, uint64_t n)
{
	int fd = memfd_create("vmfork-gfns", MFD_CLOEXEC);
	ssize_t len = (ssize_t)(n * sizeof(*gfns));

	if (fd < 0)
		return -errno;
	if (write(fd, gfns, (size_t)len) == len)
		return fd;
	close(fd);
	return -ENOMEM;
}

static void connect_device(struct xenvm *x)
{
	_cleanup_free_ uint64_t *gfns = NULL;
	_cleanup_close_ int fd = -1;
	uint64_t npages = x->size / PAGER_PAGE_SIZE;
	int r = device_connect(&x->device, x->domain, npages,
			       pvh_pages(x->config.memory), &gfns);

	fd = r ? r : gfns_file(gfns, npages);
	if (fd < 0)
		log_warn("domain %u: its channel makes no sense: %s", x->domain, strerror(-fd));
	else
		say_what(x, XENVM_CONNECT, fd);
}

static void device_changed(struct xenvm *x)
{
	switch (device_state(&x->device)) {
	case XenbusStateInitialised:
		connect_device(x);
		break;
	case XenbusStateClosing:
		device_unbind(&x->device);
		say_what(x, XENVM_CLOSE, -1);
		break;
	default:
		break;
	}
}

static void shut_down(struct xenvm *x, unsigned int reason)
{
	struct xenvm_rep rep = { .what = XENVM_ENDED };

	rep.reason = reason == SHUTDOWN_poweroff ? XENVM_POWEROFF : XENVM_CRASH;
	say(x, &rep, -1);
	x->ending = true;
}

static void domain_changed(struct xenvm *x)
{
	unsigned int reason;
	xc_domaininfo_t info;

	if (!x->domain)
		return;
	if (xc_domain_getinfolist(x->xc, x->domain, 1, &info) != 1 || info.domain != x->domain ||
	    (info.flags & XEN_DOMINF_dying)) {
		x->ending = true;
		return;
	}
	reason = (info.flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask;
	if ((info.flags & XEN_DOMINF_shutdown) && reason != SHUTDOWN_suspend)
		shut_down(x, reason);
	else if ((info.flags & XEN_DOMINF_shutdown) && !x->busy && !x->frozen)
		xc_domain_resume(x->xc, x->domain, 1);	/* it came too late: nobody waits */
}

static void from_xenstore(struct xenvm *x)
{
	char **event;

	while ((event = xs_check_watch(x->device.xs))) {
		if (!strcmp(event[XS_WATCH_TOKEN], "gone"))
			domain_changed(x);
		else if (x->domain)
			device_changed(x);
		free(event);
	}
}

static void from_guest(struct xenvm *x)
{
	xenevtchn_port_or_error_t port = xenevtchn_pending(x->device.evtchn);
	uint64_t one = 1;

	if (port < 0)
		return;
	xenevtchn_unmask(x->device.evtchn, (evtchn_port_t)port);
	if (port == x->device.port && write(x->bell, &one, sizeof(one)) < 0)
		log_err("the bell: %s", strerror(errno));
}

static void to_guest(struct xenvm *x)
{
	uint64_t n;

	if (read(x->kick, &n, sizeof(n)) < 0)
		return;
	if (x->device.port >= 0)
		xenevtchn_notify(x->device.evtchn, (evtchn_port_t)x->device.port);
}

static void handle(struct xenvm *x, const struct pollfd *p)
{
	if (p[P_PEER].revents)
		from_peer(x);
	if (p[P_SIGNAL].revents)
		x->ending = true;
	if (p[P_QEMU].revents) {
		log_err("domain %u: the QEMU that served its disks is gone", x->domain);
		x->ending = true;
	}
	if (p[P_DONE].revents)
		answered(x);
	if (p[P_XS].revents)
		from_xenstore(x);
	if (p[P_EVTCHN].revents)
		from_guest(x);
	if (p[P_KICK].revents)
		to_guest(x);
	if (p[P_TTY].revents)
		console_read(&x->console);
	if (p[P_CLIENT].revents)
		console_client(&x->console);
	if (p[P_LISTENER].revents)
		console_accept(&x->console);
}

static void run(struct xenvm *x, int signals)
{
	struct pollfd p[P_COUNT];

	while (!x->ending) {
		for (int i = 0; i < P_COUNT; i++)
			p[i].events = POLLIN;
		p[P_PEER].fd = x->peer;
		p[P_SIGNAL].fd = signals;
		p[P_DONE].fd = x->done;
		p[P_XS].fd = xs_fileno(x->device.xs);
		p[P_EVTCHN].fd = xenevtchn_fd(x->device.evtchn);
		p[P_KICK].fd = x->kick;
		p[P_TTY].fd = __atomic_load_n(&x->console.tty, __ATOMIC_ACQUIRE);
		p[P_LISTENER].fd = x->console.listener;
		p[P_CLIENT].fd = x->console.client;
		p[P_QEMU].fd = x->qemu.pid ? x->qemu.pidfd : -1;
		/* the worker opens the console: it is found at the next turn */
		if (poll(p, P_COUNT, x->busy ? 100 : -1) > 0)
			handle(x, p);
	}
}

/* What a guest said when it panicked is still on its way through xenconsoled. */
static void read_last_words(struct xenvm *x)
{
	struct pollfd p = { .fd = x->console.tty, .events = POLLIN };

	for (int i = 0; i < LAST_READS && x->console.tty >= 0; i++) {
		if (poll(&p, 1, LAST_MSEC) <= 0)
			return;
		console_read(&x->console);
	}
}

static int take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(int argc, char **argv)
{
	static struct xenvm x = {
		.peer = PEER_FD, .bell = -1, .kick = -1, .rep_fd = -1,
		.fds = { -1, -1, -1, -1, -1, -1 },
		.copy = { .said = -1, .fds = { -1, -1, -1, -1, -1 } },
		.console = { .tty = -1, .listener = -1, .client = -1, .log = -1 },
	};
	int signals, r;

	log_init("vmfork-xenvm");
	if (argc == 3 && !strcmp(argv[1], FRONT_DESTROY))
		return front_destroy(argv[2]);
	signal(SIGPIPE, SIG_IGN);	/* a copy that is dropped */
	libxl_uuid_generate(&x.uuid);
	signals = front_start(&x.uuid) ? take_signals() : -1;
	x.done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = signals < 0 || x.done < 0 ? -errno : domain_open(&x);
	r = r ? r : device_open(&x.device);
	if (r) {
		log_err("cannot start: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	run(&x, signals);
	read_last_words(&x);
	qemu_end(&x.qemu);
	front_end(&x.uuid);
}
