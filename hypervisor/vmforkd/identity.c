// SPDX-License-Identifier: GPL-2.0-or-later
/* Clones that are held until their agent has completed their identity. */
#include "identity.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "core.h"
#include "events.h"
#include "journal.h"
#include "log.h"
#include "network.h"
#include "options.h"
#include "state.h"
#include "util.h"

static const char *const names[] = {
	[IDENTITY_NONE] = "none", [IDENTITY_HELD] = "held", [IDENTITY_OPENING] = "held",
	[IDENTITY_COMPLETE] = "complete",
};
static_assert(ARRAY_SIZE(names) == IDENTITY_STATES, "a name for every state");

static enum identity_state state_of(const struct vm *vm)
{
	uint32_t s = vm->channel.j ? vm->channel.j->identity : IDENTITY_NONE;

	return s < IDENTITY_STATES ? (enum identity_state)s : IDENTITY_HELD;
}

static void set_state(struct vm *vm, enum identity_state s)
{
	__atomic_store_n(&vm->channel.j->identity, s, __ATOMIC_RELEASE);
	state_changed();
}

const char *identity_name(const struct vm *vm)
{
	return names[state_of(vm)];
}

bool identity_held(const struct vm *vm)
{
	enum identity_state s = state_of(vm);

	return s == IDENTITY_HELD || s == IDENTITY_OPENING;
}

static int timed_out(sd_event_source *s, uint64_t usec, void *data)
{
	struct vm *vm = data;
	uint64_t ms = vm->channel.j->identity_ms;

	log_warn("%s: its agent did not report in %.1f s: destroyed", vm->name, (double)ms / 1000);
	vm_end(vm, VMFORK_UNIDENTIFIED, ETIMEDOUT, "the agent did not report in %.1f s",
	       (double)ms / 1000);
	return 0;
}

/* Without a timer nothing would end a clone whose agent hangs. */
static int start_timer(struct vm *vm)
{
	return sd_event_add_time(core.loop, &vm->identity_timer, CLOCK_BOOTTIME,
				 vm->channel.j->identity_until / 1000, 0, timed_out, vm);
}

int identity_hold(struct vm *vm, uint32_t agent_ms)
{
	struct journal *j = vm->channel.j;
	int r;

	j->identity_ms = agent_ms + 1000ULL * opt.identity_timeout;
	j->identity_until = clock_ns(CLOCK_BOOTTIME) + j->identity_ms * 1000000;
	set_state(vm, IDENTITY_HELD);
	r = start_timer(vm);
	return r < 0 ? r : network_shut(vm);
}

static struct journal_pending *noted(const struct vm *vm)
{
	for (unsigned int i = 0; i < JOURNAL_PENDING_MAX; i++)
		if (vm->channel.j->pending[i].type == VMFORK_G2H_REPORT)
			return &vm->channel.j->pending[i];
	return NULL;
}

static void opened(struct vm *vm, int err)
{
	struct journal_pending *p = noted(vm);

	if (!identity_held(vm) || vm->ending)
		return;
	if (err) {
		log_err("%s: its network cannot be opened: %s", vm->name, strerror(-err));
		vm_end(vm, VMFORK_UNIDENTIFIED, -err, "its network cannot be opened: %s",
		       strerror(-err));
		return;
	}
	vm->channel.j->reported = now_ns();
	set_state(vm, IDENTITY_COMPLETE);
	identity_over(vm);
	if (p)
		pending_reply(vm, p, 0, 0, 0);
	log_info("%s: its identity is complete, %.1f ms after it was resumed", vm->name,
		 (double)(vm->channel.j->reported - vm->times.resumed) / 1e6);
	event_vm("identified", vm);
}

static void refused(struct vm *vm, const struct g2h *m)
{
	const char *why = m->report.why[0] ? m->report.why : strerror(-m->report.result);

	log_warn("%s: its identity cannot be completed: %s", vm->name, why);
	vm_end(vm, VMFORK_UNIDENTIFIED, -m->report.result, "%s", why);
}

void identity_report(struct vm *vm, const struct g2h *m)
{
	struct journal_pending *p;

	if (state_of(vm) == IDENTITY_HELD && m->report.result) {
		refused(vm, m);
		return;
	}
	p = pending_add(vm, m->cookie, m->type);
	if (!p) {
		channel_reply(vm, m->cookie, -EBUSY, 0, 0);
	} else if (state_of(vm) != IDENTITY_HELD) {
		pending_reply(vm, p, state_of(vm) == IDENTITY_OPENING ? -EBUSY : -EINVAL, 0, 0);
	} else {
		set_state(vm, IDENTITY_OPENING);
		network_open(vm, opened);
	}
}

void identity_adopt(struct vm *vm)
{
	struct journal_pending *p = noted(vm);
	int r;

	if (!identity_held(vm)) {
		network_adopt(vm, state_of(vm) == IDENTITY_COMPLETE);
		if (p)
			pending_reply(vm, p, state_of(vm) == IDENTITY_COMPLETE ? 0 : -EINVAL, 0, 0);
		return;
	}
	set_state(vm, p ? IDENTITY_OPENING : IDENTITY_HELD);
	r = start_timer(vm);
	if (r >= 0)
		r = p ? 0 : network_shut(vm);
	if (r < 0)
		vm_end(vm, VMFORK_UNIDENTIFIED, -r, "its network cannot be kept shut: %s",
		       strerror(-r));
	else if (p)
		network_open(vm, opened);
}

void identity_over(struct vm *vm)
{
	vm->identity_timer = sd_event_source_disable_unref(vm->identity_timer);
}
