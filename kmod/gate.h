/* SPDX-License-Identifier: GPL-2.0 */
/* The gate: holds every user task of a clone until its identity is right. */
#ifndef VMFORK_GATE_H
#define VMFORK_GATE_H

#include <linux/sched.h>
#include <linux/types.h>

/**
 * DOC: The gate
 *
 *   OPEN -> READY   vmfork_gate_prepare(): memory for the entries, before the fork
 *   READY -> SHUT   vmfork_gate_shut(): in the clone, inside stop_machine()
 *   SHUT -> OPEN    vmfork_gate_open(): identity is right; without an agent as soon as
 *                   the clock is set, else after the agent's report
 *   READY -> OPEN   vmfork_gate_open(): in the parent, which was never held
 *
 * All under vmfork_fork_mutex. At the fork point no CPU is in user mode, so a
 * task_work entry, queued there for every user task, runs before that task's next
 * user instruction; it sleeps until the gate opens. System calls that sleep are not
 * disturbed. A clone() that was half way through is caught by the task_newtask
 * tracepoint. What the gate does not hold: kernel threads, and system calls in
 * flight.
 *
 * Entries of tasks that go on sleeping in system calls stay queued after the gate
 * has opened, and are harmless; they hold a reference to the module.
 */
int vmfork_gate_init(void);
void vmfork_gate_exit(void);

bool vmfork_gate_enabled(void);
/** vmfork_gate_possible() - can it hold tasks here, whether it is enabled or not? */
bool vmfork_gate_possible(void);
/** vmfork_gate_prepare() - with an agent also if it is not enabled. */
int vmfork_gate_prepare(void);
/** vmfork_gate_shut() - hold all user tasks but @exempt and the agent's. The fork
 * point only. */
void vmfork_gate_shut(const struct task_struct *exempt);
void vmfork_gate_open(void);

/** vmfork_gate_held() - tasks that the last shut gate was set for. */
u32 vmfork_gate_held(void);

#endif /* VMFORK_GATE_H */
