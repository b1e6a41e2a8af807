/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters of a ticket's clones: bytes that are carried and not looked at. */
#ifndef VMFORKD_PARAMS_H
#define VMFORKD_PARAMS_H

#include <stdint.h>

#include "ticket.h"

/**
 * DOC: Parameters
 *
 * A ticket that was given any has a memfd, "tHANDLE.params" in the keeper's store, so
 * that a new control role has them too: lengths, then a place of VMFORK_PARAMS_MAX for
 * each ID and one for all (0). A length is stored last, and is 0 while its bytes change:
 * a kill in between leaves the clone without, and the guest's request is answered EIO.
 *
 * They can be set while the ticket is GRANTED, go into each clone's region before it
 * runs, and are dropped with the fork: what is kept for guests is bounded by the
 * clones that are granted and not yet made.
 */

/** params_set() - @id 0: of all that have none of their own; @len 0: none any more.
 * Return: 0, -EINVAL no such clone, -EBUSY not GRANTED any more, -ENOMEM. */
int params_set(struct ticket *t, uint32_t id, const void *bytes, uint32_t len);
/** params_get() - of clone @id, or those of all. Return: bytes, 0: none, or -EIO. */
int params_get(const struct ticket *t, uint32_t id, uint8_t buf[VMFORK_PARAMS_MAX]);
/** params_take() - at adoption: find them again. */
void params_take(struct ticket *t);
/** params_drop() - they are no longer needed; more than once does no harm. */
void params_drop(struct ticket *t);

#endif /* VMFORKD_PARAMS_H */
