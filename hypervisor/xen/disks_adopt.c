// SPDX-License-Identifier: GPL-2.0-or-later
/* Disks of Xen domains over a restart of vmforkd. */
#include "disks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../qemu/qmp.h"
#include "xen.h"

json_t *disks_save(const struct xen_vm *x)
{
	json_t *a = json_array();

	for (unsigned int i = 0; i < vm_config(x->vm)->ndisks; i++)
		json_array_append_new(a, layers_save(x->disks.disk[i].top));
	return a;
}

/* A stand-by has none yet. */
int disks_adopt(struct xen_vm *x, json_t *saved)
{
	unsigned int n = vm_config(x->vm)->ndisks;
	int r = json_array_size(saved) == n ? 0 : -EBADMSG;

	for (unsigned int i = 0; r == 0 && i < n; i++) {
		struct xen_disk *d = &x->disks.disk[i];

		r = layers_adopt(json_array_get(saved, i), &d->top);
		d->base = layer_get(layer_base(d->top));
	}
	return r;
}

json_t *disks_save_frozen(const struct xen_checkpoint *c)
{
	json_t *a = json_array();

	for (unsigned int i = 0; i < checkpoint_config(c->cp)->ndisks; i++)
		json_array_append_new(a, layers_save(c->disks[i]));
	return a;
}

int disks_adopt_frozen(struct xen_checkpoint *c, json_t *saved)
{
	int r = json_is_array(saved) ? 0 : -EBADMSG;

	for (unsigned int i = 0; r == 0 && i < json_array_size(saved) && i < VM_DISKS_MAX; i++)
		r = layers_adopt(json_array_get(saved, i), &c->disks[i]);
	return r;
}

/* The number of the layer that disk @disk writes to, or 0. */
static unsigned int top_layer(const json_t *blocks, unsigned int disk)
{
	const char *qdev, *node;
	unsigned int id = 0;
	json_t *b;
	char name[16];
	size_t i;

	snprintf(name, sizeof(name), "disk%u", disk);
	json_array_foreach(blocks, i, b) {
		qdev = json_string_value(json_object_get(b, "qdev"));
		node = json_string_value(json_object_get(json_object_get(b, "inserted"),
							 "node-name"));
		if (qdev && node && !strcmp(qdev, name) && sscanf(node, "n%u", &id) == 1)
			return id;
	}
	return 0;
}

/* A fork that was cut short may have put overlays on the disks already. */
static void on_blocks(void *data, int err, json_t *ret, const char *text)
{
	struct xen_vm *x = data;
	disks_fn done = x->disks.done;

	for (unsigned int i = 0; !err && i < vm_config(x->vm)->ndisks; i++) {
		unsigned int id = top_layer(ret, i);

		if (id && x->disks.disk[i].top)
			err = layer_adopt_overlay(&x->disks.disk[i].top, id);
	}
	x->disks.done = NULL;
	done(x, err);
}

void disks_find(struct xen_vm *x, disks_fn done)
{
	int r;

	if (!vm_config(x->vm)->ndisks) {
		done(x, 0);
		return;
	}
	x->disks.done = done;
	merge_cancel(x);
	r = qmp_execute(x->disks.qmp, "query-block", NULL, -1, on_blocks, x);
	if (r < 0)
		done(x, r);
}
