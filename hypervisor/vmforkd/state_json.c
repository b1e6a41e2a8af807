// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects of the state file: to JSON and back. */
#include "state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint.h"
#include "core.h"
#include "names.h"
#include "params.h"
#include "ticket.h"
#include "vmlimits.h"

static json_t *config_to_json(const struct vm_config *c)
{
	json_t *disks = json_array(), *extra = json_array(), *o;

	for (unsigned int i = 0; i < c->nextra; i++)
		json_array_append_new(extra, json_string(c->extra[i]));
	for (unsigned int i = 0; i < c->ndisks; i++)
		json_array_append_new(disks, json_pack("{s:s, s:s}", "path", c->disks[i].path,
						       "format", c->disks[i].format));
	o = json_pack("{s:s, s:I, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "name", c->name,
			 "memory", (json_int_t)c->memory, "vcpus", (int)c->vcpus, "accel", c->accel,
			 "machine", c->machine, "kernel", c->kernel, "initrd", c->initrd, "append",
			 c->append, "net", c->net, "disks", disks);
	json_object_set_new(o, "extra", extra);
	return o;
}

static void set(char *to, size_t len, const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	snprintf(to, len, "%s", s ? s : "");
}

static uint64_t number(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static void config_from_json(const json_t *o, struct vm_config *c)
{
	const json_t *disks = json_object_get(o, "disks"), *extra = json_object_get(o, "extra"), *d;
	size_t i;

	memset(c, 0, sizeof(*c));
	set(c->name, sizeof(c->name), o, "name");
	set(c->accel, sizeof(c->accel), o, "accel");
	set(c->machine, sizeof(c->machine), o, "machine");
	set(c->kernel, sizeof(c->kernel), o, "kernel");
	set(c->initrd, sizeof(c->initrd), o, "initrd");
	set(c->append, sizeof(c->append), o, "append");
	set(c->net, sizeof(c->net), o, "net");
	c->memory = number(o, "memory");
	c->vcpus = (unsigned int)number(o, "vcpus");
	json_array_foreach(extra, i, d) {
		if (i >= VM_EXTRA_MAX || !json_is_string(d))
			break;
		snprintf(c->extra[i], VM_EXTRA_LEN, "%s", json_string_value(d));
		c->nextra++;
	}
	json_array_foreach(disks, i, d) {
		if (i >= VM_DISKS_MAX)
			break;
		set(c->disks[i].path, sizeof(c->disks[i].path), d, "path");
		set(c->disks[i].format, sizeof(c->disks[i].format), d, "format");
		c->ndisks++;
	}
}

static void limits_from_json(const json_t *o, struct limits *l)
{
	char why[128];

	limits_parse(json_object_get(o, "limits"), l, why, sizeof(why));
}

static json_t *refs_to_json(const struct vm *vm)
{
	json_t *a = json_array();

	for (unsigned int i = 0; i < VM_REFS_MAX; i++)
		if (vm->refs[i].count)
			json_array_append_new(a, json_pack("[I, i]",
							   (json_int_t)vm->refs[i].checkpoint,
							   (int)vm->refs[i].count));
	return a;
}

json_t *vm_to_json(const struct vm *vm)
{
	json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:i, s:s, s:b, s:I, s:I}",
			      "handle", (json_int_t)vm->handle, "family", (json_int_t)vm->family,
			      "parent", (json_int_t)vm->parent, "ticket", (json_int_t)vm->ticket,
			      "checkpoint", (json_int_t)vm->checkpoint, "id", (int)vm->id,
			      "clones", (int)vm->clones, "depth", (int)vm->depth,
			      "forks", (int)vm->forks, "name", vm->name, "clone", vm->clone,
			      "started", (json_int_t)vm->started, "epoch", (json_int_t)vm->epoch);

	json_object_set_new(o, "first_result", json_integer((json_int_t)vm->first_result));
	json_object_set_new(o, "times",
			    json_pack("[I, I, I, I, I, I, I]", (json_int_t)vm->times.rang,
				      (json_int_t)vm->times.stopped, (json_int_t)vm->times.saved,
				      (json_int_t)vm->times.snapped, (json_int_t)vm->times.resumed,
				      (json_int_t)vm->times.load_begin,
				      (json_int_t)vm->times.loaded));
	json_object_set_new(o, "config", config_to_json(&vm->config));
	json_object_set_new(o, "limits", limits_to_json(&vm->limits));
	json_object_set_new(o, "refs", refs_to_json(vm));
	if (vm->net.used)
		json_object_set_new(o, "net", network_to_json(vm));
	if (vm->backend && core.backend->save)
		json_object_set_new(o, "backend", core.backend->save(vm));
	return o;
}

static void refs_from_json(json_t *a, struct vm *vm)
{
	json_t *v;
	size_t i;

	json_array_foreach(a, i, v) {
		if (i >= VM_REFS_MAX)
			break;
		vm->refs[i].checkpoint = (uint64_t)json_integer_value(json_array_get(v, 0));
		vm->refs[i].count = (uint32_t)json_integer_value(json_array_get(v, 1));
	}
}

static void times_from_json(json_t *a, struct fork_times *t)
{
	uint64_t *at[] = { &t->rang, &t->stopped, &t->saved, &t->snapped, &t->resumed,
		&t->load_begin, &t->loaded };

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		*at[i] = (uint64_t)json_integer_value(json_array_get(a, i));
}

struct vm *vm_from_json(json_t *o)
{
	uint64_t handle = number(o, "handle");
	struct vm *vm = handle ? vm_alloc(handle) : NULL;

	if (!vm)
		return NULL;
	vm->family = number(o, "family");
	vm->parent = number(o, "parent");
	vm->ticket = number(o, "ticket");
	vm->checkpoint = number(o, "checkpoint");
	vm->id = (uint32_t)number(o, "id");
	vm->clones = (uint32_t)number(o, "clones");
	vm->depth = (uint32_t)number(o, "depth");
	vm->forks = (uint32_t)number(o, "forks");
	vm->clone = json_is_true(json_object_get(o, "clone"));
	vm->started = number(o, "started");
	vm->epoch = number(o, "epoch");
	vm->first_result = number(o, "first_result");
	set(vm->name, sizeof(vm->name), o, "name");
	times_from_json(json_object_get(o, "times"), &vm->times);
	config_from_json(json_object_get(o, "config"), &vm->config);
	limits_from_json(o, &vm->limits);
	refs_from_json(json_object_get(o, "refs"), vm);
	if (json_object_get(o, "net"))
		network_from_json(vm, json_object_get(o, "net"));
	return vm;
}

json_t *ticket_to_json(const struct ticket *t)
{
	json_t *a = json_array();

	for (uint32_t i = 0; i < t->granted; i++) {
		const struct slot *s = &t->slots[i];

		json_array_append_new(a, json_pack("{s:i, s:I, s:i, s:i, s:s, s:s}", "state", s->state,
						   "vm", (json_int_t)s->vm, "reason", s->reason,
						   "status", s->status, "name", s->name, "why",
						   s->why));
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:i, s:b, s:o, s:o}", "handle", (json_int_t)t->handle,
			 "parent", (json_int_t)t->parent, "family", (json_int_t)t->family,
			 "checkpoint", (json_int_t)t->checkpoint, "state", t->state,
			 "closed", t->closed, "slots", a, "limits", limits_to_json(&t->limits));
}

struct ticket *ticket_from_json(json_t *o)
{
	json_t *a = json_object_get(o, "slots"), *v;
	uint64_t handle = number(o, "handle"), state = number(o, "state");
	struct ticket *t;
	size_t i;

	if (!handle || json_array_size(a) > TICKET_CLONES_MAX || state < TICKET_GRANTED ||
	    state >= TICKET_STATES)
		return NULL;
	t = ticket_new(handle, number(o, "parent"), number(o, "family"),
		       (unsigned int)json_array_size(a));
	if (!t)
		return NULL;
	t->state = (enum ticket_state)state;
	t->checkpoint = number(o, "checkpoint");
	t->closed = json_is_true(json_object_get(o, "closed"));
	limits_from_json(o, &t->limits);
	params_take(t);
	json_array_foreach(a, i, v) {
		struct slot *s = &t->slots[i];

		s->state = number(v, "state") < SLOT_STATES ?
			(enum slot_state)number(v, "state") : SLOT_ENDED;
		s->vm = number(v, "vm");
		s->reason = reason_known(number(v, "reason"));
		s->status = (int)number(v, "status");
		set(s->name, sizeof(s->name), v, "name");
		set(s->why, sizeof(s->why), v, "why");
	}
	return t;
}

json_t *checkpoint_to_json(const struct checkpoint *cp)
{
	json_t *o = json_pack("{s:I, s:b, s:I, s:I, s:I, s:i, s:i, s:s, s:s, s:I, s:I, s:I}",
			      "handle", (json_int_t)cp->handle, "complete", cp->complete, "family",
			      (json_int_t)cp->family, "vm", (json_int_t)cp->vm, "lower",
			      (json_int_t)cp->lower, "depth", (int)cp->depth, "forks",
			      (int)cp->forks, "name", cp->name, "vm_name", cp->vm_name, "created",
			      (json_int_t)cp->created, "stopped", (json_int_t)cp->stopped,
			      "free_set_bytes", (json_int_t)cp->free_set_bytes);

	json_object_set_new(o, "limits", limits_to_json(&cp->limits));
	json_object_set_new(o, "agent", json_boolean(cp->agent));
	json_object_set_new(o, "agent_ms", json_integer(cp->agent_ms));
	json_object_set_new(o, "config", config_to_json(&cp->config));
	json_object_set_new(o, "net_seen", json_integer(cp->net_seen));
	json_object_set_new(o, "hello", json_pack("{s:i, s:I, s:I, s:s}", "cpus",
						  (int)cp->hello.cpus, "features",
						  (json_int_t)cp->hello.features, "hazards",
						  (json_int_t)cp->hello.hazards, "release",
						  cp->hello.release));
	if (cp->backend && core.backend->checkpoint_save)
		json_object_set_new(o, "backend", core.backend->checkpoint_save(cp));
	return o;
}

struct checkpoint *checkpoint_from_json(json_t *o)
{
	const json_t *h = json_object_get(o, "hello");
	uint64_t handle = number(o, "handle");
	struct checkpoint *cp = handle ? checkpoint_alloc(handle) : NULL;
	char name[64];

	if (!cp)
		return NULL;
	cp->complete = json_is_true(json_object_get(o, "complete"));
	limits_from_json(o, &cp->limits);
	cp->agent = json_is_true(json_object_get(o, "agent"));
	cp->agent_ms = (uint32_t)number(o, "agent_ms");
	cp->family = number(o, "family");
	cp->vm = number(o, "vm");
	cp->lower = number(o, "lower");
	cp->depth = (uint32_t)number(o, "depth");
	cp->forks = (uint32_t)number(o, "forks");
	cp->created = number(o, "created");
	cp->stopped = number(o, "stopped");
	cp->free_set_bytes = number(o, "free_set_bytes");
	cp->net_seen = (uint32_t)number(o, "net_seen");
	set(cp->name, sizeof(cp->name), o, "name");
	set(cp->vm_name, sizeof(cp->vm_name), o, "vm_name");
	config_from_json(json_object_get(o, "config"), &cp->config);
	cp->hello.cpus = (uint32_t)number(h, "cpus");
	cp->hello.features = number(h, "features");
	cp->hello.hazards = number(h, "hazards");
	set(cp->hello.release, sizeof(cp->hello.release), h, "release");
	snprintf(name, sizeof(name), "cp%" PRIu64 ".free", cp->handle);
	cp->free_set = cp->free_set_bytes ? core_take_fd(name) : -1;
	return cp;
}
