// SPDX-License-Identifier: GPL-2.0-or-later
/* The control role's end of the line to its keeper. */
#include "keeper_client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "cgroup.h"
#include "core.h"
#include "fdpass.h"
#include "keeper.h"
#include "log.h"
#include "network_names.h"
#include "options.h"
#include "pager_client.h"
#include "util.h"
#include "vm.h"

#define SPAWNS_MAX 256

struct stored {
	char name[KEEPER_NAME_MAX];	/* empty: free */
	int fd;
};

struct known_child {
	int pid;	/* 0: free */
	char name[KEEPER_NAME_MAX];
};

struct spawning {
	uint32_t seq;	/* 0: free */
	uint64_t vm;
	core_spawned_fn done;
};

static int sock = -1;
static uint32_t last_seq;
static struct stored found[STORE_MAX];	/* of an earlier control role */
static struct known_child known[CHILDREN_MAX];
static struct spawning spawning[SPAWNS_MAX];

static int tell(enum keeper_op op, const char *name, int pid, int status, const int *fds,
		unsigned int nfds)
{
	struct keeper_msg m = { .op = op, .pid = pid, .status = status };

	if (strlen(name) >= sizeof(m.name))
		return -ENAMETOOLONG;
	strcpy(m.name, name);
	return fd_send(sock, &m, sizeof(m), fds, nfds);
}

int core_store_fd(const char *name, int fd)
{
	return tell(KEEPER_STORE, name, 0, 0, &fd, 1);
}

void core_drop_fds(const char *prefix)
{
	tell(KEEPER_UNSTORE, prefix, 0, 0, NULL, 0);
}

int core_take_fd(const char *name)
{
	for (struct stored *s = found; s < found + STORE_MAX; s++)
		if (s->name[0] && !strcmp(s->name, name)) {
			s->name[0] = '\0';
			return s->fd;
		}
	return -1;
}

int core_signal(int pid, int sig)
{
	return tell(KEEPER_SIGNAL, "", pid, sig, NULL, 0);
}

void keeper_stop(void)
{
	tell(KEEPER_STOP, "", 0, 0, NULL, 0);
}

static int pack(char *blob, uint32_t *len, char *const v[], uint32_t *ret_n)
{
	uint32_t n = 0;

	for (; v && v[n]; n++) {
		size_t l = strlen(v[n]) + 1;

		if (*len + l > KEEPER_BLOB_MAX)
			return -E2BIG;
		memcpy(blob + *len, v[n], l);
		*len += (uint32_t)l;
	}
	*ret_n = n;
	return 0;
}

static struct spawning *new_spawning(void)
{
	for (struct spawning *s = spawning; s < spawning + SPAWNS_MAX; s++)
		if (!s->seq)
			return s;
	return NULL;
}

/* Fill in the rest of @m, and send it. */
static int send_spawn(struct keeper_msg *m, const char *name, char *const argv[],
		      char *const envp[], const int *fds)
{
	static struct {
		struct keeper_msg m;
		char blob[KEEPER_BLOB_MAX];
	} q;
	int r;

	if (m->nfds > KEEPER_FDS_MAX || strlen(name) >= sizeof(m->name))
		return -E2BIG;
	q.m = *m;
	q.m.op = KEEPER_SPAWN;
	strcpy(q.m.name, name);
	r = pack(q.blob, &q.m.blob, argv, &q.m.argc);
	if (r == 0)
		r = pack(q.blob, &q.m.blob, envp, &q.m.envc);
	return r ? r : fd_send(sock, &q, sizeof(q.m) + q.m.blob, fds, m->nfds);
}

int core_spawn(struct vm *vm, const char *name, char *const argv[], char *const envp[],
	       const int *fds, unsigned int nfds, int out, core_spawned_fn done)
{
	struct keeper_msg m = { .flags = out >= 0 ? KEEPER_F_STDERR : 0,
		.uid = core.backend->privileged ? (uid_t)-1 : opt.uid,
		.gid = core.backend->privileged ? (gid_t)-1 : opt.gid };
	struct spawning *s = new_spawning();
	_cleanup_close_ int cgroup = cgroup_procs(vm->handle);
	int all[KEEPER_FDS_MAX], r;

	if (!s)
		return -EAGAIN;
	if (nfds + (out >= 0) + (cgroup >= 0) > KEEPER_FDS_MAX)
		return -E2BIG;
	if (nfds)
		memcpy(all, fds, nfds * sizeof(*all));
	if (out >= 0)
		all[nfds++] = out;
	if (cgroup >= 0) {
		m.flags |= KEEPER_F_CGROUP;
		all[nfds++] = cgroup;
	}
	m.nfds = nfds;
	m.seq = ++last_seq ? last_seq : ++last_seq;
	r = send_spawn(&m, name, argv, envp, all);
	if (r == 0)
		*s = (struct spawning){ m.seq, vm->handle, done };
	return r;
}

int keeper_spawn_service(const char *name, char *const argv[], uid_t uid, gid_t gid)
{
	static char *const env[] = { (char *)"PATH=/usr/sbin:/usr/bin", (char *)"LC_ALL=C", NULL };
	struct keeper_msg m = { .flags = KEEPER_F_NET, .uid = uid, .gid = gid };

	return send_spawn(&m, name, argv, env, NULL);
}

static bool is_service(const char *name)
{
	return !strncmp(name, "net", 3);
}

uint64_t keeper_child_handle(const char *name)
{
	char *end;
	uint64_t h;

	if (strncmp(name, "vm", 2) || name[2] < '0' || name[2] > '9')
		return 0;
	h = strtoull(name + 2, &end, 10);
	return *end == '.' ? h : 0;
}

static void add_child(int pid, const char *name)
{
	for (struct known_child *c = known; c < known + CHILDREN_MAX; c++)
		if (!c->pid) {
			c->pid = pid;
			snprintf(c->name, sizeof(c->name), "%s", name);
			return;
		}
}

static void drop_child(int pid)
{
	for (struct known_child *c = known; c < known + CHILDREN_MAX; c++)
		if (c->pid == pid)
			c->pid = 0;
}

void keeper_kill_children(const char *prefix)
{
	for (struct known_child *c = known; c < known + CHILDREN_MAX; c++)
		if (c->pid && !strncmp(c->name, prefix, strlen(prefix)))
			core_signal(c->pid, SIGKILL);
}

bool keeper_has_child(const char *prefix)
{
	for (struct known_child *c = known; c < known + CHILDREN_MAX; c++)
		if (c->pid && !strncmp(c->name, prefix, strlen(prefix)))
			return true;
	return false;
}

void keeper_kill_strangers(bool (*is_known)(uint64_t handle))
{
	for (struct known_child *c = known; c < known + CHILDREN_MAX; c++)
		if (c->pid && (is_service(c->name) ? !network_service_wanted(c->name) :
			       !is_known(keeper_child_handle(c->name))))
			core_signal(c->pid, SIGKILL);
}

void keeper_each_fd(const char *prefix, void (*fn)(const char *name, void *data), void *data)
{
	char name[KEEPER_NAME_MAX];

	for (struct stored *s = found; s < found + STORE_MAX; s++) {
		if (!s->name[0] || strncmp(s->name, prefix, strlen(prefix)))
			continue;
		memcpy(name, s->name, sizeof(name));	/* @fn may take it */
		fn(name, data);
	}
}

static void service_spawned(const struct keeper_msg *m)
{
	if (m->pid <= 0)
		log_err("%s: does not start: %s", m->name, strerror(-m->status));
	else if (network_service_wanted(m->name))
		add_child(m->pid, m->name);
	else
		core_signal(m->pid, SIGKILL);
}

static void spawned(const struct keeper_msg *m)
{
	if (is_service(m->name)) {
		service_spawned(m);
		return;
	}
	for (struct spawning *s = spawning; s < spawning + SPAWNS_MAX; s++) {
		struct vm *vm;

		if (!s->seq || s->seq != m->seq)
			continue;
		s->seq = 0;
		vm = vm_find(s->vm);
		if (m->pid > 0)
			add_child(m->pid, m->name);
		if (vm && vm->state != VM_DEAD)
			s->done(vm, m->pid > 0 ? m->pid : m->status);
		else if (m->pid > 0)
			core_signal(m->pid, SIGKILL);
		return;
	}
}

static void exited(const struct keeper_msg *m)
{
	struct vm *vm = vm_find(keeper_child_handle(m->name));

	drop_child(m->pid);
	if (is_service(m->name))
		network_service_ended(m->name);
	if (vm)
		core_event(vm, VM_EV_DEAD, 0, m->status);
}

static void keep_found(const char *name, int fd)
{
	for (struct stored *s = found; s < found + STORE_MAX; s++)
		if (!s->name[0]) {
			snprintf(s->name, sizeof(s->name), "%s", name);
			s->fd = fd;
			return;
		}
	close(fd);
}

/* Return: 1 once READY came. */
static int handle(const struct keeper_msg *m, int *fds, unsigned int nfds)
{
	switch (m->op) {
	case KEEPER_STORED:
		if (nfds == 1)
			keep_found(m->name, fds[0]);
		return 0;
	case KEEPER_CHILD:
		add_child(m->pid, m->name);
		return 0;
	case KEEPER_READY:
		return 1;
	case KEEPER_SPAWNED:
		spawned(m);
		return 0;
	case KEEPER_EXITED:
		exited(m);
		return 0;
	case KEEPER_PAGER:
		if (nfds == 1)
			pager_connected(fds[0]);
		return 0;
	default:
		fds_close(fds, nfds);
		return 0;
	}
}

static int receive(void)
{
	struct keeper_msg m;
	int fds[FDPASS_MAX];
	unsigned int nfds = 0;
	ssize_t n = fd_recv(sock, &m, sizeof(m), fds, &nfds);

	if (n < 0)
		return (int)n;
	if ((size_t)n != sizeof(m))
		return -EPIPE;
	m.name[KEEPER_NAME_MAX - 1] = '\0';
	return handle(&m, fds, nfds);
}

int keeper_open(int fd)
{
	int r;

	sock = fd;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	do {
		r = receive();
	} while (r == 0);
	return r < 0 ? r : 0;
}

static int on_keeper(sd_event_source *s, int fd, uint32_t events, void *data)
{
	int r = receive();

	if (r < 0) {
		log_err("the keeper is gone: %s", strerror(-r));
		sd_event_exit(core.loop, EXIT_FAILURE);
	}
	return 0;
}

int keeper_attach(void)
{
	return sd_event_add_io(core.loop, NULL, sock, EPOLLIN, on_keeper, NULL);
}
