/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What those who `watch` are told. */
#ifndef VMFORKD_EVENTS_H
#define VMFORKD_EVENTS_H

struct vm;
struct ticket;
struct checkpoint;

void event_vm(const char *what, const struct vm *vm);
void event_ticket(const char *what, const struct ticket *t);
void event_checkpoint(const char *what, const struct checkpoint *cp);

#endif /* VMFORKD_EVENTS_H */
