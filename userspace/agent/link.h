/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network devices: down, then up with the identity that the host tells. */
#ifndef AGENT_LINK_H
#define AGENT_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/vmfork.h>
#include <net/if.h>

#define LINKS_MAX	64

/** struct links - devices that were up and have been taken down. */
struct links {
	unsigned int n;
	char name[LINKS_MAX][IFNAMSIZ];
};

/** links_down() - every device that is hardware (or of the address @mac, unless that
 * is NULL) is down; those that were up are in *@ret. Return: 0 or -errno. */
int links_down(const uint8_t *mac, struct links *ret);

/**
 * link_configure() - the device that has had @net->old_mac gets what @net says.
 * @ret_name:	its name, IFNAMSIZ bytes
 * Without VMFORK_NET_ADDRESS its addresses stay as they are. Return: 0; -ENXIO: there is no
 * such device; -ENODEV: it is detached, as Xen's until the clone's back end has connected
 * (netif_device_detach()); -errno.
 */
int link_configure(const struct vmfork_net *net, char *ret_name);

/** link_fresh() - a random link address of its own, no IP address, up. */
int link_fresh(const char *name);

/** link_rehearse() - what the above will ask of the kernel, changing nothing. */
int link_rehearse(void);

#endif /* AGENT_LINK_H */
