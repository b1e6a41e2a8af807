// SPDX-License-Identifier: GPL-2.0-or-later
/* Bridges, taps and routes of the host, by rtnetlink. */
#include "iface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/inet.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "util.h"

#define TUN_DEVICE	"/dev/net/tun"
#define FORWARDING	1	/* IPV4_DEVCONF_FORWARDING */
#define ADDR_GEN_NONE	1	/* IN6_ADDR_GEN_MODE_NONE */

static struct nl_sock *rt;

/* What libnl says as an errno. */
static int error(int nlerr)
{
	switch (-nlerr) {
	case 0:
		return 0;
	case NLE_EXIST:
		return -EEXIST;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND:
		return -ENODEV;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_BUSY:
		return -EBUSY;
	case NLE_OPNOTSUPP:
		return -EOPNOTSUPP;
	case NLE_INVAL:
	case NLE_RANGE:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static int ready(void)
{
	int r;

	if (rt)
		return 0;
	rt = nl_socket_alloc();
	if (!rt)
		return -ENOMEM;
	r = nl_connect(rt, NETLINK_ROUTE);
	if (r < 0)
		iface_close();
	return error(r);
}

void iface_close(void)
{
	nl_socket_free(rt);
	rt = NULL;
}

static int get(const char *name, struct rtnl_link **ret)
{
	int r = ready();

	return r < 0 ? r : error(rtnl_link_get_kernel(rt, 0, name, ret));
}

/* One change of an existing link; @change is the caller's. */
static int apply(const char *name, struct rtnl_link *change)
{
	struct rtnl_link *link;
	int r = get(name, &link);

	if (r < 0)
		return r;
	r = error(rtnl_link_change(rt, link, change, 0));
	rtnl_link_put(link);
	return r;
}

int iface_may(bool taps)
{
	int r = ready();
	struct rtnl_link *probe;

	if (r < 0)
		return r;
	/* permission is looked at first: who may is told that there is no such link */
	probe = rtnl_link_alloc();
	if (!probe)
		return -ENOMEM;
	rtnl_link_set_name(probe, "vfb-none");
	r = error(rtnl_link_delete(rt, probe));
	rtnl_link_put(probe);
	if (r == -EPERM)
		return r;
	return taps && access(TUN_DEVICE, R_OK | W_OK) < 0 ? -errno : 0;
}

static struct nl_addr *mac_addr(const uint8_t mac[NET_MAC_LEN])
{
	return nl_addr_build(AF_LLC, mac, NET_MAC_LEN);
}

static int create_bridge(const char *name, const uint8_t mac[NET_MAC_LEN])
{
	struct rtnl_link *link = rtnl_link_bridge_alloc();
	struct nl_addr *addr = mac_addr(mac);
	int r = link && addr ? 0 : -ENOMEM;

	if (r == 0) {
		rtnl_link_set_name(link, name);
		rtnl_link_set_addr(link, addr);
		r = error(rtnl_link_add(rt, link, NLM_F_CREATE | NLM_F_EXCL));
	}
	nl_addr_put(addr);
	rtnl_link_put(link);
	return r;
}

/* The alias says whose it is, before anything else can fail. */
static int set_up_bridge(const char *name, const char *alias)
{
	struct rtnl_link *change = rtnl_link_alloc();
	int r = change ? 0 : -ENOMEM;

	if (r == 0) {
		rtnl_link_set_ifalias(change, alias);
		r = apply(name, change);
	}
	rtnl_link_put(change);
	change = rtnl_link_alloc();
	r = r ? r : change ? 0 : -ENOMEM;
	/* no IPv6: not for the bridge, and the filter lets none pass */
	if (r == 0 && rtnl_link_inet6_set_addr_gen_mode(change, ADDR_GEN_NONE) == 0)
		apply(name, change);	/* a kernel without IPv6 has nothing to turn off */
	rtnl_link_put(change);
	return r;
}

static int add_address(const char *name, uint32_t address, unsigned int prefix)
{
	uint32_t ip = htonl(address), last = htonl(address | ~net_netmask(prefix));
	struct nl_addr *local = nl_addr_build(AF_INET, &ip, sizeof(ip));
	struct nl_addr *broadcast = nl_addr_build(AF_INET, &last, sizeof(last));
	struct rtnl_addr *a = rtnl_addr_alloc();
	struct rtnl_link *link = NULL;
	int r = local && broadcast && a ? get(name, &link) : -ENOMEM;

	if (r == 0) {
		nl_addr_set_prefixlen(local, (int)prefix);
		rtnl_addr_set_ifindex(a, rtnl_link_get_ifindex(link));
		rtnl_addr_set_local(a, local);
		rtnl_addr_set_broadcast(a, broadcast);
		r = error(rtnl_addr_add(rt, a, 0));
	}
	rtnl_link_put(link);
	rtnl_addr_put(a);
	nl_addr_put(local);
	nl_addr_put(broadcast);
	return r;
}

int iface_add_bridge(const char *name, const char *alias, const uint8_t mac[NET_MAC_LEN],
		    uint32_t address, unsigned int prefix)
{
	int r = ready();

	r = r ? r : create_bridge(name, mac);
	if (r < 0)
		return r;
	r = set_up_bridge(name, alias);
	r = r ? r : add_address(name, address, prefix);
	r = r ? r : iface_set_up(name, true);
	r = r ? r : iface_set_forwarding(name, true);
	if (r < 0)
		iface_del(name);
	return r;
}

int iface_del(const char *name)
{
	struct rtnl_link *link = NULL;
	int r = get(name, &link);

	r = r ? r : error(rtnl_link_delete(rt, link));
	rtnl_link_put(link);
	return r;
}

/* rtnetlink makes no taps: the one thing that is an ioctl. */
static int open_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL };
	int fd = open(TUN_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

/* Into a bridge, with no IPv6 of its own. */
static int enslave(const char *name, const char *bridge)
{
	struct rtnl_link *change = rtnl_link_alloc(), *master = NULL;
	int r = change ? get(bridge, &master) : -ENOMEM;

	if (r == 0 && rtnl_link_inet6_set_addr_gen_mode(change, ADDR_GEN_NONE) == 0)
		apply(name, change);
	rtnl_link_put(change);
	change = rtnl_link_alloc();
	if (r == 0) {
		rtnl_link_set_master(change, rtnl_link_get_ifindex(master));
		r = apply(name, change);
	}
	rtnl_link_put(change);
	rtnl_link_put(master);
	return r;
}

int iface_add_tap(const char *name, const char *bridge)
{
	_cleanup_close_ int fd = open_tap(name);
	int r = fd < 0 ? fd : enslave(name, bridge);

	return r < 0 ? r : steal_fd(&fd);
}

int iface_plug(const char *link, const char *name, const char *bridge)
{
	struct rtnl_link *change = rtnl_link_alloc();
	int r = change ? 0 : -ENOMEM;

	if (r == 0) {
		rtnl_link_set_name(change, name);
		r = apply(link, change);
	}
	rtnl_link_put(change);
	return r ? r : enslave(name, bridge);
}

int iface_set_up(const char *name, bool up)
{
	struct rtnl_link *change = rtnl_link_alloc();
	int r;

	if (!change)
		return -ENOMEM;
	if (up)
		rtnl_link_set_flags(change, IFF_UP);
	else
		rtnl_link_unset_flags(change, IFF_UP);
	r = apply(name, change);
	rtnl_link_put(change);
	return r;
}

int iface_is_up(const char *name)
{
	struct rtnl_link *link = NULL;
	int r = get(name, &link);

	if (r == 0)
		r = (rtnl_link_get_flags(link) & IFF_UP) != 0;
	rtnl_link_put(link);
	return r;
}

static bool overlaps(struct nl_addr *a, uint32_t network, unsigned int prefix)
{
	uint32_t ip;

	if (!a || nl_addr_get_family(a) != AF_INET || nl_addr_get_len(a) != sizeof(ip) ||
	    nl_addr_get_prefixlen(a) == 0)
		return false;
	memcpy(&ip, nl_addr_get_binary_addr(a), sizeof(ip));
	return net_overlap(ntohl(ip), nl_addr_get_prefixlen(a), network, prefix);
}

int iface_taken(uint32_t network, unsigned int prefix)
{
	struct nl_cache *routes;
	int r = ready(), taken = 0;

	r = r ? r : error(rtnl_route_alloc_cache(rt, AF_INET, 0, &routes));
	if (r < 0)
		return r;
	for (struct nl_object *o = nl_cache_get_first(routes); o && !taken; o = nl_cache_get_next(o))
		taken = overlaps(rtnl_route_get_dst((struct rtnl_route *)o), network, prefix);
	nl_cache_free(routes);
	return taken;
}

static int default_ifindex(void)
{
	struct nl_cache *routes;
	int r = ready(), found = 0;
	uint32_t best = UINT32_MAX;

	r = r ? r : error(rtnl_route_alloc_cache(rt, AF_INET, 0, &routes));
	if (r < 0)
		return r;
	for (struct nl_object *o = nl_cache_get_first(routes); o; o = nl_cache_get_next(o)) {
		struct rtnl_route *route = (struct rtnl_route *)o;
		struct nl_addr *dst = rtnl_route_get_dst(route);
		struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);

		if (!hop || (dst && nl_addr_get_prefixlen(dst)) ||
		    rtnl_route_get_table(route) != RT_TABLE_MAIN ||
		    rtnl_route_get_priority(route) >= best)
			continue;
		best = rtnl_route_get_priority(route);
		found = rtnl_route_nh_get_ifindex(hop);
	}
	nl_cache_free(routes);
	return found > 0 ? found : -ENETUNREACH;
}

int iface_uplink(char name[NET_NAME_MAX])
{
	char buf[IF_NAMESIZE];
	int index = default_ifindex();

	if (index < 0)
		return index;
	if (!if_indextoname((unsigned int)index, buf))
		return -errno;
	snprintf(name, NET_NAME_MAX, "%s", buf);
	return 0;
}

int iface_forwarding(const char *name)
{
	struct rtnl_link *link = NULL;
	uint32_t now = 0;
	int r = get(name, &link);

	r = r ? r : error(rtnl_link_inet_get_conf(link, FORWARDING, &now));
	rtnl_link_put(link);
	return r < 0 ? r : now != 0;
}

int iface_set_forwarding(const char *name, bool on)
{
	struct rtnl_link *change = rtnl_link_alloc();
	int r = change ? error(rtnl_link_inet_set_conf(change, FORWARDING, on)) : -ENOMEM;

	r = r ? r : apply(name, change);
	rtnl_link_put(change);
	return r;
}

void iface_each_alias(const char *alias, void (*fn)(const char *name))
{
	struct nl_cache *links;

	if (ready() < 0 || rtnl_link_alloc_cache(rt, AF_UNSPEC, &links) < 0)
		return;
	for (struct nl_object *o = nl_cache_get_first(links); o; o = nl_cache_get_next(o)) {
		struct rtnl_link *link = (struct rtnl_link *)o;
		const char *its = rtnl_link_get_ifalias(link);

		if (its && !strcmp(its, alias))
			fn(rtnl_link_get_name(link));
	}
	nl_cache_free(links);
}
