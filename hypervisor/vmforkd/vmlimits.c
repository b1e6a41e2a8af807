// SPDX-License-Identifier: GPL-2.0-or-later
/* Limits of machines: life time, memory, share of the processors. */
#include "vmlimits.h"

#include <errno.h>
#include <stdio.h>
#include <systemd/sd-event.h>

#include "cgroup.h"
#include "core.h"
#include "log.h"
#include "ops.h"
#include "util.h"
#include "vm.h"

static const struct member limit_members[] = {
	{ "lifetime_s", JSON_INTEGER, false }, { "memory_mib", JSON_INTEGER, false },
	{ "cpu_weight", JSON_INTEGER, false }, { "no_network", JSON_TRUE, false }, { 0 },
};

static int get(const json_t *o, const char *key, uint32_t max, uint32_t *ret, char *why, size_t len)
{
	const json_t *v = json_object_get(o, key);
	json_int_t n = json_integer_value(v);

	if (!v)
		return 0;
	if (n < 1 || n > (json_int_t)max) {
		snprintf(why, len, "'%s' must be 1 to %u", key, max);
		return -EINVAL;
	}
	*ret = (uint32_t)n;
	return 0;
}

int limits_parse(const json_t *o, struct limits *ret, char *why, size_t len)
{
	struct limits l = { 0 };
	int r = o ? members_check(o, limit_members, why, len) : 0;

	r = r ? r : get(o, "lifetime_s", UINT32_MAX, &l.lifetime_s, why, len);
	r = r ? r : get(o, "memory_mib", LIMIT_MEMORY_MAX_MIB, &l.memory_mib, why, len);
	r = r ? r : get(o, "cpu_weight", LIMITS_CPU_WEIGHT_MAX, &l.cpu_weight, why, len);
	l.no_network = json_is_true(json_object_get(o, "no_network"));
	if (r == 0)
		*ret = l;
	return r;
}

json_t *limits_to_json(const struct limits *l)
{
	json_t *o = json_object();

	if (l->lifetime_s)
		json_object_set_new(o, "lifetime_s", json_integer(l->lifetime_s));
	if (l->memory_mib)
		json_object_set_new(o, "memory_mib", json_integer(l->memory_mib));
	if (l->cpu_weight)
		json_object_set_new(o, "cpu_weight", json_integer(l->cpu_weight));
	if (l->no_network)
		json_object_set_new(o, "no_network", json_true());
	return o;
}

/* 0 is no limit. */
static uint32_t less(uint32_t a, uint32_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

struct limits limits_within(const struct limits *asked, const struct limits *own)
{
	return (struct limits) {
		.lifetime_s = asked->lifetime_s,
		.memory_mib = less(asked->memory_mib, own->memory_mib),
		.cpu_weight = less(asked->cpu_weight, own->cpu_weight),
		.no_network = asked->no_network || own->no_network,
	};
}

int limits_can(const struct limits *l)
{
	if (core.backend->own_limits)
		return 0;
	return (l->memory_mib || l->cpu_weight) && !cgroup_usable() ? -EOPNOTSUPP : 0;
}

uint32_t vm_memory_limit(const struct vm *vm)
{
	return vm->limits.memory_mib;
}

uint32_t vm_cpu_weight(const struct vm *vm)
{
	return vm->limits.cpu_weight;
}

static int expired(sd_event_source *s, uint64_t usec, void *data)
{
	struct vm *vm = data;

	log_info("%s: its time is over", vm->name);
	if (vm->limits.lifetime_s)
		vm_end(vm, VMFORK_EXPIRED, 0, "its %u s were over", vm->limits.lifetime_s);
	else
		vm_end(vm, VMFORK_EXPIRED, 0, "its parent's time was over");
	return 0;
}

static void start_timer(struct vm *vm)
{
	int r;

	if (!vm->channel.j->expires)
		return;
	r = sd_event_add_time(core.loop, &vm->expiry, CLOCK_BOOTTIME,
			      vm->channel.j->expires / 1000, 0, expired, vm);
	if (r < 0)
		vm_end(vm, VMFORK_LOST, -r, "its life time cannot be kept");
}

void expiry_begin(struct vm *vm, const struct vm *parent)
{
	uint64_t end = parent && parent->channel.j ? parent->channel.j->expires : 0, own;

	if (vm->limits.lifetime_s) {
		own = clock_ns(CLOCK_BOOTTIME) + vm->limits.lifetime_s * 1000000000ULL;
		end = end && end < own ? end : own;
	}
	vm->channel.j->expires = end;
	start_timer(vm);
}

void expiry_adopt(struct vm *vm)
{
	start_timer(vm);
}

void expiry_over(struct vm *vm)
{
	vm->expiry = sd_event_source_disable_unref(vm->expiry);
}
