/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guests ask for over their channels. */
#ifndef VMFORKD_GUEST_H
#define VMFORKD_GUEST_H

#include "ticket.h"

/** guest_rang() - the doorbell: read messages, look for a fork request. */
void guest_rang(struct vm *vm);
/** guest_drain() - read what is left of a VM that has ended. */
void guest_drain(struct vm *vm);
/** guest_broken() - the channel is: its tickets and references go. */
void guest_broken(struct vm *vm);
/** guest_check_kills() - answer KILL requests of @vm that are fulfilled. */
void guest_check_kills(struct vm *vm);
/** guest_exited() - tell a parent that a clone ended. */
void guest_exited(struct vm *parent, const struct ticket *t, uint32_t id);

#endif /* VMFORKD_GUEST_H */
