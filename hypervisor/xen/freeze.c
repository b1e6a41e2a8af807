// SPDX-License-Identifier: GPL-2.0-or-later
/* Forks of a domain, its own half: prepare() and freeze(). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "fdpass.h"
#include "log.h"
#include "util.h"
#include "xen.h"

/**
 * DOC: Pre-copy
 *
 * prepare() has vmfork-xenvm begin the copy (xenvm_copy.c), in the files of a checkpoint to be;
 * freeze() has it ended. Without prepare() freeze() does both. The files are not kept over a
 * restart of vmforkd, which begins anew then.
 */

static int ask_copy(struct xen_vm *x, enum xenvm_op op)
{
	int fds[XENVM_FDS_MAX], r;

	r = xen_image_new(vm_config(x->vm), &x->future);
	if (r < 0)
		return r;
	fds[0] = x->future->image;
	fds[1] = x->future->presence;
	fds[2] = x->future->descriptor;
	fds[3] = x->lower[0];
	fds[4] = x->lower[1];
	return xen_ask(x, op, fds, x->lower[0] < 0 ? 3 : 5);
}

static void drop_future(struct xen_vm *x)
{
	x->prepared = false;
	x->ahead = false;
	if (x->future)
		xen_image_put(x->future);
	x->future = NULL;
}

int xen_prepare(struct vm *vm)
{
	struct xen_vm *x = xen_of(vm);
	int r;

	if (x->op || x->prepared)
		return -EBUSY;
	xen_op_begin(x, XEN_OP_PREPARE);
	r = ask_copy(x, XENVM_PREPARE);
	if (r < 0) {
		x->op = XEN_OP_NONE;
		drop_future(x);
	}
	return r;
}

void xen_prepared(struct xen_vm *x, int err)
{
	x->prepared = !err;
	if (err)
		drop_future(x);
	xen_op_end(x, err);
}

void xen_unprepare(struct vm *vm)
{
	struct xen_vm *x = xen_of(vm);

	if (!x || x->op || !x->prepared)
		return;
	xen_ask(x, XENVM_UNPREPARE, NULL, 0);
	drop_future(x);
}

/* The clones of this fork will ask for much of what those of the last one asked for. */
static void keep_record(struct xen_vm *x, struct xen_checkpoint *c)
{
	c->earlier = steal_fd(&x->record);
	x->record = fcntl(c->record, F_DUPFD_CLOEXEC, 3);
	if (x->record >= 0)
		xen_store(x, "record", x->record);
}

static void snapped(struct xen_vm *x, int err)
{
	struct xen_checkpoint *c = x->future;
	struct checkpoint *cp = x->cp;

	c->refs++;	/* ours until the end of this */
	drop_future(x);
	disks_unprepare(x);
	vm_times(x->vm)->saved = now_ns();
	vm_times(x->vm)->snapped = now_ns();
	if (!err)
		err = xen_image_leave_free(c, x);
	c->gfns = fcntl(x->gfns, F_DUPFD_CLOEXEC, 3);
	if (!err && c->gfns < 0)
		err = -EIO;
	if (!err) {
		c->cp = cp;
		c->refs++;
		checkpoint_set_backend(cp, c);
		keep_record(x, c);
		err = xen_image_announce(c);
		err = err ? err : xen_checkpoint_store(c);
		c->broken = err;
	}
	xen_image_put(c);
	xen_op_end(x, err);
}

void xen_frozen(struct xen_vm *x, const struct xenvm_rep *rep)
{
	vm_times(x->vm)->stopped = rep->stopped_ns;
	x->copied = rep->copied;
	x->copied_late = rep->copied_late;
	x->copied_early = rep->copied_early;
	if (rep->err)
		snapped(x, rep->err);
	else
		disks_snapshot(x, x->future, snapped);
}

int xen_freeze(struct vm *vm, struct checkpoint *cp)
{
	struct xen_vm *x = xen_of(vm);
	int r;

	if (x->op)
		return -EBUSY;
	xen_op_begin(x, XEN_OP_FREEZE);
	x->cp = cp;
	r = disks_prepare(x);
	if (!r)
		r = x->prepared ? xen_ask(x, XENVM_FREEZE, NULL, 0) : ask_copy(x, XENVM_FREEZE);
	if (r < 0) {
		disks_unprepare(x);
		x->op = XEN_OP_NONE;
		xen_unprepare(vm);
		drop_future(x);
	}
	return r;
}
