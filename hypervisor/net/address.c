// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses of machines: functions of their family and their place in it. */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

#define POOL_PREFIX_MIN	8
#define INDEX_BITS	10
#define INDEX_BRIDGE	((1U << INDEX_BITS) - 1)
#define MAC_OUI		0x5646U	/* "VF": bit 1 of the first byte is "locally administered" */

static const struct net_pool private_networks[] = {
	{ 0x0a000000, 8 }, { 0xac100000, 12 }, { 0xc0a80000, 16 }, { 0x64400000, 10 },
};

uint32_t net_netmask(unsigned int prefix)
{
	return prefix ? ~0U << (32 - prefix) : 0;
}

static bool is_private(const struct net_pool *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(private_networks); i++) {
		const struct net_pool *n = &private_networks[i];

		if (p->prefix >= n->prefix && (p->base & net_netmask(n->prefix)) == n->base)
			return true;
	}
	return false;
}

/* "23" and no sign, blank or second number. */
static int parse_prefix(const char *s, unsigned int *ret)
{
	unsigned int v = 0;

	if (!*s || strlen(s) > 2)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		v = v * 10 + (unsigned int)(*s - '0');
	}
	*ret = v;
	return 0;
}

int net_pool_parse(const char *s, struct net_pool *ret)
{
	const char *slash = strchr(s, '/');
	char address[NET_ADDRESS_STRLEN];
	struct net_pool p;
	struct in_addr in;

	if (!slash || (size_t)(slash - s) >= sizeof(address))
		return -EINVAL;
	memcpy(address, s, (size_t)(slash - s));
	address[slash - s] = '\0';
	if (inet_pton(AF_INET, address, &in) != 1 || parse_prefix(slash + 1, &p.prefix) < 0)
		return -EINVAL;
	p.base = ntohl(in.s_addr);
	if (p.prefix < POOL_PREFIX_MIN || p.prefix > NET_SUBNET_PREFIX ||
	    p.base & ~net_netmask(p.prefix) || !is_private(&p))
		return -EINVAL;
	*ret = p;
	return 0;
}

unsigned int net_pool_subnets(const struct net_pool *pool)
{
	return 1U << (NET_SUBNET_PREFIX - pool->prefix);
}

uint32_t net_subnet(const struct net_pool *pool, unsigned int slot)
{
	return pool->base + ((uint32_t)slot << (32 - NET_SUBNET_PREFIX));
}

uint32_t net_gateway(uint32_t subnet)
{
	return subnet + 1;
}

uint32_t net_address(uint32_t subnet, unsigned int index)
{
	return net_gateway(subnet) + 1 + index;
}

bool net_overlap(uint32_t a, unsigned int a_prefix, uint32_t b, unsigned int b_prefix)
{
	uint32_t mask = net_netmask(a_prefix < b_prefix ? a_prefix : b_prefix);

	return (a & mask) == (b & mask);
}

void net_mac(uint64_t family, unsigned int index, uint8_t mac[NET_MAC_LEN])
{
	uint32_t low = (uint32_t)(family << INDEX_BITS) | (index & INDEX_BRIDGE);

	mac[0] = MAC_OUI >> 8;
	mac[1] = MAC_OUI & 0xff;
	for (int i = 0; i < 4; i++)
		mac[2 + i] = (uint8_t)(low >> (24 - 8 * i));
}

void net_bridge_mac(uint64_t family, uint8_t mac[NET_MAC_LEN])
{
	net_mac(family, INDEX_BRIDGE, mac);
}

void net_label(const char *name, char *buf, size_t len)
{
	snprintf(buf, len, "%s", name);
	for (char *p = buf; *p; p++)
		if (*p == '.' || *p == '_')
			*p = '-';
}

const char *net_address_str(uint32_t address, char buf[NET_ADDRESS_STRLEN])
{
	struct in_addr in = { .s_addr = htonl(address) };

	return inet_ntop(AF_INET, &in, buf, NET_ADDRESS_STRLEN);
}

const char *net_mac_str(const uint8_t mac[NET_MAC_LEN], char buf[NET_MAC_STRLEN])
{
	snprintf(buf, NET_MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return buf;
}
