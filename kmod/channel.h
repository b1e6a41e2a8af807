/* SPDX-License-Identifier: GPL-2.0 */
/* The channel to the host: attachment, rings, epoch; and how everything here waits. */
#ifndef VMFORK_KCHANNEL_H
#define VMFORK_KCHANNEL_H

#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "layout.h"
#include "ring.h"
#include "transport.h"

/**
 * DOC: State, locks and the fork
 *
 * vmfork_fork_mutex	one fork point at a time; attach and detach. Sleeps.
 * vmfork_lock		everything else: rings, requests, mailboxes, identity. Raw,
 *			so that a task that holds it cannot be preempted on any
 *			kernel: stop_machine() therefore never catches a CPU inside
 *			such a section, and the fork point changes all that state
 *			without taking the lock. Nothing under it may sleep.
 * vmfork_wait		the one wait queue: whoever changes state wakes it.
 *
 * Order: vmfork_fork_mutex, then vmfork_lock.
 *
 * The epoch is a number that changes when the machine becomes a clone and when
 * the channel is detached. What belongs to the host's knowledge of one machine (a
 * ticket, a request, a message on its way) remembers the epoch it began in and is
 * stale once the two differ: no walk over objects is needed at the fork point.
 */
extern struct mutex vmfork_fork_mutex;
extern raw_spinlock_t vmfork_lock;
extern wait_queue_head_t vmfork_wait;
extern struct workqueue_struct *vmfork_wq;

/** vmfork_fork_lock() - vmfork_fork_mutex for a user's task: others may wait for a fork that
 * freezes all tasks (suspend.c), so the wait can be frozen.
 * Return: 0, or -EINTR: this task is being killed. */
int vmfork_fork_lock(void);
void vmfork_fork_unlock(void);

/* Under vmfork_lock, or in the fork point: */

u64 vmfork_epoch(void);

/** vmfork_channel_status() - Return: 0, -ENODEV no channel, -EIO its ring is dead. */
int vmfork_channel_status(void);

/** vmfork_channel_current() - Return: 0, the status, or -ESTALE if @epoch has passed. */
int vmfork_channel_current(u64 epoch);

/** vmfork_channel_put() - put a message into the ring, ring the bell if needed.
 * Return: 0; -EAGAIN no room; as vmfork_channel_status(). */
int vmfork_channel_put(u32 type, u64 cookie, const void *payload, u32 len);

/** vmfork_channel_take() - take the next message, if there is one, into @payload
 * (VMFORK_RING_PAYLOAD_MAX bytes). Return: 0; -EAGAIN; as vmfork_channel_status(). */
int vmfork_channel_take(struct vmfork_ring_msg *msg, void *payload);

/** vmfork_channel_kill() - the host broke the rules: no more from it. */
void vmfork_channel_kill(const char *why);

/** vmfork_channel_region() - NULL without a channel; also valid, and stable, under
 * vmfork_fork_mutex. So is the layout, which is all zeros without a channel. */
struct vmfork_channel *vmfork_channel_region(void);
const struct vmfork_layout *vmfork_channel_layout(void);
u8 *vmfork_channel_free_set(void);
u8 *vmfork_channel_avoid(void);

/** vmfork_channel_suspends() - see struct vmfork_transport_ops; as the region. */
bool vmfork_channel_suspends(void);

/** vmfork_channel_wall() - the hypervisor's wall clock, in nanoseconds, or 0; as the region. */
u64 vmfork_channel_wall(void);

/** vmfork_channel_bell() - ring the host; the fork point, or under vmfork_lock. */
void vmfork_channel_bell(void);

/** vmfork_channel_restart() - this is a clone: fresh rings, next epoch; the fork
 * point only. */
void vmfork_channel_restart(void);

/* Elsewhere: */

/** vmfork_epoch_now() - the epoch, or the errno of vmfork_channel_status(). */
int vmfork_epoch_now(u64 *ret);

/** vmfork_channel_poll() - look at the rings now, interrupt or not. */
void vmfork_channel_poll(void);
void vmfork_channel_poll_later(void);

/** struct vmfork_patience - how to wait: TASK_*, jiffies in all, jiffies per look. */
struct vmfork_patience {
	unsigned int state;
	long timeout;
	long slice;
};

/**
 * vmfork_wait_until() - call @check until it returns something else than -EAGAIN.
 * Looks at the rings once per slice even if no interrupt comes: one raised while
 * the machine was frozen may be lost.
 * @check:	must not sleep
 * Return: @check's, -ERESTARTSYS after a signal, -ETIMEDOUT.
 */
int vmfork_wait_until(int (*check)(void *arg), void *arg, const struct vmfork_patience *p);

/** vmfork_channel_send() - put a message, wait for room if need be.
 * Return: 0, -ESTALE, -ERESTARTSYS, -ETIMEDOUT, as vmfork_channel_status(). */
int vmfork_channel_send(u64 epoch, u32 type, const void *payload, u32 len,
			const struct vmfork_patience *p);

extern const struct vmfork_patience vmfork_patience_close;	/* from release() */

/* receive.c */
void vmfork_receive(struct work_struct *work);

int vmfork_channel_init(void);
void vmfork_channel_exit(void);

#endif /* VMFORK_KCHANNEL_H */
