// SPDX-License-Identifier: GPL-2.0-or-later
/* The operations of the control socket: table, checks, the small ones. */
#include "ops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "describe.h"
#include "vmlimits.h"
#include "waiters.h"

#define MEMBERS_MAX 6

static const struct {
	const char *name;
	void (*run)(struct request *q);
	struct member members[MEMBERS_MAX];
} ops[] = {
	{ "version", op_version, { { 0 } } },
	{ "run", op_run, { { "config", JSON_OBJECT, true } } },
	{ "ps", op_ps, { { 0 } } },
	{ "stats", op_stats, { { "vm", JSON_STRING, false } } },
	{ "fork", op_fork, { { "vm", JSON_STRING, true }, { "clones", JSON_INTEGER, false },
			     { "params", JSON_OBJECT, false }, { "limits", JSON_OBJECT, false },
			     { "drop_cache", JSON_TRUE, false } } },
	{ "checkpoint", op_checkpoint, { { "vm", JSON_STRING, true }, { "name", JSON_STRING, true },
					 { "drop_cache", JSON_TRUE, false } } },
	{ "checkpoint-rm", op_checkpoint_rm, { { "checkpoint", JSON_STRING, true } } },
	{ "fill", op_fill, { { "checkpoint", JSON_STRING, true }, { "fill", JSON_STRING, true } } },
	{ "clone", op_clone, { { "checkpoint", JSON_STRING, true },
			       { "clones", JSON_INTEGER, false }, { "params", JSON_OBJECT, false },
			       { "limits", JSON_OBJECT, false } } },
	{ "kill", op_kill, { { "vm", JSON_STRING, false }, { "family", JSON_STRING, false },
			     { "ticket", JSON_INTEGER, false } } },
	{ "console", op_console, { { "vm", JSON_STRING, true } } },
	{ "wait", op_wait, { { "ticket", JSON_INTEGER, true } } },
	{ "watch", op_watch, { { 0 } } },
	{ "shutdown", op_shutdown, { { 0 } } },
};

static const char *const type_names[] = {
	[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
	[JSON_INTEGER] = "an integer", [JSON_REAL] = "a number", [JSON_TRUE] = "a boolean",
	[JSON_FALSE] = "a boolean", [JSON_NULL] = "null",
};

static const struct member *find_member(const struct member *known, const char *name)
{
	for (; known->name; known++)
		if (!strcmp(known->name, name))
			return known;
	return NULL;
}

int members_check(const json_t *o, const struct member *known, char *why, size_t len)
{
	const struct member *m;
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)o, key, v) {
		if (!strcmp(key, "id") || !strcmp(key, "op"))
			continue;
		m = find_member(known, key);
		if (!m) {
			snprintf(why, len, "unknown member '%.64s'", key);
			return -EINVAL;
		}
		if (json_typeof(v) != m->type && !(m->type == JSON_TRUE && json_is_false(v))) {
			snprintf(why, len, "'%s' must be %s", key, type_names[m->type]);
			return -EINVAL;
		}
	}
	for (m = known; m->name; m++)
		if (m->required && !json_object_get(o, m->name)) {
			snprintf(why, len, "'%s' is missing", m->name);
			return -EINVAL;
		}
	return 0;
}

void ops_run(struct request *q)
{
	const char *name = json_string_value(json_object_get(q->json, "op"));
	char why[256];

	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		if (strcmp(ops[i].name, name))
			continue;
		if (members_check(q->json, ops[i].members, why, sizeof(why)) < 0)
			request_failf(q, EINVAL, "see Documentation/control-protocol.md", "%s: %s",
				      name, why);
		else if (core.stopping)
			request_fail(q, ESHUTDOWN, "vmforkd is ending", "");
		else
			ops[i].run(q);
		return;
	}
	request_failf(q, ENOSYS, "see Documentation/control-protocol.md",
		      "unknown operation '%.64s'", name);
}

int op_limits(const json_t *o, struct limits *ret, char *why, size_t len)
{
	int r = limits_parse(o, ret, why, len);

	if (r < 0)
		return r;
	r = limits_can(ret);
	if (r < 0)
		snprintf(why, len, "no limits on memory and CPU here: vmforkd's log says why");
	return r;
}

struct vm *op_vm(struct request *q)
{
	const char *name = json_string_value(json_object_get(q->json, "vm"));
	struct vm *vm = vm_lookup(name);

	if (!vm)
		request_failf(q, ENOENT, "see `vmforkctl ps`", "no VM named '%.64s'", name);
	return vm;
}

/* Who may use the control socket gets a connection to the console, whose socket only root
 * can open: QEMU's user must not. */
void op_console(struct request *q)
{
	struct vm *vm = op_vm(q);
	int fd;

	if (!vm)
		return;
	fd = core.backend->console ? core.backend->console(vm) : -EOPNOTSUPP;
	if (fd < 0)
		request_failf(q, -fd, "", "console of %s: %s", vm->name, strerror(-fd));
	else
		request_ok_fd(q, fd);
}

void op_version(struct request *q)
{
	char why[256] = "";
	int r = core.backend->probe(why, sizeof(why));

	request_ok(q, json_pack("{s:s, s:i, s:[{s:s, s:b, s:s}]}", "version", VMFORK_VERSION, "api",
				VMFORK_API_VERSION, "backends", "name", core.backend->name, "usable",
				r == 0, "why", why));
}

void op_watch(struct request *q)
{
	request_watch(q);
	request_ok(q, json_object());
}

void op_shutdown(struct request *q)
{
	request_ok(q, json_object());
	control_shutdown();
}

void op_wait(struct request *q)
{
	json_int_t handle = json_integer_value(json_object_get(q->json, "ticket"));
	struct ticket *t = ticket_find((uint64_t)handle);

	if (!t)
		request_failf(q, ENOENT, "see `vmforkctl ps -a`", "no ticket %lld", (long long)handle);
	else if (wait_ticket(q, t->handle) < 0)
		request_fail(q, EBUSY, "too many requests wait already", "");
	else
		core_schedule();
}

static bool chosen(const struct vm *vm, const struct vm *one, const struct vm *relative,
		   uint64_t ticket)
{
	if (one)
		return vm == one;
	if (relative)
		return vm->family == relative->family;
	return vm->ticket == ticket;
}

static void kill_chosen(struct request *q, const struct vm *one, const struct vm *relative,
			uint64_t ticket)
{
	uint64_t *handles = calloc(VMS_MAX, sizeof(*handles));
	unsigned int n = 0;

	if (!handles) {
		request_fail(q, ENOMEM, "out of memory", "");
		return;
	}
	for_each_vm(vm) {
		if (vm->state == VM_DEAD || !chosen(vm, one, relative, ticket))
			continue;
		handles[n++] = vm->handle;
		vm_end(vm, ticket ? VMFORK_KILLED : VMFORK_LOST, 0, "killed from the host");
	}
	if (wait_killed(q, handles, n) < 0) {
		free(handles);
		request_fail(q, EBUSY, "too many requests wait already", "");
	}
	core_schedule();
}

void op_kill(struct request *q)
{
	json_t *vm = json_object_get(q->json, "vm"), *family = json_object_get(q->json, "family");
	json_t *ticket = json_object_get(q->json, "ticket");
	const json_t *name = vm ? vm : family;
	struct vm *found;
	struct ticket *t;

	if (!!vm + !!family + !!ticket != 1) {
		request_fail(q, EINVAL, "kill: one of 'vm', 'family' and 'ticket' is needed", "");
		return;
	}
	if (ticket) {
		t = ticket_find((uint64_t)json_integer_value(ticket));
		if (t)
			kill_chosen(q, NULL, NULL, t->handle);
		else
			request_failf(q, ENOENT, "see `vmforkctl ps -a`", "no ticket %lld",
				      (long long)json_integer_value(ticket));
		return;
	}
	found = vm_lookup(json_string_value(name));
	if (found)
		kill_chosen(q, vm ? found : NULL, vm ? NULL : found, 0);
	else
		request_failf(q, ENOENT, "see `vmforkctl ps`", "no VM named '%.64s'",
			      json_string_value(name));
}
