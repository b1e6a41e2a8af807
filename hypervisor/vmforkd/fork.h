/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forks: the steps from a request to running clones. */
#ifndef VMFORKD_FORK_H
#define VMFORKD_FORK_H

#include "checkpoint.h"
#include "ticket.h"

/**
 * DOC: A fork, step by step
 *
 *   state      entered when                  waits for             then
 *   READYING   the host asks: stand-bys start until all wait        CALLED
 *   CALLED     H2G FORK sent                 the guest's fork point FREEZING
 *   FREEZING   fork block TAKEN, freeze()    VM_EV_FROZEN          RELEASING, FAILING
 *   FAILING    freeze() failed; the guest's  VM_EV_RESUMED         DONE (error)
 *              answer (< 0) is written,
 *              resume()
 *   RELEASING  the parent's answer (ID 0) is VM_EV_RESUMED         LOADING, DONE
 *              written, resume()             (DONE: a checkpoint)
 *   LOADING    the parent runs. Stand-bys    every slot LOADED     RESUMING, DONE
 *              that are STARTED are loaded,  or ENDED (DONE: all
 *              the others when they are      failed)
 *   RESUMING   fork blocks of the clones     every LOADED slot     DONE
 *              are written, resume() each    LIVE or ENDED
 *   DONE       the one who asked is told, the object is freed
 *
 * Clones of a checkpoint that exists already (CREATE_CLONES, `vmforkctl clone`)
 * begin at LOADING, a guest's own forks at FREEZING.
 * Nothing that a clone does wrong stops another: it is ended, its
 * slot says why, the rest goes on. Time-outs end the guest's way to its fork point
 * (READYING and CALLED) and clones that do not get started or loaded (LOADING).
 *
 * Before the answer is written, nothing has happened as far as the guest can tell;
 * after it, the ticket is used. The journal's stage (channel.h) says which, should
 * the control role be killed between.
 */
#define FORKS_MAX	64

enum fork_state { FORK_FREE, FORK_READYING, FORK_CALLED, FORK_FREEZING, FORK_FAILING,
	FORK_RELEASING, FORK_LOADING, FORK_RESUMING, FORK_DONE, FORK_STATES };

struct fork;
/** fork_done_fn - @err 0 or a negative errno; @f is valid during the call. */
typedef void (*fork_done_fn)(struct fork *f, int err, void *data);

struct sd_event_source;

/**
 * struct fork - one fork under way.
 * @parent:	the machine that is frozen, or NULL (LOADING on: may have ended)
 * @ticket:	handle, or 0: a checkpoint
 * @checkpoint:	handle
 * @cookie:	of H2G FORK (CALLED), or of the guest's request (CREATE_CLONES)
 * @flags:	of H2G FORK: VMFORK_CLONE_*
 * @fork_no:	number in the clones' names
 * @err:	why it failed so far
 * @saved:	the state file knows the clones that are loaded
 * @unprepared:	FREEZING: freeze() waits for prepare()
 * @stepping:	fork_clones.c looks at the slots: their changes need not say so
 */
struct fork {
	enum fork_state state;
	struct vm *parent;
	uint64_t ticket;
	uint64_t checkpoint;
	uint64_t cookie;
	uint32_t flags;
	uint32_t fork_no;
	int err;
	bool unprepared;
	bool stepping;
	bool saved;
	char name[VMFORK_NAME_MAX];	/* CALLED for a checkpoint: its name */
	fork_done_fn done;
	void *data;
	struct sd_event_source *timer;
};

extern struct fork forks[FORKS_MAX];

const char *fork_state_name(enum fork_state s);
bool fork_transition_ok(enum fork_state from, enum fork_state to);

/** fork_rang() - the guest rang: if it is at its fork point, begin. */
void fork_rang(struct vm *vm);
/** fork_prepared() - prepare() has ended: go on with a fork that waits for it. */
void fork_prepared(struct vm *vm);
/** fork_call() - ask the guest to go to its fork point: clones (@t) or a checkpoint (@name).
 * @flags: what it does before, VMFORK_CLONE_* */
int fork_call(struct vm *vm, struct ticket *t, const char *name, uint32_t flags,
	      fork_done_fn done, void *data);
/** fork_refused() - the guest's answer to that. */
void fork_refused(struct vm *vm, uint64_t cookie, int result);
/** fork_create() - clones of a checkpoint. */
int fork_create(struct checkpoint *cp, struct ticket *t, fork_done_fn done, void *data);
bool fork_uses(uint64_t checkpoint);
/** fork_pausing() - does any machine stand still for a fork? */
bool fork_pausing(void);
/** fork_answer_parent() - write "@result, nothing forked" or the parent's answer. */
void fork_answer_parent(struct vm *vm, int result, uint64_t checkpoint, uint32_t clones);

/* from core_event() */
void fork_frozen(struct vm *vm, int err);
void fork_resumed(struct vm *vm, int err);
void fork_clone_changed(struct vm *vm);	/* started, loaded, resumed or gone */
void fork_clone_gets_on(struct vm *vm);	/* its load() does: the time limit of all begins anew */
void fork_parent_gone(struct vm *vm);

/** fork_patience() - seconds: @sec, or the backend's if it needs more. */
unsigned int fork_patience(unsigned int sec);

#define FORK_CALL_SEC	60
#define FORK_LOAD_SEC	90

#endif /* VMFORKD_FORK_H */
