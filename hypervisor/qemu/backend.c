// SPDX-License-Identifier: GPL-2.0-or-later
/* The QEMU backend: its table of operations, and the small ones. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "qemu.h"
#include "sockets.h"
#include "util.h"

static void resumed(struct qemu_vm *q)
{
	q->held = false;
	if (!q->err)
		merge_later(q);
	op_end(q);
}

/*
 * QEMU says RESUME when the machine runs; the answer to the command can be 10 ms behind on
 * a busy host, where the guest is the first to run. Whichever comes first ends the
 * operation. The answer comes before any of a later operation's.
 */
static void on_cont(void *data, int err, json_t *ret, const char *text)
{
	struct qemu_vm *q = data;

	if (q->op != OP_RESUME)
		return;
	if (!err)
		vm_times(q->vm)->resumed = now_ns();
	step_answered(q, err, ret, text);
}

void resume_seen(struct qemu_vm *q)
{
	if (q->op != OP_RESUME)
		return;
	vm_times(q->vm)->resumed = now_ns();
	step_end(q, 0);
}

static int resume(struct vm *vm)
{
	struct qemu_vm *q = qemu_of(vm);
	int r = op_begin(q, OP_RESUME, resumed);

	if (r < 0)
		return r;
	step_begin(q);
	r = qmp_send(q->qmp, "{\"execute\":\"cont\"}", -1, on_cont, q);
	if (r < 0)
		op_abort(q);
	return r;
}

static void on_link(void *data, int err, json_t *ret, const char *text)
{
	struct qemu_vm *q = data;
	void (*done)(struct vm *vm, int err) = q->link_done;

	q->link_done = NULL;
	if (done)
		done(q->vm, err);
}

/*
 * Of the network's end: QEMU then delivers nothing in either direction, whatever the saved
 * state says of the device's end, which is what the guest sees.
 */
static int set_link(struct vm *vm, bool up, void (*done)(struct vm *vm, int err))
{
	struct qemu_vm *q = qemu_of(vm);

	if (q->link_done)
		return -EBUSY;
	q->link_done = done;
	return qmp_execute(q->qmp, "set_link", json_pack("{s:s, s:b}", "name", "net0", "up", up),
			   -1, done ? on_link : NULL, q);
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

static int console(const struct vm *vm)
{
	int fd = socket_connect(vm_dir(vm), CONSOLE_SOCKET);

	if (fd >= 0 && fcntl(fd, F_SETFL, 0) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

const struct backend_ops qemu_backend = {
	.name = "qemu",
	.machine = "pc",
	.probe = qemu_probe,
	.check = qemu_check,
	.start = qemu_start,
	.prepare = qemu_prepare,
	.freeze = qemu_freeze,
	.resume = resume,
	.load = qemu_load,
	.set_link = set_link,
	.unforkable = qemu_unforkable,
	.kick = kick,
	.kill = kill_vm,
	.destroy = destroy,
	.checkpoint_destroy = checkpoint_destroy,
	.slots = config_slots,
	.save = qemu_save,
	.adopt = qemu_adopt,
	.checkpoint_save = qemu_checkpoint_save,
	.checkpoint_adopt = qemu_checkpoint_adopt,
	.console = console,
	.describe = qemu_describe,
	.checkpoint_describe = qemu_checkpoint_describe,
};
