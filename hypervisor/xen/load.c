// SPDX-License-Identifier: GPL-2.0-or-later
/* Forks of a domain, the clones' half: load(). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fdpass.h"
#include "util.h"
#include "xen.h"

/* The domain is there, empty: first the pager, then its devices, then its pages. */
void xen_restored(struct xen_vm *x, const struct xenvm_rep *rep, int evtchn)
{
	int r = rep->err;

	if (!r)
		r = evtchn < 0 ? -EPROTO : xen_plug(x);
	r = r ? r : xen_clone_announce(x, rep, evtchn);
	if (r)
		xen_op_end(x, r);
	else
		core_event(x->vm, VM_EV_PROGRESS, 0, 0);
}

static void load_pages(struct xen_vm *x, int err)
{
	const struct xen_checkpoint *c = checkpoint_backend(x->cp);
	int fds[3];

	if (!err && !c)
		err = -ESTALE;
	if (!err) {
		fds[0] = c->presence;
		fds[1] = x->channel;
		fds[2] = c->gfns;
		err = xen_ask(x, XENVM_LOAD, fds, 3);
	}
	if (err)
		xen_op_end(x, err);
	else
		core_event(x->vm, VM_EV_PROGRESS, 0, 0);
}

void xen_clone_added(struct xen_vm *x, int err)
{
	const struct xen_checkpoint *c = checkpoint_backend(x->cp);

	if (x->op != XEN_OP_LOAD)
		return;
	if (!err && !c)
		err = -ESTALE;
	if (err)
		xen_op_end(x, err);
	else
		disks_attach(x, c, load_pages);
}

void xen_loaded(struct xen_vm *x, const struct xenvm_rep *rep)
{
	const struct xen_checkpoint *c = checkpoint_backend(x->cp);
	int err = rep->err, gfns = err || !c ? -1 : fcntl(c->gfns, F_DUPFD_CLOEXEC, 3);

	if (!err && gfns < 0)
		err = -EIO;
	if (!err) {
		err = xen_keep_gfns(x, &gfns);
		err = err ? err : region_map(x, false);
	}
	xen_op_end(x, err);
}

/*
 * The checkpoint may be gone when this clone is forked. What it and its siblings asked for until
 * then is what its own clones will ask for.
 */
static int keep_lower(struct xen_vm *x, const struct xen_checkpoint *c)
{
	int r;

	x->lower[0] = fcntl(c->image, F_DUPFD_CLOEXEC, 3);
	x->lower[1] = fcntl(c->presence, F_DUPFD_CLOEXEC, 3);
	x->record = fcntl(c->record, F_DUPFD_CLOEXEC, 3);
	if (x->lower[0] < 0 || x->lower[1] < 0 || x->record < 0)
		return -errno;
	r = xen_store(x, "lower", x->lower[0]);
	r = r ? r : xen_store(x, "lower-presence", x->lower[1]);
	return r ? r : xen_store(x, "record", x->record);
}

int xen_load(struct vm *vm, struct checkpoint *cp)
{
	const struct xen_checkpoint *c = checkpoint_backend(cp);
	_cleanup_close_ int fd = -1;
	struct xen_vm *x = xen_of(vm);
	char path[32];
	int r;

	if (!x->standby || x->image || !c || x->op)
		return -EINVAL;
	if (c->broken)
		return c->broken;
	/* one position in the file for each clone */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->descriptor);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = keep_lower(x, c);
	if (r < 0)
		return r;
	vm_times(vm)->load_begin = now_ns();
	xen_op_begin(x, XEN_OP_LOAD);
	x->cp = cp;
	x->image = checkpoint_handle(cp);
	r = xen_ask(x, XENVM_RESTORE, &fd, 1);
	if (r < 0)
		x->op = XEN_OP_NONE;
	return r;
}
