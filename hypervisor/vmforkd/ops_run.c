// SPDX-License-Identifier: GPL-2.0-or-later
/* The operation `run`: a new root VM. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "describe.h"
#include "last_words.h"
#include "log.h"
#include "names.h"
#include "ops.h"
#include "policy.h"
#include "util.h"

#define MEMORY_STEP	(2U << 20)
#define MEMORY_MIN	(32ULL << 20)
#define MEMORY_MAX	(1ULL << 40)

static const struct member config_members[] = {
	{ "name", JSON_STRING, true }, { "memory", JSON_INTEGER, true },
	{ "vcpus", JSON_INTEGER, false }, { "accel", JSON_STRING, false },
	{ "machine", JSON_STRING, false }, { "kernel", JSON_STRING, false },
	{ "initrd", JSON_STRING, false }, { "append", JSON_STRING, false },
	{ "net", JSON_STRING, false }, { "disks", JSON_ARRAY, false },
	{ "limits", JSON_OBJECT, false }, { "extra", JSON_ARRAY, false }, { 0 },
};

static const struct member disk_members[] = {
	{ "path", JSON_STRING, true }, { "format", JSON_STRING, false }, { 0 },
};

static int get_string(const json_t *o, const char *key, const char *preset, char *ret, size_t max,
		      char *why, size_t len)
{
	const json_t *v = json_object_get(o, key);
	const char *s = v ? json_string_value(v) : preset;

	if (strlen(s) >= max) {
		snprintf(why, len, "'%s' is longer than %zu characters", key, max - 1);
		return -EINVAL;
	}
	strcpy(ret, s);
	return 0;
}

static int get_path(const json_t *o, const char *key, char *ret, char *why, size_t len)
{
	int r = get_string(o, key, "", ret, VM_PATH_MAX, why, len);

	if (r == 0 && json_object_get(o, key) && ret[0] != '/') {
		snprintf(why, len, "'%s' is not an absolute path: '%.100s'", key, ret);
		return -EINVAL;
	}
	return r;
}

static int one_of(const char *key, const char *s, const char *const *choices, char *why, size_t len)
{
	for (; *choices; choices++)
		if (!strcmp(s, *choices))
			return 0;
	snprintf(why, len, "'%s': there is no '%.32s'", key, s);
	return -EINVAL;
}

static int parse_disks(const json_t *a, struct vm_config *c, char *why, size_t len)
{
	static const char *const formats[] = { "raw", "qcow2", NULL };
	json_t *v;
	size_t i;
	int r;

	if (json_array_size(a) > VM_DISKS_MAX) {
		snprintf(why, len, "more than %d disks", VM_DISKS_MAX);
		return -EINVAL;
	}
	json_array_foreach(a, i, v) {
		struct vm_disk *d = &c->disks[i];

		if (!json_is_object(v)) {
			snprintf(why, len, "'disks' holds objects");
			return -EINVAL;
		}
		r = members_check(v, disk_members, why, len);
		if (r == 0)
			r = get_path(v, "path", d->path, why, len);
		if (r == 0)
			r = get_string(v, "format", "raw", d->format, sizeof(d->format), why, len);
		if (r == 0)
			r = one_of("format", d->format, formats, why, len);
		if (r < 0)
			return r;
		c->ndisks++;
	}
	return 0;
}

static int parse_numbers(const json_t *o, struct vm_config *c, char *why, size_t len)
{
	json_int_t memory = json_integer_value(json_object_get(o, "memory"));
	json_t *v = json_object_get(o, "vcpus");
	json_int_t vcpus = v ? json_integer_value(v) : 1;

	if (memory < (json_int_t)MEMORY_MIN || memory > (json_int_t)MEMORY_MAX ||
	    memory % MEMORY_STEP) {
		snprintf(why, len, "'memory' must be a multiple of 2 MiB, at least 32 MiB");
		return -EINVAL;
	}
	if (vcpus < 1 || vcpus > 16) {
		snprintf(why, len, "'vcpus' must be 1 to 16");
		return -EINVAL;
	}
	c->memory = (uint64_t)memory;
	c->vcpus = (unsigned int)vcpus;
	return 0;
}

static int parse_words(const json_t *o, struct vm_config *c, char *why, size_t len)
{
	static const char *const accels[] = { "auto", "kvm", "tcg", NULL };
	static const char *const machines[] = { "pc", "q35", "pvh", "hvm", NULL };
	static const char *const nets[] = { "none", "user", "bridge", NULL };
	int r;

	r = get_string(o, "accel", "auto", c->accel, sizeof(c->accel), why, len);
	if (r == 0)
		r = get_string(o, "machine", "", c->machine, sizeof(c->machine), why, len);
	if (r == 0)
		r = get_string(o, "net", "none", c->net, sizeof(c->net), why, len);
	if (r == 0)
		r = one_of("accel", c->accel, accels, why, len);
	if (r == 0 && c->machine[0])
		r = one_of("machine", c->machine, machines, why, len);
	if (r == 0)
		r = one_of("net", c->net, nets, why, len);
	return r;
}

static int parse_extra(const json_t *a, struct vm_config *c, char *why, size_t len)
{
	json_t *v;
	size_t i;

	if (json_array_size(a) > VM_EXTRA_MAX) {
		snprintf(why, len, "more than %d arguments for QEMU", VM_EXTRA_MAX);
		return -EINVAL;
	}
	json_array_foreach(a, i, v) {
		if (!json_is_string(v) || json_string_length(v) >= VM_EXTRA_LEN) {
			snprintf(why, len, "'extra' holds strings of at most %d bytes",
				 VM_EXTRA_LEN - 1);
			return -EINVAL;
		}
		strcpy(c->extra[i], json_string_value(v));
		c->nextra++;
	}
	return 0;
}

int config_parse(json_t *o, struct vm_config *ret, char *why, size_t len)
{
	struct vm_config c = { 0 };
	json_t *disks = json_object_get(o, "disks");
	int r;

	r = members_check(o, config_members, why, len);
	if (r == 0)
		r = get_string(o, "name", "", c.name, sizeof(c.name), why, len);
	if (r == 0 && !root_name_valid(c.name)) {
		snprintf(why, len, "'%s' is no name: 1 to 63 of [A-Za-z0-9._-], a letter first",
			 c.name);
		r = -EINVAL;
	}
	if (r == 0)
		r = parse_numbers(o, &c, why, len);
	if (r == 0)
		r = parse_words(o, &c, why, len);
	if (r == 0)
		r = get_path(o, "kernel", c.kernel, why, len);
	if (r == 0)
		r = get_path(o, "initrd", c.initrd, why, len);
	if (r == 0)
		r = get_string(o, "append", "", c.append, sizeof(c.append), why, len);
	if (r == 0)
		r = parse_extra(json_object_get(o, "extra"), &c, why, len);
	if (r == 0 && disks)
		r = parse_disks(disks, &c, why, len);
	if (r == 0 && !c.kernel[0] && !c.ndisks) {
		snprintf(why, len, "neither a kernel nor a disk to boot from");
		r = -EINVAL;
	}
	if (r == 0)
		*ret = c;
	return r;
}

static void started(struct vm *vm, int err, void *data)
{
	struct request *q = data;
	char said[SAID_MAX];

	if (!err) {
		if (request_gone(q))
			vm_end(vm, VMFORK_KILLED, 0, "who started it has gone");
		request_ok(q, json_pack("{s:o}", "vm", describe_vm(vm)));
		return;
	}
	last_words_hypervisor(vm, said, sizeof(said));
	request_failf(q, -err, "vmforkd's log says more", "%s does not start: %s", vm->name,
		      said[0] ? said : strerror(-err));
}

void op_run(struct request *q)
{
	json_t *o = json_object_get(q->json, "config");
	struct vm_config config;
	struct limits limits;
	char why[256] = "";
	struct vm *vm;
	int r;

	r = config_parse(o, &config, why, sizeof(why));
	if (r == 0 && !config.machine[0])
		snprintf(config.machine, sizeof(config.machine), "%s", core.backend->machine);
	if (r == 0)
		r = op_limits(json_object_get(o, "limits"), &limits, why, sizeof(why));
	if (r == 0)
		r = network_check(&config, why, sizeof(why));
	if (r == 0)
		r = core.backend->check(&config, why, sizeof(why));
	if (r < 0) {
		request_failf(q, -r, "", "%s", why);
		return;
	}
	for_each_vm(other)
		if (other->state != VM_DEAD && !strcmp(other->name, config.name)) {
			request_failf(q, EEXIST, "see `vmforkctl ps`",
				      "there is a VM named '%s' already", config.name);
			return;
		}
	r = policy_root(&config, why, sizeof(why));
	if (r < 0) {
		request_failf(q, -r, "", "%s", why);
		return;
	}
	r = vm_start_root(&config, &limits, started, q, &vm);
	if (r < 0)
		request_failf(q, -r, "vmforkd's log says more", "%s does not start: %s",
			      config.name, strerror(-r));
}
