/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may pass a family's bridge: rules of nftables. */
#ifndef VMFORK_NET_FILTER_H
#define VMFORK_NET_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "iface.h"

/**
 * DOC: Tables
 *
 * Each family has two tables with the name of its bridge, and vmfork touches no others:
 *
 *  bridge  what comes from a tap: IPv4 and ARP, with the MAC and IP address that belong to
 *          that tap (the set "members": all that there can be, as they are functions of the
 *          index), and no DHCP answers
 *  ip      to the host itself DHCP, DNS and ping; from and to other families nothing; outwards
 *          with the host's address; inwards only answers
 *
 * A third, "ip vmfork-UPLINK", is there if vmfork turned on forwarding on that link: it
 * lets nothing through that is not a family's, as it was before.
 */

/** struct filter_family - what the rules of one family depend on.
 * @name:	of its bridge
 * @taps:	what the names of its taps begin with; the index follows
 * @isolated:	its machines do not reach each other, only the host and what is outside
 */
struct filter_family {
	const char *name;
	const char *taps;
	uint64_t family;
	uint32_t subnet;
	bool isolated;
};

/** filter_rules() - the tables as text; free() it. Pure. NULL: no memory. */
char *filter_rules(const struct filter_family *f);

/** filter_add() - make them; filter_del(): they are gone, also if they never were. */
int filter_add(const struct filter_family *f);
int filter_del(const char *name);
int filter_add_uplink(const char *uplink);
int filter_del_uplink(const char *uplink);
/** filter_close() - forget the library's context. */
void filter_close(void);

#endif /* VMFORK_NET_FILTER_H */
