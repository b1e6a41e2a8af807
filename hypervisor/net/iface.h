/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bridges, taps and routes of the host, by rtnetlink. */
#ifndef VMFORK_NET_IFACE_H
#define VMFORK_NET_IFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"

/**
 * DOC: Calls to the kernel
 *
 * Each is one short synchronous exchange with the kernel over a socket that is opened
 * when it is first needed: nobody else is waited for. All return 0 or a negative errno.
 */
#define NET_NAME_MAX	16	/* IFNAMSIZ */

/** iface_close() - forget the socket. */
void iface_close(void);
/** iface_may() - may this process change links here, and (@taps) make taps? */
int iface_may(bool taps);

/**
 * iface_add_bridge() - a bridge with an address and without IPv6, up, forwarding.
 * @alias:	what its owner knows it by
 * -EEXIST: there is a link of that name.
 */
int iface_add_bridge(const char *name, const char *alias, const uint8_t mac[NET_MAC_LEN],
		    uint32_t address, unsigned int prefix);
int iface_del(const char *name);
/** iface_add_tap() - a tap in @bridge, down. Return: its descriptor; the tap goes with the
 * last copy of it. */
int iface_add_tap(const char *name, const char *bridge);
/** iface_plug() - a link that somebody else made, and that is down: its name becomes @name,
 * its bridge @bridge. */
int iface_plug(const char *link, const char *name, const char *bridge);
int iface_set_up(const char *name, bool up);
/** iface_is_up() - 1, 0, or a negative errno. */
int iface_is_up(const char *name);

/** iface_taken() - does a route or an address of the host overlap with this network? */
int iface_taken(uint32_t network, unsigned int prefix);
/** iface_uplink() - the link of the default route; -ENETUNREACH: there is none. */
int iface_uplink(char name[NET_NAME_MAX]);
/** iface_forwarding() - are IPv4 packets that come in there passed on? 1, 0 or -errno. */
int iface_forwarding(const char *name);
int iface_set_forwarding(const char *name, bool on);

/** iface_each_alias() - bridges whose alias is @alias. @fn may delete them. */
void iface_each_alias(const char *alias, void (*fn)(const char *name));

#endif /* VMFORK_NET_IFACE_H */
