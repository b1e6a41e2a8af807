/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of machines: functions of their family and their place in it. */
#ifndef VMFORK_NET_ADDRESS_H
#define VMFORK_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * DOC: Who has which address
 *
 * A pool of IPv4 addresses is cut into subnets of 512, one for each family. In a subnet
 * the first address is the gateway (the host's bridge), and the machine at place
 * @index of its family has the one @index after that. Nothing is remembered: family,
 * subnet and index say it all. Integers are in host byte order here.
 */
#define NET_SUBNET_PREFIX	23
#define NET_INDEX_MAX		508	/* places in a family: 0..508, 0 is the root VM's */
#define NET_MAC_LEN		6

/** struct net_pool - where families get their subnets from. */
struct net_pool {
	uint32_t base;
	unsigned int prefix;
};

/** net_pool_parse() - "10.77.0.0/16": private addresses, /8 to /23. 0 or -EINVAL. */
int net_pool_parse(const char *s, struct net_pool *ret);
unsigned int net_pool_subnets(const struct net_pool *pool);
uint32_t net_subnet(const struct net_pool *pool, unsigned int slot);
uint32_t net_netmask(unsigned int prefix);
uint32_t net_gateway(uint32_t subnet);
uint32_t net_address(uint32_t subnet, unsigned int index);
/** net_overlap() - have two networks an address in common? */
bool net_overlap(uint32_t a, unsigned int a_prefix, uint32_t b, unsigned int b_prefix);

/** net_mac() - locally administered; unique for 4 million families that follow each other. */
void net_mac(uint64_t family, unsigned int index, uint8_t mac[NET_MAC_LEN]);
/** net_bridge_mac() - of the family's bridge: no machine has it. */
void net_bridge_mac(uint64_t family, uint8_t mac[NET_MAC_LEN]);

/** net_label() - "web.2.1" -> "web-2-1": a machine's name as one label of DNS. */
void net_label(const char *name, char *buf, size_t len);

#define NET_ADDRESS_STRLEN	16
#define NET_MAC_STRLEN		18
const char *net_address_str(uint32_t address, char buf[NET_ADDRESS_STRLEN]);
const char *net_mac_str(const uint8_t mac[NET_MAC_LEN], char buf[NET_MAC_STRLEN]);

#endif /* VMFORK_NET_ADDRESS_H */
