/* SPDX-License-Identifier: GPL-2.0 */
/* The agent: the process that completes a clone's identity before others run. */
#ifndef VMFORK_AGENT_H
#define VMFORK_AGENT_H

#include <linux/fs.h>
#include <linux/sched.h>

#include "layout.h"

/**
 * DOC: Waiting for the agent
 *
 *   NONE -> IDLE           VMFORK_AGENT
 *   IDLE -> AWAITED        vmfork_agent_await(): the fork point in the clone, with the
 *                          gate
 *   AWAITED -> REPORTING   VMFORK_AGENT_REPORT: the host is asked
 *   REPORTING -> AWAITED   the host refused, or the agent was interrupted
 *   REPORTING -> IDLE      the host has put the link up: the gate opens
 *   IDLE -> NONE           its descriptor was closed, or it ended
 *   AWAITED, REPORTING ->  panic: the descriptor was closed, the agent ended, or the time
 *                          is over. No orderly shutdown: that would write under the
 *                          parent's identity.
 *
 * Under vmfork_lock; AWAITED begins in the fork point and ends under vmfork_fork_mutex
 * as well, so that who holds the mutex sees it and the gate agree. The fork point's
 * caller is held like everybody else, once it has left the mutex and the kernel.
 *
 * While the agent is awaited the machine does not fork again, whoever asks (EAGAIN).
 */

/** vmfork_agent_register() - VMFORK_AGENT. */
long vmfork_agent_register(struct file *file, const struct vmfork_agent __user *arg);
/** vmfork_agent_report() - VMFORK_AGENT_REPORT. */
long vmfork_agent_report(struct file *file, const struct vmfork_report __user *arg);

/** vmfork_agent_flush() - a descriptor of @file is closed by the current task. */
void vmfork_agent_flush(struct file *file);
/** vmfork_agent_release() - the last descriptor of @file was closed. */
void vmfork_agent_release(struct file *file);

bool vmfork_agent_registered(void);
bool vmfork_agent_awaited(void);
/** vmfork_agent_state() - a word for sysfs. */
const char *vmfork_agent_state(void);

/** vmfork_agent_exempts() - is @t of the agent's process, or a descendant of it? */
bool vmfork_agent_exempts(const struct task_struct *t);

/** vmfork_agent_watch() - the time begins, if it is awaited; vmfork_fork_mutex. */
void vmfork_agent_watch(void);

/* The fork point only: */

/** vmfork_agent_request() - tell the host whether clones will report. */
void vmfork_agent_request(struct vmfork_fork *fork);
/** vmfork_agent_await() - this is a clone. Return: has it an agent to wait for? */
bool vmfork_agent_await(void);

void vmfork_agent_exit(void);

#endif /* VMFORK_AGENT_H */
