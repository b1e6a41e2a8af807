// SPDX-License-Identifier: GPL-2.0-or-later
/* A restart of vmforkd: what is written down of VMs and checkpoints, and found again. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fdpass.h"
#include "qemu.h"
#include "util.h"

/**
 * DOC: Adoption
 *
 * Numbers come from the state, descriptors from the fd store. The pager is told
 * everything again, which is harmless if it knows. An operation that was under way is
 * lost: its VM is stopped or runs, and ADOPTED says which. What prepare() made is made
 * again; the old nodes stay in QEMU, unused, under names that nobody uses again. What
 * the disks' top layers are, QEMU says: they may be younger than what was written down.
 */
static json_t *save_chains(const struct vm_config *cfg, struct layer *const *top)
{
	json_t *a = json_array();

	for (unsigned int i = 0; i < cfg->ndisks; i++)
		json_array_append_new(a, layers_save(top[i]));
	return a;
}

static int adopt_chains(json_t *saved, const struct vm_config *cfg, struct layer **top)
{
	int r = 0;

	if (json_array_size(saved) != cfg->ndisks)
		return -EBADMSG;
	for (unsigned int i = 0; r == 0 && i < cfg->ndisks; i++)
		r = layers_adopt(json_array_get(saved, i), &top[i]);
	return r;
}

json_t *qemu_save(const struct vm *vm)
{
	const struct qemu_vm *q = qemu_of(vm);
	struct layer *top[VM_DISKS_MAX];

	if (!q)
		return json_null();
	for (unsigned int i = 0; i < VM_DISKS_MAX; i++)
		top[i] = q->disks[i].top;
	return json_pack("{s:i, s:b, s:I, s:I, s:I, s:s, s:o}", "pid", q->pid, "standby", q->standby,
			 "base", (json_int_t)q->ram_base, "image", (json_int_t)q->image,
			 "channel", (json_int_t)q->channel_size, "unforkable", q->unforkable,
			 "disks", save_chains(vm_config(vm), top));
}

static int take(int *fd, int taken)
{
	*fd = taken;
	return taken < 0 ? -EBADF : 0;
}

static int take_fds(struct qemu_vm *q)
{
	int ramctl = qemu_take(q, "ramctl");
	int r = ramctl < 0 ? -EBADF : ramlib_open(core_loop(), ramctl, NULL, NULL, &q->ram);

	r = r ? r : take(&q->iv.sock, qemu_take(q, "iv"));
	r = r ? r : take(&q->iv.bell, qemu_take(q, "bell"));
	r = r ? r : take(&q->iv.kick, qemu_take(q, "kick"));
	r = r ? r : take(&q->channel, qemu_take(q, "region"));
	if (r == 0 && q->image)
		r = take(&q->uffd, qemu_take(q, "uffd"));
	else if (r == 0 && q->standby)
		r = take(&q->state, qemu_take(q, "state"));
	return r;
}

static int restore(struct qemu_vm *q, json_t *state)
{
	const struct vm_config *cfg = vm_config(q->vm);
	struct layer *top[VM_DISKS_MAX] = { 0 };
	json_int_t base, image, channel;
	json_t *disks;
	const char *unforkable = "";
	int standby, r;

	if (json_unpack(state, "{s:i, s:b, s:I, s:I, s:I, s?s, s:o}", "pid", &q->pid, "standby",
			&standby, "base", &base, "image", &image, "channel", &channel,
			"unforkable", &unforkable, "disks", &disks) < 0)
		return -EBADMSG;
	q->standby = standby;
	snprintf(q->unforkable, sizeof(q->unforkable), "%s", unforkable);
	q->ram_base = (uint64_t)base;
	q->image = (uint64_t)image;
	q->channel_size = (size_t)channel;
	r = adopt_chains(disks, cfg, top);
	for (unsigned int i = 0; i < cfg->ndisks; i++) {
		q->disks[i].top = top[i];
		q->disks[i].base = layer_get(layer_base(top[i]));
	}
	return r ? r : take_fds(q);
}

static void on_status(void *data, int err, json_t *ret, const char *text)
{
	struct qemu_vm *q = data;

	q->running = json_is_true(json_object_get(ret, "running"));
	step_answered(q, err, ret, text);
}

/* The number of the layer that disk @disk writes to, or 0. */
static unsigned int top_layer(const json_t *blocks, unsigned int disk)
{
	const char *qdev, *node;
	unsigned int id = 0;
	json_t *b;
	char path[64];
	size_t i;

	snprintf(path, sizeof(path), "/machine/peripheral/disk%u/virtio-backend", disk);
	json_array_foreach(blocks, i, b) {
		qdev = json_string_value(json_object_get(b, "qdev"));
		node = json_string_value(json_object_get(json_object_get(b, "inserted"),
							 "node-name"));
		if (qdev && node && !strcmp(qdev, path) && sscanf(node, "n%u", &id) == 1)
			return id;
	}
	return 0;
}

/* A fork that was cut short may have put overlays on the disks already. */
static void on_blocks(void *data, int err, json_t *ret, const char *text)
{
	struct qemu_vm *q = data;

	for (unsigned int i = 0; !err && i < vm_config(q->vm)->ndisks; i++) {
		unsigned int id = top_layer(ret, i);

		if (id)
			err = layer_adopt_overlay(&q->disks[i].top, id);
	}
	step_answered(q, err, ret, text);
}

static int ask(struct qemu_vm *q)
{
	int r = qemu_listen(q);

	r = r ? r : step_soon(q);
	if (r < 0)
		return r;
	if (q->image) {
		r = clone_announce(q);
		if (r < 0)
			return r;
	}
	step_qmp(q, "migrate-set-capabilities",
		 json_pack("{s:[{s:s,s:b}]}", "capabilities", "capability", "events", "state", 1),
		 -1);
	step_command(q, "query-block", NULL, -1, on_blocks);
	step_command(q, "query-status", NULL, -1, on_status);
	return 0;
}

int qemu_adopt(struct vm *vm, json_t *state)
{
	struct qemu_vm *q = qemu_vm_new(vm);
	int r;

	if (!q)
		return -ENOMEM;
	r = op_begin(q, OP_ADOPT, op_end);
	r = r ? r : restore(q, state);
	r = r ? r : ask(q);
	if (r < 0) {
		op_abort(q);
		qemu_vm_forget(q);
	}
	return r;
}

json_t *qemu_checkpoint_save(const struct checkpoint *cp)
{
	const struct qemu_checkpoint *c = checkpoint_backend(cp);

	if (!c)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "base", (json_int_t)c->base,
			 "lower", (json_int_t)c->lower, "pid", (json_int_t)c->pid,
			 "raw", (json_int_t)c->raw_bytes, "stored", (json_int_t)c->stored_bytes,
			 "disks", save_chains(checkpoint_config(cp), c->disks));
}

static int take_checkpoint_fds(struct qemu_checkpoint *c)
{
	const struct {
		const char *what;
		int *fd;
		bool needed;
	} wanted[] = {
		{ "image", &c->image, true }, { "presence", &c->presence, true },
		{ "lifeline", &c->lifeline, true }, { "mem", &c->mem, true },
		{ "pagemap", &c->pagemap, true }, { "avoid", &c->avoid, c->lower != 0 },
		{ "raw", &c->raw, false }, { "stored", &c->stored, false },
	};
	char name[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(wanted); i++) {
		snprintf(name, sizeof(name), "cp%" PRIu64 ".%s", checkpoint_handle(c->cp),
			 wanted[i].what);
		*wanted[i].fd = core_take_fd(name);
		if (*wanted[i].fd < 0 && wanted[i].needed)
			return -EBADF;
	}
	return c->raw < 0 && c->stored < 0 ? -EBADF : 0;
}

static int restore_checkpoint(struct qemu_checkpoint *c, json_t *state)
{
	const struct vm_config *cfg = checkpoint_config(c->cp);
	json_int_t base, lower, pid, raw, stored;
	json_t *disks;
	int r;

	if (json_unpack(state, "{s:I, s:I, s:I, s:I, s:I, s:o}", "base", &base, "lower", &lower,
			"pid", &pid, "raw", &raw, "stored", &stored, "disks", &disks) < 0)
		return -EBADMSG;
	c->base = (uint64_t)base;
	c->lower = (uint64_t)lower;
	c->pid = pid;
	c->raw_bytes = (uint64_t)raw;
	c->stored_bytes = (uint64_t)stored;
	r = adopt_chains(disks, cfg, c->disks);
	r = r ? r : take_checkpoint_fds(c);
	return r ? r : image_announce(c);
}

int qemu_checkpoint_adopt(struct checkpoint *cp, json_t *state)
{
	struct qemu_checkpoint *c = image_alloc(checkpoint_config(cp));
	int r;

	if (!c)
		return -ENOMEM;
	c->cp = cp;
	checkpoint_set_backend(cp, c);
	r = restore_checkpoint(c, state);
	if (r < 0)
		image_forget(c);
	else if (c->raw >= 0)
		keep_when_idle(c);
	return r;
}
