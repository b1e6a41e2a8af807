/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notes in a VM's journal: what is under way, should the control role be killed. */
#ifndef VMFORKD_JOURNAL_H
#define VMFORKD_JOURNAL_H

#include "vm.h"

/** pending_add() - note the request that is being dealt with, and take it. */
struct journal_pending *pending_add(struct vm *vm, uint64_t cookie, uint32_t type);
/** pending_reply() - answer a noted request and forget it. */
void pending_reply(struct vm *vm, struct journal_pending *p, int result, uint32_t granted,
		   uint64_t handle);

/** relay_note() - the message of @from that is being dealt with goes into @to's queue
 * next; then the count @clone's @down or @up will be @unacked. */
void relay_note(struct vm *from, const struct vm *to, const struct vm *clone, bool down,
		uint32_t unacked);
/** relay_note_count() - it is in the queue: the count follows. */
void relay_note_count(const struct vm *from);
/** relay_note_drop() - and the tail has followed. */
void relay_note_drop(struct journal *j);

/** journal_recover() - at adoption, before anything is queued for any VM. */
void journal_recover(struct vm *vm);

#endif /* VMFORKD_JOURNAL_H */
