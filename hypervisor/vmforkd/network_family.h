/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bridge of a family: made for its first machine, gone with its last. */
#ifndef VMFORKD_NETWORK_FAMILY_H
#define VMFORKD_NETWORK_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

#include "iface.h"

/**
 * DOC: What a family has on the host
 *
 *   slot N of the pool	subnet N; the lowest that neither a family nor a route of the
 *			host has
 *   bridge "vfbN"	its address is the gateway; its alias says which vmforkd it is of
 *   taps "vftN.I"	of the machine with index I; they go with QEMU
 *   two tables "vfbN"	of nftables (filter.h)
 *   "netN.dnsmasq"	(network_names.h)
 *
 * A new family also turns on forwarding on the link of the default route, if it was off,
 * and the last turns it off. A vmforkd that was killed leaves bridges and tables
 * (taps go with their QEMUs): the next one with the same runtime directory knows them by
 * the alias and removes them, network_families_settle().
 */
#define NETWORK_FAMILIES_MAX	256

struct network_family {
	uint64_t family;	/* 0: free */
	unsigned int slot;
	uint32_t subnet;
	char bridge[NET_NAME_MAX];
	char taps[NET_NAME_MAX];
};

extern struct network_family network_families[NETWORK_FAMILIES_MAX];
#define for_each_network_family(f) \
	for (struct network_family *f = network_families; \
	     f < network_families + NETWORK_FAMILIES_MAX; f++) \
		if (f->family)

struct network_family *network_family_find(uint64_t family);
/** network_family_get() - find it or make it. */
int network_family_get(uint64_t family, struct network_family **ret);
/** network_family_adopt() - it exists already, in @slot. NULL: no room, or impossible. */
struct network_family *network_family_adopt(uint64_t family, unsigned int slot);
void network_family_put(struct network_family *f);
/** network_families_settle() - after adoption: what nobody has any more is removed. */
void network_families_settle(void);

#endif /* VMFORKD_NETWORK_FAMILY_H */
