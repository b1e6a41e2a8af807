/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects as JSON for the control socket: Documentation/control-protocol.md. */
#ifndef VMFORKD_DESCRIBE_H
#define VMFORKD_DESCRIBE_H

#include <jansson.h>

#include "checkpoint.h"
#include "ticket.h"

json_t *describe_vm(const struct vm *vm);
json_t *describe_ticket(const struct ticket *t);
json_t *describe_exits(const struct ticket *t);
json_t *describe_checkpoint(const struct checkpoint *cp);
json_t *describe_ticket_vms(const struct ticket *t);
/** describe_memory() - rss, pss, private_dirty of a process; NULL: cannot be read. */
json_t *describe_memory(int pid);

#endif /* VMFORKD_DESCRIBE_H */
