// SPDX-License-Identifier: GPL-2.0-or-later
/* Starting a QEMU process: its descriptors, environment and command line. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "args.h"
#include "fdpass.h"
#include "log.h"
#include "qemu.h"
#include "sockets.h"
#include "util.h"

/**
 * DOC: Start
 *
 * QEMU opens nothing of ours by name: RAM file, sockets, log and disks are given to it
 * as descriptors, whoever it runs as. Its monitor socket listens already when it
 * starts, so that the connection is made at once, and again after a restart of
 * vmforkd. Started is it when it has a PID, the RAM library has said HELLO and the
 * monitor has answered.
 *
 * A stand-by is brought as far as it can be without knowing whose clone it will be: its
 * overlays and the base images are open, and it waits for its state on a pipe.
 */
#define SPAWN_FDS_MAX	(CHILD_MORE + 2 * VM_DISKS_MAX + 2)
#define STATE_PIPE	(256 << 10)
#define UFFD_DEVICE	"/dev/userfaultfd"

/* The child's descriptors in order: fds[i] becomes 3 + i. */
struct spawn {
	int fds[SPAWN_FDS_MAX];
	unsigned int n;
	int uffd;	/* the child's number of /dev/userfaultfd, or -1 */
	struct args_in in;
	struct args args;
	int ramctl;	/* our end */
};

static int give(struct spawn *s, int fd)
{
	if (fd < 0)
		return fd;
	s->fds[s->n++] = fd;
	return 0;
}

static int open_in(const char *dir, const char *name, int flags)
{
	_cleanup_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = dirfd < 0 ? -1 : openat(dirfd, name, flags | O_CLOEXEC, 0640);

	return fd < 0 ? -errno : fd;
}

/* What QEMU takes for its memory: the RAM library knows it by its inode. */
static int make_ram(uint64_t size)
{
	int fd = memfd_create("vmfork-ram", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static int give_ramctl(struct spawn *s)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	s->ramctl = pair[0];
	give(s, pair[1]);
	return fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int give_layer(struct spawn *s, const struct layer *l, bool write)
{
	struct args_fd *f = &s->in.fds[s->in.nfds++];

	f->fd = (int)s->n + 3;
	f->set = l->id;
	return give(s, layer_fd(l, write));
}

static int add_node(struct spawn *s, json_t *node)
{
	if (!node)
		return -ENOMEM;
	s->in.nodes[s->in.nnodes++] = node;
	return 0;
}

/* A stand-by's disk until it is known whose clone it is: of the right size. */
static int give_placeholder(struct spawn *s, unsigned int i, uint64_t size)
{
	char *name = s->in.drives[i];

	snprintf(name, LAYER_NODE_MAX, "p%u", i);
	return add_node(s, json_pack("{s:s, s:s, s:I, s:b}", "driver", "null-co",
				     "node-name", name, "size", (json_int_t)size,
				     "read-zeroes", 1));
}

/* What of its disk will be there at the fork and does not change any more. */
static struct layer *frozen_part(const struct qemu_vm *q, unsigned int i)
{
	const struct vm *origin = q->standby ? vm_origin(q->vm) : NULL;
	const struct qemu_vm *o = origin ? vm_backend(origin) : NULL;
	struct layer *below = o && o->disks[i].top ? o->disks[i].top->below : NULL;

	return layer_base(below) == q->disks[i].base ? below : q->disks[i].base;
}

/* Its base image and an overlay, on top of each other or, in a stand-by, not yet. */
static int give_disk(struct qemu_vm *q, struct spawn *s, unsigned int i)
{
	struct qemu_disk *d = &q->disks[i];
	char why[256];
	int r = layer_open_base(&vm_config(q->vm)->disks[i], i, why, sizeof(why), &d->base);

	if (r < 0) {
		log_err("vm%" PRIu64 ": %s", vm_handle(q->vm), why);
		return r;
	}
	r = layer_new_overlay(frozen_part(q, i), &d->top);
	r = r ? r : give_layer(s, d->base, false);
	r = r ? r : add_node(s, layer_node(d->base, false, NULL));
	r = r ? r : give_layer(s, d->top, true);
	r = r ? r : add_node(s, layer_node(d->top, true, q->standby ? NULL : d->base));
	if (r < 0)
		return r;
	if (q->standby)
		return give_placeholder(s, i, d->base->size);
	layer_name(d->top, s->in.drives[i]);
	return 0;
}

static int give_tap(struct qemu_vm *q, struct spawn *s)
{
	if (strcmp(vm_config(q->vm)->net, "bridge"))
		return 0;
	s->in.tap = (int)s->n + 3;
	return give(s, vm_open_tap(q->vm, s->in.mac));
}

static int give_all(struct qemu_vm *q, struct spawn *s)
{
	const struct vm_config *cfg = vm_config(q->vm);
	const char *dir = vm_dir(q->vm);
	int r = give(s, make_ram(cfg->memory));
	int uffd;

	r = r ? r : give_ramctl(s);
	r = r ? r : give(s, socket_listen(dir, QMP_SOCKET, 0600));
	r = r ? r : give(s, socket_listen(dir, CONSOLE_SOCKET, 0660));
	r = r ? r : give(s, open_in(dir, CONSOLE_LOG, O_WRONLY | O_CREAT | O_APPEND));
	r = r ? r : give(s, steal_fd(&q->iv.qemu));
	for (unsigned int i = 0; r == 0 && i < cfg->ndisks; i++)
		r = give_disk(q, s, i);
	r = r ? r : give_tap(q, s);
	if (r < 0)
		return r;
	uffd = open(UFFD_DEVICE, O_RDWR | O_CLOEXEC);
	s->uffd = uffd < 0 ? -1 : (int)s->n + 3;
	return uffd < 0 ? 0 : give(s, uffd);
}

static void spawn_clear(struct spawn *s)
{
	fds_close(s->fds, s->n);
	fds_close(&s->ramctl, 1);
	for (unsigned int i = 0; i < s->in.nnodes; i++)
		json_decref(s->in.nodes[i]);
	args_free(&s->args);
}

static void on_spawned(struct vm *vm, int pid)
{
	struct qemu_vm *q = qemu_of(vm);

	if (!q)
		return;
	q->pid = pid > 0 ? pid : 0;
	step_end(q, pid > 0 ? 0 : pid);
}

static int run(struct qemu_vm *q, struct spawn *s)
{
	char preload[VM_PATH_MAX + 64], file[64], ctl[64], uffd[64], name[64];
	char *env[] = { preload, file, ctl, uffd, "PATH=/usr/bin:/bin", "LC_ALL=C", NULL };
	_cleanup_close_ int out = open_in(vm_dir(q->vm), QEMU_LOG, O_WRONLY | O_CREAT | O_APPEND);
	struct stat st;

	if (out < 0)
		return out;
	if (fstat(s->fds[CHILD_RAM - 3], &st) < 0)
		return -errno;
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s/libvmfork-ram.so", core_lib_dir());
	snprintf(file, sizeof(file), "VMFORK_RAM_FILE=%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	snprintf(ctl, sizeof(ctl), "VMFORK_RAM_CTL=%d", CHILD_RAMCTL);
	snprintf(uffd, sizeof(uffd), "VMFORK_RAM_UFFD=%d", s->uffd);
	snprintf(name, sizeof(name), "vm%" PRIu64 ".qemu", vm_handle(q->vm));
	step_begin(q);
	return core_spawn(q->vm, name, s->args.v, env, s->fds, s->n, out, on_spawned);
}

static void on_hello(void *data, int err, const struct ramlib_rep *rep, int *fds,
		     unsigned int nfds)
{
	struct qemu_vm *q = data;

	q->ram_base = rep->base;
	if (!err && rep->len != vm_config(q->vm)->memory)
		err = -EPROTO;
	step_end(q, err);
}

static int store_all(struct qemu_vm *q, int ramctl)
{
	int r = qemu_store(q, "ramctl", ramctl);

	r = r ? r : qemu_store(q, "iv", q->iv.sock);
	r = r ? r : qemu_store(q, "bell", q->iv.bell);
	r = r ? r : qemu_store(q, "kick", q->iv.kick);
	return r ? r : qemu_store(q, "region", q->channel);
}

/* The base images are open; what is between them and the overlays is to be. */
static int open_layers(struct qemu_vm *q)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < vm_config(q->vm)->ndisks; i++)
		r = load_layers(q, q->disks[i].top->below, q->disks[i].base);
	return r;
}

/*
 * A machine that was loaded announces itself, as migrated ones do: QEMU by RARP, the guest by ARP,
 * all of it with the addresses of the parent, for none of whose clones it is true. Linux 6.12's
 * virtio_net may not survive it, either: to announce it takes the lock under which the agent shuts
 * the link, and shutting it waits for the announcement.
 */
static void announce_nothing(struct qemu_vm *q)
{
	step_qmp(q, "migrate-set-parameters", json_pack("{s:i}", "announce-rounds", 0), -1);
}

/* QEMU does not begin to read before something comes. */
static int await_state(struct qemu_vm *q)
{
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	fcntl(pipes[1], F_SETPIPE_SZ, STATE_PIPE);	/* else it takes a few turns */
	q->state = pipes[1];
	step_qmp(q, "getfd", json_pack("{s:s}", "fdname", "d"), pipes[0]);
	step_qmp(q, "migrate-incoming", json_pack("{s:s}", "uri", "fd:d"), -1);
	close(pipes[0]);
	return qemu_store(q, "state", q->state);
}

static int start(struct qemu_vm *q, struct spawn *s)
{
	int r = give_all(q, s);

	if (r < 0)
		return r;
	s->in.config = vm_config(q->vm);
	s->in.program = qemu_program();
	s->in.accel = accel_of(s->in.config);
	s->in.standby = q->standby;
	r = args_build(&s->in, &s->args);
	r = r ? r : store_all(q, s->ramctl);
	r = r ? r : qemu_listen(q);
	r = r ? r : ramlib_open(core_loop(), steal_fd(&s->ramctl), on_hello, q, &q->ram);
	if (r < 0)
		return r;
	step_begin(q);
	r = run(q, s);
	if (r < 0)
		return r;
	step_qmp(q, "migrate-set-capabilities",
		 json_pack("{s:[{s:s,s:b}]}", "capabilities", "capability", "events", "state", 1),
		 -1);
	if (q->standby)
		announce_nothing(q);
	if (q->standby && !strcmp(vm_config(q->vm)->net, "user"))
		step_qmp(q, "set_link", json_pack("{s:s, s:b}", "name", "net0", "up", 0), -1);
	if (!q->standby)
		forkcheck(q);
	r = q->standby ? open_layers(q) : 0;
	return q->standby && r == 0 ? await_state(q) : r;
}

static int take_channel(struct qemu_vm *q, int channel, size_t size)
{
	int r;

	if (!size || size & (size - 1))
		return -EINVAL;		/* a PCI BAR is a power of two */
	q->channel_size = size;
	q->channel = fcntl(channel, F_DUPFD_CLOEXEC, 3);
	if (q->channel < 0)
		return -errno;
	r = ivshmem_open(&q->iv);
	r = r ? r : ivshmem_send_memory(&q->iv, channel);
	if (r == 0 && !q->standby)
		r = ivshmem_send_vectors(&q->iv);
	return r;
}

/* The core takes a VM that did not start for gone. */
static void started(struct qemu_vm *q)
{
	if (q->err && q->pid)
		core_signal(q->pid, SIGKILL);
	op_end(q);
}

int qemu_start(struct vm *vm, enum start_kind kind, int channel, size_t size)
{
	struct spawn s = { .ramctl = -1, .uffd = -1 };
	struct qemu_vm *q = qemu_vm_new(vm);
	int r;

	if (!q)
		return -ENOMEM;
	q->standby = kind == START_STANDBY;
	r = op_begin(q, OP_START, started);
	r = r ? r : step_soon(q);
	r = r ? r : take_channel(q, channel, size);
	r = r ? r : start(q, &s);
	spawn_clear(&s);
	if (r < 0) {
		op_abort(q);
		qemu_vm_forget(q);
	}
	return r;
}
