// SPDX-License-Identifier: GPL-2.0-or-later
/* The operations that look: `ps`, `stats`. */
#include <errno.h>
#include <stdlib.h>

#include "cgroup.h"
#include "core.h"
#include "describe.h"
#include "ops.h"
#include "options.h"
#include "policy.h"

void op_ps(struct request *q)
{
	json_t *v = json_array(), *t = json_array(), *c = json_array();

	for_each_vm(vm)
		if (vm_listed(vm))
			json_array_append_new(v, describe_vm(vm));
	for_each_ticket(ticket)
		json_array_append_new(t, describe_ticket(ticket));
	for_each_checkpoint(cp)
		if (cp->complete)
			json_array_append_new(c, describe_checkpoint(cp));
	request_ok(q, json_pack("{s:o, s:o, s:o, s:{s:i, s:i, s:I, s:s}}", "vms", v, "tickets", t,
				"checkpoints", c, "limits", "clones_max", (int)opt.clones_max,
				"clones_total", (int)opt.clones_total, "memory_max",
				(json_int_t)opt.memory_max, "last", policy_last()));
}

/** struct gather - a `stats` that waits for the pager's answers. */
struct gather {
	struct request *request;
	json_t *vms, *checkpoints;
	unsigned int waiting;
};

struct one_stat {
	struct gather *gather;
	json_t *object;	/* that gets a member "pager" */
	json_t *(*describe)(const struct pager_rep *rep);
};

static void finish(struct gather *g)
{
	if (--g->waiting)
		return;
	request_ok(g->request, json_pack("{s:o, s:o}", "vms", g->vms, "checkpoints",
					 g->checkpoints));
	free(g);
}

static json_t *describe_clone(const struct pager_rep *rep)
{
	const struct pager_clone_stats *s = &rep->clone;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I,"
			 " s:I, s:I}",
			 "faults", (json_int_t)s->faults,
			 "write_faults", (json_int_t)s->write_faults,
			 "fetched", (json_int_t)s->fetched,
			 "fetched_bytes", (json_int_t)(s->fetched * PAGER_PAGE_SIZE),
			 "read_ahead", (json_int_t)s->read_ahead,
			 "shared", (json_int_t)s->shared,
			 "avoided", (json_int_t)s->avoided,
			 "avoided_write", (json_int_t)s->avoided_write,
			 "zeroed_ahead", (json_int_t)s->zeroed_ahead,
			 "poisoned", (json_int_t)s->poisoned, "zero", (json_int_t)s->zero,
			 "private", (json_int_t)s->private_copies,
			 "errors", (json_int_t)s->errors, "serve_ns", (json_int_t)s->serve_ns,
			 "repeated", (json_int_t)s->repeated);
}

static json_t *describe_image(const struct pager_rep *rep)
{
	const struct pager_image_stats *s = &rep->image;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "present", (json_int_t)s->present, "zero", (json_int_t)s->zero,
			 "nospace", (json_int_t)s->nospace,
			 "prefetched", (json_int_t)s->prefetched,
			 "recorded", (json_int_t)s->recorded, "seeded", (json_int_t)s->seeded,
			 "probes", (json_int_t)s->probes,
			 "probes_used", (json_int_t)s->probes_used);
}

static void got_stats(void *data, const struct pager_rep *rep)
{
	struct one_stat *one = data;

	if (rep->result == 0)
		json_object_set_new(one->object, "pager", one->describe(rep));
	finish(one->gather);
	free(one);
}

static void ask_pager(struct gather *g, uint32_t op, uint64_t handle, json_t *o,
		      json_t *(*describe)(const struct pager_rep *rep))
{
	struct pager_req req = { .op = op, .handle = handle };
	struct one_stat *one = calloc(1, sizeof(*one));

	if (!one)
		return;
	*one = (struct one_stat){ g, o, describe };
	g->waiting++;
	if (core_pager(&req, NULL, 0, got_stats, one) < 0) {
		g->waiting--;
		free(one);
	}
}

static void add_vm(struct gather *g, const struct vm *vm)
{
	json_t *o = describe_vm(vm), *use;
	json_int_t pid = json_integer_value(json_object_get(o, "pid"));

	json_array_append_new(g->vms, o);
	use = pid > 0 && !json_object_get(o, "memory_use") ? describe_memory((int)pid) : NULL;
	if (use)
		json_object_set_new(o, "memory_use", use);
	use = cgroup_describe(vm->handle);
	if (use)
		json_object_set_new(o, "cgroup", use);
	if (vm->clone)
		ask_pager(g, PAGER_CLONE_STATS, vm->handle, o, describe_clone);
}

static void add_checkpoint(struct gather *g, const struct checkpoint *cp)
{
	json_t *o = describe_checkpoint(cp);

	json_array_append_new(g->checkpoints, o);
	ask_pager(g, PAGER_IMAGE_STATS, cp->handle, o, describe_image);
}

void op_stats(struct request *q)
{
	struct vm *one = NULL;
	struct gather *g;

	if (json_object_get(q->json, "vm")) {
		one = op_vm(q);
		if (!one)
			return;
	}
	g = calloc(1, sizeof(*g));
	if (!g) {
		request_fail(q, ENOMEM, "out of memory", "");
		return;
	}
	*g = (struct gather){ q, json_array(), json_array(), 1 };
	for_each_vm(vm)
		if (vm_listed(vm) && (!one || vm == one))
			add_vm(g, vm);
	for_each_checkpoint(cp)
		if (cp->complete && (!one || one->checkpoint == cp->handle))
			add_checkpoint(g, cp);
	finish(g);
}
