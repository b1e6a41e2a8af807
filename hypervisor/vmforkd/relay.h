/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between a parent and its clones, and their flow control. */
#ifndef VMFORKD_RELAY_H
#define VMFORKD_RELAY_H

#include "vm.h"

/**
 * DOC: Flow control
 *
 * One window per stream (ticket, ID) and direction, end to end: DATA is passed on
 * at once, CREDIT only when the receiving guest gave it. So no more than
 * VMFORK_WINDOW bytes of a stream are ever in the host or in the receiver. The
 * counts of unacknowledged bytes are in the clone's journal: @up to the parent,
 * @down from it.
 */

/** window_send() - @len bytes more are on their way. -EBADMSG: more than allowed. */
int window_send(uint32_t *unacked, uint32_t len);
/** window_credit() - @bytes were consumed. -EBADMSG: never sent. */
int window_credit(uint32_t *unacked, uint32_t bytes);

/* Both return 0 or -EBADMSG: the sender's ring is dead. @ret_to: whose queue has more
 * now, to be flushed once the message is done with. */
int relay_data(struct vm *from, const struct g2h *m, struct vm **ret_to);
int relay_credit(struct vm *from, const struct g2h *m, struct vm **ret_to);

/** relay_blocked() - should @vm's messages wait, because its parent's queue is long? */
bool relay_blocked(const struct vm *vm);

#endif /* VMFORKD_RELAY_H */
