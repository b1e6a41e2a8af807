// SPDX-License-Identifier: GPL-2.0-or-later
/* Network devices: down, then up with the identity that the host tells. */
#include <arpa/inet.h>
#include <errno.h>
#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "link.h"
#include "netlink.h"

static bool is_hardware(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/device", name);
	return access(path, F_OK) == 0;
}

static bool has_mac(struct rtnl_link *link, const uint8_t *mac)
{
	struct nl_addr *addr = rtnl_link_get_addr(link);

	return addr && nl_addr_get_len(addr) == 6 &&
	       !memcmp(nl_addr_get_binary_addr(addr), mac, 6);
}

/* @mac may be NULL: stays; @mtu 0: stays */
static int change(struct nl_sock *nl, struct rtnl_link *link, bool up, const uint8_t *mac,
		  unsigned int mtu)
{
	struct rtnl_link *wanted = rtnl_link_alloc();
	struct nl_addr *addr = NULL;
	int r;

	if (!wanted)
		return -ENOMEM;
	if (up)
		rtnl_link_set_flags(wanted, IFF_UP);
	else
		rtnl_link_unset_flags(wanted, IFF_UP);
	if (mac) {
		addr = nl_addr_build(AF_LLC, mac, 6);
		if (addr)
			rtnl_link_set_addr(wanted, addr);
	}
	if (mtu)
		rtnl_link_set_mtu(wanted, mtu);
	r = mac && !addr ? -NLE_NOMEM : rtnl_link_change(nl, link, wanted, 0);
	nl_addr_put(addr);
	rtnl_link_put(wanted);
	return r < 0 ? netlink_errno(r) : 0;
}

static int link_cache(struct nl_sock **ret_nl, struct nl_cache **ret_cache)
{
	int r = netlink_open(NETLINK_ROUTE, ret_nl);

	if (r)
		return r;
	r = rtnl_link_alloc_cache(*ret_nl, AF_UNSPEC, ret_cache);
	if (r < 0) {
		nl_socket_free(*ret_nl);
		return netlink_errno(r);
	}
	return 0;
}

static void link_cache_free(struct nl_sock *nl, struct nl_cache *cache)
{
	nl_cache_free(cache);
	nl_socket_free(nl);
}

int links_down(const uint8_t *mac, struct links *ret)
{
	struct nl_object *o;
	struct rtnl_link *link;
	struct nl_cache *cache;
	struct nl_sock *nl;
	int r = link_cache(&nl, &cache);

	*ret = (struct links) { 0 };
	if (r)
		return r;
	for (o = nl_cache_get_first(cache); o && !r; o = nl_cache_get_next(o)) {
		link = (struct rtnl_link *)o;
		if (rtnl_link_get_flags(link) & IFF_LOOPBACK ||
		    !(rtnl_link_get_flags(link) & IFF_UP))
			continue;
		if (!is_hardware(rtnl_link_get_name(link)) && !(mac && has_mac(link, mac)))
			continue;
		if (ret->n == LINKS_MAX)
			r = -E2BIG;
		else
			r = change(nl, link, false, NULL, 0);
		if (!r)
			snprintf(ret->name[ret->n++], IFNAMSIZ, "%s", rtnl_link_get_name(link));
	}
	link_cache_free(nl, cache);
	return r;
}

static int flush_addresses(struct nl_sock *nl, int index)
{
	struct nl_cache *cache;
	struct nl_object *o;
	int r = rtnl_addr_alloc_cache(nl, &cache);

	if (r < 0)
		return netlink_errno(r);
	for (o = nl_cache_get_first(cache); o && r >= 0; o = nl_cache_get_next(o)) {
		if (rtnl_addr_get_ifindex((struct rtnl_addr *)o) != index)
			continue;
		r = rtnl_addr_delete(nl, (struct rtnl_addr *)o, 0);
		/* secondary ones go with their first */
		if (r == -NLE_NOADDR || r == -NLE_OBJ_NOTFOUND)
			r = 0;
	}
	nl_cache_free(cache);
	return r < 0 ? netlink_errno(r) : 0;
}

static int flush_neighbours(struct nl_sock *nl, int index)
{
	struct nl_cache *cache;
	struct nl_object *o;
	int r = rtnl_neigh_alloc_cache(nl, &cache);

	if (r < 0)
		return netlink_errno(r);
	for (o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o))
		if (rtnl_neigh_get_ifindex((struct rtnl_neigh *)o) == index)
			rtnl_neigh_delete(nl, (struct rtnl_neigh *)o, 0); /* may have gone */
	nl_cache_free(cache);
	return 0;
}

static int add_address(struct nl_sock *nl, int index, const struct vmfork_net *net)
{
	uint32_t host = net->prefix < 32 ? ~0U >> net->prefix : 0;
	uint32_t all = net->address | htonl(host);
	struct rtnl_addr *a = rtnl_addr_alloc();
	struct nl_addr *local = nl_addr_build(AF_INET, &net->address, 4);
	struct nl_addr *broadcast = nl_addr_build(AF_INET, &all, 4);
	int r = -NLE_NOMEM;

	if (a && local && broadcast) {
		nl_addr_set_prefixlen(local, (int)net->prefix);
		rtnl_addr_set_ifindex(a, index);
		rtnl_addr_set_local(a, local);
		if (net->prefix < 31)
			rtnl_addr_set_broadcast(a, broadcast);
		r = rtnl_addr_add(nl, a, NLM_F_REPLACE);
	}
	nl_addr_put(broadcast);
	nl_addr_put(local);
	rtnl_addr_put(a);
	return r < 0 ? netlink_errno(r) : 0;
}

static int add_default_route(struct nl_sock *nl, int index, __be32 gateway)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *via = nl_addr_build(AF_INET, &gateway, 4);
	struct nl_addr *all = NULL;
	int r = nl_addr_parse("0.0.0.0/0", AF_INET, &all);

	if (!r && route && hop && via) {
		rtnl_route_set_dst(route, all);
		rtnl_route_nh_set_gateway(hop, via);
		rtnl_route_nh_set_ifindex(hop, index);
		rtnl_route_add_nexthop(route, hop);
		hop = NULL;	/* the route's */
		r = rtnl_route_add(nl, route, NLM_F_REPLACE);
	} else if (!r) {
		r = -NLE_NOMEM;
	}
	if (hop)
		rtnl_route_nh_free(hop);
	nl_addr_put(all);
	nl_addr_put(via);
	rtnl_route_put(route);
	return r < 0 ? netlink_errno(r) : 0;
}

static struct rtnl_link *find(struct nl_cache *cache, const struct vmfork_net *net)
{
	struct rtnl_link *link, *found = NULL;
	struct nl_object *o;

	for (o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o)) {
		link = (struct rtnl_link *)o;
		if (rtnl_link_get_flags(link) & IFF_LOOPBACK ||
		    (!has_mac(link, net->old_mac) && !has_mac(link, net->mac)))
			continue;
		/* a bridge or a VLAN has its port's address */
		if (!found || is_hardware(rtnl_link_get_name(link)))
			found = link;
	}
	return found;
}

static int configure(struct nl_sock *nl, struct rtnl_link *link, const struct vmfork_net *net)
{
	bool address = net->flags & VMFORK_NET_ADDRESS;
	int index = rtnl_link_get_ifindex(link), r;

	r = change(nl, link, false, has_mac(link, net->mac) ? NULL : net->mac, net->mtu);
	if (!r && address)
		r = flush_addresses(nl, index);
	if (!r)
		r = flush_neighbours(nl, index);
	if (!r && address)
		r = add_address(nl, index, net);
	if (!r)
		r = change(nl, link, true, NULL, 0);
	if (!r && address && net->gateway)
		r = add_default_route(nl, index, net->gateway);
	return r;
}

int link_configure(const struct vmfork_net *net, char *ret_name)
{
	struct rtnl_link *link;
	struct nl_cache *cache;
	struct nl_sock *nl;
	int r;

	if (net->flags & VMFORK_NET_ADDRESS && (net->prefix < 1 || net->prefix > 32))
		return -EINVAL;
	r = link_cache(&nl, &cache);
	if (r)
		return r;
	link = find(cache, net);
	if (link) {
		snprintf(ret_name, IFNAMSIZ, "%s", rtnl_link_get_name(link));
		r = configure(nl, link, net);
	} else {
		r = -ENXIO;
	}
	link_cache_free(nl, cache);
	return r;
}

int link_fresh(const char *name)
{
	struct rtnl_link *link;
	struct nl_cache *cache;
	struct nl_sock *nl;
	uint8_t mac[6];
	int r;

	if (getrandom(mac, sizeof(mac), 0) != sizeof(mac))
		return -EIO;
	mac[0] = (mac[0] & 0xfc) | 0x02;	/* unicast, locally administered */
	r = link_cache(&nl, &cache);
	if (r)
		return r;
	link = rtnl_link_get_by_name(cache, name);
	r = link ? change(nl, link, false, mac, 0) : -ENODEV;
	if (!r)
		r = flush_addresses(nl, rtnl_link_get_ifindex(link));
	if (!r)
		r = change(nl, link, true, NULL, 0);
	if (link)
		rtnl_link_put(link);
	link_cache_free(nl, cache);
	return r;
}

int link_rehearse(void)
{
	struct rtnl_link *lo;
	struct nl_cache *cache;
	struct nl_sock *nl;
	int r = link_cache(&nl, &cache);

	if (r)
		return r;
	lo = rtnl_link_get_by_name(cache, "lo");
	if (lo) {
		r = change(nl, lo, rtnl_link_get_flags(lo) & IFF_UP, NULL, 0);
		rtnl_link_put(lo);
	}
	if (!r)
		r = flush_addresses(nl, -1);
	if (!r)
		r = flush_neighbours(nl, -1);
	link_cache_free(nl, cache);
	return r;
}
