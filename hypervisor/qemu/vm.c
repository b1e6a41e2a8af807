// SPDX-License-Identifier: GPL-2.0-or-later
/* VMs of the QEMU backend: objects, operations, and what QEMU says unasked. */
#include "qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>

#include "fdpass.h"
#include "log.h"
#include "util.h"

struct qemu_vm *qemu_vm_new(struct vm *vm)
{
	struct qemu_vm *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->refs = 1;
	q->vm = vm;
	q->iv = IVSHMEM_NONE;
	q->channel = -1;
	q->uffd = -1;
	q->record = -1;
	q->state = -1;
	q->feed = -1;
	vm_set_backend(vm, q);
	return q;
}

struct qemu_vm *qemu_vm_get(struct qemu_vm *q)
{
	q->refs++;
	return q;
}

void qemu_vm_put(struct qemu_vm *q)
{
	if (--q->refs == 0)
		free(q);
}

static void forget_page_source(struct qemu_vm *q)
{
	struct pager_req req = { .op = PAGER_CLONE_DEL, .handle = vm_handle(q->vm) };

	if (q->uffd >= 0)
		core_pager(&req, NULL, 0, NULL, NULL);
}

static void remove_files(const char *dir)
{
	static const char *const names[] = { QMP_SOCKET, CONSOLE_SOCKET, CONSOLE_LOG, QEMU_LOG };
	_cleanup_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (unsigned int i = 0; fd >= 0 && i < ARRAY_SIZE(names); i++)
		unlinkat(fd, names[i], 0);
}

void qemu_vm_forget(struct qemu_vm *q)
{
	char pattern[64];

	forget_page_source(q);
	sd_event_source_disable_unref(q->soon);
	sd_event_source_disable_unref(q->bell);
	sd_event_source_disable_unref(q->feeder);
	sd_event_source_disable_unref(q->stuck);
	qmp_free(q->qmp);
	ramlib_free(q->ram);
	ivshmem_close(&q->iv);
	fds_close(&q->channel, 1);
	fds_close(&q->uffd, 1);
	fds_close(&q->record, 1);
	fds_close(&q->state, 1);
	fds_close(&q->feed, 1);
	merge_forget(q);
	for (unsigned int i = 0; i < VM_DISKS_MAX; i++) {
		layer_put(q->disks[i].top);
		layer_put(q->disks[i].next);
		layer_put(q->disks[i].base);
	}
	if (q->future)
		image_put(q->future);
	snprintf(pattern, sizeof(pattern), "vm%" PRIu64 ".*", vm_handle(q->vm));
	core_drop_fds(pattern);
	remove_files(vm_dir(q->vm));
	vm_set_backend(q->vm, NULL);
	q->vm = NULL;
	qemu_vm_put(q);
}

static void store_name(const struct qemu_vm *q, const char *what, char *buf, size_t len)
{
	snprintf(buf, len, "vm%" PRIu64 ".%s", vm_handle(q->vm), what);
}

int qemu_store(struct qemu_vm *q, const char *what, int fd)
{
	char name[64];

	store_name(q, what, name, sizeof(name));
	return core_store_fd(name, fd);
}

int qemu_take(struct qemu_vm *q, const char *what)
{
	char name[64];

	store_name(q, what, name, sizeof(name));
	return core_take_fd(name);
}

static void op_clear(struct qemu_vm *q)
{
	q->op = OP_NONE;
	q->steps = 0;
	q->err = 0;
	q->next = NULL;
	q->cp = NULL;
	q->incoming = false;
	q->layered = 0;
	q->soon = sd_event_source_disable_unref(q->soon);
}

int op_begin(struct qemu_vm *q, enum qemu_op op, qemu_next_fn next)
{
	if (q->op)
		return -EBUSY;
	op_clear(q);
	q->op = op;
	q->next = next;
	return 0;
}

void op_abort(struct qemu_vm *q)
{
	op_clear(q);
}

void op_end(struct qemu_vm *q)
{
	static const enum vm_event events[] = {
		[OP_START] = VM_EV_STARTED, [OP_PREPARE] = VM_EV_PREPARED,
		[OP_FREEZE] = VM_EV_FROZEN, [OP_RESUME] = VM_EV_RESUMED,
		[OP_LOAD] = VM_EV_LOADED, [OP_ADOPT] = VM_EV_ADOPTED,
	};
	enum vm_event ev = events[q->op];
	int err = q->err;

	op_clear(q);
	core_event(q->vm, ev, err, ev == VM_EV_ADOPTED ? q->running : 0);
}

void step_begin(struct qemu_vm *q)
{
	q->steps++;
}

/* A late answer of an operation that QEMU's end has ended already is nobody's. */
void step_end(struct qemu_vm *q, int err)
{
	if (!q->op)
		return;
	if (err && !q->err)
		q->err = err;
	if (--q->steps == 0)
		q->next(q);
}

static int on_soon(sd_event_source *s, void *data)
{
	struct qemu_vm *q = data;

	q->soon = sd_event_source_disable_unref(q->soon);
	step_end(q, 0);
	return 0;
}

int step_soon(struct qemu_vm *q)
{
	int r = sd_event_add_defer(core_loop(), &q->soon, on_soon, q);

	if (r < 0)
		return r;
	step_begin(q);
	return 0;
}

void step_answered(void *data, int err, json_t *ret, const char *text)
{
	struct qemu_vm *q = data;

	if (text)
		log_err("vm%" PRIu64 ": qemu: %s", vm_handle(q->vm), text);
	step_end(q, err);
}

void step_command(struct qemu_vm *q, const char *command, json_t *arguments, int fd,
		  qmp_reply_fn fn)
{
	int r;

	step_begin(q);
	r = qmp_execute(q->qmp, command, arguments, fd, fn, q);
	if (r < 0)
		step_end(q, r);
}

void step_qmp(struct qemu_vm *q, const char *command, json_t *arguments, int fd)
{
	step_command(q, command, arguments, fd, step_answered);
}

/* A clone has -no-reboot: a reset ends it. It is how a panic looks without pvpanic's
 * driver and with panic=SECONDS, and no way to end a clone in order. */
static void on_shutdown(struct qemu_vm *q, json_t *body)
{
	const char *reason = json_string_value(json_object_get(body, "reason"));

	if (!reason || strncmp(reason, "guest-", 6))
		return;
	core_event(q->vm, !strcmp(reason, "guest-shutdown") ? VM_EV_POWEROFF : VM_EV_PANIC, 0, 0);
}

static void on_block_error(struct qemu_vm *q, json_t *body)
{
	const char *action = json_string_value(json_object_get(body, "action"));
	const char *reason = json_string_value(json_object_get(body, "reason"));
	const char *operation = json_string_value(json_object_get(body, "operation"));
	bool stopped = action && !strcmp(action, "stop");

	if (!q->stuck)
		log_err("vm%" PRIu64 ": disk: cannot %s: %s%s", vm_handle(q->vm),
			operation ? operation : "write", reason ? reason : "an error",
			stopped ? "; the machine stands still" : "");
	if (stopped)
		stuck_begin(q, json_is_true(json_object_get(body, "nospace")) ? -ENOSPC : -EIO);
}

static void on_event(void *data, const char *name, json_t *body)
{
	struct qemu_vm *q = data;

	if (!strcmp(name, "SHUTDOWN"))
		on_shutdown(q, body);
	else if (!strcmp(name, "MIGRATION") && q->incoming)
		load_migration(q, json_string_value(json_object_get(body, "status")));
	else if (!strcmp(name, "BLOCK_IO_ERROR"))
		on_block_error(q, body);
	else if (!strcmp(name, "BLOCK_JOB_COMPLETED") || !strcmp(name, "BLOCK_JOB_CANCELLED"))
		merge_event(q, name, body);
	else if (!strcmp(name, "RESUME"))
		resume_seen(q);
	else if (!strcmp(name, "STOP") && q->op == OP_FREEZE)
		vm_times(q->vm)->stopped = now_ns();
}

/* All commands were answered already. An op that waits for something else than an
 * answer ends here; the core hears of the process itself by waitpid(2). */
static void on_closed(void *data)
{
	struct qemu_vm *q = data;
	char line[256];

	log_tail(vm_dir(q->vm), line, sizeof(line));
	if (!q->said && (line[0] || q->op))
		log_warn("vm%" PRIu64 ": qemu ended%s%s", vm_handle(q->vm), line[0] ? ": " : "",
			 line);
	q->said = true;
	if (q->op) {
		q->err = q->err ? q->err : -ECONNRESET;
		op_end(q);
	}
}

static const struct qmp_handler handler = { .event = on_event, .closed = on_closed };

static int on_bell(sd_event_source *s, int fd, uint32_t events, void *data)
{
	struct qemu_vm *q = data;

	ivshmem_rang(&q->iv);
	core_event(q->vm, VM_EV_RANG, 0, 0);
	return 0;
}

int qemu_listen(struct qemu_vm *q)
{
	int r = qmp_connect(core_loop(), vm_dir(q->vm), QMP_SOCKET, &handler, q, &q->qmp);

	if (r < 0)
		return r;
	return sd_event_add_io(core_loop(), &q->bell, q->iv.bell, EPOLLIN, on_bell, q);
}
