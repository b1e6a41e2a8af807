/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and addresses for a family's machines: a dnsmasq on each bridge. */
#ifndef VMFORKD_NETWORK_NAMES_H
#define VMFORKD_NETWORK_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "network_family.h"

/**
 * DOC: dnsmasq
 *
 * A hosts file alone would not do: clones of a running guest would have to fetch it, and
 * programs in them to read it again. Own code for DNS and DHCP would be a parser of
 * hostile packets more. So each bridge has a dnsmasq, the keeper's child "netN.dnsmasq",
 * with a user of its own and three capabilities (ports below 1024, raw sockets, ARP).
 *
 * DHCP knows every MAC address that the family can have, and gives it the one IP address
 * that belongs to it: that file is written once. Names come and go in one file of a
 * directory that dnsmasq watches (--hostsdir): no signal, so no race with its start.
 *
 *   NAME		"web", "web.2.1", and as one label: "web-2-1"
 *   cloneN		the clone with ID N of the newest fork that has one
 *
 * each alone and in the domain. One that dies is started again. Without the program
 * there are no names, and nothing else is lost: guests' addresses come over the channel.
 */
#define NETWORK_DOMAIN	"vmfork.internal"

/** network_names_start() - files and dnsmasq of a family; if it runs already, nothing. */
void network_names_start(const struct network_family *f);
void network_names_stop(const struct network_family *f);
/** network_names_changed() - machines or addresses of some family did; written soon. */
void network_names_changed(void);
/** network_names_serve() - is there a DNS server for families? */
bool network_names_serve(void);

/* the keeper's news of "netN.…" */
/** network_service_wanted() - else it is to be killed. */
bool network_service_wanted(const char *name);
void network_service_ended(const char *name);

#endif /* VMFORKD_NETWORK_NAMES_H */
