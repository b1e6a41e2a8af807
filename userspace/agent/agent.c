// SPDX-License-Identifier: GPL-2.0-or-later
/* The daemon: registered with the module, it waits to find itself in a clone. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "clock.h"
#include "clone.h"
#include "connections.h"
#include "device.h"
#include "link.h"
#include "log.h"
#include "names.h"
#include "notify.h"
#include "report.h"
#include "settle.h"
#include "spawn.h"

/**
 * DOC: The agent's life
 *
 * In a root VM it registers, having rehearsed what it will do, and sleeps in poll().
 * When the machine is forked its copy in each clone is the only process that runs
 * there: poll() returns, clone_identify() takes the steps, VMFORK_AGENT_REPORT lets
 * everybody else go, and a process of its own (settle.h) does the slow rest while
 * the agent sleeps again: a clone can be forked at any time. Whatever it waits for
 * before the release must not be a held task: only its own children run.
 */
struct agent {
	const struct config *cfg;
	int dev;
	int signals;
	uint64_t vm;		/* handle of the machine that it believes to be in */
	pid_t settling;		/* or 0 */
	struct clone clone;
};

#define MODPROBE_MS	60000
#define HEAP_BYTES	(256 << 10)	/* more than the steps take */

/* For who looks at the console of a clone that is about to be destroyed. */
static void last_words(const char *text)
{
	char line[256];
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	snprintf(line, sizeof(line), "<3>vmfork-agent: no identity: %s\n", text);
	if (write(fd, line, strlen(line)) < 0)
		log_err("/dev/kmsg: %s", strerror(errno));
	close(fd);
}

/* Before the release there is nobody to load modules: each call is made once now. */
static int rehearse(const struct config *cfg)
{
	static const struct {
		const char *what;
		uint32_t steps;
		int (*run)(void);
	} parts[] = {
		{ "network devices", 1U << STEP_LINK_DOWN | 1U << STEP_NETWORK, link_rehearse },
		{ "destroying sockets", 1U << STEP_SOCKETS, connections_rehearse },
		{ "bind mounts", 1U << STEP_BOOT_ID | 1U << STEP_MACHINE_ID, names_rehearse },
	};
	size_t i;
	int r;

	spawn(MODPROBE_MS, "modprobe", "-a", "-q", "tcp_diag", "udp_diag", "inet_diag", NULL);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].run == connections_rehearse && !cfg->net_sockets)
			continue;
		r = parts[i].run();
		if (!r)
			continue;
		log_err("%s: %s: clones of this machine could not be given an identity",
			parts[i].what, strerror(-r));
		if ((cfg->optional & parts[i].steps) != parts[i].steps)
			return r;
	}
	return 0;
}

/*
 * Locked memory is there as soon as it is mapped: a heap that grows or shrinks in a
 * clone would fetch or clear dozens of pages at once, before the release.
 */
static void lock_memory(void)
{
	mallopt(M_TOP_PAD, HEAP_BYTES);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	mallopt(M_MMAP_MAX, 0);
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		log_warn("mlockall: %s", strerror(errno));
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A root VM's network, if the configuration wants it set by the host. */
static void configure_root(const struct agent *a, const struct vmfork_identity *who)
{
	char name[IFNAMSIZ] = "";
	struct vmfork_net net;
	int r;

	if (!a->cfg->net_root || who->depth)
		return;
	r = device_net(a->dev, &net);
	if (!r)
		r = link_configure(&net, name);
	if (r && r != -ENODATA)
		log_warn("the network of this machine: %s %s", name, strerror(-r));
}

static int start(struct agent *a)
{
	struct vmfork_identity who;
	int r;

	a->dev = open("/dev/vmfork", O_RDWR | O_CLOEXEC);
	if (a->dev < 0) {
		r = -errno;
		log_err("/dev/vmfork: %s%s", strerror(-r), device_hint(r));
		return r;
	}
	if (mkdir(RUN_DIR, 0755) && errno != EEXIST)
		return -errno;
	lock_memory();
	r = rehearse(a->cfg);
	if (r)
		return r;
	a->signals = open_signals();
	if (a->signals < 0)
		return -errno;
	if (ioctl(a->dev, VMFORK_GET_ID, &who))
		return -errno;
	a->vm = who.vm;
	configure_root(a, &who);
	r = device_register(a->dev, a->cfg->timeout_ms);
	if (r)
		log_err("cannot be this machine's agent: %s", strerror(-r));
	return r;
}

/* This is a clone now, and all others in it are held. */
static void become(struct agent *a, const struct vmfork_identity *who)
{
	struct clone *c = &a->clone;
	int r;

	settle_stop(a->settling);
	a->settling = 0;
	clone_free(c);
	a->vm = who->vm;
	c->cfg = a->cfg;
	c->dev = a->dev;
	c->who = *who;
	c->released_ms = 0;
	r = clone_identify(c);
	report_write(c);
	if (!r)
		r = settle_prepare(c);
	if (r) {
		last_words(c->why[0] ? c->why : strerror(-r));
		r = device_report(a->dev, r, c->why);
		log_err("reported no identity and still here: %s", strerror(-r));
		return;
	}
	r = device_report(a->dev, 0, "");
	if (r)
		log_warn("nobody was held for this clone's identity: %s", strerror(-r));
	c->released_ms = clock_ms() - c->begun;
	report_write(c);
	a->settling = settle_start(c, a->dev);
	log_info("clone %u is %s%s%s: identity in %.1f ms, %u sockets destroyed, %u processes killed",
		 who->id, c->name, c->address[0] ? ", " : "", c->address, c->identified_ms,
		 c->sockets, c->killed);
}

static void device_event(struct agent *a)
{
	struct vmfork_identity who;
	int r = device_next(a->dev, &who);

	if (r == -EAGAIN || r == -EINTR)
		return;
	if (r)
		log_err("/dev/vmfork: %s", strerror(-r));
	else if (who.vm != a->vm)
		become(a, &who);
}

static void reap(struct agent *a)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != a->settling)
			continue;
		a->settling = 0;
		a->clone.restart.n = 0;
		log_info("settled%s", status ? ", not without errors" : "");
	}
}

/* Return: true to end */
static bool signal_event(struct agent *a)
{
	struct signalfd_siginfo si;

	while (read(a->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo != SIGCHLD)
			return true;
		reap(a);
	}
	return false;
}

static int loop(struct agent *a)
{
	struct pollfd p[] = {
		{ .fd = a->dev, .events = POLLIN },
		{ .fd = a->signals, .events = POLLIN },
	};

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return 1;
		/* first: who is held waits for it */
		if (p[0].revents & POLLIN)
			device_event(a);
		else if (p[0].revents & (POLLERR | POLLHUP | POLLNVAL))
			return 1;
		if (p[1].revents & POLLIN && signal_event(a))
			return 0;
	}
}

int agent_run(const struct config *cfg)
{
	static struct agent a;	/* too large for a stack; locked with the rest */

	log_init("vmfork-agent");
	a.cfg = cfg;
	if (start(&a))
		return 1;
	notify("READY=1\nSTATUS=Clones of this machine get an identity of their own");
	return loop(&a);
}
