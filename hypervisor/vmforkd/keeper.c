// SPDX-License-Identifier: GPL-2.0-or-later
/* The keeper role: owns processes and descriptors, restarts control and pager. */
#include "keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "keeper_cgroup.h"
#include "keeper_link.h"
#include "keeper_pager.h"
#include "log.h"
#include "options.h"
#include "runtime.h"
#include "util.h"

/**
 * DOC: The keeper
 *
 * Two servants, control and pager, are started again when they end: at once, after
 * five ends within ten seconds each with a growing pause. All other children are
 * started for control and reported to it when they end; those that nobody started
 * (snapshot processes, whose QEMU has ended) are reaped silently.
 *
 *   RUNNING   -> STOPPING  SIGTERM, SIGINT: control is asked to end everything
 *   RUNNING, STOPPING -> ENDING  KEEPER_STOP, control ends while STOPPING, a second
 *                          signal, or no answer in STOP_SEC: every child is killed
 *   ENDING    -> exit      no child is left; the runtime directory is cleaned
 *
 * What is to be told to control while it is away is not kept: a new control gets
 * the list of children and misses those that ended.
 */
#define STOP_SEC	30
#define QUICK_DEATHS	5
#define QUICK_NS	10000000000ULL
#define NOFILE_MIN	1024U	/* children are made with descriptors above FD_PARKED */

enum keeper_state { KEEPER_RUNNING, KEEPER_STOPPING, KEEPER_ENDING };

struct child {
	pid_t pid;	/* 0: free */
	char name[KEEPER_NAME_MAX];
};

struct servant {
	const char *name;
	int (*start)(void);
	pid_t pid;
	unsigned int deaths;
	uint64_t first_death;
	sd_event_source *timer;
};

static int start_control(void);
static int start_pager(void);

static const struct options *options;
static char **base_argv;
static const char *cgroup_base;		/* or NULL: none */
static sd_event *loop;
static enum keeper_state state;
static struct child children[CHILDREN_MAX];
static struct servant control = { .name = "control", .start = start_control };
static struct servant pager = { .name = "vmfork-pager", .start = start_pager };

static struct child *child_find(pid_t pid)
{
	for (struct child *c = children; c < children + CHILDREN_MAX; c++)
		if (c->pid == pid)
			return c;
	return NULL;
}

static void kill_all(int sig)
{
	for (struct child *c = children; c < children + CHILDREN_MAX; c++)
		if (c->pid)
			kill(c->pid, sig);
	if (pager.pid)
		kill(pager.pid, sig);
	if (control.pid)
		kill(control.pid, sig);
}

static bool any_left(void)
{
	for (struct child *c = children; c < children + CHILDREN_MAX; c++)
		if (c->pid)
			return true;
	return pager.pid || control.pid;
}

static void end_everything(void)
{
	state = KEEPER_ENDING;
	store_drop("*");	/* lifelines: the snapshot processes end */
	kill_all(SIGKILL);
	if (!any_left())
		sd_event_exit(loop, 0);
}

static int stop_took_too_long(sd_event_source *s, uint64_t usec, void *data)
{
	log_warn("no orderly end in %d s", STOP_SEC);
	end_everything();
	return 0;
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *data)
{
	if (state != KEEPER_RUNNING || !control.pid) {
		end_everything();
		return 0;
	}
	log_info("ending every machine (once more to do it at once)");
	sd_notify(0, "STOPPING=1");
	state = KEEPER_STOPPING;
	kill(control.pid, SIGTERM);
	sd_event_add_time_relative(loop, NULL, CLOCK_MONOTONIC, STOP_SEC * 1000000ULL, 0,
				   stop_took_too_long, NULL);
	return 0;
}

static void spawn_for_control(const struct keeper_msg *m, char *blob, const int *fds,
			      unsigned int nfds)
{
	char *argv[512], *envp[512];
	struct child *c = child_find(0);
	int cgroup = (m->flags & KEEPER_F_CGROUP) && nfds ? fds[--nfds] : -1;
	bool has_out = (m->flags & KEEPER_F_STDERR) && nfds;
	struct spawn s = {
		.argv = argv, .envp = envp, .fds = fds,
		.nfds = nfds - has_out,
		.out = has_out ? fds[nfds - 1] : -1,
		.uid = m->uid, .gid = m->gid, .cgroup = cgroup,
		.no_new_privs = true, .net = m->flags & KEEPER_F_NET,
	};
	int r;

	r = m->argc < 511 && m->envc < 511 ?
		spawn_unpack(blob, m->blob, m->argc, m->envc, argv, envp) : -EINVAL;
	if (r == 0)
		r = !c ? -ENOSPC : state != KEEPER_RUNNING ? -ESHUTDOWN : spawn_process(&s);
	if (r > 0) {
		c->pid = r;
		snprintf(c->name, sizeof(c->name), "%s", m->name);
	}
	link_tell(KEEPER_SPAWNED, m->seq, r > 0 ? r : 0, r > 0 ? 0 : r, m->name, -1);
}

static void handle(const struct keeper_msg *m, char *blob, int *fds, unsigned int nfds)
{
	struct child *c;

	switch (m->op) {
	case KEEPER_SPAWN:
		spawn_for_control(m, blob, fds, nfds);
		break;
	case KEEPER_STORE:
		if (nfds == 1 && store_put(m->name, fds[0]) == 0)
			fds[0] = -1;
		else if (nfds == 1)
			fds[0] = -1;
		break;
	case KEEPER_UNSTORE:
		store_drop(m->name);
		break;
	case KEEPER_SIGNAL:
		c = m->pid > 0 ? child_find(m->pid) : NULL;
		if (c)
			kill(c->pid, m->status);
		break;
	case KEEPER_STOP:
		end_everything();
		break;
	}
}

static void tell_all(void)
{
	const char *name;
	int fd;

	for (unsigned int i = 0; (name = store_get(i, &fd)); i++)
		link_tell(KEEPER_STORED, 0, 0, 0, name, fd);
	for (struct child *c = children; c < children + CHILDREN_MAX; c++)
		if (c->pid)
			link_tell(KEEPER_CHILD, 0, c->pid, 0, c->name, -1);
	keeper_pager_offer(pager.pid);
	link_tell(KEEPER_READY, 0, 0, 0, "", -1);
}

/* Once more ourselves, as control, with the socket as descriptor 3. */
static int start_control(void)
{
	_cleanup_free_ char **argv = NULL;
	int pair[2], n = 0, r, size = 8 << 20;
	struct spawn s = { .out = -1, .cgroup = -1, .uid = (uid_t)-1, .nfds = 1,
		.envp = environ };

	while (base_argv[n])
		n++;
	argv = calloc((size_t)n + 4, sizeof(*argv));
	if (!argv)
		return -ENOMEM;
	memcpy(argv, base_argv, (size_t)n * sizeof(*argv));
	argv[0] = (char *)"/proc/self/exe";
	argv[n] = (char *)"--control-role";
	if (cgroup_base) {
		argv[n + 1] = (char *)"--cgroup";
		argv[n + 2] = (char *)cgroup_base;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	s.argv = argv;
	s.fds = &pair[1];
	r = spawn_process(&s);
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		return r;
	}
	link_open(loop, pair[0], handle);
	control.pid = r;
	tell_all();
	return 0;
}

static int start_pager(void)
{
	int r = keeper_pager_start(options);

	if (r < 0)
		return r;
	pager.pid = r;
	keeper_pager_offer(pager.pid);
	return 0;
}

static int start_again(sd_event_source *src, uint64_t usec, void *data);

static void start_servant(struct servant *s)
{
	uint64_t now = now_ns(), wait;
	int r;

	if (now - s->first_death > QUICK_NS * (s->deaths / QUICK_DEATHS + 1)) {
		s->deaths = 0;
		s->first_death = now;
	}
	if (s->deaths <= QUICK_DEATHS) {
		r = s->start();
		if (r == 0)
			return;
		log_err("%s does not start: %s", s->name, strerror(-r));
	}
	wait = s->deaths > 20 ? 15 : s->deaths > 10 ? 5 : 1;
	log_err("%s: next try in %u s", s->name, (unsigned int)wait);
	s->timer = sd_event_source_disable_unref(s->timer);
	sd_event_add_time_relative(loop, &s->timer, CLOCK_MONOTONIC, wait * 1000000, 0, start_again,
				   s);
}

static int start_again(sd_event_source *src, uint64_t usec, void *data)
{
	struct servant *s = data;
	int r;

	if (state != KEEPER_RUNNING)
		return 0;
	r = s->start();
	if (r < 0) {
		s->deaths++;
		start_servant(s);
	}
	return 0;
}

static void servant_ended(struct servant *s, int status)
{
	s->pid = 0;
	if (s == &control) {
		/* its last words first: KEEPER_STOP may be among them */
		link_drain();
		link_close();
	}
	if (state == KEEPER_ENDING)
		return;
	if (state == KEEPER_STOPPING) {
		if (s == &control)
			end_everything();
		return;
	}
	if (WIFSIGNALED(status))
		log_warn("%s was killed by signal %d: started again", s->name, WTERMSIG(status));
	else
		log_warn("%s ended with status %d: started again", s->name, WEXITSTATUS(status));
	s->deaths++;
	start_servant(s);
}

static void reap(pid_t pid, int status)
{
	struct child *c;

	if (pid == control.pid) {
		servant_ended(&control, status);
		return;
	}
	if (pid == pager.pid) {
		servant_ended(&pager, status);
		return;
	}
	c = child_find(pid);
	if (!c)
		return;
	c->pid = 0;
	link_tell(KEEPER_EXITED, 0, pid, status, c->name, -1);
}

static int on_sigchld(sd_event_source *s, const struct signalfd_siginfo *si, void *data)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		reap(pid, status);
	if (state == KEEPER_ENDING && !any_left())
		sd_event_exit(loop, 0);
	return 0;
}

static int raise_nofile(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return -errno;
	if (rl.rlim_max < NOFILE_MIN) {
		log_err("%llu open files at most (ulimit -Hn): it takes %u and more",
			(unsigned long long)rl.rlim_max, NOFILE_MIN);
		return -EMFILE;
	}
	rl.rlim_cur = rl.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &rl) < 0 ? -errno : 0;
}

static int set_up(void)
{
	sigset_t set;
	int r = raise_nofile();

	if (r < 0)
		return r;
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (options->die_with_parent && prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		return -errno;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r = sd_event_new(&loop);
	if (r == 0)
		r = sd_event_add_signal(loop, NULL, SIGCHLD, on_sigchld, NULL);
	if (r >= 0)
		r = sd_event_add_signal(loop, NULL, SIGTERM, on_signal, NULL);
	if (r >= 0)
		r = sd_event_add_signal(loop, NULL, SIGINT, on_signal, NULL);
	return r < 0 ? r : keeper_pager_listen();
}

int keeper_run(const struct options *o, char **argv)
{
	_cleanup_close_ int lock = -1;
	pid_t parent = getppid();
	int r;

	options = o;
	base_argv = argv;
	r = runtime_lock(&lock);
	if (r < 0) {
		log_err("%s: %s", o->runtime_dir,
			r == -EBUSY ? "another vmforkd uses this directory" : strerror(-r));
		return EXIT_FAILURE;
	}
	runtime_clean();
	r = set_up();
	if (r < 0) {
		log_err("cannot start: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	if (o->die_with_parent && getppid() != parent)
		return EXIT_SUCCESS;
	cgroup_base = keeper_cgroup_open();
	start_servant(&pager);
	start_servant(&control);
	r = sd_event_loop(loop);
	keeper_cgroup_close();
	runtime_clean();
	runtime_unlock();
	return r < 0 ? EXIT_FAILURE : r;
}
