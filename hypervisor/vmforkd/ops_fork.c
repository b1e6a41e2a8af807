// SPDX-License-Identifier: GPL-2.0-or-later
/* The operations that fork: `fork`, `checkpoint`, `checkpoint-rm`, `clone`. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core.h"
#include "describe.h"
#include "fork.h"
#include "identity.h"
#include "log.h"
#include "names.h"
#include "ops.h"
#include "options.h"
#include "params.h"
#include "policy.h"
#include "state.h"
#include "util.h"
#include "vmlimits.h"

static void cannot_fork(struct request *q, const char *who, int err)
{
	if (err == -ENOTCONN)
		request_failf(q, ENOTCONN, "load it in the guest: modprobe vmfork",
			      "%s: the guest has no vmfork module", who);
	else if (err == -ETIMEDOUT)
		request_failf(q, ETIMEDOUT, "is the guest alive? see `vmforkctl console`",
			      "%s: the guest did not come to its fork point in %d s", who,
			      FORK_CALL_SEC);
	else if (err == -EOPNOTSUPP)
		request_failf(q, EOPNOTSUPP, "the guest's kernel log says why",
			      "%s: the guest refuses to be forked", who);
	else if (err == -EMLINK)
		request_failf(q, EMLINK, "vmforkd's log says why; is their file system full?",
			      "%s: a disk has too many layers, and they could not be merged", who);
	else
		request_failf(q, -err, "vmforkd's log says more", "%s: not forked: %s", who,
			      strerror(-err));
}

static bool can_be_called(struct request *q, struct vm *vm)
{
	const char *why = vm_unforkable(vm);

	if (why) {
		request_failf(q, ENOTSUP, "see vmforkctl(1), --qemu-arg", "%s: cannot be forked: %s",
			      vm->name, why);
		return false;
	}
	if (identity_held(vm)) {
		request_failf(q, EAGAIN, "wait until its agent has reported",
			      "%s: its identity is not complete", vm->name);
		return false;
	}
	if (vm->io_error) {
		request_failf(q, -vm->io_error, "make room; it goes on by itself",
			      "%s: stands still, its disk cannot be written: %s", vm->name,
			      strerror(-vm->io_error));
		return false;
	}
	if (vm->channel.j->state == CHANNEL_READY)
		return true;
	if (vm->channel.j->state == CHANNEL_BROKEN)
		request_failf(q, EPIPE, "vmforkd's log says why; start the VM anew",
			      "%s: its channel is broken", vm->name);
	else
		cannot_fork(q, vm->name, -ENOTCONN);
	return false;
}

int op_clones(struct request *q, unsigned int *ret_n)
{
	json_t *v = json_object_get(q->json, "clones");
	json_int_t n = v ? json_integer_value(v) : 1;

	if (n < 1 || n > opt.clones_max) {
		request_failf(q, EINVAL, "", "'clones' must be 1 to %u", opt.clones_max);
		return -EINVAL;
	}
	*ret_n = (unsigned int)n;
	return 0;
}

/* Limits that are not asked for are those of the machine. */
static int get_limits(struct request *q, const struct limits *own, struct limits *ret)
{
	char why[256] = "";
	int r = op_limits(json_object_get(q->json, "limits"), ret, why, sizeof(why));

	if (r < 0) {
		request_failf(q, -r, "", "limits: %s", why);
		return r;
	}
	if (!ret->memory_mib)
		ret->memory_mib = own->memory_mib;
	if (!ret->cpu_weight)
		ret->cpu_weight = own->cpu_weight;
	return 0;
}

static int give_params(struct request *q, struct ticket *t)
{
	const json_t *o = json_object_get(q->json, "params");
	_cleanup_free_ char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;
	int r;

	if (!o)
		return 0;
	r = !text ? -ENOMEM : len > VMFORK_PARAMS_MAX ? -E2BIG :
		params_set(t, 0, text, (uint32_t)len);
	if (r < 0)
		request_failf(q, -r, "", "params: %zu bytes, %d are possible: %s", len,
			      VMFORK_PARAMS_MAX, strerror(-r));
	return r;
}

/* A ticket of the host's, all or nothing. NULL: answered. */
static struct ticket *host_ticket(struct request *q, const char *who,
				  const struct vm_config *config, const struct limits *own,
				  uint64_t family, unsigned int n)
{
	struct limits limits;
	unsigned int granted;
	struct ticket *t;
	int r;

	if (get_limits(q, own, &limits) < 0)
		return NULL;
	r = policy_grant(who, config, n, true, &granted);
	if (r < 0) {
		request_failf(q, -r, "end some clones, or raise the limit", "%s", policy_last());
		return NULL;
	}
	t = ticket_new(0, 0, family, granted);
	if (!t) {
		request_failf(q, ENOSPC, "", "no room for more than %d tickets", TICKETS_MAX);
		return NULL;
	}
	t->limits = limits;
	if (give_params(q, t) == 0)
		return t;
	ticket_close(t);
	return NULL;
}

/* What the guest does before. */
static uint32_t op_flags(const struct request *q)
{
	return json_is_true(json_object_get(q->json, "drop_cache")) ? VMFORK_CLONE_DROP_CACHE : 0;
}

static void forked(struct fork *f, int err, void *data)
{
	struct request *q = data;
	struct ticket *t = ticket_find(f->ticket);
	const char *who = f->parent ? f->parent->name : "the VM";

	if (err) {
		cannot_fork(q, who, err);
		ticket_close(t);
	} else if (ticket_live(t) == 0) {
		request_failf(q, EIO, "vmforkd's log says more", "none of the %u clones runs",
			      t->granted);
	} else {
		if (request_gone(q)) {
			log_info("ticket %" PRIu64 ": who asked for it has gone", t->handle);
			ticket_close(t);
		}
		request_ok(q, json_pack("{s:o, s:o}", "ticket", describe_ticket(t), "vms",
					describe_ticket_vms(t)));
	}
}

void op_fork(struct request *q)
{
	struct vm *vm = op_vm(q);
	struct ticket *t;
	unsigned int n;
	int r;

	if (!vm || !can_be_called(q, vm) || op_clones(q, &n) < 0)
		return;
	t = host_ticket(q, vm->name, &vm->config, &vm->limits, vm->family, n);
	if (!t)
		return;
	ticket_standbys(t, &vm->config);
	r = fork_call(vm, t, "", op_flags(q), forked, q);
	if (r < 0) {
		ticket_close(t);
		cannot_fork(q, vm->name, r);
	}
}

/* It goes with its last clone. */
static void forget(struct checkpoint *cp)
{
	cp->name[0] = '\0';
	state_changed();
	core_schedule();
}

static void kept(struct fork *f, int err, void *data)
{
	struct request *q = data;
	struct checkpoint *cp = checkpoint_find(f->checkpoint);

	if (err || !cp) {
		cannot_fork(q, f->parent ? f->parent->name : "the VM", err ? err : -ENOENT);
		return;
	}
	if (request_gone(q)) {
		log_info("checkpoint %s: who asked for it has gone", cp->name);
		forget(cp);
	}
	request_ok(q, json_pack("{s:o}", "checkpoint", describe_checkpoint(cp)));
}

void op_checkpoint(struct request *q)
{
	const char *name = json_string_value(json_object_get(q->json, "name"));
	struct vm *vm = op_vm(q);
	int r;

	if (!vm || !can_be_called(q, vm))
		return;
	if (!checkpoint_name_valid(name)) {
		request_failf(q, EINVAL, "1 to 63 of [A-Za-z0-9._-], not digits alone",
			      "'%.64s' is no name for a checkpoint", name);
		return;
	}
	if (checkpoint_named(name)) {
		request_failf(q, EEXIST, "remove it: `vmforkctl checkpoint rm`",
			      "there is a checkpoint '%s' already", name);
		return;
	}
	r = fork_call(vm, NULL, name, op_flags(q), kept, q);
	if (r < 0)
		cannot_fork(q, vm->name, r);
}

static struct checkpoint *op_which(struct request *q)
{
	const char *name = json_string_value(json_object_get(q->json, "checkpoint"));
	struct checkpoint *cp = checkpoint_lookup(name);

	if (cp && cp->complete)
		return cp;
	request_failf(q, ENOENT, "see `vmforkctl ps -a`", "no checkpoint '%.64s'", name);
	return NULL;
}

void op_checkpoint_rm(struct request *q)
{
	struct checkpoint *cp = op_which(q);

	if (!cp)
		return;
	forget(cp);
	request_ok(q, json_object());
}

void op_clone(struct request *q)
{
	struct checkpoint *cp = op_which(q);
	struct ticket *t;
	unsigned int n;
	int r;

	if (!cp || op_clones(q, &n) < 0)
		return;
	t = host_ticket(q, cp->name[0] ? cp->name : cp->vm_name, &cp->config, &cp->limits,
			cp->family, n);
	if (!t)
		return;
	r = fork_create(cp, t, forked, q);
	if (r < 0) {
		ticket_close(t);
		cannot_fork(q, "the checkpoint", r);
	}
}
