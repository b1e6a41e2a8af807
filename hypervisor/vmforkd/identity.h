/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clones that are held until their agent has completed their identity. */
#ifndef VMFORKD_IDENTITY_H
#define VMFORKD_IDENTITY_H

#include <stdbool.h>

#include "vm.h"

/**
 * DOC: Identity
 *
 * A checkpoint knows whether its guest had an agent (VMFORK_FORK_AGENT). Each clone of
 * such a checkpoint, whenever it is made:
 *
 *   state      entered when                            then
 *   HELD       before it runs; its network is shut     OPENING, or the machine is ended
 *   OPENING    REPORT 0, noted; network_open()         COMPLETE, or the machine is ended
 *   COMPLETE   the link is up; then the REPLY
 *
 * It is ended as VMFORK_UNIDENTIFIED by REPORT with an error, by its kernel's panic or
 * power-off while HELD, by a network that cannot be opened, and when its time is over:
 * the agent's own limit, which the guest keeps, and --identity-timeout on top.
 *
 * The state and the end of the time are in the machine's journal, so that no kill of
 * the control role lets a clone out: a REPORT that was taken is a noted request, and
 * is carried out again by the next control role; one that was not is read again.
 */

enum identity_state { IDENTITY_NONE, IDENTITY_HELD, IDENTITY_OPENING, IDENTITY_COMPLETE,
	IDENTITY_STATES };

const char *identity_name(const struct vm *vm);
/** identity_held() - HELD or OPENING. */
bool identity_held(const struct vm *vm);
/** identity_hold() - @vm, which is about to run, is held; its agent may take @agent_ms. */
int identity_hold(struct vm *vm, uint32_t agent_ms);
/** identity_report() - VMFORK_G2H_REPORT. */
void identity_report(struct vm *vm, const struct g2h *m);
/** identity_adopt() - after a restart: go on where the last control role was killed. */
void identity_adopt(struct vm *vm);
/** identity_over() - the machine ends: no limit any more. */
void identity_over(struct vm *vm);

#endif /* VMFORKD_IDENTITY_H */
