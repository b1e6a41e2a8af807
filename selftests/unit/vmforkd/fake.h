/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Around the core in unit tests: a backend that ends its operations from the event
 * loop, no keeper and no pager, and the guest's side of a channel. */
#ifndef VMFORKD_TEST_FAKE_H
#define VMFORKD_TEST_FAKE_H

#include "checkpoint.h"
#include "core.h"
#include "fork.h"
#include "ticket.h"

/** struct fake - what the fake backend does, and saw. */
struct fake {
	int freeze_err;		/* VM_EV_FROZEN comes with it */
	int load_err;		/* of the clone with ID load_err_id */
	uint32_t load_err_id;
	int start_err;		/* start() of stand-bys returns it */
	bool hold_starts;	/* stand-bys do not become STARTED by themselves */
	bool hold_prepare;	/* PREPARED does not come by itself */
	int refuse_freeze;	/* freeze() returns it */
	bool hold_freeze;	/* FROZEN does not come by itself */
	bool hold_resume;	/* RESUMED does not come at all */
	bool hold_adopt;	/* nor ADOPTED */
	bool adopted_running;	/* what ADOPTED says */
	unsigned int unprepared;
	unsigned int frozen;
	unsigned int loads;
	unsigned int resumes;
	unsigned int kicks;
	unsigned int destroyed;
	unsigned int checkpoints_destroyed;
	const char *unforkable;	/* why no machine can be forked */
	int shut_err;		/* of network_shut() */
	int open_err;		/* of network_open() */
	bool hold_open;		/* it does not end by itself */
	unsigned int shuts;
	unsigned int identified;	/* of those adopted */
	unsigned int opens;
	bool ran_open;		/* a clone was resumed whose network was not shut */
	uint32_t parent_block_at_first_load;	/* fork state of the parent then */
	bool parent_ran_at_first_load;
};

extern struct fake fake;

void fake_set_up(void);
void fake_tear_down(void);
/** fake_settle() - run the event loop until nothing is left to do. */
void fake_settle(void);
/** fake_restart() - a new control role, that finds state file, journals and processes. */
void fake_restart(void);
/** fake_wait_end() - wait for the machine's end, without a limit. */
void fake_wait_end(uint64_t handle);
/** fake_release_starts() - the held stand-bys are STARTED now. */
void fake_release_starts(void);
void fake_release_freeze(void);
/** fake_release_prepare() - prepare() of @vm ends now. */
void fake_release_prepare(struct vm *vm, int err);
/** fake_runs_on() - from now on a guest runs until freeze() (struct backend_ops). */
void fake_runs_on(void);
/** fake_release_open() - network_open() of @vm ends now. */
void fake_release_open(struct vm *vm);
/** fake_root() - a running root VM whose guest has said HELLO. */
struct vm *fake_root(const char *name);
void fake_die(struct vm *vm, int wait_status);

/* the guest's side */
void guest_put(struct vm *vm, uint32_t type, uint64_t cookie, const void *payload, uint32_t len);
/** guest_take() - the next message to the guest; 0: none. */
uint32_t guest_take(struct vm *vm, uint64_t *ret_cookie, void *payload, uint32_t *ret_len);
void guest_hello(struct vm *vm);
/** guest_want_fork() - REQUESTED, and the doorbell. */
void guest_want_fork(struct vm *vm, uint32_t kind, uint64_t ticket, const char *name,
		     uint64_t free_pages);
/** guest_want_held_fork() - the same, with an agent that may take @agent_ms. */
void guest_want_held_fork(struct vm *vm, uint32_t kind, uint64_t ticket, const char *name,
			  uint32_t agent_ms);
void guest_report(struct vm *vm, uint64_t cookie, int result, const char *why);
void guest_params(struct vm *vm, uint64_t cookie, uint64_t ticket, uint32_t id,
		  const char *text);
/** guest_leave_fork() - the block's answer; RELEASED -> IDLE. */
struct vmfork_fork guest_leave_fork(struct vm *vm);
/** guest_ticket() - ask for @n clones; the ticket's handle, or a negative errno. */
int64_t guest_ticket(struct vm *vm, uint32_t n);

/* ... in one call each */
/** next_exit() - what comes next for @vm; all zeros if it is no exit. */
struct vmfork_msg_exited next_exit(struct vm *vm);
bool nothing_for(struct vm *vm);
void guest_exit(struct vm *vm, int status);
void guest_data(struct vm *vm, uint64_t ticket, uint32_t id, uint32_t len);
void guest_credit(struct vm *vm, uint64_t ticket, uint32_t id, uint32_t bytes);
void guest_close_ticket(struct vm *vm, uint64_t ticket);
/** fork_into() - a ticket for @n, and its fork. NULL: no ticket. */
struct ticket *fork_into(struct vm *vm, uint32_t n);

#endif /* VMFORKD_TEST_FAKE_H */
