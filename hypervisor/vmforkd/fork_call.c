// SPDX-License-Identifier: GPL-2.0-or-later
/* Forks that the host asks for: the guest is called to its fork point. */
#include "fork.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "core.h"
#include "fork_clones.h"
#include "log.h"

static int call_timed_out(sd_event_source *s, uint64_t usec, void *data)
{
	struct fork *f = data;

	log_warn("%s: %s in %u s", f->parent->name, f->state == FORK_CALLED ?
		 "the guest did not come to its fork point" : "its clones' machines were not started",
		 fork_patience(FORK_CALL_SEC));
	fork_finish(f, -ETIMEDOUT);
	return 0;
}

/* The guest is not stopped for machines that are still to be started. */
void fork_call_guest(struct fork *f)
{
	struct vmfork_msg_fork m = {
		.cookie = htole64(f->cookie),
		.flags = htole32(f->flags),
	};
	struct ticket *t = f->ticket ? ticket_find(f->ticket) : NULL;
	int r;

	for (uint32_t i = 0; t && i < t->granted; i++) {
		const struct vm *vm = t->slots[i].state == SLOT_STANDBY ?
			vm_find(t->slots[i].vm) : NULL;

		if (vm && vm->state == VM_STARTING)
			return;
	}
	fork_set_state(f, FORK_CALLED);
	sd_event_source_set_time_relative(f->timer, fork_patience(FORK_CALL_SEC) * 1000000ULL);
	r = channel_send(f->parent, VMFORK_H2G_FORK, 0, &m, sizeof(m), NULL, 0);
	if (r < 0)
		fork_finish(f, r);
}

int fork_call(struct vm *vm, struct ticket *t, const char *name, uint32_t flags,
	      fork_done_fn done, void *data)
{
	struct fork *f;
	int r;

	if (!channel_ready(&vm->channel))
		return -ENOTCONN;
	f = fork_alloc();
	if (!f)
		return -EAGAIN;
	f->parent = vm;
	f->ticket = t ? t->handle : 0;
	f->cookie = core_new_handle();
	f->flags = flags;
	f->done = done;
	f->data = data;
	snprintf(f->name, sizeof(f->name), "%s", name);
	r = sd_event_add_time_relative(core.loop, &f->timer, CLOCK_MONOTONIC,
				       fork_patience(FORK_CALL_SEC) * 1000000ULL, 0,
				       call_timed_out, f);
	if (r < 0)
		return r;
	fork_set_state(f, FORK_READYING);
	if (t) {
		t->fork = f;
		vm_prepare(vm);
	}
	fork_call_guest(f);
	return 0;
}

void fork_refused(struct vm *vm, uint64_t cookie, int result)
{
	for (struct fork *f = forks; f < forks + FORKS_MAX; f++)
		if (f->state == FORK_CALLED && f->parent == vm && f->cookie == cookie) {
			fork_finish(f, result);
			return;
		}
}
