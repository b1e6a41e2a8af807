// SPDX-License-Identifier: GPL-2.0-or-later
/* Freezing a VM: overlays, descriptor, snapshot of its memory. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/vmfork_channel.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>

#include "descriptor.h"
#include "fdpass.h"
#include "log.h"
#include "qemu.h"
#include "ram_slots.h"
#include "util.h"

/**
 * DOC: The pause
 *
 * All that can be made before is made by prepare(): overlay files with their nodes in
 * QEMU, the descriptor's file in an fdset, the image. The pause itself is a few
 * commands, written at once so that QEMU reads the next while it does the one before:
 *
 *   stop, [blockdev-snapshot per disk], xen-save-devices-state     ... cont
 *
 * and, from the answer to "stop" on, side by side with the last two: the RAM library's
 * _Fork(). Neither writes to the guest's memory.
 *
 * xen-save-devices-state is how Xen's toolstack saves what QEMU knows of a machine:
 * every device and vCPU, no memory at all. It is one synchronous command, where
 * "migrate" starts a thread, turns dirty logging on and off and writes 300 KiB of
 * ROMs; its stream is loaded by migrate-incoming. Thus no RAM block list either, and
 * nothing to mend in it (Documentation/descriptor-format.md).
 */
static void prepare_disk(struct qemu_vm *q, struct qemu_disk *d)
{
	_cleanup_close_ int fd = -1;
	int r = layer_new_overlay(d->top, &d->next);

	fd = r < 0 ? r : layer_fd(d->next, true);
	step_begin(q);
	if (fd >= 0) {
		step_qmp(q, "add-fd", json_pack("{s:i}", "fdset-id", d->next->id), fd);
		step_qmp(q, "blockdev-add", layer_node(d->next, true, NULL), -1);
	}
	step_end(q, fd < 0 ? fd : 0);
}

/* QEMU finds a descriptor for writing in an fdset by its access mode. */
static int give_descriptor(struct qemu_vm *q, struct qemu_checkpoint *c)
{
	_cleanup_close_ int fd = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->raw);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	c->raw_set = layer_new_id();
	step_qmp(q, "add-fd", json_pack("{s:i}", "fdset-id", c->raw_set), fd);
	return 0;
}

static void prepare_failed(struct qemu_vm *q)
{
	for (unsigned int i = 0; i < VM_DISKS_MAX; i++) {
		layer_put(q->disks[i].next);
		q->disks[i].next = NULL;
	}
	if (q->future)
		image_put(q->future);
	q->future = NULL;
}

static void prepared(struct qemu_vm *q)
{
	if (q->err)
		prepare_failed(q);
	op_end(q);
}

static int prepare_all(struct qemu_vm *q)
{
	unsigned int ndisks = vm_config(q->vm)->ndisks;
	int r;

	if (q->future)
		return 0;
	r = image_new(vm_config(q->vm), &q->future);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < ndisks; i++)
		prepare_disk(q, &q->disks[i]);
	return give_descriptor(q, q->future);
}

/* No merge is under way: what is on top of the chains is settled. */
static void prepare_files(struct qemu_vm *q)
{
	q->next = prepared;
	step_begin(q);
	step_end(q, prepare_all(q));
}

int qemu_prepare(struct vm *vm)
{
	struct qemu_vm *q = qemu_of(vm);
	int r = op_begin(q, OP_PREPARE, prepare_files);

	if (r < 0)
		return r;
	r = step_soon(q);
	if (r < 0)
		op_abort(q);
	else
		merge_finish(q, true);
	return r;
}

/* A clone's absent pages are in the image below, but for those it does not want. */
static int copy_avoid(struct qemu_vm *q, struct qemu_checkpoint *c)
{
	struct pager_slot slots[PAGER_SLOTS_MAX];
	off_t from = VMFORK_CHANNEL_BITMAPS;
	size_t left = bitmap_bytes(slots, config_slots(vm_config(q->vm), slots));

	if (!q->image)
		return 0;
	c->lower = q->image;
	c->avoid = memfd_create("vmfork-avoid", MFD_CLOEXEC);
	if (c->avoid < 0)
		return -errno;
	while (left) {
		ssize_t n = sendfile(c->avoid, q->channel, &from, left);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		left -= (size_t)n;
	}
	return 0;
}

static void on_snapshot(void *data, int err, const struct ramlib_rep *rep, int *fds,
			unsigned int nfds)
{
	struct qemu_vm *q = data;
	struct qemu_checkpoint *c = q->future;

	vm_times(q->vm)->snapped = now_ns();
	if (!err && nfds == 2) {
		c->mem = steal_fd(&fds[0]);
		c->pagemap = steal_fd(&fds[1]);
		c->pid = rep->pid;
		c->base = rep->base;
	} else if (!err) {
		err = keep_open_snapshot(c, rep);
	}
	fds_close(&c->lifeline_read, 1);
	if (err)
		log_err("vm%" PRIu64 ": snapshot of the memory: %s", vm_handle(q->vm),
			strerror(-err));
	step_end(q, err);
}

static void on_stopped(void *data, int err, json_t *ret, const char *text)
{
	struct qemu_vm *q = data;

	if (!vm_times(q->vm)->stopped)	/* no STOP event: it stood still before */
		vm_times(q->vm)->stopped = now_ns();
	step_begin(q);
	if (!err) {
		err = ramlib_request(q->ram, RAMLIB_SNAPSHOT, q->future->lifeline_read,
				     on_snapshot, q);
		if (!err)
			step_begin(q);
	}
	if (!err)
		err = copy_avoid(q, q->future);
	step_end(q, 0);
	step_answered(q, err, ret, text);
}

/* The disks are answered in their order. */
static void on_layered(void *data, int err, json_t *ret, const char *text)
{
	struct qemu_vm *q = data;
	unsigned int i = q->layered++;
	struct qemu_disk *d = &q->disks[i];

	if (!err) {
		q->future->disks[i] = d->top;
		d->top = d->next;
		d->next = NULL;
	}
	step_answered(q, err, ret, text);
}

static void on_saved(void *data, int err, json_t *ret, const char *text)
{
	struct qemu_vm *q = data;

	vm_times(q->vm)->saved = now_ns();
	step_answered(q, err, ret, text);
}

static void send_pause(struct qemu_vm *q)
{
	char path[32], old[LAYER_NODE_MAX], new[LAYER_NODE_MAX];

	snprintf(path, sizeof(path), "/dev/fdset/%u", q->future->raw_set);
	vm_times(q->vm)->stopped = 0;
	step_command(q, "stop", NULL, -1, on_stopped);
	for (unsigned int i = 0; i < vm_config(q->vm)->ndisks; i++) {
		layer_name(q->disks[i].top, old);
		layer_name(q->disks[i].next, new);
		step_command(q, "blockdev-snapshot",
			     json_pack("{s:s, s:s}", "node", old, "overlay", new), -1, on_layered);
	}
	step_command(q, "xen-save-devices-state",
		     json_pack("{s:s, s:b}", "filename", path, "live", 0), -1, on_saved);
}

static int check_descriptor(struct qemu_checkpoint *c)
{
	struct stat st;
	void *map;
	int r;

	if (fstat(c->raw, &st) < 0)
		return -errno;
	c->raw_bytes = (uint64_t)st.st_size;
	if (!c->raw_bytes)
		return -EBADMSG;
	map = mmap(NULL, c->raw_bytes, PROT_READ, MAP_SHARED, c->raw, 0);
	if (map == MAP_FAILED)
		return -errno;
	r = descriptor_check(map, c->raw_bytes);
	munmap(map, c->raw_bytes);
	return r;
}

/* The clones of this fork will ask for much of what those of the last one asked for. */
static void keep_record(struct qemu_vm *q, struct qemu_checkpoint *c)
{
	if (!q->vm)
		return;
	c->earlier = steal_fd(&q->record);
	q->record = fcntl(c->record, F_DUPFD_CLOEXEC, 3);
	if (q->record >= 0)
		qemu_store(q, "record", q->record);
}

/* The VM goes on while the rest is done: the event comes first. */
static void complete(struct qemu_vm *q, struct qemu_checkpoint *c)
{
	struct checkpoint *cp = q->cp;
	int r;

	q->future = NULL;
	q->has_forked = true;
	c->cp = cp;
	c->refs++;
	checkpoint_set_backend(cp, c);
	qemu_vm_get(q);
	op_end(q);
	if (q->vm)
		qmp_execute(q->qmp, "remove-fd", json_pack("{s:i}", "fdset-id", c->raw_set), -1,
			    NULL, NULL);
	keep_record(q, c);
	qemu_vm_put(q);
	if (c->cp) {
		r = image_announce(c);
		r = r ? r : keep_when_idle(c);
		r = r ? r : image_store(c);
		c->broken = r;
	}
	image_put(c);
}

static void frozen(struct qemu_vm *q)
{
	struct qemu_checkpoint *c = q->future;

	if (!q->err)
		q->err = check_descriptor(c);
	if (q->err) {
		prepare_failed(q);
		op_end(q);
		return;
	}
	complete(q, c);
}

static void freeze_prepared(struct qemu_vm *q)
{
	if (q->err) {
		prepared(q);
		return;
	}
	q->next = frozen;
	step_begin(q);
	send_pause(q);
	step_end(q, 0);
}

static void freeze_files(struct qemu_vm *q)
{
	q->next = freeze_prepared;
	step_begin(q);
	step_end(q, prepare_all(q));
}

int qemu_freeze(struct vm *vm, struct checkpoint *cp)
{
	struct qemu_vm *q = qemu_of(vm);
	bool ready = q->future != NULL;
	int r = op_begin(q, OP_FREEZE, ready ? frozen : freeze_files);

	if (r < 0)
		return r;
	q->cp = cp;
	q->held = true;
	r = step_soon(q);
	if (r == 0 && ready)
		send_pause(q);
	else if (r == 0)
		merge_finish(q, false);
	if (r < 0) {
		op_abort(q);
		prepare_failed(q);
	}
	return r;
}
