// SPDX-License-Identifier: GPL-2.0-or-later
/* The QEMU backend: its table of operations, and the small ones. */
#include <errno.h>
#include <signal.h>

#include "qemu.h"
#include "util.h"

static void resumed(struct qemu_vm *q)
{
	if (!q->err)
		vm_times(q->vm)->resumed = now_ns();
	op_end(q);
}

static int resume(struct vm *vm)
{
	struct qemu_vm *q = qemu_of(vm);
	int r = op_begin(q, OP_RESUME, resumed);

	if (r < 0)
		return r;
	step_begin(q);
	r = qmp_send(q->qmp, "{\"execute\":\"cont\"}", -1, step_answered, q);
	if (r < 0)
		op_abort(q);
	return r;
}

static void kick(struct vm *vm)
{
	ivshmem_kick(&qemu_of(vm)->iv);
}

static int kill_vm(struct vm *vm)
{
	struct qemu_vm *q = qemu_of(vm);

	if (!q || !q->pid)
		return -ESRCH;
	q->said = true;
	return core_signal(q->pid, SIGKILL);
}

static void destroy(struct vm *vm)
{
	if (qemu_of(vm))
		qemu_vm_forget(qemu_of(vm));
}

static void checkpoint_destroy(struct checkpoint *cp)
{
	struct qemu_checkpoint *c = checkpoint_backend(cp);

	if (c)
		image_forget(c);
}

const struct backend_ops qemu_backend = {
	.name = "qemu",
	.probe = qemu_probe,
	.check = qemu_check,
	.start = qemu_start,
	.prepare = qemu_prepare,
	.freeze = qemu_freeze,
	.resume = resume,
	.load = qemu_load,
	.kick = kick,
	.kill = kill_vm,
	.destroy = destroy,
	.checkpoint_destroy = checkpoint_destroy,
	.slots = config_slots,
	.save = qemu_save,
	.adopt = qemu_adopt,
	.checkpoint_save = qemu_checkpoint_save,
	.checkpoint_adopt = qemu_checkpoint_adopt,
	.describe = qemu_describe,
	.checkpoint_describe = qemu_checkpoint_describe,
};
