// SPDX-License-Identifier: GPL-2.0-or-later
/* Loading: a stand-by becomes a clone. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>

#include "descriptor.h"
#include "fdpass.h"
#include "log.h"
#include "qemu.h"
#include "util.h"

/**
 * DOC: The order
 *
 *  1. memory: the RAM library maps the image and gives back a userfaultfd; side by
 *     side: disks (below)
 *  2. the pager takes the clone; side by side: the descriptor is written to the pipe
 *     that QEMU awaits it on; its own touches of guest memory wait for the pager
 *  3. vectors of the ivshmem device (ivshmem.h says why not before), until QEMU's
 *     main loop has seen them
 *
 * A disk: the frozen layers above those that are open already (process.c) are one
 * blockdev-add; blockdev-snapshot puts the VM's own overlay on them; "qom-set drive" puts
 * that in the place of the placeholder, which is allowed on a realized device since QEMU
 * 6.0. QEMU reads its monitor at 5 us a byte: what is said here is short, and what can be
 * said to a stand-by is said then (process.c).
 */
static void loaded(struct qemu_vm *q)
{
	if (!q->err)
		vm_times(q->vm)->loaded = now_ns();
	op_end(q);
}

/* What QEMU read before it answered the last query is handled before the next. */
static void vectors_sent(struct qemu_vm *q)
{
	int r = q->err ? q->err : ivshmem_read_by_qemu(&q->iv);

	q->next = r ? loaded : vectors_sent;
	step_begin(q);
	if (r >= 0)
		step_qmp(q, "query-status", NULL, -1);
	step_end(q, r < 0 ? r : 0);
}

static void state_loaded(struct qemu_vm *q)
{
	if (q->err) {
		op_end(q);
		return;
	}
	q->next = vectors_sent;
	step_begin(q);
	step_end(q, ivshmem_send_vectors(&q->iv));
}

void load_migration(struct qemu_vm *q, const char *status)
{
	if (!status || (strcmp(status, "completed") && strcmp(status, "failed")))
		return;
	q->incoming = false;
	step_end(q, strcmp(status, "completed") ? -EIO : 0);
}

static void feed_end(struct qemu_vm *q)
{
	char name[64];

	snprintf(name, sizeof(name), "vm%" PRIu64 ".state", vm_handle(q->vm));
	core_drop_fds(name);
	q->feeder = sd_event_source_disable_unref(q->feeder);
	fds_close(&q->feed, 1);
	fds_close(&q->state, 1);
}

/* Return: 1 all is written, 0 the pipe is full, or -errno. */
static int feed(struct qemu_vm *q)
{
	int r = descriptor_feed(q->state, q->feed);

	if (r > 0)
		feed_end(q);
	return r;
}

static int on_room(sd_event_source *s, int fd, uint32_t events, void *data)
{
	struct qemu_vm *q = data;
	int r = feed(q);

	if (r < 0) {
		feed_end(q);
		step_end(q, r);
	}
	return 0;
}

/* One step: until QEMU says that it has loaded it. */
static int send_state(struct qemu_vm *q)
{
	int r = feed(q);

	if (r == 0)
		r = sd_event_add_io(core_loop(), &q->feeder, q->state, EPOLLOUT, on_room, q);
	if (r < 0)
		return r;
	q->incoming = true;
	step_begin(q);
	return 0;
}

static void ready_for_state(struct qemu_vm *q)
{
	int r;

	if (q->err) {
		op_end(q);
		return;
	}
	q->next = state_loaded;
	step_begin(q);
	r = clone_announce(q);
	step_end(q, r ? r : send_state(q));
}

static void on_mapped(void *data, int err, const struct ramlib_rep *rep, int *fds,
		      unsigned int nfds)
{
	struct qemu_vm *q = data;

	if (!err && nfds != 1)
		err = -EPROTO;
	if (!err) {
		q->uffd = steal_fd(&fds[0]);
		q->ram_base = rep->base;
		err = qemu_store(q, "uffd", q->uffd);
	}
	if (err)
		log_err("vm%" PRIu64 ": mapping the image: %s", vm_handle(q->vm), strerror(-err));
	step_end(q, err);
}

static int map_image(struct qemu_vm *q, const struct qemu_checkpoint *c)
{
	_cleanup_close_ int fd = -1;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->image);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = ramlib_request(q->ram, RAMLIB_MAP, fd, on_mapped, q);
	if (r == 0)
		step_begin(q);
	return r;
}

static int give_layers(struct qemu_vm *q, const struct layer *top, const struct layer *known)
{
	for (const struct layer *l = top; l && l != known; l = l->below) {
		_cleanup_close_ int fd = layer_fd(l, false);

		if (fd < 0)
			return fd;
		step_qmp(q, "add-fd", json_pack("{s:i}", "fdset-id", l->id), fd);
	}
	return 0;
}

int load_layers(struct qemu_vm *q, const struct layer *top, const struct layer *known)
{
	int r = give_layers(q, top, known);

	if (r == 0 && top != known)
		step_qmp(q, "blockdev-add", layer_node(top, false, known), -1);
	return r;
}

/* The highest layer of the frozen chain that the stand-by has opened. */
static const struct layer *highest_known(const struct layer *frozen, const struct layer *opened)
{
	for (const struct layer *f = frozen; f; f = f->below) {
		for (const struct layer *o = opened; o; o = o->below) {
			if (o == f)
				return f;
		}
	}
	return NULL;
}

/*
 * An older checkpoint's layer has others on it here, in whose place blockdev-snapshot would
 * put the overlay: it gets a node of its own above it to do that to. A filter, which merges
 * (merge.c) look through; this one does nothing unless it is written to, and it never is.
 */
static void cover(struct qemu_vm *q, struct qemu_disk *d, const struct layer *frozen,
		  char name[LAYER_NODE_MAX])
{
	char lower[LAYER_NODE_MAX];

	layer_name(frozen, lower);
	d->cover = frozen->id;
	layer_cover_name(frozen, name);
	step_qmp(q, "blockdev-add", json_pack("{s:s, s:s, s:s, s:b}", "driver", "preallocate",
					      "node-name", name, "file", lower, "read-only", 1), -1);
}

static int give_disk(struct qemu_vm *q, struct layer *frozen, unsigned int i)
{
	char node[LAYER_NODE_MAX], lower[LAYER_NODE_MAX], device[16];
	struct qemu_disk *d = &q->disks[i];
	const struct layer *opened = d->top->below, *known = highest_known(frozen, opened);
	int r;

	if (layer_base(frozen) != d->base) {
		log_err("vm%" PRIu64 ": disk %s: no longer the file that its family was started "
			"with", vm_handle(q->vm), vm_config(q->vm)->disks[i].path);
		return -ESTALE;
	}
	r = load_layers(q, frozen, known);
	if (r < 0)
		return r;
	if (known == frozen && opened != frozen)
		cover(q, d, frozen, lower);
	else
		layer_name(frozen, lower);
	r = layer_rebase(d->top, frozen);
	if (r < 0)
		return r;
	layer_name(d->top, node);
	snprintf(device, sizeof(device), "disk%u", i);
	step_qmp(q, "blockdev-snapshot",
		 json_pack("{s:s, s:s}", "node", lower, "overlay", node), -1);
	step_qmp(q, "qom-set", json_pack("{s:s, s:s, s:s}", "path", device, "property", "drive",
					 "value", node), -1);
	return 0;
}

static int begin(struct qemu_vm *q, const struct qemu_checkpoint *c)
{
	int r = map_image(q, c);

	for (unsigned int i = 0; r == 0 && i < vm_config(q->vm)->ndisks; i++)
		r = give_disk(q, c->disks[i], i);
	if (r < 0)
		return r;
	q->feed = keep_open_descriptor(c);
	return q->feed < 0 ? q->feed : 0;
}

int qemu_load(struct vm *vm, struct checkpoint *cp)
{
	struct qemu_checkpoint *c = checkpoint_backend(cp);
	struct qemu_vm *q = qemu_of(vm);
	int r;

	if (!q->standby || q->image || !c)
		return -EINVAL;
	if (c->broken)
		return c->broken;
	r = op_begin(q, OP_LOAD, ready_for_state);
	if (r < 0)
		return r;
	vm_times(vm)->load_begin = now_ns();
	q->cp = cp;
	q->image = checkpoint_handle(cp);
	r = step_soon(q);
	if (r < 0) {
		op_abort(q);
		return r;
	}
	step_begin(q);
	step_end(q, begin(q, c));
	return 0;
}
