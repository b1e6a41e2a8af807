/* SPDX-License-Identifier: GPL-2.0 */
/* Tickets: the right to a number of clones, then their parent's end. */
#ifndef VMFORK_TICKET_H
#define VMFORK_TICKET_H

#include <linux/vmfork.h>

/** vmfork_ticket_request() - VMFORK_REQUEST_TICKET. */
long vmfork_ticket_request(struct vmfork_request_ticket __user *arg);

#endif /* VMFORK_TICKET_H */
