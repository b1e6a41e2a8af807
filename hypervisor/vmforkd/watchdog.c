// SPDX-License-Identifier: GPL-2.0-or-later
/* A time limit for what a machine's backend was asked to do. */
#include "watchdog.h"

#include <errno.h>
#include <systemd/sd-event.h>

#include "core.h"
#include "log.h"

uint64_t watchdog_usec = 30000000;

static int timed_out(sd_event_source *s, uint64_t usec, void *data)
{
	struct vm *vm = data;

	log_err("%s: its hypervisor has not answered '%s' in %u s: killed", vm->name,
		vm->watched_op, (unsigned int)(watchdog_usec / 1000000));
	vm_end(vm, VMFORK_LOST, ETIMEDOUT, "its hypervisor has not answered '%s' in %u s",
	       vm->watched_op, (unsigned int)(watchdog_usec / 1000000));
	return 0;
}

void watchdog_start(struct vm *vm, const char *op)
{
	watchdog_stop(vm);
	vm->watched_op = op;
	if (sd_event_add_time_relative(core.loop, &vm->watchdog, CLOCK_MONOTONIC, watchdog_usec, 0,
				       timed_out, vm) < 0)
		log_warn("%s: no time limit for '%s'", vm->name, op);
}

void watchdog_again(struct vm *vm)
{
	if (vm->watchdog)
		watchdog_start(vm, vm->watched_op);
}

void watchdog_stop(struct vm *vm)
{
	vm->watchdog = sd_event_source_disable_unref(vm->watchdog);
}
