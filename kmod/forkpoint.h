/* SPDX-License-Identifier: GPL-2.0 */
/* The fork point: the instant from which a parent and its clones go on. */
#ifndef VMFORK_FORKPOINT_H
#define VMFORK_FORKPOINT_H

#include <linux/ktime.h>
#include <linux/types.h>

#include "channel.h"
#include "mailbox.h"

/** VMFORK_CLONE_KNOWN - the VMFORK_CLONE_* that this module knows. */
#define VMFORK_CLONE_KNOWN	(VMFORK_CLONE_SYNC | VMFORK_CLONE_DROP_CACHE)

/** struct vmfork_forkpoint - one passage. */
struct vmfork_forkpoint {
	/* in */
	enum vmfork_fork_kind kind;
	u64 epoch;
	u64 ticket;			/* handle or cookie */
	const char *name;		/* VMFORK_NAME_MAX bytes, or NULL */
	u32 flags;			/* VMFORK_CLONE_* */
	struct vmfork_mailbox *box;	/* becomes the clones' link, or NULL */
	/* out */
	bool answered;			/* the host has seen it, whatever the result */
	u32 id;
	u32 clones;
	u64 checkpoint;
	/* the callback's own */
	int result;
	bool free_set;			/* the walk over free pages */
	bool spares;			/* the host looks at the bitmap at all */
	u64 free_pages;
	u64 realtime_ns;
	ktime_t released;
	const struct task_struct *caller;
};

/**
 * vmfork_forkpoint_run() - go through the fork point.
 * Returns in the parent and in every clone. In a clone, @box is a link, the random
 * number generator is reseeded, the clock set, and all else that the parent had
 * under way has failed with ESTALE.
 * Return: 0 (@id tells who this is), or an errno: then nothing was forked.
 */
int vmfork_forkpoint_run(struct vmfork_forkpoint *fp);

/** vmfork_forkpoint_untold() - the caller cannot be told who it is: in a clone it is
 * killed, so that it does not take itself for the parent. */
void vmfork_forkpoint_untold(const struct vmfork_forkpoint *fp);

/** vmfork_forkpoint_attach() - bring a new region's state word to IDLE. */
void vmfork_forkpoint_attach(struct vmfork_channel *region);

/** VMFORK_TAKE_SEC - a request that the host has not taken by then is withdrawn. */
#define VMFORK_TAKE_SEC	10

/* The steps of a passage, for forkpoint.c and suspend.c; in the fork point: */

/** vmfork_forkpoint_fill() - the free set, and its size for the host. */
void vmfork_forkpoint_fill(struct vmfork_forkpoint *fp);
/** vmfork_forkpoint_request() - IDLE -> REQUESTED, and ring. False: it was not IDLE. */
bool vmfork_forkpoint_request(struct vmfork_forkpoint *fp);
enum vmfork_fork_state vmfork_forkpoint_state(void);
/** vmfork_forkpoint_abandon() - REQUESTED -> ABANDONED. False: it was not REQUESTED. */
bool vmfork_forkpoint_abandon(void);
/** vmfork_forkpoint_leave() - wait for the answer, be whom it says, back to IDLE. */
void vmfork_forkpoint_leave(struct vmfork_forkpoint *fp);

/** vmfork_features() - VMFORK_FEATURE_* in force. */
u64 vmfork_features(void);

/** struct vmfork_figures - of the last fork, for sysfs. */
struct vmfork_figures {
	u64 forks;
	u64 free_pages;
	u64 stop_ns;
};

void vmfork_forkpoint_figures(struct vmfork_figures *ret);

#endif /* VMFORK_FORKPOINT_H */
