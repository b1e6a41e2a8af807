// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects as JSON for the control socket: Documentation/control-protocol.md. */
#include "describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "identity.h"
#include "util.h"
#include "vmlimits.h"

static const char *const channel_names[] = {
	[CHANNEL_NONE] = "none", [CHANNEL_READY] = "ready", [CHANNEL_BROKEN] = "broken",
};
static const char *const reason_names[] = {
	[0] = "none", [VMFORK_EXITED] = "exited", [VMFORK_KILLED] = "killed",
	[VMFORK_LOST] = "lost", [VMFORK_EXPIRED] = "expired",
	[VMFORK_OUT_OF_MEMORY] = "out-of-memory", [VMFORK_UNIDENTIFIED] = "unidentified",
};

static void set_ms(json_t *o, const char *key, uint64_t from, uint64_t to)
{
	if (from && to >= from)
		json_object_set_new(o, key, json_real((double)(to - from) / 1e6));
}

static json_t *describe_times(const struct vm *vm)
{
	const struct fork_times *t = &vm->times;
	json_t *o = json_object();

	if (t->stopped)
		set_ms(o, "pause_ms", t->stopped, t->resumed);
	if (vm->clone && vm->epoch) {
		set_ms(o, "load_begin_ms", vm->epoch, t->load_begin);
		set_ms(o, "loaded_ms", vm->epoch, t->loaded);
		set_ms(o, "resumed_ms", vm->epoch, vm->started);
		if (vm->channel.j)
			set_ms(o, "identity_ms", t->resumed, vm->channel.j->reported);
		set_ms(o, "first_result_ms", vm->epoch, vm->first_result);
	}
	if (t->stopped) {
		set_ms(o, "saved_ms", t->stopped, t->saved);
		set_ms(o, "snapped_ms", t->stopped, t->snapped);
		set_ms(o, "rang_to_stopped_ms", t->rang, t->stopped);
	}
	return o;
}

json_t *describe_vm(const struct vm *vm)
{
	const struct journal *j = vm->channel.j;
	json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:i, s:i, s:I, s:I, s:s, s:s, s:s, s:I, s:i}",
			      "name", vm->name, "handle", (json_int_t)vm->handle,
			      "family", (json_int_t)vm->family, "parent", (json_int_t)vm->parent,
			      "id", (int)vm->id, "depth", (int)vm->depth,
			      "checkpoint", (json_int_t)vm->checkpoint,
			      "ticket", (json_int_t)vm->ticket, "state", vm_state_name(vm->state),
			      "channel", channel_names[j ? j->state : CHANNEL_NONE],
			      "kernel_release", j ? j->hello.release : "",
			      "memory", (json_int_t)vm->config.memory,
			      "vcpus", (int)vm->config.vcpus);

	json_object_set_new(o, "identity", json_string(identity_name(vm)));
	json_object_set_new(o, "limits", limits_to_json(&vm->limits));
	if (j && j->expires)
		set_ms(o, "expires_ms", clock_ns(CLOCK_BOOTTIME), j->expires);
	if (vm_unforkable(vm))
		json_object_set_new(o, "unforkable", json_string(vm_unforkable(vm)));
	if (vm->reason)
		json_object_set_new(o, "why", json_string(vm->why));
	json_object_set_new(o, "net", network_describe(vm));
	json_object_set_new(o, "accel", json_string(vm->config.accel));
	json_object_set_new(o, "forks", json_integer(vm->forks));
	json_object_set_new(o, "uptime_ms",
			    json_integer((json_int_t)((now_ns() - vm->started) / 1000000)));
	json_object_set_new(o, "times", describe_times(vm));
	if (core.backend->describe && vm->state != VM_DEAD)
		core.backend->describe(vm, o);
	return o;
}

json_t *describe_exits(const struct ticket *t)
{
	json_t *a = json_array();

	for (uint32_t i = 0; i < t->granted; i++) {
		const struct slot *s = &t->slots[i];

		if (s->state == SLOT_ENDED)
			json_array_append_new(a, json_pack("{s:i, s:s, s:s, s:i, s:s}", "id",
							   (int)i + 1, "vm", s->name, "reason",
							   reason_names[reason_known(s->reason)],
							   "status", s->status, "why", s->why));
	}
	return a;
}

json_t *describe_ticket(const struct ticket *t)
{
	return json_pack("{s:I, s:I, s:i, s:s, s:i, s:i, s:I, s:o, s:o}",
			 "handle", (json_int_t)t->handle, "parent", (json_int_t)t->parent,
			 "granted", (int)t->granted, "state", ticket_state_name(t->state),
			 "live", (int)ticket_live(t), "ready", (int)ticket_ready(t),
			 "checkpoint", (json_int_t)t->checkpoint, "exits", describe_exits(t),
			 "limits", limits_to_json(&t->limits));
}

json_t *describe_ticket_vms(const struct ticket *t)
{
	json_t *a = json_array();

	for (uint32_t i = 0; i < t->granted; i++) {
		struct vm *vm = vm_find(t->slots[i].vm);

		if (vm && vm_listed(vm))
			json_array_append_new(a, describe_vm(vm));
	}
	return a;
}

json_t *describe_checkpoint(const struct checkpoint *cp)
{
	json_t *o = json_pack("{s:I, s:s*, s:s, s:I, s:i, s:I}", "handle", (json_int_t)cp->handle,
			      "name", cp->name[0] ? cp->name : NULL, "vm", cp->vm_name,
			      "family", (json_int_t)cp->family,
			      "clones", (int)checkpoint_clones(cp),
			      "created_ms", (json_int_t)(cp->created / 1000000));

	if (!cp->name[0])
		json_object_set_new(o, "name", json_null());
	if (core.backend->checkpoint_describe)
		core.backend->checkpoint_describe(cp, o);
	return o;
}

json_t *describe_memory(int pid)
{
	char path[64], line[128];
	uint64_t rss = 0, pss = 0, dirty = 0, v;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Rss: %" SCNu64, &v) == 1)
			rss = v << 10;
		else if (sscanf(line, "Pss: %" SCNu64, &v) == 1)
			pss = v << 10;
		else if (sscanf(line, "Private_Dirty: %" SCNu64, &v) == 1)
			dirty = v << 10;
	}
	fclose(f);
	return json_pack("{s:I, s:I, s:I}", "rss", (json_int_t)rss, "pss", (json_int_t)pss,
			 "private_dirty", (json_int_t)dirty);
}
