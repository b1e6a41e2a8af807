/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of virtual machines. */
#ifndef VMFORKD_VM_H
#define VMFORKD_VM_H

#include <linux/vmfork.h>

#include "backend.h"
#include "channel.h"
#include "network.h"

/**
 * DOC: A VM's life in the core
 *
 *   FREE -> STARTING -> RUNNING <-> FROZEN		a root VM
 *   FREE -> STARTING -> STANDBY -> LOADED -> RUNNING	a clone
 *   any -> DEAD -> FREE
 *
 * Whoever wants a VM's end calls vm_end(): it notes why and has the backend kill
 * the process. vm_gone() is called once, when the process is no more: tickets and
 * forks learn of it there. The object itself is destroyed later, by core_reap(),
 * because the backend that reports the end is still on the stack.
 */
#define VMS_MAX		512
#define VM_REFS_MAX	64

enum vm_state { VM_FREE, VM_STARTING, VM_STANDBY, VM_LOADED, VM_RUNNING, VM_FROZEN, VM_DEAD,
	VM_STATES };

/** struct vm_ref - a checkpoint that the guest holds descriptors of. */
struct vm_ref {
	uint64_t checkpoint;
	uint32_t count;
};

struct fork;
struct ticket;
struct sd_event_source;
typedef void (*vm_started_fn)(struct vm *vm, int err, void *data);

/**
 * struct vm - one machine.
 * @ticket:	its ticket, or 0; @id its place there
 * @clones:	siblings of its fork, itself included
 * @epoch:	when its parent was stopped (CLOCK_MONOTONIC): zero of its times
 * @preparing:	prepare() is under way: freeze() must wait
 * @prepared:	it has ended, and there was no fork since
 * @fork:	the fork that this VM is being frozen for, or NULL
 * @io_error:	-errno: it stands still, since its disk cannot be written; or 0
 * @reason:	why it ends, set by the first who knew: enum vmfork_reason or 0
 * @why:	the same in a line for people
 * @limits:	what it may have (vmlimits.h); @expiry: its time is over then
 * @identity_timer: its agent is to have reported by then (identity.h)
 */
struct vm {
	enum vm_state state;
	uint64_t handle;
	uint64_t family;
	uint64_t parent;
	uint64_t ticket;
	uint64_t checkpoint;
	uint32_t id;
	uint32_t clones;
	uint32_t depth;
	uint32_t forks;
	char name[VM_NAME_MAX];
	char dir[VM_PATH_MAX];
	struct vm_config config;
	bool clone;
	bool ending;
	bool adopted;
	bool preparing;
	bool prepared;
	int io_error;
	enum vmfork_reason reason;
	int status;
	char why[VMFORK_WHY_MAX];
	struct limits limits;
	uint64_t started;
	uint64_t epoch;
	uint64_t first_result;
	struct fork_times times;
	struct vm_net net;
	struct channel channel;
	struct fork *fork;
	void *backend;
	struct sd_event_source *watchdog;
	const char *watched_op;
	struct sd_event_source *identity_timer;
	struct sd_event_source *expiry;
	vm_started_fn started_fn;
	void *started_data;
	struct vm_ref refs[VM_REFS_MAX];
};

extern struct vm vms[VMS_MAX];
#define for_each_vm(v) \
	for (struct vm *v = vms; v < vms + VMS_MAX; v++) \
		if (v->state != VM_FREE)

const char *vm_state_name(enum vm_state s);
void vm_set_state(struct vm *vm, enum vm_state s);
struct vm *vm_find(uint64_t handle);
/** vm_lookup() - by name or handle, as people write it; stand-bys are not found. */
struct vm *vm_lookup(const char *name);
bool vm_listed(const struct vm *vm);	/* not a stand-by, not dead */
unsigned int vm_count_clones(void);	/* stand-bys included */

/** vm_alloc() - a slot in the table, STARTING. @handle 0: a new one. NULL: full. */
struct vm *vm_alloc(uint64_t handle);
/** vm_start_root() - @fn is called once when it runs or failed to. */
int vm_start_root(const struct vm_config *config, const struct limits *limits,
		  vm_started_fn fn, void *data, struct vm **ret_vm);
/** vm_start_standby() - a clone to be, for ID @id of @t. */
int vm_start_standby(const struct vm_config *config, const struct ticket *t, uint32_t id,
		     struct vm **ret_vm);
/** vm_note_end() - why it ends, the last in words or ""; the first one is kept. */
void vm_note_end(struct vm *vm, enum vmfork_reason reason, int status, const char *why, ...)
	__attribute__((format(printf, 4, 5)));
/** vm_end() - kill it; why is kept unless that was said before. */
void vm_end(struct vm *vm, enum vmfork_reason reason, int status, const char *why, ...)
	__attribute__((format(printf, 4, 5)));
/** vm_end_as_noted() - kill it, as it was said before. */
void vm_end_as_noted(struct vm *vm);
/** vm_unforkable() - why it cannot be forked, or NULL. */
const char *vm_unforkable(const struct vm *vm);
/** reason_known() - @n as one of enum vmfork_reason, or 0; LOST if it is none. */
enum vmfork_reason reason_known(uint64_t n);
/** vm_prepare() - have the backend make ready for a fork; may be refused. */
void vm_prepare(struct vm *vm);
/** vm_unprepare() - no ticket waits for a fork of it any more. */
void vm_unprepare(struct vm *vm);
/** vm_gone() - its process is no more. */
void vm_gone(struct vm *vm, int wait_status);
/** vm_take_back() - at adoption: channel and why it ended, if it did. */
int vm_take_back(struct vm *vm);
/** vm_destroy() - DEAD -> FREE; from core_reap() only. */
void vm_destroy(struct vm *vm);

int vm_ref_get(struct vm *vm, uint64_t checkpoint);
void vm_ref_put(struct vm *vm, uint64_t checkpoint);
/** vm_forget_objects() - close its tickets, drop its references (HELLO, end). */
void vm_forget_objects(struct vm *vm);

#endif /* VMFORKD_VM_H */
