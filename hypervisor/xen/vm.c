// SPDX-License-Identifier: GPL-2.0-or-later
/* VMs of the Xen backend: the process of each, operations, and what it says unasked. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "../qemu/sockets.h"
#include "abilities.h"
#include "fdpass.h"
#include "log.h"
#include "qdisk.h"
#include "util.h"
#include "xen.h"

#define XENVM "vmfork-xenvm"

void xen_op_begin(struct xen_vm *x, enum xen_op op)
{
	x->op = op;
	x->asked = 0;
}

void xen_op_end(struct xen_vm *x, int err)
{
	static const enum vm_event events[] = {
		[XEN_OP_START] = VM_EV_STARTED, [XEN_OP_PREPARE] = VM_EV_PREPARED,
		[XEN_OP_FREEZE] = VM_EV_FROZEN, [XEN_OP_RESUME] = VM_EV_RESUMED,
		[XEN_OP_LOAD] = VM_EV_LOADED, [XEN_OP_ADOPT] = VM_EV_ADOPTED,
	};
	enum vm_event ev = events[x->op];

	x->op = XEN_OP_NONE;
	core_event(x->vm, ev, err, ev == VM_EV_ADOPTED ? !x->stopped : 0);
}

void xen_put(struct xen_vm *x)
{
	if (--x->refs == 0)
		free(x);
}

static void remove_files(const char *dir)
{
	static const char *const names[] = { CONSOLE_SOCKET, CONSOLE_LOG, XENVM_LOG };
	_cleanup_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (unsigned int i = 0; fd >= 0 && i < ARRAY_SIZE(names); i++)
		unlinkat(fd, names[i], 0);
}

void xen_forget(struct xen_vm *x)
{
	struct pager_req req = { .op = PAGER_CLONE_DEL, .handle = vm_handle(x->vm) };
	int *fds[] = { &x->sock, &x->bell, &x->kick, &x->channel, &x->gfns, &x->record,
		       &x->lower[0], &x->lower[1] };
	char pattern[64];

	if (x->paged)
		core_pager(&req, NULL, 0, NULL, NULL);
	if (vm_channel(x->vm))
		region_unmap(x);	/* else the domain's frames would stay */
	sd_event_source_disable_unref(x->from_helper);
	sd_event_source_disable_unref(x->on_bell);
	disks_forget(x);
	for (unsigned int i = 0; i < ARRAY_SIZE(fds); i++)
		fds_close(fds[i], 1);
	if (x->future)
		xen_image_put(x->future);
	x->future = NULL;
	snprintf(pattern, sizeof(pattern), "vm%" PRIu64 ".*", vm_handle(x->vm));
	core_drop_fds(pattern);
	remove_files(vm_dir(x->vm));
	vm_set_backend(x->vm, NULL);
	x->vm = NULL;
	xen_put(x);
}

int xen_ask(struct xen_vm *x, enum xenvm_op op, const int *fds, unsigned int nfds)
{
	struct xenvm_req req = {
		.op = op, .clone = x->standby, .slow = !xen_abilities()->mark, .size = x->channel_size,
		.handle = vm_handle(x->vm), .config = *vm_config(x->vm),
		.memory_limit = vm_memory_limit(x->vm), .cpu_weight = vm_cpu_weight(x->vm),
	};

	vm_mac(x->vm, req.mac);
	if (op != XENVM_CONNECTED && op != XENVM_CLOSED && op != XENVM_UNPREPARE)
		x->asked = op;
	return fd_send(x->sock, &req, sizeof(req), fds, nfds);
}

int xen_store(struct xen_vm *x, const char *what, int fd)
{
	char name[64];

	snprintf(name, sizeof(name), "vm%" PRIu64 ".%s", vm_handle(x->vm), what);
	return core_store_fd(name, fd);
}

int xen_keep_gfns(struct xen_vm *x, int *fd)
{
	fds_close(&x->gfns, 1);
	x->gfns = steal_fd(fd);
	return xen_store(x, "gfns", x->gfns);
}

static void drop_gfns(struct xen_vm *x)
{
	char name[64];

	snprintf(name, sizeof(name), "vm%" PRIu64 ".gfns", vm_handle(x->vm));
	core_drop_fds(name);
	fds_close(&x->gfns, 1);
}

/* A clone's are mapped already, and it must not get the contents it began with again. */
static void connect_region(struct xen_vm *x, int *fd)
{
	int r = 0;

	if (!x->mapped) {
		r = xen_keep_gfns(x, fd);
		r = r ? r : region_map(x, true);
	}
	if (r)
		log_err("vm%" PRIu64 ": the channel cannot be mapped: %s", vm_handle(x->vm),
			strerror(-r));
	else if (xen_ask(x, XENVM_CONNECTED, NULL, 0) == 0)
		core_event(x->vm, VM_EV_RANG, 0, 0);
}

/* xen-netback has made the host's end; it is in the family's bridge before the guest runs. */
int xen_plug(struct xen_vm *x)
{
	char link[32];
	int r;

	if (strcmp(vm_config(x->vm)->net, "bridge"))
		return 0;
	vif_name(x->domain, link, sizeof(link));
	r = vm_plug_link(x->vm, link);
	if (r < 0)
		log_err("vm%" PRIu64 ": %s: %s", vm_handle(x->vm), link, strerror(-r));
	return r;
}

static void attached(struct xen_vm *x, int err)
{
	int r = err ? err : xen_ask(x, XENVM_RESUME, NULL, 0);

	if (r)
		xen_op_end(x, r);
}

/* A root VM's domain is there: its devices, then it runs. */
static void started(struct xen_vm *x, int err)
{
	if (!err && !x->standby)
		err = xen_plug(x);
	if (err || x->standby)
		xen_op_end(x, err);
	else
		disks_attach(x, NULL, attached);
}

static void done(struct xen_vm *x, const struct xenvm_rep *rep, int fd)
{
	if (!x->op || rep->op != x->asked)
		return;
	x->asked = 0;
	x->domain = rep->domain;
	switch (rep->op) {
	case XENVM_START:
		started(x, rep->err);
		break;
	case XENVM_PREPARE:
		xen_prepared(x, rep->err);
		break;
	case XENVM_FREEZE:
		xen_frozen(x, rep);
		break;
	case XENVM_RESTORE:
		xen_restored(x, rep, fd);
		break;
	case XENVM_LOAD:
		xen_loaded(x, rep);
		break;
	case XENVM_RESUME:
		vm_times(x->vm)->resumed = now_ns();
		merge_later(x);
		xen_op_end(x, rep->err);
		break;
	default:
		x->stopped = rep->stopped;
		xen_op_end(x, rep->err);
		break;
	}
}

static void heard(struct xen_vm *x, const struct xenvm_rep *rep, int *fd)
{
	x->domain = rep->domain ? rep->domain : x->domain;
	switch (rep->what) {
	case XENVM_DONE:
		done(x, rep, *fd);
		break;
	case XENVM_CONNECT:
		connect_region(x, fd);
		break;
	case XENVM_COPIED:
		x->ahead = x->future != NULL;
		break;
	case XENVM_PROGRESS:
		core_event(x->vm, VM_EV_PROGRESS, 0, 0);
		break;
	case XENVM_CLOSE:
		if (region_unmap(x) == 0)
			xen_ask(x, XENVM_CLOSED, NULL, 0);
		drop_gfns(x);
		break;
	case XENVM_ENDED:
		core_event(x->vm, rep->reason == XENVM_POWEROFF ? VM_EV_POWEROFF : VM_EV_PANIC, 0,
			   0);
		break;
	}
}

static int on_helper(sd_event_source *s, int sock, uint32_t events, void *data)
{
	struct xen_vm *x = data;
	struct xenvm_rep rep;
	int fds[FDPASS_MAX] = { -1 };
	unsigned int nfds = 0;
	ssize_t n = fd_recv(sock, &rep, sizeof(rep), fds, &nfds);

	if (n == -EAGAIN)
		return 0;
	if (n != sizeof(rep)) {		/* its end is told by waitpid(2) */
		x->from_helper = sd_event_source_disable_unref(x->from_helper);
		return 0;
	}
	x->refs++;
	heard(x, &rep, &fds[0]);
	fds_close(fds, nfds);
	xen_put(x);
	return 0;
}

static int on_bell(sd_event_source *s, int fd, uint32_t events, void *data)
{
	struct xen_vm *x = data;
	uint64_t n;

	if (read(fd, &n, sizeof(n)) == sizeof(n))
		core_event(x->vm, VM_EV_RANG, 0, 0);
	return 0;
}

static int open_in(const char *dir, const char *name)
{
	_cleanup_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = dirfd < 0 ? -1 : openat(dirfd, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
					 0640);

	return fd < 0 ? -errno : fd;
}

static void on_spawned(struct vm *vm, int pid)
{
	struct xen_vm *x = xen_of(vm);

	if (!x)
		return;
	x->pid = pid > 0 ? pid : 0;
	if (pid <= 0 && x->op)
		xen_op_end(x, pid);
}

/* Installed beside the pager; in a build tree beside vmforkd-xen itself. */
static void find_program(char *buf, size_t len)
{
	char *slash;
	ssize_t n;

	snprintf(buf, len, "%s/" XENVM, core_lib_dir());
	if (access(buf, X_OK) == 0)
		return;
	n = readlink("/proc/self/exe", buf, len - sizeof(XENVM) - 1);
	buf[n < 0 ? 0 : n] = '\0';
	slash = strrchr(buf, '/');
	strcpy(slash ? slash + 1 : buf, XENVM);
}

static int spawn(struct xen_vm *x, int sock)
{
	char program[VM_PATH_MAX + 32], name[64], qemu[VM_PATH_MAX + 32];
	char *argv[] = { program, NULL };
	char *env[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LC_ALL=C", qemu, NULL };
	_cleanup_close_ int out = open_in(vm_dir(x->vm), XENVM_LOG);

	if (out < 0)
		return out;
	find_program(program, sizeof(program));
	snprintf(qemu, sizeof(qemu), "VMFORK_XEN_QEMU=%s", qdisk_program());
	snprintf(name, sizeof(name), "vm%" PRIu64 ".xenvm", vm_handle(x->vm));
	return core_spawn(x->vm, name, argv, env, &sock, 1, out, on_spawned);
}

int xen_listen(struct xen_vm *x)
{
	int r = sd_event_add_io(core_loop(), &x->from_helper, x->sock, EPOLLIN, on_helper, x);

	return r < 0 ? r : sd_event_add_io(core_loop(), &x->on_bell, x->bell, EPOLLIN, on_bell, x);
}

static int open_all(struct xen_vm *x, int channel, int *ret_sock)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	x->sock = pair[0];
	*ret_sock = pair[1];
	fcntl(x->sock, F_SETFL, O_NONBLOCK);
	x->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	x->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	x->channel = fcntl(channel, F_DUPFD_CLOEXEC, 3);
	return x->bell < 0 || x->kick < 0 || x->channel < 0 ? -errno : 0;
}

static int store_all(struct xen_vm *x)
{
	int r = xen_store(x, "sock", x->sock);

	r = r ? r : xen_store(x, "bell", x->bell);
	r = r ? r : xen_store(x, "kick", x->kick);
	return r ? r : xen_store(x, "region", x->channel);
}

static int say_start(struct xen_vm *x)
{
	int fds[XENVM_FDS_MAX] = {
		x->bell, x->kick, socket_listen(vm_dir(x->vm), CONSOLE_SOCKET, 0660),
		open_in(vm_dir(x->vm), CONSOLE_LOG), -1, -1
	};
	int r = fds[2] < 0 ? fds[2] : fds[3] < 0 ? fds[3] : disks_listen(x, &fds[4]);

	r = r ? r : xen_ask(x, XENVM_START, fds, fds[4] < 0 ? 4 : 6);
	fds_close(&fds[2], 4);
	return r ? r : disks_connect(x);
}

/* What is no clone has all of its memory from the start. */
static bool limit_is_possible(const struct vm *vm)
{
	bool r = !vm_memory_limit(vm) || vm_memory_limit(vm) >= vm_config(vm)->memory >> 20;

	if (!r)
		log_err("vm%" PRIu64 ": only a clone can have a limit below its memory",
			vm_handle(vm));
	return r;
}

int xen_start(struct vm *vm, enum start_kind kind, int channel, size_t size)
{
	struct xen_vm *x;
	_cleanup_close_ int theirs = -1;
	int r;

	if (kind == START_ROOT && !limit_is_possible(vm))
		return -EINVAL;
	x = malloc(sizeof(*x));
	if (!x)
		return -ENOMEM;
	*x = (struct xen_vm){
		.refs = 1, .vm = vm, .standby = kind == START_STANDBY, .channel_size = size,
		.sock = -1, .bell = -1, .kick = -1, .channel = -1, .gfns = -1, .record = -1,
		.lower = { -1, -1 },
	};
	vm_set_backend(vm, x);
	xen_op_begin(x, XEN_OP_START);
	r = open_all(x, channel, &theirs);
	r = r ? r : xen_listen(x);
	r = r < 0 ? r : store_all(x);
	r = r < 0 ? r : spawn(x, theirs);
	r = r ? r : say_start(x);
	if (r < 0)
		xen_forget(x);
	return r;
}

int xen_resume(struct vm *vm)
{
	struct xen_vm *x = xen_of(vm);
	int r;

	if (x->op)
		return -EBUSY;
	xen_op_begin(x, XEN_OP_RESUME);
	r = xen_ask(x, XENVM_RESUME, NULL, 0);
	if (r < 0)
		x->op = XEN_OP_NONE;
	return r;
}
