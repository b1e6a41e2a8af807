// SPDX-License-Identifier: GPL-2.0-or-later
/* Restart of vmforkd: what is written down, and found again. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "util.h"
#include "xen.h"

/*
 * Descriptors are found in the keeper's store. The process of the VM goes on with what it was
 * asked to do and answers; nobody remembers the question, so that answer is ignored, and the one
 * to XENVM_STATE, which comes after it, tells what the domain is like now.
 */
json_t *xen_save(const struct vm *vm)
{
	const struct xen_vm *x = xen_of(vm);

	if (!x)
		return json_object();
	return json_pack("{s:i, s:I, s:I, s:b, s:o}", "pid", x->pid, "domain",
			 (json_int_t)x->domain, "image", (json_int_t)x->image, "standby",
			 x->standby, "disks", disks_save(x));
}

static int take(const char *kind, uint64_t handle, const char *what)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%" PRIu64 ".%s", kind, handle, what);
	return core_take_fd(name);
}

static size_t size_of(int fd)
{
	off_t n = lseek(fd, 0, SEEK_END);

	return n < 0 ? 0 : (size_t)n;
}

static void found(struct xen_vm *x, int err)
{
	int r = err ? err : xen_ask(x, XENVM_STATE, NULL, 0);

	if (r < 0)
		xen_op_end(x, r);
}

static int ask(struct xen_vm *x)
{
	int r = vm_config(x->vm)->ndisks ? disks_connect(x) : xen_ask(x, XENVM_STATE, NULL, 0);

	if (r == 0 && vm_config(x->vm)->ndisks)
		disks_find(x, found);
	return r;
}

static int adopt_all(struct xen_vm *x, json_t *disks)
{
	uint64_t handle = vm_handle(x->vm);
	int r;

	x->sock = take("vm", handle, "sock");
	x->bell = take("vm", handle, "bell");
	x->kick = take("vm", handle, "kick");
	x->channel = take("vm", handle, "region");
	x->gfns = take("vm", handle, "gfns");
	x->record = take("vm", handle, "record");	/* if it was forked */
	x->lower[0] = take("vm", handle, "lower");	/* of a clone */
	x->lower[1] = take("vm", handle, "lower-presence");
	if (x->sock < 0 || x->bell < 0 || x->kick < 0 || x->channel < 0)
		return -ENOENT;
	x->channel_size = size_of(x->channel);
	r = x->gfns < 0 ? 0 : region_map(x, false);
	r = r ? r : xen_listen(x);
	r = r < 0 ? r : disks_adopt(x, disks);
	x->op = XEN_OP_ADOPT;
	return r < 0 ? r : ask(x);
}

int xen_adopt(struct vm *vm, json_t *state)
{
	json_int_t domain = 0, image = 0;
	int pid = 0, standby = 0, r;
	json_t *disks = NULL;
	struct xen_vm *x;

	if (json_unpack(state, "{s:i, s:I, s:I, s:b, s:o}", "pid", &pid, "domain", &domain,
			"image", &image, "standby", &standby, "disks", &disks) || pid <= 0 ||
	    domain <= 0)
		return -EINVAL;
	x = malloc(sizeof(*x));
	if (!x)
		return -ENOMEM;
	*x = (struct xen_vm){
		.refs = 1, .vm = vm, .pid = pid, .domain = (uint32_t)domain,
		.image = (uint64_t)image, .standby = standby, .paged = image != 0,
	};
	vm_set_backend(vm, x);
	r = adopt_all(x, disks);
	if (r < 0)
		xen_forget(x);
	return r;
}

json_t *xen_checkpoint_save(const struct checkpoint *cp)
{
	const struct xen_checkpoint *c = checkpoint_backend(cp);

	if (!c)
		return json_object();
	return json_pack("{s:I, s:i, s:o}", "freed", (json_int_t)c->freed, "broken", c->broken,
			 "disks", disks_save_frozen(c));
}

int xen_checkpoint_store(const struct xen_checkpoint *c)
{
	const struct {
		const char *what;
		int fd;
	} all[] = {
		{ "image", c->image }, { "presence", c->presence },
		{ "descriptor", c->descriptor }, { "gfns", c->gfns },
		{ "record", c->record },
	};
	char name[64];
	int r = 0;

	for (unsigned int i = 0; !r && i < ARRAY_SIZE(all); i++) {
		snprintf(name, sizeof(name), "cp%" PRIu64 ".%s", checkpoint_handle(c->cp),
			 all[i].what);
		r = core_store_fd(name, all[i].fd);
	}
	return r;
}

int xen_checkpoint_adopt(struct checkpoint *cp, json_t *state)
{
	struct xen_checkpoint *c = xen_checkpoint_alloc(checkpoint_config(cp));
	uint64_t handle = checkpoint_handle(cp);
	json_int_t freed = 0;
	json_t *disks = NULL;

	if (!c)
		return -ENOMEM;
	if (json_unpack(state, "{s:I, s:i, s:o}", "freed", &freed, "broken", &c->broken, "disks",
			&disks) || disks_adopt_frozen(c, disks))
		c->broken = -EINVAL;
	c->freed = (uint64_t)freed;
	c->image = take("cp", handle, "image");
	c->presence = take("cp", handle, "presence");
	c->descriptor = take("cp", handle, "descriptor");
	c->gfns = take("cp", handle, "gfns");
	c->record = take("cp", handle, "record");
	if (c->broken || c->image < 0 || c->presence < 0 || c->descriptor < 0 || c->gfns < 0 ||
	    c->record < 0) {
		xen_image_put(c);
		return -ENOENT;
	}
	c->cp = cp;
	checkpoint_set_backend(cp, c);
	return 0;
}
