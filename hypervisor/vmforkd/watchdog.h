/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A time limit for what a machine's backend was asked to do. */
#ifndef VMFORKD_WATCHDOG_H
#define VMFORKD_WATCHDOG_H

#include "vm.h"

/**
 * DOC: The watchdog
 *
 * freeze(), resume() and adopt() end with an event. A hypervisor that hangs sends
 * none, and its machine would stand in its fork point, unanswered, for ever: after
 * the limit it is killed and reported LOST. (Starting, loading and the guest's way to
 * its fork point have limits of their own.) One operation per machine at a time, so
 * one timer. vm_end() and the machine's end stop it.
 */
extern uint64_t watchdog_usec;

/** watchdog_start() - @op was begun; a constant, for the log. */
void watchdog_start(struct vm *vm, const char *op);
/** watchdog_again() - it gets on: the whole time once more, if there is a limit. */
void watchdog_again(struct vm *vm);
/** watchdog_stop() - it has ended; more than once does no harm. */
void watchdog_stop(struct vm *vm);

#endif /* VMFORKD_WATCHDOG_H */
