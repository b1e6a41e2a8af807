// SPDX-License-Identifier: GPL-2.0-or-later
/* Loading: a stand-by becomes a clone. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fdpass.h"
#include "log.h"
#include "qemu.h"
#include "util.h"

/**
 * DOC: The order
 *
 *  1. memory: the RAM library maps the image and gives back a userfaultfd; side by
 *     side: disks (below); the descriptor's file is handed over
 *  2. the pager takes the clone; side by side: migrate-incoming, whose own touches
 *     of guest memory wait for the pager if they come first
 *  3. vectors of the ivshmem device (ivshmem.h says why not before), until QEMU's
 *     main loop has seen them
 *
 * A disk: the frozen chain and an empty overlay on it are one blockdev-add; then
 * "qom-set drive" puts it in the place of the placeholder, which is allowed on a
 * realized device since QEMU 6.0. Only descriptors are handed over one by one.
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
	if (r == 0) {
		q->incoming = true;
		step_begin(q);
		step_qmp(q, "migrate-incoming", json_pack("{s:s}", "uri", "fd:d"), -1);
	}
	step_end(q, r);
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

static int give_layers(struct qemu_vm *q, const struct layer *top)
{
	for (const struct layer *l = top; l; l = l->below) {
		_cleanup_close_ int fd = layer_fd(l, l == top);

		if (fd < 0)
			return fd;
		step_qmp(q, "add-fd", json_pack("{s:i}", "fdset-id", l->id), fd);
	}
	return 0;
}

static int give_disk(struct qemu_vm *q, struct layer *frozen, unsigned int i)
{
	struct layer *top;
	char node[16], path[48];
	int r = layer_new_overlay(frozen, &top);

	if (r < 0)
		return r;
	q->disks[i].top = top;
	snprintf(node, sizeof(node), "n%u", top->id);
	snprintf(path, sizeof(path), "/machine/peripheral/disk%u", i);
	r = give_layers(q, top);
	if (r < 0)
		return r;
	step_qmp(q, "blockdev-add", layer_node(top, node, true), -1);
	step_qmp(q, "qom-set", json_pack("{s:s, s:s, s:s}", "path", path, "property", "drive",
					 "value", node), -1);
	return 0;
}

static int begin(struct qemu_vm *q, const struct qemu_checkpoint *c)
{
	_cleanup_close_ int fd = -1;
	int r = map_image(q, c);

	if (r < 0)
		return r;
	for (unsigned int i = 0; r == 0 && i < vm_config(q->vm)->ndisks; i++)
		r = give_disk(q, c->disks[i], i);
	if (r < 0)
		return r;
	fd = keep_open_descriptor(c);
	if (fd < 0)
		return fd;
	step_qmp(q, "getfd", json_pack("{s:s}", "fdname", "d"), fd);
	return 0;
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
