// SPDX-License-Identifier: GPL-2.0-or-later
/* Asking a QEMU that was given further arguments whether its machine can be forked. */
#include <stdio.h>
#include <string.h>

#include "forkable.h"
#include "log.h"
#include "qemu.h"

static void on_blocked(void *data, int err, json_t *ret, const char *text)
{
	struct qemu_vm *q = data;

	if (!err)
		forkable_state(ret, q->unforkable, sizeof(q->unforkable));
	if (q->unforkable[0])
		log_warn("%s: cannot be forked: %s", vm_config(q->vm)->name, q->unforkable);
	step_answered(q, err, ret, text);
}

static void on_disks(void *data, int err, json_t *ret, const char *text)
{
	struct qemu_vm *q = data;

	if (!err)
		forkable_disks(ret, q->unforkable, sizeof(q->unforkable));
	step_answered(q, err, ret, text);
}

static void on_memory(void *data, int err, json_t *ret, const char *text)
{
	struct qemu_vm *q = data;

	if (!err)
		forkable_memory(ret, q->unforkable, sizeof(q->unforkable));
	step_answered(q, err, ret, text);
}

/* Which of several it is: told by its place, where it has one. */
static void on_address(void *data, int err, json_t *ret, const char *text)
{
	struct qemu_vm *q = data;
	size_t n = strlen(q->unforkable);

	if (!err && json_is_string(ret))
		snprintf(q->unforkable + n, sizeof(q->unforkable) - n, " (at 00:%.8s)",
			 json_string_value(ret));
	forkable_text(q->unforkable);
	step_answered(q, 0, ret, text);
}

static void on_devices(struct qemu_vm *q, const char *where, int err, json_t *ret,
		       const char *text)
{
	bool known = q->unforkable[0];
	const char *name = err ? NULL : forkable_devices(ret, q->unforkable,
							 sizeof(q->unforkable));
	char path[256];

	if (name && !known) {
		snprintf(path, sizeof(path), "/machine/%s/%.100s", where, name);
		step_command(q, "qom-get", json_pack("{s:s, s:s}", "path", path, "property",
						     "legacy-addr"), -1, on_address);
	}
	step_answered(q, err, ret, text);
}

static void on_named(void *data, int err, json_t *ret, const char *text)
{
	on_devices(data, "peripheral", err, ret, text);
}

static void on_unnamed(void *data, int err, json_t *ret, const char *text)
{
	on_devices(data, "peripheral-anon", err, ret, text);
}

void forkcheck(struct qemu_vm *q)
{
	const struct vm_config *c = vm_config(q->vm);

	if (!c->nextra)
		return;
	forkable_args(c, q->unforkable, sizeof(q->unforkable));
	step_command(q, "qom-list", json_pack("{s:s}", "path", "/machine/peripheral"), -1,
		     on_named);
	step_command(q, "qom-list", json_pack("{s:s}", "path", "/machine/peripheral-anon"), -1,
		     on_unnamed);
	step_command(q, "query-memdev", NULL, -1, on_memory);
	step_command(q, "query-block", NULL, -1, on_disks);
	step_command(q, "query-migrate", NULL, -1, on_blocked);
}

const char *qemu_unforkable(const struct vm *vm)
{
	const struct qemu_vm *q = qemu_of(vm);

	return q && q->unforkable[0] ? q->unforkable : NULL;
}
