/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tickets: the right to a number of clones, then the record of what became of them. */
#ifndef VMFORKD_TICKET_H
#define VMFORKD_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "vm.h"

/**
 * DOC: Tickets
 *
 *   GRANTED -> FORKING -> FORKED		and back FORKING -> GRANTED: the
 *						freeze failed, nothing was forked
 *
 * Each clone has a slot, by ID:
 *   EMPTY -> STANDBY -> LOADING -> LOADED -> LIVE -> ENDED
 *   STANDBY -> EMPTY while the ticket is GRANTED: it failed; tried again at the fork
 *   any but EMPTY -> ENDED once the ticket is FORKING
 *
 * A ticket belongs to the VM that asked (@parent), or to the host (0). A guest's
 * ticket ends when the guest closes it, or its module starts anew, or the VM ends:
 * what is left of the clones is killed then. A host's ticket is a record: its
 * clones depend on nobody; it is forgotten when room is needed and all ended.
 */
#define TICKETS_MAX		512
#define TICKET_CLONES_MAX	64
#define CLONES_TOTAL_MAX	480
#define HOST_RECORDS_MAX	32

enum ticket_state { TICKET_FREE, TICKET_GRANTED, TICKET_FORKING, TICKET_FORKED, TICKET_STATES };
enum slot_state { SLOT_EMPTY, SLOT_STANDBY, SLOT_LOADING, SLOT_LOADED, SLOT_LIVE, SLOT_ENDED,
	SLOT_STATES };

struct slot {
	enum slot_state state;
	uint64_t vm;
	enum vmfork_reason reason;
	int status;
	char name[VM_NAME_MAX];
	char why[VMFORK_WHY_MAX];
};

struct ticket {
	enum ticket_state state;
	uint64_t handle;
	uint64_t parent;
	uint64_t family;
	uint64_t checkpoint;
	uint32_t granted;
	bool closed;
	struct limits limits;	/* of each of its clones */
	int params;		/* params.h; -1: none were set */
	struct fork *fork;
	struct slot slots[TICKET_CLONES_MAX];	/* ID n is slots[n - 1] */
};

extern struct ticket tickets[TICKETS_MAX];
#define for_each_ticket(t) \
	for (struct ticket *t = tickets; t < tickets + TICKETS_MAX; t++) \
		if (t->state != TICKET_FREE)

const char *ticket_state_name(enum ticket_state s);
bool ticket_transition_ok(enum ticket_state from, enum ticket_state to);
bool slot_transition_ok(enum slot_state from, enum slot_state to);
void ticket_set_state(struct ticket *t, enum ticket_state s);
void slot_set_state(struct ticket *t, struct slot *s, enum slot_state state);

struct ticket *ticket_find(uint64_t handle);
/** ticket_of() - @handle if it is an open ticket of @vm, else NULL. */
struct ticket *ticket_of(const struct vm *vm, uint64_t handle);
/** ticket_new() - @handle 0: a new one. NULL: the table is full. */
struct ticket *ticket_new(uint64_t handle, uint64_t parent, uint64_t family, unsigned int granted);
/** ticket_standbys() - start what its EMPTY slots lack, from @config. */
void ticket_standbys(struct ticket *t, const struct vm_config *config);
struct slot *ticket_slot(struct ticket *t, uint32_t id);
unsigned int ticket_live(const struct ticket *t);
/** ticket_ready() - stand-bys that are up: a fork now would not wait for these. */
unsigned int ticket_ready(const struct ticket *t);
bool ticket_all_ended(const struct ticket *t);
/** slot_ended() - the VM of slot @id is gone (or never came): report it. */
void slot_ended(struct ticket *t, uint32_t id, enum vmfork_reason reason, int status,
		const char *why);
/** ticket_kill() - end clone @id, or all (0). -ECHILD: no such clone. */
int ticket_kill(struct ticket *t, uint32_t id);
/** ticket_kill_done() - is that kill over? */
bool ticket_kill_done(struct ticket *t, uint32_t id);
void ticket_close(struct ticket *t);
/** tickets_reap() - free those that are closed and over, and old records. */
void tickets_reap(void);

#endif /* VMFORKD_TICKET_H */
